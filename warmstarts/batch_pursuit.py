"""Orthogonal matching pursuit for many responses over one matrix."""

from __future__ import annotations

import numpy as np

from formulations._types import IntVector, Matrix, Vector

_DEPENDENT = 1e-10  # what is left of a unit column that the others explain
_NOTHING = 1e-13  # correlation with the residual of a response that is explained, relative to its norm
_ROOM = 2**19  # numbers in the factors of the responses that go together: about what a cache holds


def batch_pursuit(X: Matrix, Y: Matrix, size: int) -> Matrix:
    r"""Return the coefficients of orthogonal matching pursuit for every column of Y.

    The Gram matrix is formed once, and each step is made for many responses together: :math:`G = X'X`, and by one row
    of the Cholesky factor of the columns entered the residual's correlations follow. No intercept: centre before.

    Parameters
    ----------
    X : shape (n, m)
        Columns of any length; the correlation that counts is with columns of norm one.
    Y : shape (n, s)
    size : int
        Columns that enter, at most.

    Returns
    -------
    array, shape (m, s)

    Source
    ------
    Rubinstein, Zibulevsky and Elad (2008), Efficient implementation of the K-SVD algorithm using batch orthogonal
    matching pursuit.
    """
    norms = np.sqrt(np.einsum("ij,ij->j", X, X))
    Z = X / np.where(norms > 0.0, norms, 1.0)
    G, C = Z.T @ Z, np.ascontiguousarray(Y.T @ Z)
    silence = _NOTHING * np.sqrt(np.einsum("ij,ij->j", Y, Y))
    m, size = Z.shape[1], min(size, *Z.shape)
    coef = np.zeros((Y.shape[1], m))
    together = max(1, _ROOM // (max(size, 1) * m))
    for first in range(0, len(coef), together):
        part = slice(first, first + together)
        order, gamma = _pursue(G, C[part].copy(), silence[part], size)
        np.add.at(coef[part], (np.arange(len(order))[:, None], order), gamma)
    return np.asarray(coef.T / np.where(norms > 0.0, norms, 1.0)[:, None])


def _pursue(G: Matrix, W: Matrix, silence: Vector, size: int) -> tuple[IntVector, Matrix]:
    """Return, for each row of W, the columns in order of entry and their coefficients; zero once nothing is left."""
    s, m = W.shape
    each = np.arange(s)
    factor = np.empty((s, size, m))
    is_open = np.ones((s, m), dtype=bool)
    order = np.zeros((s, size), dtype=np.int64)
    steps = np.zeros((s, size))
    for t in range(size):
        scores = np.where(is_open, np.abs(W), 0.0)
        j = scores.argmax(axis=1)
        is_open[each, j] = False
        row = G[j]
        if t:
            known = factor[each, :t, j]
            row = row - np.matmul(known[:, None, :], factor[:, :t])[:, 0]
        left = row[each, j]
        lives = (scores[each, j] > silence) & (left > _DEPENDENT)
        row = row * (lives / np.sqrt(np.maximum(left, _DEPENDENT)))[:, None]
        steps[:, t] = W[each, j] / np.sqrt(np.maximum(left, _DEPENDENT)) * lives
        W -= steps[:, t, None] * row
        factor[:, t], order[:, t] = row, j
    triangle = np.take_along_axis(factor, order[:, None, :].repeat(size, axis=1), axis=2)
    return order, _back_substituted(triangle, steps)


def _back_substituted(triangle: Matrix, steps: Matrix) -> Matrix:
    """Solve R γ = steps for each upper triangle R; a row of zeros gives a coefficient of zero."""
    gamma = np.zeros_like(steps)
    for t in range(steps.shape[1] - 1, -1, -1):
        pivot = triangle[:, t, t]
        rest = steps[:, t] - np.einsum("ij,ij->i", triangle[:, t, t + 1 :], gamma[:, t + 1 :])
        gamma[:, t] = np.where(pivot > 0.0, rest / np.where(pivot > 0.0, pivot, 1.0), 0.0)
    return gamma
