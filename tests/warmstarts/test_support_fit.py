"""The fit of a support for every loss: no point near it is better, and where it is known it is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from formulations import Problem, ProblemError
from formulations.losses.interface import members
from warmstarts.support_fit import fit_support

SETTINGS = [
    {},
    {"lambda1": 0.5},
    {"bounds": (-0.4, 0.9)},
    {"fit_intercept": False},
    {"standardize": True, "lambda1": 2},
]


def problem(loss: str, seed: int = 0, **settings: object) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 6)) * [1, 2, 0.5, 1, 1, 3] + 1.0
    y = X @ [1, 0, 0, -1, 0.5, 0] + rng.standard_normal(40)
    if loss in ("hinge", "logistic"):
        y = np.where(y > np.median(y), 1.0, -1.0)
    return Problem(X, y, k=6, loss=loss, sample_weight=rng.uniform(0.5, 2, 40), **settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("loss", members())
def test_no_point_nearby_is_better(loss: str, settings: dict[str, object]) -> None:
    stated = problem(loss, **settings)
    support = [0, 2, 3, 5]

    coef = fit_support(stated, support)

    value = stated.objective(coef)
    assert set(np.flatnonzero(coef)) <= set(support)
    assert np.all((stated.lower <= coef) & (coef <= stated.upper))
    rng = np.random.default_rng(1)
    for size in (1e-5, 1e-3, 1e-1, 1.0):
        for _ in range(200):
            other = coef.copy()
            other[support] += size * rng.standard_normal(4) * (rng.random(4) < 0.6)
            other = np.clip(other, stated.lower, stated.upper)
            assert stated.objective(other) >= value - 1e-9 * abs(value)


def test_the_median_regression_is_the_linear_programme_written_out() -> None:
    stated = problem("absolute")
    X, y, w = stated.X[:, [1, 3]], stated.y, stated.sample_weight
    # min w't  s.t.  -t ≤ y - Xβ - b ≤ t
    A = np.hstack([X, np.ones((40, 1))])
    rows = np.block([[-A, -np.eye(40)], [A, -np.eye(40)]])
    known = linprog(np.r_[np.zeros(3), w], A_ub=rows, b_ub=np.r_[-y, y], bounds=[(None, None)] * 3 + [(0, None)] * 40)

    assert stated.objective(fit_support(stated, [1, 3])) == pytest.approx(known.fun, rel=1e-10)


def test_the_empty_support_is_the_null_model() -> None:
    assert not fit_support(problem("absolute"), []).any()


def test_a_ridge_beside_a_kinked_loss_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"lambda2 is 1.0 with the loss 'absolute'; expected 0"):
        fit_support(problem("absolute", lambda2=1.0), [0])
