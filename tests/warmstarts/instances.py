"""Small random instances and the judge of all heuristics: enumeration with plain least squares."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from formulations import Problem, ScaledProblem

Instance = tuple[np.ndarray, np.ndarray]


def ar1(n: int, p: int, rho: float, snr: float, seed: int, k: int = 5) -> Instance:
    """Columns of an AR(1) process, k of them active with alternating signs, at a signal-to-noise ratio."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1.0 - rho**2) * X[:, j]
    coef = np.zeros(p)
    coef[rng.choice(p, k, replace=False)] = np.where(np.arange(k) % 2, -1.0, 1.0)
    signal = X @ coef
    return X, signal + rng.standard_normal(n) * signal.std() / np.sqrt(snr)


def least_value(X: np.ndarray, y: np.ndarray, ridge: np.ndarray, support: tuple[int, ...]) -> float:
    """½‖y - Xγ‖² + Σ ργ² at its least, by numpy's least squares on the augmented rows."""
    columns = list(support)
    A = np.vstack([X[:, columns], np.diag(np.sqrt(2.0 * ridge[columns]))])
    b = np.concatenate([y, np.zeros(len(columns))])
    gamma = np.linalg.lstsq(A, b, rcond=None)[0]
    return float(0.5 * np.sum((b - A @ gamma) ** 2))


def enumerated_optimum(scaled: ScaledProblem, size: int) -> tuple[float, tuple[int, ...]]:
    """The least value over all supports of one size: normal equations, the ten best by lstsq."""
    supports = np.array(list(combinations(range(scaled.m), size)))
    H = scaled.X.T @ scaled.X + 2.0 * np.diag(scaled.ridge)
    c = scaled.X.T @ scaled.y
    right = c[supports]
    coef = np.linalg.solve(H[supports[:, :, None], supports[:, None, :]], right[..., None])[..., 0]
    best = np.argsort(-np.einsum("ij,ij->i", right, coef))[:10]
    judged = [(least_value(scaled.X, scaled.y, scaled.ridge, tuple(supports[i])), tuple(supports[i])) for i in best]
    return min(judged)


def scale(instance: Instance, k: int, **settings: Any) -> ScaledProblem:
    """Scale a problem stated from data and keywords."""
    return ScaledProblem.of(Problem(*instance, k=k, **settings))
