"""Compiled closing of tails: the last two or three columns of a chain. The mathematics stands in `downdating`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.downdating_state import (
    BEST,
    FOUND,
    PRUNE_AT,
    REJECTED,
    SWEPT_FOR,
    UPPER,
    Cube,
    Search,
    Stack,
    Swept,
)
from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import part

_MARGIN = 4e-14  # rounding of one test, relative to its terms
_LEAST_PIVOT = 1e-13  # of a column whose inclusion is swept; below, nothing is closed
# Three unit vectors none of whose products exceeds 1/2 are always those of a semidefinite matrix.
_SUSPICIOUS = np.float32(0.249)
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
_SINGLE_MARGIN = np.float32(1e-5)  # some ten times the rounding of a test of correlations in single precision
_SUSPICIOUS_PAIR, _SUSPICIOUS_TRIPLE = 0.999, 0.249  # squares of correlations; smaller ones need no look


@part
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
    everything = np.arange(m)
    for s in range(stack.n_in[level]):
        sweep(swept.K, s, stack.inside[level, s], everything, 0, m)
    search.scalars[SWEPT_FOR] = threshold


@part
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


@part
def _give_up(K: Matrix, i: int) -> None:
    """Make a row that closes nothing."""
    for j in range(K.shape[1]):
        K[i, j] = 0.0
    K[i, i] = -1.0


@part
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


@part
def close_tail(search: Search, stack: Stack, swept: Swept, level: int, chain: int) -> None:
    """Rule out every pair or triple of the columns behind the chain at once, or look at those that may win."""
    ni = stack.n_in[level]
    done = ni + chain
    missing = search.k - done
    K, diagonal = swept.K, swept.diagonal
    free, nf = stack.free[level], stack.n_free[level]
    width = len(diagonal)
    for j in range(width):
        diagonal[j] = np.inf
    for a in range(chain, nf):
        diagonal[free[a]] = K[done, free[a], free[a]]
    suspicious = _SUSPICIOUS_PAIR if missing == 2 else _SUSPICIOUS_TRIPLE
    for a in range(chain, nf):
        i = free[a]
        least = suspicious * diagonal[i]
        hits = 0
        for j in range(width):
            hits += K[done, i, j] * K[done, i, j] > least * diagonal[j]
        if hits == 1 and least > 0.0:  # the diagonal itself
            continue
        for b in range(a + 1, nf):
            j = free[b]
            is_harmless = K[done, i, j] * K[done, i, j] <= least * diagonal[j] and least > 0.0
            if not (is_harmless or (missing == 3 and _closes_with(K, done, i, j, diagonal))):
                _judge_tail(search, stack, swept, level, chain, a, b)


@part
def _closes_with(K: Cube, s: int, i: int, j: int, diagonal: Vector) -> bool:
    """Tell whether a pair has no third column with which it is not positive semidefinite."""
    d_i, d_j, off = diagonal[i], diagonal[j], K[s, i, j]
    left = d_i * d_j * (1.0 - _MARGIN) - off * off
    if not (left > 0.0 and d_i > 0.0):
        return False
    twice = 2.0 * off
    hits = 0
    for third in range(len(diagonal)):
        u, v = K[s, i, third], K[s, j, third]
        hits += d_j * u * u + v * (d_i * v - twice * u) > left * diagonal[third]
    return hits == 2  # the pair itself


@part
def _judge_tail(search: Search, stack: Stack, swept: Swept, level: int, chain: int, a: int, b: int) -> None:
    """Value what a pair behind the chain, with a third column where three are missing, may be part of."""
    ni, nf = stack.n_in[level], stack.n_free[level]
    done = ni + chain
    free, diagonal = stack.free[level], swept.diagonal
    for s in range(done):
        search.scratch.support[s] = stack.inside[level, s] if s < ni else free[s - ni]
    i, j = free[a], free[b]
    d_i, d_j, off = diagonal[i], diagonal[j], swept.K[done, i, j]
    left = d_i * d_j * (1.0 - _MARGIN) - off * off
    is_sound = left > 0.0 and d_i > 0.0
    search.scratch.support[done] = i
    search.scratch.support[done + 1] = j
    if search.k - done == 2:
        if not is_sound:
            judge(search)
        return
    for e in range(chain, nf):
        third = free[e]
        if third in (i, j):
            continue
        u, v = swept.K[done, i, third], swept.K[done, j, third]
        excess = d_j * u * u + v * (d_i * v - 2.0 * off * u) - left * diagonal[third]
        if not (excess <= 0.0 and is_sound and diagonal[third] > 0.0):
            search.scratch.support[done + 2] = third
            judge(search)


@part
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
    if value < scalars[UPPER]:
        scalars[UPPER] = scalars[BEST] = value
        scalars[PRUNE_AT] = value * (1.0 - search.slack) + search.allowance
        search.counts[FOUND] += 1
        for s in range(k):
            search.best[s] = support[s]
    else:
        scalars[REJECTED] = min(scalars[REJECTED], value)
