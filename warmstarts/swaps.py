"""All-swaps descent from a given support: the whole matrix in one kernel, or row by row for wide problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector
from warmstarts.exchange import exchange, forward_blocks
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic
from warmstarts.refit import forced_columns
from warmstarts.stepwise import forward_order, largest_within


@dataclass(frozen=True)
class Swaps(Heuristic):
    """Forward selection, then the best exchange of one column for another until none lowers the RSS.

    The end point is swap-inescapable with full swaps. λ1 and bounds are ignored; with groups, whole
    blocks enter, leave and change places, judged by `refit`.

    Source
    ------
    Beck and Eldar (2013), partial coordinate-wise optimality; Hazimeh and Mazumder (2020), Fast Best
    Subset Selection, section 2.2, swap-inescapable minima. All swaps at once in closed form is ours.
    """

    name: ClassVar[str] = "swaps"

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        if scaled.has_groups:
            begun = largest_within(forward_blocks(scaled, max(sizes)), sizes)
            return {s: exchange(scaled, support, s, rng) for s, support in begun.items()}
        source = GramRows(scaled)
        forced = forced_columns(scaled)
        order = forward_order(source, forced, max(sizes))
        return {s: np.sort(descend_from(source, order[:s])[0]) for s in sizes if s >= len(forced)}


def descend_from(source: GramRows, support: IntVector) -> tuple[IntVector, float]:
    """Return the swap-inescapable support below ``support`` and its RSS, infinite for dependent columns."""
    found = np.array(support, dtype=np.int64)
    if not len(found):
        return found, 1.0
    if source.is_whole:
        from warmstarts.compilation import compiling
        from warmstarts.swap_kernels import descend

        with compiling(descend):
            rss = descend(source.rows, source.c, source.diagonal, source.locked, found)
    else:
        rss = _descend_by_rows(source, found)
    return found, rss if rss >= 0.0 else np.inf


def shrink(source: GramRows, support: IntVector, size: int) -> IntVector:
    """Drop the columns that the fit misses least until ``size`` are left; locked ones stay."""
    from warmstarts.swap_kernels import fit_support

    kept = np.array(support, dtype=np.int64)
    while len(kept) > size:
        inverse, coef = np.empty((len(kept), len(kept))), np.empty(len(kept))
        if fit_support(source.rows, source.at(kept), kept, source.c, inverse, coef) < 0.0:
            prices = np.abs(source.c[kept])  # dependent columns: by their correlation with the response
        else:
            prices = coef**2 / np.diag(inverse)
        kept = np.delete(kept, np.argmin(np.where(source.locked[kept], np.inf, prices)))
    return kept


def _descend_by_rows(source: GramRows, support: IntVector) -> float:
    """As the kernel `descend`, in place, with rows formed as columns enter: one new row a step."""
    from warmstarts.swap_kernels import RELATIVE_GAIN, best_swap, fit_support

    size, m = len(support), source.m
    inverse, coef = np.empty((size, size)), np.empty(size)
    room = np.empty((size, m)), np.empty(m), np.empty(m)
    rss = fit_support(source.rows, source.at(support), support, source.c, inverse, coef)
    while rss > 0.0:
        at = source.at(support)
        leaves, enters, gain = best_swap(
            source.rows, at, support, source.c, source.diagonal, source.locked, inverse, coef, *room
        )
        if leaves < 0 or gain <= RELATIVE_GAIN * rss:
            break
        gone = support[leaves]
        support[leaves] = enters
        reached = fit_support(source.rows, source.at(support), support, source.c, inverse, coef)
        if reached < 0.0 or reached >= rss:
            support[leaves] = gone
            break
        rss = reached
    return float(rss)
