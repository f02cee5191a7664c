"""The default warm start: stepwise starts, all-swaps descent, and seeded kicks out of local optima."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import BoolVector, IntVector
from warmstarts.exchange import exchange, forward_blocks
from warmstarts.gram_rows import GramRows
from warmstarts.hard_thresholding import IterativeHardThresholding
from warmstarts.interface import Heuristic
from warmstarts.objective import SquaredObjective
from warmstarts.refit import best_of, forced_columns
from warmstarts.stepwise import elimination_order, forward_order, largest_within
from warmstarts.swaps import descend_from, shrink
from warmstarts.thresholding import largest

_POOL = 200  # columns among which kicks are made
_PATIENCE = 5  # sizes without a better value, after which larger ones are not tried
_WORK = 1.5e9  # multiplications that all descents of a run may take, about
_STEPS = 4.0  # swaps in a descent, about
_RELATIVE_GAIN = 1e-9


@dataclass(frozen=True)
class Restarts(Heuristic):
    r"""Descend over all swaps from several starts, then kick the best and descend again.

    For each size: forward selection, backward elimination (where the matrix is well conditioned), hard
    thresholding (for wide data), ``start`` and the neighbouring sizes' supports are starts. A kick
    replaces 2 to max(2, k/2) members by random columns; what is better after the descent is kept.
    Kicks stop after ``rounds``, or after a round without success. Above 200 columns they are made among the
    columns most correlated with the response or with the residual, and those of the starts.

    The search minimises the residual sum of squares with the ridge; λ1 and bounds are brought in by a
    last exchange, judged by `refit`. With groups, blocks enter, are exchanged and kicked by `refit`
    throughout. With λ0 and several sizes, sizes beyond those that can pay are left out.

    Attributes
    ----------
    kicks : int
        Kicks a round, for one size.
    path_kicks : int
        Kicks a round, for each of several sizes; and kicks of blocks.
    rounds : int

    Source
    ------
    Iterated local search: Lourenço, Martin and Stützle (2003). The closed form of the swaps is in
    ``warmstarts/swap_kernels.py``.
    """

    name: ClassVar[str] = "restarts"

    kicks: int = 80
    path_kicks: int = 10
    rounds: int = 4

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        wanted = sorted({min(s, scaled.m) for s in sizes if s >= len(forced_columns(scaled))})
        if not wanted:
            return {}
        if scaled.has_groups:
            begun = largest_within(forward_blocks(scaled, max(wanted)), wanted)
            found = _exchanged(scaled, _with_start(scaled, begun, start), rng, self.path_kicks)
        else:
            found = _Search(self, scaled, wanted, rng, start).run()
            if not scaled.is_plain:
                found = _exchanged(scaled, _with_start(scaled, found, start), rng, 0)
        return {s: found[min(s, scaled.m)] for s in sizes if min(s, scaled.m) in found}


class _Search:
    """One run of `Restarts` on a problem without groups: the best support and its RSS for each size."""

    def __init__(
        self,
        settings: Restarts,
        scaled: ScaledProblem,
        sizes: list[int],
        rng: np.random.Generator,
        start: IntVector | None,
    ) -> None:
        self.settings, self.scaled, self.sizes, self.rng = settings, scaled, sizes, rng
        self.source = GramRows(scaled)
        self.forced = forced_columns(scaled)
        self.start = None if start is None else np.union1d(self.forced, start).astype(np.int64)
        self.best: dict[int, IntVector] = {}
        self.rss: dict[int, float] = {}
        self.work = _WORK
        self.cheap = scaled.lambda0 > 0.0 and len(sizes) > 1
        self.forward = forward_order(self.source, self.forced, max(sizes), patience=_PATIENCE if self.cheap else None)
        self.strength = self._backward_strength()

    def run(self) -> dict[int, IntVector]:
        """Go up through the sizes, then down, so that each can begin from both neighbours."""
        least, since = np.inf, 0
        for size in self.sizes:
            if self.work <= 0.0 and self.cheap and self.best:
                self._leap()
                break
            self._improve(size, self._starts(size))
            self._kick(size)
            value = self._price(size)
            if np.isfinite(value):
                least, since = (value, 0) if value < least else (least, since + 1)
            if self.cheap and since >= _PATIENCE:
                break
        if self.cheap and not self.source.is_whole and self.work > 0.0:
            best = min(self.best, key=self._price)
            self._improve(best, [IterativeHardThresholding().threshold(SquaredObjective(self.source), best)])
        done = sorted(self.best)
        for below, above in reversed(list(pairwise(done))):
            if self.work > 0.0 and len(self.best[above]) > below:
                self._improve(below, [shrink(self.source, self.best[above], below)])
        return {size: np.sort(support) for size, support in self.best.items()}

    def _price(self, size: int) -> float:
        return 0.5 * self.rss[size] + self.scaled.lambda0 * len(self.best[size])

    def _leap(self) -> None:
        """Try the size where forward selection is best, when no work is left for all sizes."""
        sizes = [s for s in self.sizes if s <= len(self.forward) - _PATIENCE and s not in self.best]
        if sizes:
            size = max(sizes)
            self.best[size], self.rss[size] = descend_from(self.source, self.forward[:size])

    def _backward_strength(self) -> IntVector | None:
        order = elimination_order(self.source, max(min(self.sizes), len(self.forced)))
        if order is None:
            return None
        return np.concatenate([np.setdiff1d(np.arange(self.source.m), order), order[::-1]])

    def _starts(self, size: int) -> list[IntVector]:
        starts = [self.forward[:size]]
        if self.work <= 0.0:
            return starts
        if self.strength is not None:
            starts.append(self.strength[:size])
        if not self.source.is_whole and not self.cheap:
            starts.append(IterativeHardThresholding().threshold(SquaredObjective(self.source), size))
        if self.start is not None and size >= len(self.forced):
            starts.append(self._resized(self.start, size))
        smaller = [s for s in self.best if s < size]
        if smaller:
            starts.append(self._resized(self.best[max(smaller)], size))
        return starts

    def _resized(self, support: IntVector, size: int) -> IntVector:
        if len(support) > size:
            return shrink(self.source, support, size)
        return forward_order(self.source, support, size)

    def _improve(self, size: int, starts: list[IntVector]) -> None:
        """Descend from each start once, and keep the best; once the work is done, take the first as it is."""
        seen: set[bytes] = set()
        for start in starts:
            key = np.sort(start).tobytes()
            if key in seen:
                continue
            if self.work <= 0.0:
                self.best.setdefault(size, start)
                self.rss.setdefault(size, np.inf)
                return
            self.work -= _descent_work(len(start), self.source.m)
            support, rss = descend_from(self.source, start)
            seen |= {key, np.sort(support).tobytes()}
            if size not in self.best or rss < self.rss[size]:
                self.best[size], self.rss[size] = support, rss

    def _kick(self, size: int) -> None:
        """Kick the best support of a size in rounds, each as long as the last one found a better support."""
        from warmstarts.swap_kernels import descend

        support, source = self.best[size], self.source
        if not 0.0 < self.rss[size] < np.inf or not len(self.forced) < len(support) < source.m:
            return
        pool = self._pool(size)
        H = source.rows if source.is_whole and len(pool) == source.m else source.part(pool)
        c, diagonal, locked = source.c[pool], source.diagonal[pool], source.locked[pool]
        local, rss, begun = np.searchsorted(pool, support), self.rss[size], self.rss[size]
        for _ in range(self.settings.rounds):
            before = rss
            for trial in self._trials(local, locked):
                self.work -= _descent_work(len(local), len(pool))
                reached = descend(H, c, diagonal, locked, trial)
                if 0.0 <= reached < rss * (1.0 - _RELATIVE_GAIN):
                    local[:], rss = trial, reached
            if not rss < before:
                break
        if rss < begun:
            self.best[size], self.rss[size] = pool[local], rss
            if len(pool) < source.m:
                self._improve(size, [pool[local]])

    def _trials(self, support: IntVector, locked: BoolVector) -> Iterator[IntVector]:
        """Yield ``support`` with 2 to max(2, size/2) of its loose members replaced by random columns.

        ``support`` may change between two trials; the next begins from the change.
        """
        size, m = len(support), len(locked)
        wanted = self.settings.kicks if len(self.sizes) == 1 else self.settings.path_kicks
        share = max(self.work, 0.0) / (4.0 * self.settings.rounds * len(self.sizes))
        kicks = min(wanted, int(share / _descent_work(size, m)))
        orders = self.rng.random((kicks, m)).argsort(axis=1)
        counts = self.rng.integers(2, max(2, size // 2), size=kicks, endpoint=True)
        for order, count in zip(orders, counts, strict=True):
            is_in = np.zeros(m, dtype=bool)
            is_in[support] = True
            entering = order[~is_in[order]][:count]
            leaving = order[(is_in & ~locked)[order]][: len(entering)]
            is_in[leaving] = False
            is_in[entering[: len(leaving)]] = True
            yield np.flatnonzero(is_in)

    def _pool(self, size: int) -> IntVector:
        """Return the columns to kick among, sorted: all of a few, else the promising ones."""
        source, support = self.source, self.best[size]
        if source.m <= _POOL:
            return np.arange(source.m)
        known = np.concatenate([support, *self._starts_known(size)])
        at = source.at(support)
        coef = np.linalg.solve(source.rows[at][:, support], source.c[support])
        residual = np.abs(source.c - coef @ source.rows[at])
        promising = np.column_stack([largest(np.abs(source.c), _POOL), largest(residual, _POOL)])
        ranked = np.concatenate([known, promising.ravel()])
        _, first = np.unique(ranked, return_index=True)
        return np.sort(ranked[np.sort(first)][: max(_POOL, len(support))])

    def _starts_known(self, size: int) -> list[IntVector]:
        known = [self.forward[: 2 * size]]
        if self.strength is not None:
            known.append(self.strength[: 2 * size])
        return known


def _descent_work(size: int, m: int) -> float:
    return _STEPS * size * size * (m + size) + 1.0


def _with_start(scaled: ScaledProblem, found: dict[int, IntVector], start: IntVector | None) -> dict[int, IntVector]:
    """Put ``start``, if it may be proposed, in the place of what is worse by `refit`."""
    if start is None or not len(start):
        return found
    is_in = np.zeros(scaled.m, dtype=bool)
    is_in[start] = True
    whole = all(is_in[list(block)].all() or not is_in[list(block)].any() for block in scaled.groups)
    homes = [size for size in found if size >= is_in.sum()]
    if not whole or not homes or (scaled.included & ~is_in).any():
        return found
    return {**found, min(homes): best_of(scaled, [found[min(homes)], np.flatnonzero(is_in)])}


def _exchanged(
    scaled: ScaledProblem, found: dict[int, IntVector], rng: np.random.Generator, kicks: int
) -> dict[int, IntVector]:
    """Exchange by `refit` from each support; with λ0, from the best only: adds and drops reach the others."""
    if not found:
        return found
    if scaled.lambda0 == 0.0:
        return {size: exchange(scaled, support, size, rng, kicks) for size, support in found.items()}
    reached = exchange(scaled, best_of(scaled, found.values()), max(found), rng, kicks)
    home = min(size for size in found if size >= len(reached))
    return {**found, home: reached}
