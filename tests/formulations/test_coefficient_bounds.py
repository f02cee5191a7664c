"""Proved bounds hold at every point that is no worse than the incumbent, and are nearly attained."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from formulations import Bounds, Exclude, Problem, QuantileLoss
from formulations.coefficient_bounds import prove
from tests.instances import NASTY

LOSSES = ["squared", "absolute", QuantileLoss(0.2), "hinge", "logistic"]


def problem_of(loss: object, seed: int, **settings: object) -> Problem:
    rng = np.random.default_rng(seed)
    n, p = 30, 4
    X = (rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))) * [1.0, 10.0, 0.1, 1.0] + 3.0
    y = X @ [1.0, 0.0, 5.0, 0.0] + rng.standard_normal(n)
    if loss in ("hinge", "logistic"):
        y = np.where(y > np.median(y), 1.0, -1.0) * np.where(rng.random(n) < 0.2, -1, 1)
    return Problem(X, y, 2, loss=loss, sample_weight=rng.integers(0, 3, n) + 0.25 * (np.arange(n) < 20), **settings)


def full_fit(problem: Problem) -> np.ndarray:
    """Some good coefficients without regard to k."""
    unit = problem.X.std(axis=0)

    def value(scaled: np.ndarray) -> float:
        return problem.objective(scaled / unit)

    return optimize.minimize(value, np.zeros(problem.p), method="Nelder-Mead", options={"maxiter": 4000}).x / unit


@pytest.mark.parametrize("settings", [{}, {"lambda1": 0.3}, {"lambda2": 0.2}, {"lambda0": 0.5}], ids=str)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_bounds_hold_at_the_edge_of_the_level_set(loss: object, settings: dict[str, float]) -> None:
    problem = problem_of(loss, 1, **settings)
    rng = np.random.default_rng(2)
    centre = full_fit(problem)
    least = problem.objective(centre)
    upper = least + 0.3 * (problem.null_objective - least) + 1.0
    tight, quick = prove(problem, upper), prove(problem, upper, programmes=False)
    unit = problem.X.std(axis=0)
    for _ in range(100):
        way = rng.standard_normal(problem.p) / unit
        low, high = 0.0, 100.0
        for _ in range(50):  # the last point of the ray from the centre that is good enough
            middle = 0.5 * (low + high)
            low, high = (middle, high) if problem.objective(centre + middle * way) <= upper else (low, middle)
        coef = centre + low * way
        for bounds in (tight, quick):
            assert np.all(coef <= bounds.upper)
            assert np.all(coef >= bounds.lower)


@pytest.mark.parametrize("loss", ["squared", "absolute", QuantileLoss(0.2), "hinge"], ids=str)
def test_bounds_are_attained(loss: object) -> None:
    """The level set touches each side of its bounds: by a general solver that maximises a coefficient in it."""
    problem = problem_of(loss, 3)
    upper = 0.8 * problem.null_objective
    bounds = prove(problem, upper)
    n, p, w = problem.n, problem.p, problem.sample_weight
    if loss == "squared":
        H = np.cov(problem.X.T, aweights=w, ddof=0) * w.sum()
        centre = np.linalg.lstsq(
            np.column_stack([problem.X, np.ones(n)]) * np.sqrt(w)[:, None], problem.y * np.sqrt(w), rcond=None
        )[0][:p]
        reach = centre + np.sqrt(2 * (upper - problem.objective(centre)) * np.diag(np.linalg.inv(H)))
    else:
        kink, up, down = problem.loss.kinks(problem.y)
        A = np.hstack([problem.X, np.ones((n, 1)), -np.eye(n), np.eye(n)])
        price = np.concatenate([np.zeros(p + 1), w * up, w * down])
        sides = [(None, None)] * (p + 1) + [(0, None)] * (2 * n)
        reach = [
            -optimize.linprog(-row, A_ub=price[None], b_ub=[upper], A_eq=A, b_eq=kink, bounds=sides).fun
            for row in np.eye(p, A.shape[1])
        ]
    np.testing.assert_allclose(bounds.upper, np.maximum(reach, 0.0), rtol=1e-5)


@pytest.mark.parametrize("name", [n for n in NASTY if n not in ("perfect fit",)])
def test_nasty_problems_are_bounded_or_refused(name: str) -> None:
    problem = NASTY[name](k=1 if name == "one column" else 2)
    bounds = prove(problem, problem.null_objective)
    centred = problem.X - problem.column_means
    for j in range(problem.p):
        coef = np.zeros(problem.p)
        w = problem.sample_weight
        coef[j] = (w * centred[:, j]) @ problem.y / (w @ centred[:, j] ** 2)  # the best of a single column

        if j not in problem.selection.excluded:
            assert bounds.lower[j] <= coef[j] <= bounds.upper[j]
    assert bool(bounds.missing) == (not np.isfinite(bounds.upper).all())


def test_more_columns_than_rows_with_a_ridge() -> None:
    rng = np.random.default_rng(6)
    X, y = rng.standard_normal((8, 12)), rng.standard_normal(8)
    problem = Problem(X, y, 3, lambda2=0.05)
    centred, mean = X - X.mean(axis=0), y - y.mean()
    H = centred.T @ centred + 0.1 * np.eye(12)
    centre = np.linalg.solve(H, centred.T @ mean)
    upper = problem.null_objective
    reach = centre + np.sqrt(2 * (upper - problem.objective(centre)) * np.diag(np.linalg.inv(H)))
    by_ridge = np.sqrt(upper / 0.05)

    np.testing.assert_allclose(prove(problem, upper).upper, np.minimum(reach, by_ridge), rtol=1e-6)


def test_users_bounds_and_excluded_columns_come_first() -> None:
    problem = problem_of("squared", 1, constraints=[Exclude([0]), Bounds([1], -1e-3, 2e-3)])
    bounds = prove(problem, problem.null_objective)

    assert (bounds.lower[0], bounds.upper[0]) == (0.0, 0.0)
    assert (bounds.lower[1], bounds.upper[1]) == (-1e-3, 2e-3)
    assert bounds.proofs[0] == "the problem's own bounds"
    assert not bounds.is_imposed
