"""Compiled closing of tails: the last two or three columns of a chain. The mathematics stands in `downdating`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.downdating_state import (
    BEST,
    FOUND,
    LISTED,
    PRUNE_AT,
    REJECTED,
    SWEPT_FOR,
    UPPER,
    Cube,
    Search,
    Stack,
    Swept,
)
from formulations._types import IntVector, Matrix
from warmstarts.compilation import lean_part

_MARGIN = 4e-14  # rounding of one test, relative to its terms
_LEAST_PIVOT = 1e-13  # of a column whose inclusion is swept; below, nothing is closed
# Squares of correlations; where none in a triple is larger it is diagonally dominant, and needs no look.
_SUSPICIOUS = np.float32(0.249)
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
_SINGLE_MARGIN = np.float32(1e-5)  # some ten times the rounding of a test of correlations in single precision


@lean_part
def renew(search: Search, stack: Stack, swept: Swept, level: int) -> None:
    """Build the Schur complements of the included columns anew, for the value to beat as it is now."""
    moments = search.moments
    m = len(moments) - 1
    threshold = search.scalars[PRUNE_AT]
    explained = moments[m, m] - threshold
    first = swept.K[0]
    for i in range(m):
        for j in range(m):
            first[i, j] = moments[i, j] - moments[m, i] * moments[m, j] / explained
        if not explained > 0.0:
            _give_up(first, i)
    everything = swept.suspects
    for i in range(m):
        everything[i] = i
    for s in range(stack.n_in[level]):
        sweep(swept.K, s, stack.inside[level, s], everything, 0, m)
    search.scalars[SWEPT_FOR] = threshold


@lean_part
def sweep(K: Cube, s: int, column: int, rows: IntVector, start: int, stop: int) -> None:
    """Sweep a column out of the rows that are still needed."""
    if not K[s, column, column] > _LEAST_PIVOT:
        for a in range(start, stop):
            _give_up(K[s + 1], rows[a])
        return
    scale = 1.0 / K[s, column, column]
    for a in range(start, stop):
        i = rows[a]
        factor = K[s, column, i] * scale
        for j in range(K.shape[2]):
            K[s + 1, i, j] = K[s, i, j] - factor * K[s, column, j]


@lean_part
def _give_up(K: Matrix, i: int) -> None:
    """Make a row that closes nothing."""
    for j in range(K.shape[1]):
        K[i, j] = 0.0
    K[i, i] = -1.0


@lean_part
def closes_triples(swept: Swept, s: int, last: int, rows: IntVector, start: int, stop: int) -> bool:
    """Tell, in single precision and with a margin for that, whether no triple of some columns can win.

    They are ``rows[start:stop]``, once column ``last`` has been swept out of ``K[s]`` too; no column where that is -1.
    """
    K, C, scale, suspect = swept.K, swept.correlation, swept.scale, swept.suspects
    width = C.shape[1]
    if last >= 0 and not K[s, last, last] > _LEAST_PIVOT:
        return False
    pivot, of_pivot = (last, 1.0 / K[s, last, last]) if last >= 0 else (rows[start], 0.0)
    for j in range(width):
        scale[j] = 0.0  # columns that are no candidates
    for a in range(start, stop):
        i = rows[a]
        left = K[s, i, i] - K[s, pivot, i] * (of_pivot * K[s, pivot, i])
        if not left > 0.0:
            return False
        scale[i] = 1.0 / np.sqrt(left)
    suspects = 0
    for a in range(start, stop):
        i = rows[a]
        of_row = scale[i]
        factor = K[s, pivot, i] * of_pivot
        hits = _ZERO
        for j in range(width):
            c = np.float32((K[s, i, j] - factor * K[s, pivot, j]) * (of_row * scale[j]))
            C[i, j] = c
            hits += _ONE if c * c > _SUSPICIOUS else _ZERO
        suspect[suspects] = i
        if hits > _ONE:  # not the diagonal alone
            suspects += 1
    for a in range(suspects):
        i = suspect[a]
        for b in range(a + 1, suspects):
            j = suspect[b]
            off = C[i, j]
            if off * off > _SUSPICIOUS:
                least = _ONE - off * off - _SINGLE_MARGIN
                twice = off + off
                hits = _ZERO
                for third in range(width):
                    u, v = C[i, third], C[j, third]
                    hits += _ONE if u * u + v * (v - twice * u) > least else _ZERO
                if hits > _TWO:  # more than the pair itself
                    return False
    return True


@lean_part
def close_tail(search: Search, stack: Stack, swept: Swept, level: int, chain: int) -> None:
    """Look at every pair or triple of the columns behind the chain, and value those that may win."""
    ni, nf, free = stack.n_in[level], stack.n_free[level], stack.free[level]
    done = ni + chain
    K, support = swept.K, search.scratch.support
    for s in range(done):
        support[s] = stack.inside[level, s] if s < ni else free[s - ni]
    for a in range(chain, nf):
        for b in range(a + 1, nf):
            i, j = free[a], free[b]
            d_i, d_j, off = K[done, i, i], K[done, j, j], K[done, i, j]
            left = d_i * d_j * (1.0 - _MARGIN) - off * off
            is_sound = left > 0.0 and d_i > 0.0
            support[done], support[done + 1] = i, j
            if search.k - done == 2:
                if not is_sound:
                    judge(search)
                continue
            for e in range(b + 1, nf):
                third = free[e]
                u, v, d = K[done, i, third], K[done, j, third], K[done, third, third]
                if not (is_sound and d > 0.0 and d_j * u * u + v * (d_i * v - 2.0 * off * u) <= left * d):
                    support[done + 2] = third
                    judge(search)


@lean_part
def judge(search: Search) -> None:
    """Value the complete support afresh (Cholesky on its moments); adopt it or record what it was worth."""
    moments, k = search.moments, search.k
    support, work = search.scratch.support, search.scratch.factor
    scalars = search.scalars
    m = len(moments) - 1
    value = moments[m, m]
    for a in range(k):
        i = support[a]
        for b in range(a + 1):
            total = moments[i, support[b]]
            for s in range(b):
                total -= work[a, s] * work[b, s]
            if a > b:
                work[a, b] = total / work[b, b]
            elif total > 0.0:
                work[a, a] = np.sqrt(total)
            else:  # numerically dependent: nothing is proved about it
                scalars[REJECTED] = -np.inf
                return
        total = moments[m, i]
        for s in range(a):
            total -= work[a, s] * work[s, k]
        work[a, k] = total / work[a, a]
        value -= work[a, k] * work[a, k]
    if not value < scalars[UPPER]:
        scalars[REJECTED] = min(scalars[REJECTED], value)
    elif len(search.values):
        _list(search, value)
    else:
        scalars[UPPER] = scalars[BEST] = value
        scalars[PRUNE_AT] = value * (1.0 - search.slack) + search.allowance
        search.counts[FOUND] += 1
        for s in range(k):
            search.best[s] = support[s]


@lean_part
def _list(search: Search, value: float) -> None:
    """Take a support among the best ones; where there are enough, the worst goes, and the next sets what to beat."""
    counts, values, scalars = search.counts, search.values, search.scalars
    room = len(values)
    place = counts[LISTED]
    if place < room:
        counts[LISTED] += 1
    else:
        place = 0
        for a in range(room):
            if values[a] > values[place]:
                place = a
        scalars[REJECTED] = min(scalars[REJECTED], values[place])
    values[place] = value
    for s in range(search.k):
        search.listed[place, s] = search.scratch.support[s]
    if counts[LISTED] == room:
        worst = values[0]
        for a in range(room):
            worst = max(worst, values[a])
        scalars[UPPER] = worst
        scalars[PRUNE_AT] = worst * (1.0 - search.slack) + search.allowance
