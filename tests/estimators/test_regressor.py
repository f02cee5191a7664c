"""`BestSubsetRegressor` is `solve` with the same settings, and enumeration agrees with it."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

import bestsubset as bs
from bestsubset.estimators import linear_selector
from tests import oracle

RNG = np.random.default_rng(8)
N, P = 40, 7
X = RNG.standard_normal((N, P)) + RNG.standard_normal((N, 1))
Y = X @ np.array([1.0, 0.0, -1.0, 0.0, 0.4, 0.0, 0.2]) + RNG.standard_normal(N) + 2.0
WEIGHTS = RNG.integers(0, 3, N).astype(float)


@pytest.mark.parametrize(
    "settings",
    [
        {"k": 1},
        {"k": 3},
        {"k": 3, "fit_intercept": False},
        {"k": 3, "lambda2": 2.0, "standardize": True},
        {"k": None, "lambda0": 2.0},
        {"k": 4, "lambda0": 1.0, "lambda2": 0.3},
        {"k": 2, "lambda1": 3.0},
        {"k": 3, "bounds": (-0.5, 0.7)},
        {"k": 3, "constraints": [bs.Include(1), bs.Exclude([0, 3])]},
        {"k": 3, "solver": bs.Enumeration()},
    ],
    ids=str,
)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_the_model_is_the_judges(settings: dict[str, Any], weights: np.ndarray | None) -> None:
    model = bs.BestSubsetRegressor(**settings).fit(X, Y, sample_weight=weights)
    given = {name: value for name, value in settings.items() if name != "solver"}
    problem = bs.Problem(X, Y, sample_weight=weights, **given)
    least, close = oracle.judge(problem)

    assert problem.objective(model.coef_, model.intercept_) == pytest.approx(least)
    assert tuple(np.flatnonzero(model.support_)) in close
    assert model.result_.status is bs.Status.OPTIMAL
    assert model.result_.verify().valid
    assert model.predict(X) == pytest.approx(model.intercept_ + X @ model.coef_)


@pytest.mark.parametrize("loss", ["absolute", "quantile", bs.QuantileLoss(0.8)])
def test_other_losses_are_those_of_enumeration(loss: Any) -> None:
    model = bs.BestSubsetRegressor(k=2, loss=loss).fit(X, Y)
    judged = bs.best_subset(X, Y, k=2, loss=loss, solver="enumeration")

    assert model.result_.objective == pytest.approx(judged.objective, rel=1e-6)
    assert tuple(np.flatnonzero(model.coef_)) == judged.support


def test_losses_of_classes_are_refused() -> None:
    with pytest.raises(bs.ProblemError, match=r"loss is 'hinge'.*BestSubsetClassifier"):
        bs.BestSubsetRegressor(loss="hinge").fit(X, Y)


@pytest.mark.parametrize("k", [None, P, P + 5])
def test_without_a_bound_or_price_all_columns_enter(k: int | None) -> None:
    model = bs.BestSubsetRegressor(k=k).fit(X, Y)
    all_columns = LinearRegression().fit(X, Y)

    assert model.coef_ == pytest.approx(all_columns.coef_)
    assert model.intercept_ == pytest.approx(all_columns.intercept_)
    assert model.get_params()["k"] == k


@pytest.mark.parametrize("k", [0, 2.5, True, "three"])
def test_sizes_that_are_none_are_refused(k: Any) -> None:
    with pytest.raises(bs.ProblemError, match=r"k is .*; expected a whole number"):
        bs.BestSubsetRegressor(k=k).fit(X, Y)


def test_constraints_name_columns_of_a_frame() -> None:
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(P)])
    model = bs.BestSubsetRegressor(k=2, constraints=[bs.Include("c3")]).fit(frame, Y)

    assert model.result_.support == oracle.judge(bs.Problem(X, Y, 2, constraints=[bs.Include(3)]))[1][0]
    assert model.coef_[3] != 0


def with_constant_columns() -> np.ndarray:
    data = X.copy()
    data[:, 2], data[:, 5] = 4.0, 0.1
    return data


@pytest.mark.parametrize(
    "settings", [{}, {"lambda2": 1.0, "standardize": True}, {"bounds": (-0.5, 0.5)}, {"loss": "absolute"}], ids=str
)
def test_constant_columns_are_left_out(settings: dict[str, Any]) -> None:
    model = bs.BestSubsetRegressor(k=3, **settings).fit(with_constant_columns(), Y)
    without = bs.BestSubsetRegressor(k=3, **settings).fit(np.delete(X, [2, 5], axis=1), Y)

    assert np.delete(model.coef_, [2, 5]) == pytest.approx(without.coef_)
    assert model.coef_[[2, 5]].tolist() == [0.0, 0.0]
    assert model.result_.certificate is None or model.result_.verify().valid


def test_a_group_goes_on_without_its_constant_columns() -> None:
    data = with_constant_columns()
    rules = [bs.Group([1, 2, 3]), bs.Group([5])]
    model = bs.BestSubsetRegressor(k=2, constraints=rules).fit(data, Y)
    values = {
        support: oracle.best_value(bs.Problem(data, Y, 2, constraints=[bs.Exclude([2, 5])]), list(support))
        for support in [(1, 3), (0, 4), (0, 6), (4, 6), (0,), (4,), (6,)]
    }

    assert model.result_.support == min(values, key=lambda support: values[support])
    forced = bs.BestSubsetRegressor(k=2, constraints=[*rules, bs.Include(1)]).fit(data, Y)
    assert forced.result_.support == (1, 3)


def test_columns_constant_where_weights_are_positive_are_left_out() -> None:
    data, weights = with_constant_columns(), np.ones(N)
    data[0, 2], weights[0] = 9.0, 0.0
    model = bs.BestSubsetRegressor(k=3).fit(data, Y, sample_weight=weights)

    assert model.coef_[2] == 0
    assert model.coef_ == pytest.approx(bs.BestSubsetRegressor(k=3).fit(data[1:], Y[1:]).coef_)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_data_are_those_of_the_dense(container: Any) -> None:
    data = np.where(np.abs(X) < 1, 0.0, X)
    model = bs.BestSubsetRegressor(k=3).fit(container(data), Y)

    assert model.coef_ == pytest.approx(bs.best_subset(data, Y, k=3).coef)
    assert model.predict(container(data)) == pytest.approx(model.predict(data))
    assert sparse.issparse(model.transform(container(data)))


def test_too_large_a_sparse_matrix_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_selector, "_MOST_ENTRIES", N * P - 1)

    with pytest.raises(bs.ProblemError, match=f"X is sparse, {N} by {P}; expected at most {N * P - 1} entries"):
        bs.BestSubsetRegressor(k=3).fit(sparse.csr_array(X), Y)


def test_single_precision_stays() -> None:
    data = X.astype(np.float32)
    model = bs.BestSubsetRegressor(k=3).fit(data, Y)

    assert model.result_.problem.X.dtype == np.float32
    assert model.coef_ == pytest.approx(bs.best_subset(data.astype(float), Y, k=3).coef)


def hard_problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    data = rng.standard_normal((60, 50)) + 2 * rng.standard_normal((60, 1))
    return data, rng.standard_normal(60)


def test_a_limit_is_told() -> None:
    with pytest.warns(ConvergenceWarning, match=r"stopped at its time limit with a relative gap of .*; expected"):
        model = bs.BestSubsetRegressor(k=15, time_limit=0).fit(*hard_problem())

    assert model.result_.status is bs.Status.FEASIBLE
    assert model.result_.verify().valid


def test_settings_reach_the_search() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        limited = bs.BestSubsetRegressor(k=15, solver=bs.BranchAndBound(node_limit=10)).fit(*hard_problem())
    plain = bs.BestSubsetRegressor(k=3, gap=0.5, threads=1, certificate=False).fit(X, Y)

    assert limited.result_.termination is bs.Termination.NODE_LIMIT
    assert (plain.result_.gap_tolerance, plain.result_.stats.threads, plain.result_.certificate) == (0.5, 1, None)


@pytest.mark.parametrize("seed", [None, 5, np.random.RandomState(2)], ids=["none", "number", "state"])
def test_what_is_proved_does_not_depend_on_the_seed(seed: Any) -> None:
    model = bs.BestSubsetRegressor(k=3, random_state=seed).fit(X, Y)

    assert model.coef_ == pytest.approx(bs.best_subset(X, Y, k=3).coef)


def test_set_params_takes_effect() -> None:
    model = bs.BestSubsetRegressor(k=1).fit(X, Y).set_params(k=3, lambda2=1.0).fit(X, Y)

    assert model.coef_ == pytest.approx(bs.best_subset(X, Y, k=3, lambda2=1.0).coef)


def test_a_fitted_estimator_is_pickled_with_its_proof() -> None:
    model = pickle.loads(pickle.dumps(bs.BestSubsetRegressor(k=3).fit(X, Y)))

    assert model.result_.verify().valid
    assert model.predict(X) == pytest.approx(X @ model.coef_ + model.intercept_)
