"""`refit` against independent solvers, and its choice among supports."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import optimize

from formulations import Problem, ScaledProblem
from warmstarts import best_of, refit
from warmstarts.refit import compressed


def _instance(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 6))
    if kind == "dependent":
        X[:, 3] = X[:, 0] - 2.0 * X[:, 1]
    elif kind == "duplicate":
        X[:, 4] = X[:, 2]
    elif kind == "collinear":
        X[:, 1:] = X[:, [0]] + 0.05 * X[:, 1:]
    return X, X @ np.array([1.0, -1.0, 0.5, 0.0, 2.0, -0.3]) + rng.standard_normal(40)


def _rows(scaled: ScaledProblem) -> tuple[np.ndarray, np.ndarray]:
    A = np.vstack([scaled.X, np.diag(np.sqrt(2.0 * scaled.ridge))])
    return A, np.concatenate([scaled.y, np.zeros(scaled.m)])


def _least_over_signs(scaled: ScaledProblem) -> float:
    """The lasso's least value: every pattern of signs by its normal equations."""
    A, b = _rows(scaled)
    least = 0.5 * b @ b
    for signs in product((-1.0, 0.0, 1.0), repeat=scaled.m):
        used = np.flatnonzero(signs)
        s = np.array(signs)[used]
        if not len(used):
            continue
        part = A[:, used]
        gamma = np.linalg.solve(part.T @ part, part.T @ b - scaled.lambda1[used] * s)
        if np.all(gamma * s >= 0.0):
            least = min(least, scaled.value(used, gamma))
    return float(least)


@pytest.mark.parametrize("kind", ["independent", "dependent", "duplicate", "collinear"])
@pytest.mark.parametrize("lambda2", [0.0, 0.3])
def test_plain_fit_reaches_the_projection(kind: str, lambda2: float) -> None:
    scaled = ScaledProblem.of(Problem(*_instance(1, kind), k=6, lambda2=lambda2))
    A, b = _rows(scaled)
    expected = np.linalg.lstsq(A, b, rcond=1e-12)[0]
    gamma = refit(scaled, np.arange(6))
    assert gamma == pytest.approx(expected, abs=1e-10)
    assert np.max(np.abs(A.T @ (b - A @ gamma))) < 1e-13


@pytest.mark.parametrize("kind", ["independent", "dependent", "duplicate", "collinear"])
@pytest.mark.parametrize("bounds", [(-0.5, 0.5), (0.0, np.inf), (-0.2, 0.0), (-np.inf, 0.9)])
@pytest.mark.parametrize("lambda2", [0.0, 0.3])
def test_bounded_fit_matches_bounded_least_squares(kind: str, bounds: tuple[float, float], lambda2: float) -> None:
    scaled = ScaledProblem.of(Problem(*_instance(2, kind), k=6, bounds=bounds, lambda2=lambda2))
    expected = optimize.lsq_linear(*_rows(scaled), (scaled.lower, scaled.upper), method="bvls", tol=1e-14)
    support = np.arange(6)
    gamma = refit(scaled, support)
    assert np.all((scaled.lower <= gamma) & (gamma <= scaled.upper))
    assert scaled.value(support, gamma) <= expected.cost + 1e-12


@pytest.mark.parametrize("lambda1", [0.5, 5.0, 20.0, 1000.0])
@pytest.mark.parametrize("seed", range(3))
def test_lasso_fit_matches_enumeration_of_signs(lambda1: float, seed: int) -> None:
    scaled = ScaledProblem.of(Problem(*_instance(seed, "collinear"), k=6, lambda1=lambda1))
    support = np.arange(6)
    gamma = refit(scaled, support)
    assert scaled.value(support, gamma) == pytest.approx(_least_over_signs(scaled), abs=1e-12)
    assert (lambda1 < 1000.0) == bool(np.any(gamma))


@pytest.mark.parametrize("kind", ["dependent", "duplicate", "collinear"])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-0.5, 0.8), (0.0, np.inf)])
def test_lasso_in_a_box_satisfies_the_optimality_conditions(kind: str, bounds: tuple[float, float]) -> None:
    scaled = ScaledProblem.of(Problem(*_instance(4, kind), k=6, lambda1=2.0, bounds=bounds))
    gamma = refit(scaled, np.arange(6))
    gradient = scaled.X.T @ (scaled.y - scaled.X @ gamma)
    for j in range(6):  # no one-sided derivative of the objective is negative: it is convex, so this suffices
        if gamma[j] < scaled.upper[j]:
            assert -gradient[j] + scaled.lambda1[j] * (1.0 if gamma[j] >= 0.0 else -1.0) > -1e-11
        if gamma[j] > scaled.lower[j]:
            assert gradient[j] + scaled.lambda1[j] * (1.0 if gamma[j] <= 0.0 else -1.0) > -1e-11


def test_coefficients_come_in_the_order_of_the_support() -> None:
    scaled = ScaledProblem.of(Problem(*_instance(5, "independent"), k=3))
    forward = refit(scaled, np.array([0, 2, 4]))
    assert refit(scaled, np.array([4, 0, 2])) == pytest.approx(forward[[2, 0, 1]])


def test_best_of_takes_the_least_value_and_knows_the_empty_support() -> None:
    scaled = ScaledProblem.of(Problem(*_instance(6, "independent"), k=3))
    strong, weak = np.array([0, 1, 4]), np.array([3, 5])
    assert best_of(scaled, [weak, strong]).tolist() == [0, 1, 4]
    assert best_of(scaled, [strong, strong[::-1]]).tolist() == [0, 1, 4]
    dear = ScaledProblem.of(Problem(*_instance(6, "independent"), lambda0=1e6))
    assert best_of(dear, [weak, strong]).tolist() == []


@pytest.mark.parametrize("settings", [{"lambda0": 2.0}, {"lambda0": 2.0, "lambda1": 1.0, "lambda2": 0.1}])
def test_best_of_many_judges_compressed_rows_alike(settings: dict[str, float]) -> None:
    scaled = ScaledProblem.of(Problem(*_instance(8, "independent"), **settings))
    supports = [np.flatnonzero([mask >> j & 1 for j in range(6)]) for mask in range(1, 64)]
    values = [scaled.value(s, refit(scaled, s)) for s in supports]
    chosen = best_of(scaled, iter(supports))
    assert scaled.value(chosen, refit(scaled, chosen)) == pytest.approx(min(values), abs=1e-14)
    small = compressed(scaled)
    assert small.n == 7
    for support, value in zip(supports, values, strict=True):
        assert small.value(support, refit(small, support)) == pytest.approx(value, abs=1e-14)
