"""The perspective tree of a very wide problem, grown over a few candidate columns and audited over all.

A row of Q costs as much as a look at all data, and thousands of columns enter the relaxation at some node. But the
products of all columns with many residuals at once are one matrix product. So the tree grows in waves that know only
the candidates: those columns that any multiplier has given a positive gain so far, or nearly. After every wave its
multipliers are seen with all columns (`Audit`): what needs another column to be concluded is done again with it.
Between waves everything holds for all columns, bounds and log included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bestsubset.bnb.candidates import Candidates
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import NodeEvents, assemble
from bestsubset.bnb.perspective_state import (
    BEFORE,
    BRANCHED,
    FIX,
    FREE,
    IDS,
    IN,
    LEAF,
    OPEN,
    PRUNE_AT,
    REJECTED,
    WORKER,
    WORKERS,
    Log,
    Pool,
)
from bestsubset.bnb.perspective_worker import Worker
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.tree import MemoryLimitReached
from bestsubset.bnb.wide_audit import Audit, OpenNode, left_open
from bestsubset.bnb.wide_looks import Looks, thresholds
from formulations._types import IntMatrix, IntVector, Vector
from formulations.design import Design

_FIRST_COLUMNS = 200
_AT_HAND = 256  # open nodes that a wave begins with: each needs rows
_ROWS = (
    0.2  # of the data in double precision: rows beyond are dropped between waves if no node at hand starts with them
)
_FIRST_WAVE, _LARGEST_WAVE = 16, 512  # nodes
_MOST_ROOTS = 20  # waves of the root alone
_SETTLED = 0.01  # of the gap at the root, by which other columns may still lower its bound


@dataclass(frozen=True)
class _Audited:
    """All that is settled: the open nodes, lengths of the log, and the least value ever rejected."""

    open: list[OpenNode]
    events: int
    fixed: int
    multipliers: int
    next_id: int
    rejected: float

    @property
    def bound(self) -> float:
        return min([self.rejected, *(node.bound for node in self.open)])


class WideTree:
    """Search in waves; between them the state is that of a `PerspectiveTree`.

    Parameters
    ----------
    quadratic : Quadratic
        With λ0 > 0: without, every column has a gain, and there are no few candidates.
    y : shape (n,)
    design : Design
    upper, relative_slack, memory_limit : float
    gamma : shape (m,)
        Where the root's relaxation starts.
    log : TreeLog
    is_logged : bool
        Whether the log is wanted in the end.
    stop : callable
        Called before every look at the data; may raise.
    """

    threads = 1

    def __init__(
        self,
        quadratic: Quadratic,
        y: Vector,
        design: Design,
        upper: float,
        relative_slack: float,
        *,
        gamma: Vector,
        memory_limit: float,
        log: TreeLog,
        is_logged: bool,
        stop: Callable[[], None],
    ) -> None:
        self._quadratic, self._upper, self._slack, self._allowance = (
            quadratic,
            upper,
            relative_slack,
            quadratic.rounding,
        )
        self._memory_limit, self._is_logged = memory_limit, is_logged
        self._candidates = Candidates(design, _first_columns(quadratic, gamma), memory_limit)
        self._looks = Looks(quadratic, y, design, self._candidates, log, stop)
        self._events = NodeEvents(log)
        self._support: IntVector | None = None
        self._wave = 1
        self._root_waves = self._opened = 0
        start = np.flatnonzero(gamma[self._candidates.columns])
        status = np.where(quadratic.included[self._candidates.columns], IN, FREE).astype(np.int8)
        root = OpenNode(0, status, -np.inf, -1, start, gamma[self._candidates.columns[start]], quadratic.lambda0)
        self._settle(_Audited([root], 0, 0, 0, 1, np.inf))

    def _settle(self, audited: _Audited) -> None:
        """Go on from there, with a worker that has all open nodes."""
        m = len(self._candidates.columns)
        worker = Worker(
            self._quadratic.restricted_to(self._candidates.columns),
            self._candidates,
            self._upper,
            self._slack,
            self._allowance,
            closes_pairs=False,
            memory_limit=self._memory_limit,
            by_descent=True,
        )
        worker.columns, worker.events, worker.log = self._candidates.columns, self._events, Log.of(m, 0, True)
        log = self._events.log
        worker.log.counts[BEFORE:WORKER] = audited.events, audited.fixed, log.ends.length, log.columns.length
        nodes = audited.open[:_AT_HAND]
        used = np.arange(m)
        if self._candidates.nbytes > _ROWS * 8 * len(self._quadratic.c) * self._candidates.n:
            starts = [np.concatenate([node.columns, np.flatnonzero(node.status == IN)]) for node in nodes]
            used = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *starts]))
        self._candidates.renew_rows(used)
        pool = Pool.of(max(64, 2 * len(nodes)), m)
        for slot, node in enumerate(nodes):
            pool.put(slot, node.extended_to(m).status, node.columns, node.gamma, node.bound, node.mu)
            pool.node[slot], pool.multiplier[slot] = node.node, node.multiplier
        pool.keep(np.arange(len(nodes)))
        worker.pool = pool
        worker.search.counts[[OPEN, IDS]] = len(nodes), audited.next_id
        self._audited, self._worker = audited, worker

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted.

        Raises
        ------
        MemoryLimitReached
            The state stays sound: `bound` holds.
        """
        while nodes > 0 and self._audited.open:
            before = self._worker.nodes
            self._worker.work(min(nodes, self._wave - before))
            self._note_support()
            nodes -= self._worker.nodes - before
            if self._worker.is_idle or self._worker.nodes >= self._wave:
                self._audit()
                nodes += not self._opened  # the root is one node, however often it is seen
        return not self._audited.open

    def _note_support(self) -> None:
        if self._worker.support is not None and self._worker.upper < self._upper:
            self._support = self._worker.support
        self._upper = min(self._upper, self._worker.upper)

    def _audit(self) -> None:
        """See the wave with all columns, and settle what holds."""
        worker, before = self._worker, self._audited
        worker.log_proof()
        worker.drain_log()
        events, fixed = self._logged()
        nodes_left = {node.node: node for node in left_open(worker)}
        named = [*events[np.isin(events[:, 1], [FIX, LEAF]), 2], *(node.multiplier for node in nodes_left.values())]
        numbers = np.unique(np.array(named, dtype=np.int64))
        looks, starts = self._looks.at(numbers[numbers >= WORKERS * before.multipliers])
        m = len(self._candidates.columns)
        roots = [node.extended_to(m) for node in before.open[:_AT_HAND]]
        audit = Audit(events, fixed, looks, nodes_left, starts, float(worker.search.scalars[PRUNE_AT]))
        root = self._rougher_root(roots[0], audit) if not self._opened else None
        if root is None:
            audit.follow(roots)
            self._wave = max(_FIRST_WAVE, min(_LARGEST_WAVE, 2 * self._wave))
        else:
            self._root_waves += 1
            audit.open.append(root)
        self._commit(audit)

    def _logged(self) -> tuple[IntMatrix, IntVector]:
        """What the wave has logged, in local columns."""
        events = self._events.events.array().reshape(-1, 4)[self._audited.events :].copy()
        fixed = self._events.fixed.array()[self._audited.fixed :].astype(np.int64)
        branched = events[:, 1] == BRANCHED
        events[branched, 2] = self._looks.local(events[branched, 2])
        is_in = fixed >= 0
        fixed[is_in], fixed[~is_in] = self._looks.local(fixed[is_in]), -1 - self._looks.local(-1 - fixed[~is_in])
        return events, fixed

    def _rougher_root(self, root: OpenNode, audit: Audit) -> OpenNode | None:
        """The root with what is known of it now, if its relaxation lacked columns that matter."""
        best = root
        for node in audit.left_open.values():
            look = audit.looks.get(node.multiplier)
            if look is None or self._root_waves >= _MOST_ROOTS:
                continue
            bound = look.bound(root.status)
            if node.bound - bound > _SETTLED * (self._upper - node.bound) and bound >= best.bound:
                best = OpenNode(0, root.status, bound, node.multiplier, *audit.starts[node.multiplier], root.mu)
        return None if best is root else best

    def _commit(self, audit: Audit) -> None:
        """Write what is kept over what the wave has logged, and go on from there."""
        before, names = self._audited, self._events.log.names[self._candidates.columns]
        kept = np.array(audit.kept, dtype=np.int64).reshape(-1, 4)
        branched = kept[:, 1] == BRANCHED
        kept[branched, 2] = names[kept[branched, 2]]
        fixed = np.concatenate([np.zeros(0, dtype=np.int64), *audit.kept_fixed])
        self._events.events.put(4 * before.events, kept.ravel())
        self._events.fixed.put(before.fixed, np.where(fixed >= 0, names[fixed], -1 - names[-1 - fixed]))
        if self._opened or audit.kept:  # else the root is to be seen again
            self._opened += self._worker.nodes
        is_open = sorted(audit.open + before.open[_AT_HAND:], key=lambda node: node.bound)
        if sum(node.nbytes for node in is_open) > self._memory_limit - self._candidates.nbytes:
            raise MemoryLimitReached
        self._settle(
            _Audited(
                is_open,
                before.events + len(kept),
                before.fixed + len(fixed),
                self._events.log.ends.length,
                int(self._worker.search.counts[IDS]),
                min(before.rejected, float(self._worker.search.scalars[REJECTED])),
            )
        )

    def close_log(self) -> TreeLog | None:
        """Log the open nodes as leaves; return the log. A wave that is not settled counts for nothing."""
        if not self._is_logged:
            return None
        self._events.events.cut(4 * self._audited.events)
        self._events.fixed.cut(self._audited.fixed)
        leaves = np.array([(node.node, node.multiplier) for node in self._audited.open], dtype=np.int64)
        return assemble([self._events], leaves.reshape(-1, 2))

    @property
    def nodes(self) -> int:
        return self._opened + self._worker.nodes

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return self._upper

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        return self._support

    def proposal(self) -> IntVector | None:
        """None: the relaxation of a node has many columns, and its complete supports are valued anyway."""
        return None

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        self._upper = min(self._upper, value)
        self._worker.lower_upper(value)

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this; open nodes count with their bounds."""
        bound = min(self._audited.bound, float(self._worker.search.scalars[PRUNE_AT]))
        return max(0.0, min(self._upper, bound - self._allowance))


def _first_columns(quadratic: Quadratic, gamma: Vector) -> IntVector:
    """The incumbent, what must be in, and what is most correlated with the response."""
    strongest = np.argsort(-np.abs(quadratic.c) / thresholds(quadratic))[:_FIRST_COLUMNS]
    return np.union1d(np.flatnonzero(quadratic.included | (gamma != 0)), strongest)
