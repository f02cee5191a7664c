"""The statement: its objective against plain formulas, its validation, its digest."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest

from formulations import Exclude, Group, Include, Problem, ProblemError

RNG = np.random.default_rng(7)
N, P = 12, 4
X = RNG.standard_normal((N, P)) + np.array([0.0, 5.0, -3.0, 1.0])
Y = X @ np.array([1.0, 0.0, -2.0, 0.0]) + 0.3 * RNG.standard_normal(N) + 4.0
WEIGHTS = RNG.uniform(0.2, 3.0, N)
COEF = np.array([0.7, 0.0, -1.5, 0.2])


def changed(array: np.ndarray, index: Any, value: float) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
def test_objective_is_the_formula(standardize: bool, fit_intercept: bool, weights: np.ndarray | None) -> None:
    problem = Problem(
        X,
        Y,
        k=3,
        lambda0=0.3,
        lambda1=0.2,
        lambda2=0.1,
        standardize=standardize,
        fit_intercept=fit_intercept,
        sample_weight=weights,
    )
    w = np.ones(N) if weights is None else weights
    residual = Y - X @ COEF
    b = np.average(residual, weights=w) if fit_intercept else 0.0
    centre = np.average(X, axis=0, weights=w) if fit_intercept else 0.0
    scale = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=w)) if standardize else np.ones(P)
    loss = 0.5 * np.sum(w * (residual - b) ** 2)
    penalty = 0.3 * 3 + 0.2 * np.sum(scale * np.abs(COEF)) + 0.1 * np.sum((scale * COEF) ** 2)

    assert problem.objective(COEF) == pytest.approx(loss + penalty, rel=1e-12)
    assert problem.intercept(COEF) == pytest.approx(b, abs=1e-12)
    assert problem.predict(COEF) == pytest.approx(X @ COEF + b)


def test_objective_with_a_given_intercept() -> None:
    problem = Problem(X, Y, k=3)

    assert problem.objective(COEF, 1.0) == pytest.approx(0.5 * np.sum((Y - X @ COEF - 1.0) ** 2))
    assert problem.objective(COEF, 1.0) > problem.objective(COEF)


def test_null_objective_is_half_the_total_sum_of_squares() -> None:
    assert Problem(X, Y, k=1).null_objective == pytest.approx(0.5 * np.sum((Y - Y.mean()) ** 2))
    assert Problem(X, Y, k=1, fit_intercept=False).null_objective == pytest.approx(0.5 * Y @ Y)


def test_a_large_mean_costs_no_digits() -> None:
    shifted = Problem(X + 1e8, Y, k=3)

    assert shifted.objective(COEF) == pytest.approx(Problem((X + 1e8) - 1e8, Y, k=3).objective(COEF), rel=1e-9)


def test_problem_is_frozen() -> None:
    problem = Problem(X.copy(), Y.copy(), k=2)

    with pytest.raises(FrozenInstanceError):
        problem.k = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        problem.y[0] = 0.0


def test_with_k_changes_the_bound_and_the_digest_alone() -> None:
    problem = Problem(X, Y, k=2)
    before = problem.digest
    other = problem.with_k(3)

    assert (problem.k, other.k) == (2, 3)
    assert problem.digest == before
    assert other.digest == Problem(X, Y, k=3).digest != before


@pytest.mark.parametrize("k", [0, 5, -1, 2.5, True])
def test_with_k_checks_the_bound(k: Any) -> None:
    with pytest.raises(ProblemError, match=r"k is .*; expected"):
        Problem(X, Y, k=2).with_k(k)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"X": changed(X, (3, 1), np.nan)}, ["'x1' (1)", "finite"]),
        ({"X": changed(changed(X, (3, 1), np.nan), ([2, 5], 3), np.inf)}, ["'x1' (1)", "'x3' (2)", "finite"]),
        ({"X": changed(X, (slice(None), 2), 6.0)}, ["constant", "'x2'", "distinct"]),
        ({"X": changed(X, (slice(None), 2), 0.0), "fit_intercept": False}, ["zero", "'x2'", "nonzero"]),
        ({"X": X.astype(str).astype(object) + "a"}, ["not numbers", "numeric"]),
        ({"X": pd.DataFrame({"a": Y, "b": ["u"] * N})}, ["b", "numeric"]),
        ({"X": X + 1j}, ["complex", "real"]),
        ({"X": X[:, 0]}, ["1 dimension", "expected 2"]),
        ({"X": np.zeros((0, P)), "y": []}, ["0 by 4", "at least one row"]),
        ({"X": np.zeros((N, 0))}, ["12 by 0", "one column"]),
        ({"y": Y[:-1]}, ["11 entries", "expected 12"]),
        ({"y": changed(Y, 2, np.nan)}, ["y", "1 missing", "finite"]),
        ({"y": np.full(N, 3.0)}, ["constant", "3", "distinct"]),
        ({"y": np.zeros(N), "fit_intercept": False}, ["zero", "nonzero"]),
        ({"y": ["a"] * N}, ["y", "not numbers"]),
        ({"y": np.column_stack([Y, Y])}, ["2 dimensions", "expected 1"]),
        ({"k": 0}, ["k is 0", "1 <= k <= p = 4"]),
        ({"k": 5}, ["k is 5", "1 <= k <= p = 4"]),
        ({"k": 2.5}, ["k is 2.5", "whole number"]),
        ({"k": "two"}, ["k is two", "whole number"]),
        ({"k": float("nan")}, ["k is nan", "whole number"]),
        ({"k": None}, ["k is None", "lambda0 > 0"]),
        ({"lambda0": -1.0}, ["lambda0 is -1.0", ">= 0"]),
        ({"lambda1": -0.5}, ["lambda1 is -0.5", ">= 0"]),
        ({"lambda2": np.inf}, ["lambda2 is inf", "finite"]),
        ({"lambda2": "much"}, ["lambda2 is much", "finite number"]),
        ({"loss": "hingee"}, ["loss is 'hingee'", "squared"]),
        ({"bounds": (0.5, 1.0)}, ["(0.5, 1)", "lo <= 0 <= hi"]),
        ({"bounds": (np.zeros(3), 1.0)}, ["length p = 4"]),
        ({"bounds": 3.0}, ["bounds", "(lo, hi)"]),
        ({"sample_weight": -np.ones(N)}, ["minimum -1", ">= 0"]),
        ({"sample_weight": np.zeros(N)}, ["sum 0", "positive sum"]),
        ({"sample_weight": np.ones(N + 1)}, ["13 entries", "expected 12"]),
        ({"feature_names": ["a", "b"]}, ["2 entries", "expected 4"]),
        ({"feature_names": ["a", "b", "c", "a"]}, ["a more than once", "distinct"]),
        ({"constraints": ["x0"]}, ["'x0'", "Include"]),
        ({"constraints": [Include([0, 1, 2])]}, ["forces 3", "k = 2"]),
        ({"constraints": [Include(0), Exclude(0)]}, ["both included and excluded"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_with_the_value_and_the_rule(settings: dict[str, Any], words: list[str]) -> None:
    arguments = {"X": X, "y": Y, "k": 2, **settings}

    with pytest.raises(ProblemError) as caught:
        Problem(arguments.pop("X"), arguments.pop("y"), **arguments)

    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert message.endswith((".", "?"))


def test_a_column_that_varies_only_where_weights_are_zero_is_constant() -> None:
    weights = changed(np.ones(N), 0, 0.0)
    data = changed(changed(X, (slice(None), 1), 2.0), (0, 1), 9.0)

    with pytest.raises(ProblemError, match="constant in column 'x1'"):
        Problem(data, Y, k=2, sample_weight=weights)


@pytest.mark.parametrize("settings", [{}, {"fit_intercept": False}, {"standardize": True, "lambda2": 0.1}])
def test_a_constant_column_may_be_excluded(settings: dict[str, Any]) -> None:
    data = changed(X, (slice(None), 1), 0.0)
    problem = Problem(data, Y, k=2, constraints=[Exclude(1)], **settings)
    coef = np.array([1.0, 0.0, -0.5, 0.0])

    assert problem.objective(coef) == Problem(np.delete(data, 1, 1), Y, k=2, **settings).objective(np.delete(coef, 1))
    with pytest.raises(ProblemError, match="'x1'"):
        Problem(data, Y, k=2, constraints=[Exclude(0)], **settings)


def test_names_come_from_a_data_frame() -> None:
    frame = pd.DataFrame(X, columns=["age", "bmi", "bp", "s5"])
    problem = Problem(frame, pd.Series(Y, name="progression"), k=2, constraints=[Include("bp")])

    assert problem.feature_names == ("age", "bmi", "bp", "s5")
    assert problem.selection.included == (2,)


def test_names_given_win() -> None:
    frame = pd.DataFrame(X, columns=["age", "bmi", "bp", "s5"])

    assert Problem(frame, Y, k=2, feature_names="abcd").feature_names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("data", "response"),
    [
        (X.tolist(), Y.tolist()),
        (np.round(X * 10).astype(int), np.round(Y * 10).astype(int)),
        (np.asfortranarray(X), Y[:, None]),
        (X.astype(np.float16), Y.astype(np.float32)),
        (pd.DataFrame(np.round(X * 10)).astype("Int64"), pd.Series(Y)),
        (pd.DataFrame(X.mean(axis=0) < X), Y),
    ],
    ids=["lists", "integers", "fortran and (n, 1)", "half precision", "nullable integers", "booleans"],
)
def test_anything_array_like_becomes_float64(data: Any, response: Any) -> None:
    problem = Problem(data, response, k=2)

    assert (problem.X.dtype, problem.y.dtype) == (np.float64, np.float64)
    assert (problem.X.shape, problem.y.shape) == ((N, P), (N,))
    assert pytest.approx(np.asarray(data, dtype=np.float64)) == problem.X


def test_float64_data_is_not_copied() -> None:
    assert np.shares_memory(Problem(X, Y, k=2).X, X)


DIFFERENT: dict[str, dict[str, Any]] = {
    "X": {"X": changed(X, (0, 0), X[0, 0] + 1e-12)},
    "y": {"y": changed(Y, 0, Y[0] + 1e-12)},
    "k": {"k": 3},
    "lambda0": {"lambda0": 0.1},
    "lambda1": {"lambda1": 0.1},
    "lambda2": {"lambda2": 0.1},
    "lower": {"bounds": (-1.0, np.inf)},
    "upper": {"bounds": (-np.inf, 1.0)},
    "constraints": {"constraints": [Group([0, 1])]},
    "fit_intercept": {"fit_intercept": False},
    "standardize": {"standardize": True},
    "sample_weight": {"sample_weight": WEIGHTS},
    "feature_names": {"feature_names": ["a", "b", "c", "d"]},
}


def digest(**settings: Any) -> str:
    arguments = {"X": X, "y": Y, "k": 2, **settings}
    return Problem(arguments.pop("X"), arguments.pop("y"), **arguments).digest


@pytest.mark.parametrize("field", DIFFERENT)
def test_digest_changes_with_every_field(field: str) -> None:
    assert digest(**DIFFERENT[field]) != digest()


def test_every_field_but_the_loss_is_in_the_digests_test() -> None:
    assert set(DIFFERENT) == set(Problem.__dataclass_fields__) - {"loss"}  # there is one loss so far


def test_digest_is_that_of_the_values() -> None:
    assert digest(X=np.asfortranarray(X), y=Y.tolist()) == digest()
    assert len(digest()) == 64


def test_duplicate_columns_are_found() -> None:
    data = np.column_stack([X, X[:, 1], X[:, 0], X[:, 1]])

    assert Problem(data, Y, k=2).duplicate_columns == ((0, 5), (1, 4, 6))
