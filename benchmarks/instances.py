"""Instances of the benchmark: seeded, the same on every machine with the same numpy.

Names of the first family are those of published comparisons of the engines; ``ar-…`` are autoregressive
designs, ``wide-…`` ridge problems with far more columns than rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bestsubset import Problem
from formulations._types import IntVector, Matrix, Vector


@dataclass(frozen=True, eq=False)
class Instance:
    """Data and settings of a problem, with the seconds it ought to take at most."""

    X: Matrix
    y: Vector
    k: int | None
    lambda0: float = 0.0
    lambda2: float = 0.0
    target: float | None = None
    solver: str = "branch_and_bound"

    def problem(self) -> Problem:
        return Problem(self.X, self.y, self.k, lambda0=self.lambda0, lambda2=self.lambda2)


def autoregressive(rng: np.random.Generator, n: int, p: int, rho: float) -> Matrix:
    """Gaussian rows with correlation ρ^|i-j| between columns i and j."""
    columns = np.empty((p, n))
    columns[0] = rng.standard_normal(n)
    innovation = np.sqrt(1 - rho * rho)
    for j in range(1, p):
        columns[j] = rho * columns[j - 1] + innovation * rng.standard_normal(n)
    return np.ascontiguousarray(columns.T)


def equicorrelated(rng: np.random.Generator, n: int, p: int, rho: float) -> Matrix:
    """Gaussian rows with correlation ρ between any two columns."""
    X = rng.standard_normal((n, p))
    X *= np.sqrt(1 - rho)
    X += np.sqrt(rho) * rng.standard_normal((n, 1))
    return X


def planted(
    rng: np.random.Generator, n: int, p: int, k: int, kind: str, rho: float, snr: float
) -> tuple[Matrix, Vector]:
    """A centred design and the response of k equispaced ones, with noise for the signal-to-noise ratio."""
    X = (autoregressive if kind == "ar" else equicorrelated)(rng, n, p, rho)
    truth = true_support(p, k)
    distance = np.abs(truth[:, None] - truth[None, :])
    covariance = rho**distance if kind == "ar" else np.where(distance == 0, 1, rho)
    ones = np.ones(k)
    noise = np.sqrt(float(ones @ covariance @ ones) / snr)
    y = X[:, truth] @ ones + noise * rng.standard_normal(n)
    X -= X.mean(0)
    return X, y - y.mean()


def true_support(p: int, k: int) -> IntVector:
    """The k equispaced columns that carry the signal."""
    return np.array([int(i * (p / k)) for i in range(k)])


def seeded(name: str) -> np.random.Generator:
    """The generator that belongs to a name."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def tall(name: str, n: int, p: int, kind: str, rho: float, snr: float, k: int, target: float | None = None) -> Instance:
    """More rows than columns, no ridge."""
    X, y = planted(seeded(name), n, p, k, kind, rho, snr)
    return Instance(X, y, k, target=target)


def wide(rho: float, lambda2: float, form: str, target: float | None, n: int = 1000, p: int = 10_000) -> Instance:
    """Ridge with unit columns, a unit response and 10 true columns.

    With ``form="lambda0"`` the price of a column is half the smallest gain of a true one over the others.
    """
    k = 10
    X, y = planted(seeded(f"wide-{n}x{p}-{rho:g}"), n, p, k, "ar", rho, 5.0)
    X /= np.linalg.norm(X, axis=0)
    y = y / np.linalg.norm(y)
    if form == "k":
        return Instance(X, y, k, lambda2=lambda2, target=target)
    return Instance(X, y, None, _half_smallest_gain(X[:, true_support(p, k)], y, lambda2), lambda2, target)


def _half_smallest_gain(X: Matrix, y: Vector, lambda2: float) -> float:
    def objective(columns: list[int]) -> float:
        A = X[:, columns]
        coef = np.linalg.solve(A.T @ A + 2 * lambda2 * np.eye(len(columns)), A.T @ y)
        return float(0.5 * (y @ y - (A.T @ y) @ coef))

    every = list(range(X.shape[1]))
    whole = objective(every)
    return 0.5 * min(objective([i for i in every if i != j]) - whole for j in every)


def from_scikit_learn(which: str, k: int, target: float | None = None) -> Instance:
    """Real data, standardised."""
    from benchmarks import real_data

    data = getattr(real_data, which)().standardised()
    return Instance(data.X, data.y, k, target=target)


def from_csv(path: Path, k: int, target: float | None = None) -> Instance:
    """Data of a file whose last column is the response; no ridge, so every support is looked at."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return Instance(table[:, :-1], table[:, -1], k, target=target, solver="enumeration")


# (name, n, p, kind, ρ, SNR, k, target in seconds)
_TALL: tuple[tuple[str, int, int, str, float, float, int, float | None], ...] = (
    ("T30a", 200, 30, "ar", 0.5, 5, 5, None),
    ("T30b", 200, 30, "const", 0.9, 1, 8, 0.02),
    ("T40a", 500, 40, "ar", 0.9, 1, 10, 0.1),
    ("T40b", 500, 40, "const", 0.5, 5, 10, None),
    ("T100a", 2000, 100, "ar", 0.5, 5, 10, None),
    ("T100b", 2000, 100, "ar", 0.9, 1, 10, None),
    ("T200a", 5000, 200, "ar", 0.5, 1, 10, None),
    ("T200b", 5000, 200, "ar", 0.9, 1, 10, 0.3),
    ("ar-200x30-k8", 200, 30, "ar", 0.9, 1, 8, None),
    ("ar-500x40-k8", 500, 40, "ar", 0.9, 1, 8, 0.2),
    ("ar-2000x100-k8", 2000, 100, "ar", 0.9, 1, 8, 0.2),
    ("ar-5000x200-k8", 5000, 200, "ar", 0.9, 1, 8, 0.2),
    ("ar-442x60-k15-easy", 442, 60, "ar", 0.5, 1, 15, None),
    ("ar-442x60-k15", 442, 60, "ar", 0.9, 1, 15, None),
    ("ar-2000x100-k8-noisy", 2000, 100, "ar", 0.9, 0.2, 8, None),
)

# (name, data set, k, target in seconds)
_REAL: tuple[tuple[str, str, int, float | None], ...] = (
    *((f"diabetes64-k{k}", "diabetes_second_order", k, {5: 0.1, 8: 0.5, 10: 2.0}.get(k)) for k in range(1, 11)),
    ("Tdigits10", "digits", 10, 0.3),
    ("Tbc8", "breast_cancer", 8, 0.05),
)

# (ρ, λ2, form, target in seconds)
_WIDE: tuple[tuple[float, float, str, float | None], ...] = (
    (0.1, 0.5, "lambda0", 0.5),
    (0.5, 0.5, "lambda0", 0.5),
    (0.1, 0.1, "lambda0", 2.0),
    (0.5, 0.1, "lambda0", 2.0),
    (0.1, 0.5, "k", 0.5),
    (0.5, 0.5, "k", 0.5),
    (0.1, 0.1, "k", 2.0),
    (0.5, 0.1, "k", 2.0),
)


def catalogue(riboflavin: Path | None = None) -> dict[str, Callable[[], Instance]]:
    """Every instance by its name, built on demand."""
    found: dict[str, Callable[[], Instance]] = {}
    for name, which, k, target in _REAL:
        found[name] = partial(from_scikit_learn, which, k, target)
    for row in _TALL:
        found[row[0]] = partial(tall, *row)
    for rho, lambda2, form, target in _WIDE:
        found[f"wide-rho{rho:g}-ridge{lambda2:g}-{form}"] = partial(wide, rho, lambda2, form, target)
    if riboflavin is not None:
        for k, target in ((2, 2.0), (3, 300.0)):
            found[f"riboflavin-k{k}"] = partial(from_csv, riboflavin, k, target)
    return found
