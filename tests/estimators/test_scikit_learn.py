"""The contract of scikit-learn: its own checks, and its tools with these estimators in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import bestsubset as bs

RNG = np.random.default_rng(3)
X = RNG.standard_normal((60, 6))
Y = X[:, 1] - 2 * X[:, 4] + 0.5 * RNG.standard_normal(60) + 1.0
FRAME = pd.DataFrame(X, columns=list("abcdef"))


# Logistic loss is left out for its time, a minute for all checks; none of them fails.
@parametrize_with_checks(
    [
        bs.BestSubsetRegressor(k=2),
        bs.BestSubsetRegressor(k=None, lambda0=0.1, lambda2=0.1),
        bs.BestSubsetClassifier(),
        bs.BestSubsetClassifier(k=2, loss="squared", lambda1=0),
        bs.BestSubsetRegressorCV(k=2),
        bs.BestSubsetClassifierCV(k=2, loss="squared", lambda1=0, lambda2=1),
    ]
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)  # raises where the estimator breaks the rule that the check is named after


def test_a_selector_in_a_pipeline_hands_on_its_columns() -> None:
    model = make_pipeline(StandardScaler(), bs.BestSubsetRegressor(k=2), LinearRegression()).fit(X, Y)
    columns = list(bs.best_subset(X, Y, k=2).support)

    assert model[1].get_support(indices=True).tolist() == columns == [1, 4]
    assert model.predict(X) == pytest.approx(LinearRegression().fit(X[:, columns], Y).predict(X[:, columns]))


def test_columns_keep_their_names() -> None:
    model = bs.BestSubsetRegressor(k=2).set_output(transform="pandas").fit(FRAME, Y)

    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.get_feature_names_out().tolist() == ["b", "e"]
    assert model.result_.support_names == ("b", "e")
    pd.testing.assert_frame_equal(model.transform(FRAME), FRAME[["b", "e"]])


def test_select_from_model_finds_the_coefficients() -> None:
    selector = SelectFromModel(bs.BestSubsetRegressor(k=2), threshold=1e-12).fit(X, Y)

    assert selector.get_support(indices=True).tolist() == [1, 4]


def test_cross_val_score_is_a_loop_over_solve() -> None:
    folds = KFold(4)
    expected = []
    for train, test in folds.split(X):
        result = bs.best_subset(X[train], Y[train], k=2, solver="enumeration")
        residuals = Y[test] - X[test] @ result.coef - result.intercept
        expected.append(1 - residuals @ residuals / np.sum((Y[test] - Y[test].mean()) ** 2))

    assert cross_val_score(bs.BestSubsetRegressor(k=2), X, Y, cv=folds) == pytest.approx(expected)


def test_a_grid_search_sets_sizes() -> None:
    search = GridSearchCV(bs.BestSubsetRegressor(), {"k": [1, 2, 6]}, cv=3).fit(X, Y)

    assert search.best_estimator_.result_.problem.k == search.best_params_["k"]
    assert search.best_estimator_.coef_ == pytest.approx(bs.best_subset(X, Y, k=search.best_params_["k"]).coef)


def test_clones_keep_parameters_and_forget_the_fit() -> None:
    rules = [bs.Include("a"), bs.Group(["b", "c"])]
    model = bs.BestSubsetRegressor(k=4, loss=bs.QuantileLoss(0.9), constraints=rules, solver=bs.LPBranchAndBound())
    copied = clone(model.fit(FRAME, Y))

    assert copied.get_params() == model.get_params()
    assert copied.get_params()["constraints"] == [bs.Include("a"), bs.Group(["b", "c"])]
    assert not hasattr(copied, "coef_")


def test_more_classes_are_one_against_the_rest() -> None:
    data, labels = load_iris(return_X_y=True)
    model = OneVsRestClassifier(bs.BestSubsetClassifier(k=2, loss="squared", lambda1=0.0)).fit(data, labels)
    expected = [bs.best_subset(data, np.where(labels == c, 1.0, -1.0), k=2).support for c in range(3)]

    assert [tuple(part.get_support(indices=True)) for part in model.estimators_] == expected
    with pytest.raises(bs.ProblemError, match="Only binary classification is supported"):
        bs.BestSubsetClassifier().fit(data, labels)
