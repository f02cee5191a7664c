"""The estimators as scikit-learn's own checks, direct calls of `solve` and enumeration judge them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import bestsubset as bs

ESTIMATORS = [
    bs.BestSubsetRegressor(k=5),
    bs.BestSubsetRegressorCV(k=2, cv=2),
    bs.BestSubsetClassifier(k=2, lambda1=0.01),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def data(seed: int = 0, n: int = 40, p: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    return X, X[:, 1] - 2 * X[:, 4] + 0.5 * rng.standard_normal(n) + 3


def best_ols(X: np.ndarray, y: np.ndarray, k: int) -> tuple[int, ...]:
    """The support of size k with the least residual sum of squares, by trying all."""
    rss = {}
    for z in combinations(range(X.shape[1]), k):
        fit = LinearRegression().fit(X[:, z], y)
        rss[z] = float(np.sum((y - fit.predict(X[:, z])) ** 2))
    return min(rss, key=rss.__getitem__)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_regressor_is_ordinary_least_squares_on_the_best_support(k: int) -> None:
    X, y = data()
    model = bs.BestSubsetRegressor(k=k).fit(X, y)
    support = best_ols(X, y, k)
    fit = LinearRegression().fit(X[:, support], y)

    assert tuple(model.get_support(indices=True)) == support
    assert model.coef_[list(support)] == pytest.approx(fit.coef_)
    assert model.intercept_ == pytest.approx(fit.intercept_)
    assert model.predict(X) == pytest.approx(fit.predict(X[:, support]))
    assert model.score(X, y) == pytest.approx(fit.score(X[:, support], y))
    assert model.result_.status == "optimal"
    assert model.result_.verify().valid


def test_weights_are_repetitions() -> None:
    X, y = data()
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = bs.BestSubsetRegressor(k=2).fit(X, y, sample_weight=weights)
    repeated = bs.BestSubsetRegressor(k=2).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))

    assert weighted.coef_ == pytest.approx(repeated.coef_)


def test_data_frames_name_columns_and_come_out_as_frames() -> None:
    X, y = data()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = bs.BestSubsetRegressor(k=2, constraints=[bs.Include(["f"])]).set_output(transform="pandas").fit(frame, y)

    assert list(model.feature_names_in_) == list("abcdef")
    assert "f" in model.get_feature_names_out()
    assert list(model.transform(frame).columns) == list(model.get_feature_names_out())
    assert set(model.result_.support_names) == set(model.get_feature_names_out())


def test_sparse_data_and_constant_columns() -> None:
    X, y = data()
    X = np.hstack([X, np.ones((len(y), 1)), np.zeros((len(y), 1))])
    dense, thin = bs.BestSubsetRegressor(k=2).fit(X, y), bs.BestSubsetRegressor(k=2).fit(sparse.csr_matrix(X), y)

    assert dense.coef_ == pytest.approx(thin.coef_)
    assert dense.coef_[6:].tolist() == [0, 0]
    assert thin.predict(sparse.csr_matrix(X)) == pytest.approx(dense.predict(X))


def test_parameters_take_effect_after_set_params() -> None:
    X, y = data()
    model = clone(bs.BestSubsetRegressor(k=1)).set_params(k=3, lambda2=0.5)
    direct = bs.best_subset(X, y, 3, lambda2=0.5)

    assert model.fit(X, y).coef_ == pytest.approx(direct.coef)
    assert bs.BestSubsetRegressor(k=99).fit(X, y).result_.problem.k == 6


def test_selects_in_a_pipeline_and_is_searched_over() -> None:
    X, y = data()
    pipeline = make_pipeline(StandardScaler(), bs.BestSubsetRegressor(k=2), LinearRegression())
    search = GridSearchCV(pipeline, {"bestsubsetregressor__k": [1, 2, 3]}, cv=3).fit(X, y)
    scores = [
        np.mean(cross_val_score(make_pipeline(bs.BestSubsetRegressor(k=k), LinearRegression()), X, y, cv=3))
        for k in (1, 2, 3)
    ]

    assert search.cv_results_["mean_test_score"] == pytest.approx(scores)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_classifier_is_the_enumerated_best(loss: str) -> None:
    X, y = data(3, n=40, p=5)
    labels = np.where(y + np.random.default_rng(1).standard_normal(len(y)) > np.median(y), "yes", "no")
    model = bs.BestSubsetClassifier(k=2, loss=loss, lambda1=0.1).fit(X, labels)
    signs = np.where(labels == "yes", 1.0, -1.0)
    judge = bs.solve(bs.Problem(X, signs, 2, loss=loss, lambda1=0.1), bs.Enumeration())

    assert list(model.classes_) == ["no", "yes"]
    assert model.result_.objective == pytest.approx(judge.objective, rel=1e-5)
    assert (model.predict(X) == "yes").tolist() == (model.decision_function(X) > 0).tolist()
    assert model.score(X, labels) > 0.7
    assert hasattr(model, "predict_proba") == (loss == "logistic")
    if loss == "logistic":
        probability = model.predict_proba(X)
        assert probability.sum(axis=1) == pytest.approx(1)
        assert ((probability[:, 1] > 0.5) == (model.predict(X) == "yes")).all()


def test_three_classes_are_refused() -> None:
    X, y = data()
    with pytest.raises(ValueError, match="Only binary classification"):
        bs.BestSubsetClassifier().fit(X, np.digitize(y, np.quantile(y, [0.3, 0.6])))


def test_cross_validation_by_hand() -> None:
    X, y = data(5)
    folds = KFold(4, shuffle=True, random_state=0)
    model = bs.BestSubsetRegressorCV(k=4, lambda2s=[0.0, 2.0], cv=folds).fit(X, y)
    expected = []
    for ridge in (0.0, 2.0):
        for k in (1, 2, 3, 4):
            errors = []
            for train, test in folds.split(X):
                fit = bs.best_subset(X[train], y[train], k, lambda2=ridge)
                errors.append(-np.mean((y[test] - X[test] @ fit.coef - fit.intercept) ** 2))
            expected.append(np.mean(errors))

    assert model.cv_results_["mean_test_score"] == pytest.approx(expected)
    best = int(np.argmax(expected))
    assert model.best_params_ == {"k": 1 + best % 4, "lambda2": [0.0, 2.0][best // 4]}
    assert model.best_score_ == pytest.approx(max(expected))
    whole = bs.best_subset(X, y, model.best_params_["k"], lambda2=model.best_params_["lambda2"])
    assert model.coef_ == pytest.approx(whole.coef)
    assert model.result_.certificate is not None


def test_one_standard_error_takes_the_smallest_model_that_is_near() -> None:
    X, y = data(7, n=60)
    model = bs.BestSubsetRegressorCV(k=6, cv=5, rule="one-standard-error").fit(X, y)
    table = np.array([model.cv_results_[f"split{fold}_test_score"] for fold in range(5)])
    best = int(np.argmax(table.mean(axis=0)))
    limit = table.mean(axis=0)[best] - table[:, best].std(ddof=1) / np.sqrt(5)

    assert model.best_params_["k"] == 1 + int(np.flatnonzero(table.mean(axis=0) >= limit)[0])
    with pytest.raises(bs.ProblemError, match="rule is 'bets'"):
        bs.BestSubsetRegressorCV(rule="bets").fit(X, y)


def test_stability_counts_what_each_subsample_chooses() -> None:
    X, y = data(9)
    found = bs.stability_selection(X, y, 2, n_subsamples=12, random_state=3)
    again = bs.stability_selection(X, y, 2, n_subsamples=12, random_state=3, n_jobs=2)
    counts = np.zeros(6)
    for seed in np.random.SeedSequence(3).spawn(12):
        rows = np.sort(np.random.default_rng(seed).choice(40, size=20, replace=False))
        counts[list(best_ols(X[rows], y[rows], 2))] += 1

    assert found.frequencies.tolist() == (counts / 12).tolist() == again.frequencies.tolist()
    assert found.mean_size == 2
    assert found.unproved == 0
    assert found.selected(0.9) == (1, 4)
    assert found.false_selections(0.9) == pytest.approx(4 / (0.8 * 6))
    assert found.table()["predictor"].tolist()[:2] in (["x1", "x4"], ["x4", "x1"])


def test_bootstrap_counts_rows_as_often_as_they_are_drawn() -> None:
    X, y = data(11, n=25)
    found = bs.bootstrap_selection(X, y, 2, n_draws=10)
    counts = np.zeros(6)
    for seed in np.random.SeedSequence(0).spawn(10):
        rows = np.random.default_rng(seed).integers(25, size=25)
        counts[list(best_ols(X[rows], y[rows], 2))] += 1

    assert found.frequencies.tolist() == (counts / 10).tolist()


def test_numbers_out_of_range() -> None:
    X, y = data()
    with pytest.raises(bs.ProblemError, match="fraction is 1"):
        bs.stability_selection(X, y, 2, fraction=1.0)
    with pytest.raises(bs.ProblemError, match=r"threshold is 0\.5"):
        bs.stability_selection(X, y, 2, n_subsamples=2).false_selections(0.5)
