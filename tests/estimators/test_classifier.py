"""`BestSubsetClassifier` against linear programmes, enumeration and scikit-learn."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

import bestsubset as bs
from tests import kinked_judge

RNG = np.random.default_rng(6)
N, P = 40, 5
X = RNG.standard_normal((N, P))
SIGNS = np.where(X[:, 0] - X[:, 3] + RNG.standard_normal(N) > 0, 1.0, -1.0)
LABELS = np.where(SIGNS > 0, "yes", "no")


@pytest.mark.parametrize("settings", [{"k": 2}, {"k": 1, "lambda1": 0.0}, {"k": None, "lambda0": 3.0}], ids=str)
def test_hinge_is_the_judges(settings: dict[str, Any]) -> None:
    model = bs.BestSubsetClassifier(**settings).fit(X, LABELS)
    problem = bs.Problem(X, SIGNS, loss="hinge", **{"lambda1": 1.0, **settings})

    value = problem.objective(model.coef_[0], float(model.intercept_[0]))
    assert value == pytest.approx(kinked_judge.judge(problem), rel=1e-6)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.coef_.shape == (1, P)
    assert not hasattr(model, "predict_proba")


def test_weights_are_repetitions() -> None:
    weights = RNG.integers(0, 3, N)
    weighted = bs.BestSubsetClassifier(k=2).fit(X, LABELS, sample_weight=weights)
    repeated = bs.BestSubsetClassifier(k=2).fit(X.repeat(weights, axis=0), LABELS.repeat(weights))

    assert weighted.result_.objective == pytest.approx(repeated.result_.objective)


def test_squared_loss_is_certified_least_squares() -> None:
    model = bs.BestSubsetClassifier(k=2, loss="squared", lambda1=0.0).fit(X, LABELS)

    assert model.coef_[0] == pytest.approx(bs.best_subset(X, SIGNS, k=2, solver="enumeration").coef)
    assert model.result_.verify().valid


@pytest.fixture(scope="module")
def logistic() -> bs.BestSubsetClassifier:
    return bs.BestSubsetClassifier(k=1, loss="logistic", lambda1=0.0).fit(X[:, :4], LABELS)


def test_logistic_is_the_best_of_all_regressions(logistic: bs.BestSubsetClassifier) -> None:
    values = {}
    for support in combinations(range(4), 1):
        part = X[:, list(support)]
        fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(part, LABELS)
        values[support] = log_loss(LABELS, fitted.predict_proba(part), normalize=False)

    assert logistic.result_.objective == pytest.approx(min(values.values()), rel=1e-5)
    assert logistic.result_.support == min(values, key=lambda support: values[support])


def test_probabilities_are_those_of_the_model(logistic: bs.BestSubsetClassifier) -> None:
    probabilities = logistic.predict_proba(X[:, :4])
    odds = np.exp(X[:, :4] @ logistic.coef_[0] + logistic.intercept_[0])

    assert probabilities == pytest.approx(np.column_stack([1 / (1 + odds), odds / (1 + odds)]))
    assert logistic.predict_log_proba(X[:, :4]) == pytest.approx(np.log(probabilities))
    assert logistic.predict(X[:, :4]).tolist() == np.where(odds > 1, "yes", "no").tolist()
    assert log_loss(LABELS, probabilities, normalize=False) == pytest.approx(logistic.result_.objective)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_constant_columns_are_left_out(loss: str) -> None:
    data = np.column_stack([np.ones(N), X[:, :2]])
    model = bs.BestSubsetClassifier(k=1, loss=loss).fit(data, LABELS)

    assert model.coef_[0, 0] == 0
    assert model.result_.objective == pytest.approx(
        bs.best_subset(X[:, :2], SIGNS, k=1, lambda1=1.0, loss=loss, solver="enumeration").objective, rel=1e-5
    )


@pytest.mark.parametrize("labels", [[0, 1], [5, 3], [True, False], ["b", "a"], [-1, 1]], ids=str)
def test_any_two_labels_will_do(labels: list[Any]) -> None:
    given = np.where(SIGNS > 0, max(labels), min(labels))
    model = bs.BestSubsetClassifier(k=2, loss="squared", lambda1=0.0).fit(X, given)

    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(X).tolist() == np.where(model.decision_function(X) > 0, max(labels), min(labels)).tolist()
    assert model.score(X, given) == np.mean(model.predict(X) == given)


@pytest.mark.parametrize(
    ("y", "weights", "words"),
    [
        (np.arange(N) % 3, None, "Only binary classification is supported. The type of the target is multiclass"),
        (np.zeros(N), None, "one class"),
        (SIGNS, SIGNS > 0, "one class"),
    ],
)
def test_other_numbers_of_classes_are_refused(y: Any, weights: Any, words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        bs.BestSubsetClassifier().fit(X, y, sample_weight=weights)
