"""Forward selection with exhaustive swaps, for every size: what places λ0 and M, and a first upper bound.

Written for the comparison alone, apart from the project's own warm starts, so that no run is judged by them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from formulations._types import Matrix, Vector

SWEEPS = 200  # at most, of swaps
TINY = 1e-10  # improvements below it are rounding
Model = tuple[float, list[int]]  # F and the support


class LeastSquares:
    """F(b) = ½‖y − Xb‖² + λ2‖b‖² on supports."""

    def __init__(self, X: Matrix, y: Vector, lambda2: float) -> None:
        self.X, self.y, self.ridge = X, y, 2 * lambda2
        self.null = 0.5 * float(y @ y)
        self._rows: dict[int, Vector] = {}

    @cached_property
    def correlations(self) -> Vector:
        return self.X.T @ self.y

    @cached_property
    def diagonal(self) -> Vector:
        return np.einsum("ij,ij->j", self.X, self.X) + self.ridge

    def fit(self, support: list[int]) -> tuple[Vector, float]:
        """Coefficients on the support, and F there."""
        if not support:
            return np.zeros(0), self.null
        _, A = self._moments(support)
        coef = np.linalg.solve(A, self.correlations[support])
        F = self.null - 0.5 * float(self.correlations[support] @ coef)
        return np.asarray(coef, dtype=float), F

    def best_addition(self, support: list[int]) -> tuple[int, float]:
        """The column whose entry lowers F most, and by how much."""
        if not support:
            gains = self.correlations**2 / self.diagonal / 2
        else:
            G, A = self._moments(support)
            B = np.linalg.solve(A, G)
            remaining = self.diagonal - np.einsum("ij,ij->j", G, B)
            remaining[support] = np.inf
            remaining = np.where(remaining > 1e-8 * self.diagonal, remaining, np.inf)
            gains = (self.correlations - self.correlations[support] @ B) ** 2 / remaining / 2
        best = int(np.argmax(gains))
        return best, float(gains[best])

    def _moments(self, support: list[int]) -> tuple[Matrix, Matrix]:
        """X_S'X, and X_S'X_S with the ridge."""
        for j in support:
            if j not in self._rows:
                self._rows[j] = self.X[:, j] @ self.X
        G = np.array([self._rows[j] for j in support])
        return G, G[:, support] + self.ridge * np.eye(len(support))


def swapped(model: LeastSquares, support: list[int]) -> Model:
    """Exchange one column for another as long as that lowers F, the best exchange first."""
    F = model.fit(support)[1]
    for _ in range(SWEEPS):
        best, better = F - 1e-9 * abs(F), None
        for i in range(len(support)):
            rest = support[:i] + support[i + 1 :]
            column, gain = model.best_addition(rest)
            value = model.fit(rest)[1] - gain
            if value < best:
                best, better = value, [*rest, column]
        if better is None:
            break
        F, support = best, better
    support = sorted(support)
    return model.fit(support)[1], support


def path(model: LeastSquares, k_max: int, restarts: int = 0) -> dict[int, Model]:
    """A good support of every size up to ``k_max``: forward, backward, then restarts from half of each."""
    found: dict[int, Model] = {}
    support: list[int] = []
    for k in range(1, k_max + 1):
        found[k] = swapped(model, [*support, model.best_addition(support)[0]])
        support = found[k][1]
    for k in range(k_max - 1, 0, -1):
        larger = found[k + 1][1]
        smaller = [[j for j in larger if j != i] for i in larger]
        _keep_better(found, k, swapped(model, min(smaller, key=lambda s: model.fit(s)[1])))
    rng = np.random.default_rng(1)
    for k in list(found):
        for _ in range(restarts):
            _keep_better(found, k, swapped(model, _half_anew(model, found[k][1], k, rng)))
    return found


def _half_anew(model: LeastSquares, support: list[int], k: int, rng: np.random.Generator) -> list[int]:
    dropped = set(rng.choice(k, min(k, max(1, k // 2)), replace=False))
    kept = [j for i, j in enumerate(support) if i not in dropped]
    while len(kept) < k:
        j = int(rng.integers(model.X.shape[1])) if rng.random() < 0.5 else model.best_addition(kept)[0]
        if j not in kept:
            kept.append(j)
    return kept


def _keep_better(found: dict[int, Model], k: int, candidate: Model) -> None:
    if candidate[0] < found[k][0] - TINY:
        found[k] = candidate
