"""Where λ2, λ0 and M of an instance come from: peers that need them are given good ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.peers.heuristic import LeastSquares, path
from formulations._types import IntVector, Matrix, Vector


@dataclass(frozen=True)
class Settings:
    """What is solved with, and the heuristic's support of size k with its F."""

    lambda0: float
    lambda2: float
    M: float
    support: list[int]
    F: float


def ridge_of_truth(X: Matrix, y: Vector, support: IntVector) -> float:
    """The λ2 at which the ridge fit on the true support comes closest to the true coefficients, all one.

    The rule of Hazimeh, Mazumder and Saab (2022), on a grid of 321 values.
    """
    A = X[:, support]
    G, c = A.T @ A, A.T @ y
    grid = np.logspace(-3, 5, 321)
    errors = [np.linalg.norm(np.linalg.solve(G + 2 * value * np.eye(len(support)), c) - 1) for value in grid]
    return float(grid[int(np.argmin(errors))])


def placed(X: Matrix, y: Vector, k: int, lambda2: float, mode: str) -> Settings:
    """Put λ0 where k columns are best, and M half above the largest coefficient, as far as the heuristic knows.

    Parameters
    ----------
    X, y : arrays
        Centred.
    k : int
    lambda2 : float
    mode : str
        With (lo, hi) the prices at which k columns are best: "middle" is √(lo·hi), "low" lo^¾·hi^¼, and "entry"
        just below the price at which coordinate descent from k - 1 columns lets a k-th in, kept a tenth of the interval
        away from its ends, or as it is with "entry as it is".
    """
    model = LeastSquares(X, y, lambda2)
    p = X.shape[1]
    found = path(model, k + 2, restarts=20 if p <= 200 else 6 if p <= 1000 else 0)
    F = [model.null, *(found[size][0] for size in range(1, k + 3))]
    high = min((F[size] - F[k]) / (k - size) for size in range(k))
    low = max((F[k] - F[size]) / (size - k) for size in (k + 1, k + 2))
    support = found[k][1]
    M = 1.5 * float(np.abs(model.fit(support)[0]).max())
    if low >= high:  # no price makes k columns best
        lambda0 = 0.5 * (low + high)
    elif mode.startswith("entry"):
        margin = 0.1 * (high - low) if mode == "entry" else 0.0
        entry = 0.99 * _entry_price(model, found[k - 1][1])
        lambda0 = min(max(entry, low + margin), high - margin)
    else:
        lambda0 = float(np.sqrt(low * high)) if mode == "middle" else float(low**0.75 * high**0.25)
    return Settings(lambda0, lambda2, M, support, F[k])


def _entry_price(model: LeastSquares, support: list[int]) -> float:
    """The largest λ0 at which one more column enters by coordinate descent."""
    residual = model.y - model.X[:, support] @ model.fit(support)[0]
    gains = 0.5 * (model.X.T @ residual) ** 2 / model.diagonal
    gains[support] = 0
    return float(gains.max())
