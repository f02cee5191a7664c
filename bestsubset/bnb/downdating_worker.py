"""One worker of the downdating tree: a stack of nodes, searched in bursts, and what it logs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bestsubset.bnb.downdating_state import (
    BEST,
    DRAINED,
    FOUND,
    GIVEN,
    LEVEL,
    LOGGED,
    NODES,
    NOT_OPENED,
    PRUNE_AT,
    PRUNED,
    REJECTED,
    SWEPT_FOR,
    UPPER,
    WANTED,
    Scratch,
    Search,
    Stack,
    Swept,
    padded,
)
from bestsubset.stream import Stream
from formulations._types import IntVector
from warmstarts.compilation import compiling

_SOLVE, _END = 0, 7  # tokens of the certificate


@dataclass(eq=False)
class Worker:
    """A part of the tree and its search, logged in ``tokens`` from ``log_start`` on; None where nothing is logged."""

    search: Search
    stack: Stack
    swept: Swept
    tokens: Stream | None
    log_start: int = 0

    def another(self) -> Worker:
        """A worker for the same search, with nothing to do yet."""
        search = self.search
        m, k = len(search.names), search.k
        fresh = search._replace(
            moments=search.moments.copy(),
            names=search.names.copy(),
            scalars=np.array([search.scalars[UPPER], search.scalars[PRUNE_AT], np.inf, np.inf, np.inf]),
            counts=np.zeros_like(search.counts),
            best=np.zeros_like(search.best),
            scratch=Scratch.of(m, k),
            tokens=np.empty_like(search.tokens),
        )
        fresh.counts[LEVEL] = -1
        tokens = None if self.tokens is None else Stream(self.tokens.dtype)
        return Worker(fresh, Stack.of(m, k), Swept.of(m, k), tokens)

    @property
    def nodes(self) -> int:
        return int(self.search.counts[NODES])

    @property
    def is_idle(self) -> bool:
        return bool(self.search.counts[LEVEL] < 0)

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self.search.scalars[UPPER])

    @property
    def best(self) -> IntVector | None:
        """The best support found here; None unless it beat the value given."""
        return self.search.best.copy() if self.search.counts[FOUND] else None

    @property
    def best_value(self) -> float:
        return float(self.search.scalars[BEST])

    def lower_upper(self, value: float) -> None:
        """Tell of a better value found elsewhere."""
        scalars = self.search.scalars
        if value < scalars[UPPER]:
            scalars[UPPER] = value
            scalars[PRUNE_AT] = value * (1 - self.search.slack) + self.search.allowance

    def ask(self, waiting: int) -> None:
        """Tell how many wait for a part of this one's."""
        self.search.counts[WANTED] = waiting

    def work(self, nodes: int) -> None:
        """Open up to so many nodes; fewer where another worker wants some."""
        from bestsubset.bnb.downdating_kernels import grow

        stop_at = self.nodes + nodes
        while True:
            with compiling(grow):
                is_full = bool(grow(self.search, self.stack, self.swept, stop_at - self.nodes))
            self._drain_log()
            if not is_full:
                return

    def _drain_log(self) -> None:
        if self.tokens is not None:
            counts = self.search.counts
            logged, drained = int(counts[LOGGED]), int(counts[DRAINED])
            self.tokens.put(self.log_start + drained, self.search.tokens[: logged - drained])
            counts[DRAINED] = logged

    def close_log(self) -> None:
        """Log what is open as leaves."""
        self._drain_log()
        assert self.tokens is not None
        for level in range(int(self.search.counts[LEVEL]), -1, -1):
            child = int(self.stack.next_child[level])
            if child == GIVEN:
                self.tokens.append([-1 - level])
            elif child != PRUNED:
                self.tokens.append([_SOLVE if child == NOT_OPENED else _END])

    @property
    def bound(self) -> float:
        """Nothing that this worker had, but for what it gave away, is below; the allowance is still to be taken off."""
        stack = self.stack
        bound = min(self.search.scalars[PRUNE_AT], self.search.scalars[REJECTED])
        for level in range(int(self.search.counts[LEVEL]) + 1):
            child = stack.next_child[level]
            if child == NOT_OPENED:
                bound = min(bound, stack.rss[level])
            elif child >= stack.first_child[level]:
                bound = min(bound, stack.rss[level] + stack.increase[level, child])
        return float(bound)

    def level_to_give(self) -> int | None:
        """The shallowest level with children still to come: it has most of the tree below it."""
        stack, last = self.stack, int(self.search.counts[LEVEL])
        promising = stack.rss[: last + 1] + stack.increase[range(last + 1), np.maximum(stack.next_child[: last + 1], 0)]
        open_ = (stack.next_child[: last + 1] >= stack.first_child[: last + 1]) & (
            promising < self.search.scalars[PRUNE_AT]
        )
        levels = np.flatnonzero(open_)
        return int(levels[0]) if len(levels) else None

    def give(self, level: int, other: Worker) -> None:
        """Leave the children still to come at a level to an idle worker, whose log takes the place of ours there.

        Interrupted half way, both have them: twice is sound, never is not.
        """
        ours, theirs = self.stack, other.stack
        for name in ("free", "inside", "n_free", "n_in", "next_child", "first_child", "rss", "beta", "increase"):
            getattr(theirs, name)[0] = getattr(ours, name)[level]
        room = int(ours.n_free[level]) * int(padded(ours.n_free[level]))
        start = int(ours.offsets[level])
        theirs.H[:room] = ours.H[start : start + room]
        if other.tokens is not None:
            other.log_start = other.tokens.length
            other.search.counts[LOGGED] = other.search.counts[DRAINED] = 0
        other.search.scalars[SWEPT_FOR] = np.inf
        other.search.counts[LEVEL] = 0
        ours.next_child[level] = GIVEN
