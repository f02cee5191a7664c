"""The working form says the same as the user's statement, in other units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formulations import Exclude, Group, Include, Problem, ProblemError, ScaledProblem

RNG = np.random.default_rng(3)
N, P = 15, 6
X = RNG.standard_normal((N, P)) * np.array([1e-3, 1.0, 50.0, 1.0, 2.0, 1e4]) + RNG.standard_normal(P)
Y = 1e3 * RNG.standard_normal(N) + 20.0
WEIGHTS = RNG.uniform(0.1, 4.0, N)

SETTINGS: list[dict[str, Any]] = [
    {},
    {"fit_intercept": False},
    {"sample_weight": WEIGHTS},
    {"lambda0": 3.0, "lambda1": 0.4, "lambda2": 0.7},
    {"lambda0": 3.0, "lambda1": 0.4, "lambda2": 0.7, "standardize": True, "sample_weight": WEIGHTS},
    {"lambda2": 0.7, "standardize": True, "fit_intercept": False},
    {"lambda2": 0.7, "constraints": [Exclude([1, 3])]},
]


def ids(settings: dict[str, Any]) -> str:
    return ", ".join(settings) or "plain"


@pytest.mark.parametrize("settings", SETTINGS, ids=ids)
def test_objective_times_unit_is_the_users(settings: dict[str, Any]) -> None:
    problem = Problem(X, Y, k=4, **settings)
    scaled = ScaledProblem.of(problem)
    rng = np.random.default_rng(0)
    for _ in range(20):
        support = np.sort(rng.choice(scaled.m, 3, replace=False))
        gamma = rng.standard_normal(3)
        coef = scaled.to_coef(support, gamma)

        assert scaled.value(support, gamma) * scaled.unit == pytest.approx(problem.objective(coef), rel=1e-10)


@pytest.mark.parametrize("settings", SETTINGS, ids=ids)
def test_columns_and_response_have_norm_one(settings: dict[str, Any]) -> None:
    scaled = ScaledProblem.of(Problem(X, Y, k=4, **settings))

    assert np.linalg.norm(scaled.X, axis=0) == pytest.approx(np.ones(scaled.m))
    assert np.linalg.norm(scaled.y) == pytest.approx(1.0)
    assert scaled.gram == pytest.approx(scaled.X.T @ scaled.X)
    assert np.array_equal(scaled.gram, scaled.gram.T)
    assert scaled.correlation == pytest.approx(scaled.X.T @ scaled.y)


def test_coefficients_come_back_in_the_users_units() -> None:
    problem = Problem(X, Y, k=P)
    scaled = ScaledProblem.of(problem)
    everything = np.arange(P)
    gamma = np.linalg.lstsq(scaled.X, scaled.y, rcond=None)[0]
    by_hand = np.linalg.lstsq(np.column_stack([np.ones(N), X]), Y, rcond=None)[0]
    coef = scaled.to_coef(everything, gamma)

    assert coef == pytest.approx(by_hand[1:], rel=1e-8)
    assert problem.intercept(coef) == pytest.approx(by_hand[0], rel=1e-8)


def test_bounds_come_along() -> None:
    lower, upper = -np.arange(1.0, P + 1), np.arange(2.0, P + 2)
    scaled = ScaledProblem.of(Problem(X, Y, k=3, bounds=(lower, upper)))

    assert scaled.is_boxed
    assert not scaled.is_plain
    assert scaled.lower * scaled.coef_unit == pytest.approx(lower)
    assert scaled.upper * scaled.coef_unit == pytest.approx(upper)


def test_excluded_columns_are_gone_and_blocks_are_local() -> None:
    problem = Problem(X, Y, k=4, constraints=[Exclude([1]), Group([2, 5]), Include([4])])
    scaled = ScaledProblem.of(problem)

    assert scaled.columns.tolist() == [0, 2, 3, 4, 5]
    assert sorted(scaled.blocks) == [(0,), (1, 4), (2,), (3,)]
    assert scaled.included.tolist() == [False, False, False, True, False]
    assert np.flatnonzero(scaled.to_coef(np.array([1, 4]), np.ones(2))).tolist() == [2, 5]


def test_k_is_at_most_the_candidates() -> None:
    scaled = ScaledProblem.of(Problem(X, Y, k=6, constraints=[Exclude([0, 1])]))

    assert (scaled.k, scaled.m) == (4, 4)


def test_the_working_form_does_not_depend_on_units() -> None:
    plain = ScaledProblem.of(Problem(X, Y, k=3))
    other = ScaledProblem.of(Problem(X * 2.0**-20, Y * 2.0**30, k=3))

    assert pytest.approx(other.X, abs=1e-14) == plain.X
    assert plain.y == pytest.approx(other.y, abs=1e-14)


def test_gram_rows_are_rows_of_the_gram_matrix() -> None:
    scaled = ScaledProblem.of(Problem(X, Y, k=3))
    rows = scaled.gram_rows(np.array([4, 1]))

    assert rows == pytest.approx(scaled.gram[[4, 1]])
    assert scaled.gram_rows(np.array([4, 1])) == pytest.approx(rows)


def test_zeros_are_not_charged() -> None:
    scaled = ScaledProblem.of(Problem(X, Y, lambda0=2.0))
    both, one = np.array([0, 2]), np.array([2])

    assert scaled.value(both, np.array([0.0, 0.3])) == pytest.approx(scaled.value(one, np.array([0.3])))


def test_no_candidate_left_is_refused() -> None:
    with pytest.raises(ProblemError, match="Exclude leaves no column"):
        ScaledProblem.of(Problem(X, Y, k=3, constraints=[Exclude(range(P))]))
