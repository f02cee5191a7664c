"""Named problems that break solvers, and a generator of random ones."""

from __future__ import annotations

import numpy as np

from formulations import Exclude, Group, Include, Problem


def data(seed, n=30, p=8, rho=0.5, noise=1.0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 1))
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * common
    beta = np.zeros(p)
    beta[: min(3, p)] = [1.0, -1.0, 0.5][: min(3, p)]
    return X, X @ beta + noise * rng.standard_normal(n) + 0.7


def duplicate_columns(**kw):
    X, y = data(1)
    X[:, 5], X[:, 6] = X[:, 0], -2.0 * X[:, 1]
    return Problem(X, y, **kw)


def collinear(**kw):
    X, y = data(2)
    X[:, 7] = X[:, 0] + X[:, 1] - 3 * X[:, 2]
    return Problem(X, y, **kw)


def complete_dummies(**kw):
    """A factor with all its levels: they sum to the intercept."""
    rng = np.random.default_rng(3)
    level = rng.integers(0, 4, 40)
    X = np.column_stack([np.eye(4)[level], rng.standard_normal((40, 4))])
    return Problem(X, X @ np.array([1, 2, 0, 0, 1, 0, 0, 0.5]) + rng.standard_normal(40), **kw)


def nearly_collinear(**kw):
    X, y = data(4)
    X[:, 7] = X[:, 0] + 1e-6 * X[:, 7]
    return Problem(X, y, **kw)


def wide(**kw):
    X, y = data(5, n=7, p=10)
    return Problem(X, y, **kw)


def ties(**kw):
    """An orthogonal design in which every column explains exactly as much."""
    X = np.array([[1.0 if (i >> j) & 1 else -1.0 for j in range(4)] for i in range(16)])
    return Problem(X, X.sum(axis=1) + 5.0, **kw)


def perfect_fit(**kw):
    X, _ = data(6)
    return Problem(X, X[:, 1] - 2 * X[:, 4], **kw)


def in_units(factor, **kw):
    X, y = data(7)
    return Problem(X, factor * y, **kw)


def columns_in_units(**kw):
    X, y = data(8)
    return Problem(X * 10.0 ** np.arange(-8, 8, 2), y, **kw)


def far_from_zero(**kw):
    X, y = data(9)
    return Problem(X + 1e5, y + 1e6, **kw)


def weighted(**kw):
    X, y = data(10)
    weights = np.random.default_rng(10).uniform(0.1, 5.0, len(y))
    weights[[0, 5]] = 0.0
    return Problem(X, y, sample_weight=weights, **kw)


def without_intercept(**kw):
    X, y = data(11)
    return Problem(X, y, fit_intercept=False, **kw)


def standardized(**kw):
    X, y = data(12)
    return Problem(X * np.array([1, 10, 0.1, 1, 5, 1, 1, 100.0]), y, standardize=True, **kw)


def grouped(**kw):
    X, y = data(13)
    return Problem(X, y, constraints=[Group([0, 3]), Group([1, 2, 5])], **kw)


def forced(**kw):
    X, y = data(14)
    return Problem(X, y, constraints=[Include([6]), Exclude([0])], **kw)


def forced_group(**kw):
    X, y = data(15)
    return Problem(X, y, constraints=[Group([2, 6]), Include([6]), Exclude([1]), Group([0, 4])], **kw)


def grouped_collinear(**kw):
    X, y = data(16)
    X[:, 7] = X[:, 0] + X[:, 1]
    return Problem(X, y, constraints=[Group([0, 7]), Group([2, 5])], **kw)


NASTY = {
    "plain": lambda **kw: Problem(*data(0), **kw),
    "independent": lambda **kw: Problem(*data(20, rho=0.0), **kw),
    "highly correlated": lambda **kw: Problem(*data(21, rho=0.99), **kw),
    "duplicate columns": duplicate_columns,
    "collinear": collinear,
    "complete dummies": complete_dummies,
    "nearly collinear": nearly_collinear,
    "wide": wide,
    "ties": ties,
    "perfect fit": perfect_fit,
    "y in 1e-9": lambda **kw: in_units(1e-9, **kw),
    "y in 1e9": lambda **kw: in_units(1e9, **kw),
    "columns in many units": columns_in_units,
    "far from zero": far_from_zero,
    "weights": weighted,
    "no intercept": without_intercept,
    "standardized": standardized,
    "groups": grouped,
    "forced columns": forced,
    "forced group": forced_group,
    "groups, collinear": grouped_collinear,
    "one column": lambda **kw: Problem(*data(22, p=1), **kw),
    "two rows more than columns": lambda **kw: Problem(*data(23, n=10, p=8), **kw),
    "as many rows as columns": lambda **kw: Problem(*data(24, n=8, p=8), **kw),
}
