r"""Compiled all-swaps descent: every exchange of one column in a support for one outside, in closed form.

With :math:`H = X'X + 2\,\mathrm{diag}(\rho)`, a support S, :math:`V = H_{SS}^{-1}`, b = V c_S and
:math:`A = V H_{S\cdot}`, the residual sum of squares after i leaves and j enters is

.. math::
    RSS + \frac{b_i^2}{V_{ii}} - \frac{(w_j + A_{ij} b_i / V_{ii})^2}{g_j + A_{ij}^2 / V_{ii}},
    \qquad w = c - H_{\cdot S} b,\quad g = \mathrm{diag}(H) - \mathrm{diag}(H_{\cdot S} A).

All |S|(m - |S|) of them cost |S|²m operations. Rows of H are read through ``at``: row i of the support
is ``rows[at[i]]``, so one kernel serves the whole matrix (``at = support``) and a cache of rows.
"""

from __future__ import annotations

import math

import numpy as np

from formulations._types import BoolVector, IntVector, Matrix, Vector
from warmstarts.compilation import kernel

DEPENDENT = 1e-10  # what is left of a unit column that the others explain
RELATIVE_GAIN = 1e-9


@kernel
def fit_support(rows: Matrix, at: IntVector, support: IntVector, c: Vector, inverse: Matrix, coef: Vector) -> float:
    """Fill in H_SS^-1 and the coefficients; return the RSS, or -1 for dependent columns."""
    size = len(support)
    for i in range(size):
        for j in range(i + 1):
            total = rows[at[i], support[j]]
            for t in range(j):
                total -= inverse[i, t] * inverse[j, t]
            if i == j:
                if total <= DEPENDENT:
                    return -1.0
                inverse[i, i] = math.sqrt(total)
            else:
                inverse[i, j] = total / inverse[j, j]
    for j in range(size):  # the inverse of the Cholesky factor, column by column, in its place
        inverse[j, j] = 1.0 / inverse[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for t in range(j, i):
                total -= inverse[i, t] * inverse[t, j]
            inverse[i, j] = total / inverse[i, i]
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for t in range(i, size):
                total += inverse[t, i] * inverse[t, j]
            inverse[j, i] = total
        for j in range(i):
            inverse[i, j] = inverse[j, i]
    explained = 0.0
    for i in range(size):
        total = 0.0
        for j in range(size):
            total += inverse[i, j] * c[support[j]]
        coef[i] = total
        explained += total * c[support[i]]
    return max(1.0 - explained, 0.0)


@kernel
def best_swap(
    rows: Matrix,
    at: IntVector,
    support: IntVector,
    c: Vector,
    diagonal: Vector,
    locked: BoolVector,
    inverse: Matrix,
    coef: Vector,
    A: Matrix,
    w: Vector,
    g: Vector,
) -> tuple[int, int, float]:
    """Return the position that leaves, the column that enters and the fall in RSS; -1, -1, 0 if none.

    ``inverse`` and ``coef`` come from `fit_support`; ``A``, ``w`` and ``g`` are room to work in.
    """
    size, m = len(support), len(c)
    for j in range(m):
        w[j] = c[j]
        g[j] = diagonal[j]
    for i in range(size):
        mixed = A[i]
        for j in range(m):
            mixed[j] = 0.0
        for t in range(size):
            row, weight = rows[at[t]], inverse[i, t]
            for j in range(m):
                mixed[j] += weight * row[j]
        row, weight = rows[at[i]], coef[i]
        for j in range(m):
            w[j] -= row[j] * weight
            g[j] -= row[j] * mixed[j]
    for i in range(size):
        g[support[i]] = -math.inf
    leaves, enters, gain = -1, -1, 0.0
    for i in range(size):
        if locked[support[i]]:
            continue
        mixed = A[i]
        slope = coef[i] / inverse[i, i]
        share = 1.0 / inverse[i, i]
        loss = coef[i] * slope
        threshold = loss + gain
        for j in range(m):
            top = w[j] + mixed[j] * slope
            bottom = g[j] + mixed[j] * mixed[j] * share
            if top * top > threshold * bottom and bottom > DEPENDENT:
                leaves, enters, gain = i, j, top * top / bottom - loss
                threshold = loss + gain
    return leaves, enters, gain


@kernel
def descend(H: Matrix, c: Vector, diagonal: Vector, locked: BoolVector, support: IntVector) -> float:
    """Swap in place while the residual sum of squares falls; return it, or -1 for dependent columns."""
    size, m = len(support), len(c)
    inverse, coef = np.empty((size, size)), np.empty(size)
    A, w, g = np.empty((size, m)), np.empty(m), np.empty(m)
    rss, leaves, gone = -1.0, -1, -1
    while True:
        reached = fit_support(H, support, support, c, inverse, coef)
        if reached < 0.0 or (gone >= 0 and reached >= rss):
            if gone >= 0:  # rounding: the columns are all but dependent
                support[leaves] = gone
            return rss
        rss = reached
        leaves, enters, gain = best_swap(H, support, support, c, diagonal, locked, inverse, coef, A, w, g)
        if leaves < 0 or gain <= RELATIVE_GAIN * rss:
            return rss
        gone = support[leaves]
        support[leaves] = enters
