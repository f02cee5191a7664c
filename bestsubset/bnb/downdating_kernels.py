"""Compiled search of the downdating tree. The mathematics stands in `downdating`."""

from __future__ import annotations

import numpy as np

from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import kernel

# Positions in the vector of scalars that a search carries from one burst to the next.
UPPER, PRUNE_AT, REJECTED = 0, 1, 2
# Positions in the vector of counters.
LEVEL, NODES, FOUND, SWEPT = 0, 1, 2, 3

_MARGIN = 4e-14  # rounding of one closed-pairs test, relative to its terms


@kernel
def grow(
    moments: Matrix,
    k: int,
    relative_slack: float,
    allowance: float,
    scalars: Vector,
    counts: IntVector,
    best: IntVector,
    free: Matrix,
    inside: Matrix,
    n_free: IntVector,
    n_in: IntVector,
    next_child: IntVector,
    first_child: IntVector,
    rss: Vector,
    beta: Matrix,
    increase: Matrix,
    offsets: IntVector,
    H: Vector,
    T: Matrix,
    w: Matrix,
    rss_swept: Vector,
    swept: IntVector,
    budget: int,
) -> bool:
    """Open up to ``budget`` nodes of the tree; True when nothing is left. All arrays carry the state."""
    stop_at = counts[NODES] + budget
    level = counts[LEVEL]
    bad = np.empty(len(moments) - 1)
    support = np.empty(k, np.int64)
    work = np.empty((k, k + 1))
    while level >= 0:
        if next_child[level] == -2:  # not opened yet
            if counts[NODES] >= stop_at:
                counts[LEVEL] = level
                return False
            counts[NODES] += 1
            nf, ni = n_free[level], n_in[level]
            block = H[offsets[level] : offsets[level] + nf * nf].reshape((nf, nf))
            if rss[level] >= scalars[PRUNE_AT]:
                next_child[level] = -1
                first_child[level] = 0
            elif nf - 1 == k - ni:
                _close_last_exclusion(
                    moments, block, beta[level], rss[level], free[level], nf, inside[level], ni, support, work,
                    relative_slack, allowance, scalars, counts, best,
                )
                next_child[level] = -1
                first_child[level] = 0
            else:
                _open(
                    level, nf, k - ni - 2, block, beta[level], increase[level], free[level], rss, scalars[PRUNE_AT],
                    next_child, first_child,
                )
                n_swept = _sweep_to(T, w, rss_swept, swept, counts, inside[level], ni, free[level], k - ni - 2)
                _close_pairs(
                    moments, T[n_swept], w[n_swept], rss_swept[n_swept], free[level], k - ni - 2, nf, bad, swept, n_swept,
                    support, work, relative_slack, allowance, scalars, counts, best,
                )
        t = next_child[level]
        if t < first_child[level] or rss[level] + increase[level, t] >= scalars[PRUNE_AT]:
            level -= 1
            continue
        next_child[level] = t - 1
        _exclude(level, t, n_free, n_in, free, inside, rss, beta, increase, offsets, H)
        level += 1
        next_child[level] = -2
    counts[LEVEL] = level
    return True


@kernel
def _open(
    level: int, nf: int, chain: int, block: Matrix, beta: Vector, increase: Vector, free: IntVector, rss: Vector,
    prune_at: float, next_child: IntVector, first_child: IntVector,
) -> None:
    """Bring the ``chain`` columns that are dearest to exclude to the front, dearest first."""
    for i in range(nf):
        increase[i] = beta[i] * beta[i] / block[i, i]
    first_child[level] = 0
    for t in range(chain):
        dearest = t
        for i in range(t + 1, nf):
            if increase[i] > increase[dearest]:
                dearest = i
        if dearest != t:
            _swap(block, nf, t, dearest)
            beta[t], beta[dearest] = beta[dearest], beta[t]
            increase[t], increase[dearest] = increase[dearest], increase[t]
            free[t], free[dearest] = free[dearest], free[t]
        if rss[level] + increase[t] >= prune_at:
            first_child[level] = t + 1  # leaving t out is hopeless: it is in, and costs no child
    next_child[level] = chain - 1


@kernel
def _swap(block: Matrix, nf: int, a: int, b: int) -> None:
    """Swap rows and columns a and b of a symmetric block."""
    for i in range(nf):
        block[a, i], block[b, i] = block[b, i], block[a, i]
    for i in range(nf):
        row = block[i]
        row[a], row[b] = row[b], row[a]


@kernel
def _exclude(
    level: int, t: int, n_free: IntVector, n_in: IntVector, free: Matrix, inside: Matrix, rss: Vector, beta: Matrix,
    increase: Matrix, offsets: IntVector, H: Vector,
) -> None:
    """Make the child that includes the first t free columns and excludes the next: a rank-one downdate."""
    nf, ni = n_free[level], n_in[level]
    size = nf - t - 1
    old = H[offsets[level] : offsets[level] + nf * nf].reshape((nf, nf))
    new = H[offsets[level + 1] : offsets[level + 1] + size * size].reshape((size, size))
    pivot_row = old[t, t + 1 :]
    scale = 1.0 / old[t, t]
    step = beta[level, t] * scale
    for a in range(size):
        u = pivot_row[a]
        beta[level + 1, a] = beta[level, t + 1 + a] - u * step
        free[level + 1, a] = free[level, t + 1 + a]
        factor = u * scale
        source = old[t + 1 + a, t + 1 :]
        target = new[a]
        for b in range(size):
            target[b] = source[b] - factor * pivot_row[b]
    for a in range(ni):
        inside[level + 1, a] = inside[level, a]
    for a in range(t):
        inside[level + 1, ni + a] = free[level, a]
    n_free[level + 1] = size
    n_in[level + 1] = ni + t
    rss[level + 1] = rss[level] + increase[level, t]


@kernel
def _sweep_to(
    T: Matrix, w: Matrix, rss_swept: Vector, swept: IntVector, counts: IntVector, inside: IntVector, ni: int,
    free: IntVector, chain: int,
) -> int:
    """Sweep the node's columns and its chain into the upper triangle of T, reusing the common prefix."""
    total = ni + chain
    m = len(w[0])
    same = True
    for s in range(total):
        j = inside[s] if s < ni else free[s - ni]
        if same and s < counts[SWEPT] and swept[s] == j:
            continue
        same = False
        old, new = T[s], T[s + 1]
        scale = 1.0 / old[j, j]
        pivot = np.empty(m)
        for i in range(j):
            pivot[i] = old[i, j]
        for i in range(j, m):
            pivot[i] = old[j, i]
        step = w[s, j] * scale
        for i in range(m):
            w[s + 1, i] = w[s, i] - pivot[i] * step
            factor = pivot[i] * scale
            source, target = old[i], new[i]
            for l in range(i, m):
                target[l] = source[l] - factor * pivot[l]
        rss_swept[s + 1] = rss_swept[s] - w[s, j] * step
        swept[s] = j
    counts[SWEPT] = total
    return total


@kernel
def _close_pairs(
    moments: Matrix, T: Matrix, w: Vector, rss: float, free: IntVector, start: int, nf: int, bad: Vector, swept: IntVector,
    n_swept: int, support: IntVector, work: Matrix, relative_slack: float, allowance: float, scalars: Vector,
    counts: IntVector, best: IntVector,
) -> None:
    """Rule out every pair of the remaining columns at once, or look at those that may win."""
    m = len(w)
    needed = rss - scalars[PRUNE_AT]
    diagonal = np.empty(m)
    squares = np.empty(m)
    for i in range(m):
        bad[i] = -np.inf
        diagonal[i] = T[i, i]
        squares[i] = w[i] * w[i]
    for a in range(start, nf):
        bad[free[a]] = 0.0
    for a in range(start, nf):
        i = free[a]
        row = T[i]
        on_diagonal = squares[i] * (1.0 + _MARGIN) - needed * diagonal[i] * (1.0 - _MARGIN)
        on_square = diagonal[i] * (1.0 + _MARGIN)
        twice = 2.0 * w[i]
        hits = 0
        for j in range(i + 1, m):
            t = row[j]
            value = diagonal[j] * on_diagonal + squares[j] * on_square + t * (needed * t - twice * w[j]) + bad[j]
            hits += value > 0.0
        if hits > 0:
            for j in range(i + 1, m):
                t = row[j]
                value = diagonal[j] * on_diagonal + squares[j] * on_square + t * (needed * t - twice * w[j]) + bad[j]
                if value > 0.0:
                    for s in range(n_swept):
                        support[s] = swept[s]
                    support[n_swept] = i
                    support[n_swept + 1] = j
                    _judge(moments, support, work, relative_slack, allowance, scalars, counts, best)


@kernel
def _close_last_exclusion(
    moments: Matrix, block: Matrix, beta: Vector, rss: float, free: IntVector, nf: int, inside: IntVector, ni: int,
    support: IntVector, work: Matrix, relative_slack: float, allowance: float, scalars: Vector, counts: IntVector,
    best: IntVector,
) -> None:
    """One column too many: leave each out in turn."""
    for out in range(nf):
        if rss + beta[out] * beta[out] / block[out, out] >= scalars[PRUNE_AT]:
            continue
        for s in range(ni):
            support[s] = inside[s]
        position = ni
        for a in range(nf):
            if a != out:
                support[position] = free[a]
                position += 1
        _judge(moments, support, work, relative_slack, allowance, scalars, counts, best)


@kernel
def _judge(
    moments: Matrix, support: IntVector, work: Matrix, relative_slack: float, allowance: float, scalars: Vector,
    counts: IntVector, best: IntVector,
) -> None:
    """Value a complete support afresh (Cholesky on its Gram matrix); adopt it or record what it was worth.

    ``moments`` is G with c as a last row and y'y in the corner.
    """
    k = len(support)
    m = len(moments) - 1
    value = moments[m, m]
    for a in range(k):
        i = support[a]
        for b in range(a + 1):
            total = moments[i, support[b]]
            for l in range(b):
                total -= work[a, l] * work[b, l]
            if a == b:
                if total <= 0.0:  # numerically dependent: nothing is proved about it
                    scalars[REJECTED] = -np.inf
                    return
                work[a, a] = np.sqrt(total)
            else:
                work[a, b] = total / work[b, b]
        total = moments[m, i]
        for l in range(a):
            total -= work[a, l] * work[l, k]
        work[a, k] = total / work[a, a]
        value -= work[a, k] * work[a, k]
    if value < scalars[UPPER]:
        scalars[UPPER] = value
        scalars[PRUNE_AT] = value * (1.0 - relative_slack) + allowance
        counts[FOUND] += 1
        best[:] = support
    elif value < scalars[REJECTED]:
        scalars[REJECTED] = value
