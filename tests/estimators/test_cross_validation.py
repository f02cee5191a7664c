"""Cross-validation against loops of enumeration, written out, and against scikit-learn's own search."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, StratifiedKFold

import bestsubset as bs
from bestsubset.estimators import cross_validation

RNG = np.random.default_rng(11)
N, P = 48, 6
X = RNG.standard_normal((N, P)) + 0.5 * RNG.standard_normal((N, 1))
Y = X @ np.array([1.0, 0.0, -0.7, 0.0, 0.25, 0.0]) + RNG.standard_normal(N) + 2.0
WEIGHTS = RNG.integers(1, 4, N).astype(float)
FOLDS = KFold(4, shuffle=True, random_state=0)


def r2(y: np.ndarray, fitted: np.ndarray, weights: np.ndarray) -> float:
    mean = weights @ y / weights.sum()
    return 1 - float(weights @ (y - fitted) ** 2) / float(weights @ (y - mean) ** 2)


def by_hand(points: list[dict[str, Any]], weights: np.ndarray, folds: Any = FOLDS) -> np.ndarray:
    """Score of each fold and point: a loop over enumerations."""
    scores = []
    for train, test in folds.split(X):
        of_fold = []
        for point in points:
            problem = bs.Problem(X[train], Y[train], sample_weight=weights[train], **point)
            result = bs.solve(problem, bs.Enumeration())
            of_fold.append(r2(Y[test], X[test] @ result.coef + result.intercept, weights[test]))
        scores.append(of_fold)
    return np.array(scores)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_scores_are_those_of_a_loop(weights: np.ndarray | None) -> None:
    model = bs.BestSubsetRegressorCV(k=[1, 2, 3, 5], lambda0=[0.0, 3.0], lambda2=[0.0, 5.0], cv=FOLDS)
    model.fit(X, Y, sample_weight=weights)
    table = model.cv_results_
    points = [{"k": k, "lambda0": a, "lambda2": b} for a, b, k in product([0.0, 3.0], [0.0, 5.0], [1, 2, 3, 5])]
    scores = by_hand(points, np.ones(N) if weights is None else weights)

    assert table["params"] == points
    assert table["param_k"].tolist() == [point["k"] for point in points]
    assert np.array([table[f"split{fold}_test_score"] for fold in range(4)]) == pytest.approx(scores)
    assert table["mean_test_score"] == pytest.approx(scores.mean(axis=0))
    assert table["std_test_score"] == pytest.approx(scores.std(axis=0))
    assert table["rank_test_score"][model.best_index_] == 1
    assert model.best_params_ == points[int(np.argmax(scores.mean(axis=0)))]
    assert model.best_score_ == pytest.approx(scores.mean(axis=0).max())
    assert not table["stopped_searches"].any()
    assert table["max_relative_gap"].max() <= 1e-6


def test_scores_are_those_of_a_grid_search() -> None:
    grid = {"lambda2": [0.0, 5.0], "k": [1, 2, 3, 4, 5]}
    search = GridSearchCV(bs.BestSubsetRegressor(), grid, cv=FOLDS, scoring="neg_mean_absolute_error").fit(X, Y)
    model = bs.BestSubsetRegressorCV(lambda2=[0.0, 5.0], cv=FOLDS, scoring="neg_mean_absolute_error").fit(X, Y)
    known = dict(
        zip(map(frozenset_of, search.cv_results_["params"]), search.cv_results_["mean_test_score"], strict=True)
    )

    mine = [known[frozenset_of({"k": p["k"], "lambda2": p["lambda2"]})] for p in model.cv_results_["params"]]
    assert model.cv_results_["mean_test_score"] == pytest.approx(mine)
    assert model.coef_ == pytest.approx(search.best_estimator_.coef_)


def frozenset_of(params: dict[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset(params.items())


def test_the_model_is_the_best_of_all_data() -> None:
    model = bs.BestSubsetRegressorCV(k=4, lambda2=[1.0, 10.0], cv=FOLDS).fit(X, Y)
    ridge, size = model.best_params_["lambda2"], model.best_params_["k"]

    assert list(model.path_) == [1, 2, 3, 4]
    for k, result in model.path_.items():
        assert result.coef == pytest.approx(bs.best_subset(X, Y, k, lambda2=ridge, solver="enumeration").coef)
        assert result.verify().valid
    assert model.result_ is model.path_[size]
    assert model.coef_ == pytest.approx(model.path_[size].coef)
    assert model.predict(X) == pytest.approx(model.intercept_ + X @ model.coef_)
    assert model.get_support(indices=True).tolist() == list(model.result_.support)


def test_one_standard_error_takes_the_fewest_columns() -> None:
    model = bs.BestSubsetRegressorCV(k=6, cv=FOLDS, rule="one-standard-error").fit(X, Y)
    scores = by_hand([{"k": k} for k in range(1, 7)], np.ones(N))
    mean = scores.mean(axis=0)
    error = scores.std(axis=0, ddof=1)[mean.argmax()] / np.sqrt(4)
    within = [k for k in range(1, 7) if mean[k - 1] >= mean.max() - error]

    assert model.best_params_["k"] == min(within) < int(mean.argmax()) + 1
    assert model.best_score_ == pytest.approx(mean[min(within) - 1])


def test_one_standard_error_counts_columns_where_a_price_decides() -> None:
    model = bs.BestSubsetRegressorCV(k=[P], lambda0=[0.0, 1.0, 2.0, 4.0], cv=FOLDS, rule="one-standard-error").fit(X, Y)
    table = model.cv_results_
    counts = [
        np.mean([bs.best_subset(X[train], Y[train], P, lambda0=a).cardinality for train, _ in FOLDS.split(X)])
        for a in (0.0, 1.0, 2.0, 4.0)
    ]
    error = table["std_test_score"][table["mean_test_score"].argmax()] / np.sqrt(3)
    within = table["mean_test_score"] >= table["mean_test_score"].max() - error

    assert table["mean_cardinality"] == pytest.approx(counts)
    assert counts[model.best_index_] == min(np.array(counts)[within]) < counts[0]


def test_one_fold_has_no_standard_error() -> None:
    model = bs.BestSubsetRegressorCV(k=2, cv=ShuffleSplit(1, random_state=0), rule="one-standard-error")

    with pytest.raises(bs.ProblemError, match="cv has 1 fold; expected two or more"):
        model.fit(X, Y)


def test_jobs_side_by_side_say_the_same() -> None:
    alone, beside = (bs.BestSubsetRegressorCV(k=3, cv=FOLDS, n_jobs=n_jobs).fit(X, Y) for n_jobs in (1, 2))

    assert beside.cv_results_["mean_test_score"].tolist() == alone.cv_results_["mean_test_score"].tolist()
    assert beside.coef_.tolist() == alone.coef_.tolist()


def test_folds_may_come_as_pairs_of_rows() -> None:
    splits = list(GroupKFold(3).split(X, groups=np.arange(N) % 5))
    model = bs.BestSubsetRegressorCV(k=2, cv=splits).fit(X, Y)

    train, test = splits[0]
    result = bs.best_subset(X[train], Y[train], 2)
    assert model.cv_results_["split0_test_score"][1] == pytest.approx(
        r2(Y[test], X[test] @ result.coef + result.intercept, np.ones(len(test)))
    )


def test_a_level_may_be_missing_from_a_fold() -> None:
    level = np.r_[np.zeros(12), np.ones(18), np.full(18, 2)]
    data = np.column_stack([X, level == 0, level == 1])  # without shuffling, the first fold is all of level 0
    rules = [bs.Group([P, P + 1])]
    model = bs.BestSubsetRegressorCV(k=3, cv=KFold(4), constraints=rules).fit(data, Y + (level == 1))
    train = np.arange(12, N)
    without = np.delete(data, P, axis=1)

    for k in (1, 2, 3):
        result = bs.best_subset(without[train], (Y + (level == 1))[train], k)
        fitted = without[:12] @ result.coef + result.intercept
        score = model.cv_results_["split0_test_score"][k - 1]
        assert score == pytest.approx(r2(Y[:12], fitted, np.ones(12)))


def test_sizes_that_constraints_rule_out_are_left_out() -> None:
    model = bs.BestSubsetRegressorCV(k=20, cv=3, constraints=[bs.Include([0, 3])]).fit(X, Y)

    assert sorted(set(model.cv_results_["param_k"])) == [2, 3, 4, 5, 6]


def test_searches_never_start_from_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    searched = bs.BestSubsetRegressor.searched

    def noted(self: Any, problem: bs.Problem, start: bs.Result | None = None) -> bs.Result:
        seen.append((problem, start))
        return searched(self, problem, start)

    monkeypatch.setattr(bs.BestSubsetRegressor, "searched", noted)
    bs.BestSubsetRegressorCV(k=2, lambda2=[0.0, 1.0], cv=3).fit(X, Y)

    began = [(problem, start) for problem, start in seen if start is not None]
    assert len(seen) == 3 * 4 + 2
    assert len(began) == 3 * 3 + 1
    assert all(np.array_equal(problem.y, start.problem.y) for problem, start in began)


def test_limits_are_told_once() -> None:
    rng = np.random.default_rng(1)
    data, response = rng.standard_normal((60, 50)) + 2 * rng.standard_normal((60, 1)), rng.standard_normal(60)

    model = bs.BestSubsetRegressorCV(k=[12], cv=2, solver=bs.BranchAndBound(node_limit=5), lambda2=0.001)

    with pytest.warns(ConvergenceWarning, match="Limits stopped searches") as caught:
        model.fit(data, response)

    assert len(caught) == 1
    assert model.cv_results_["stopped_searches"].tolist() == [2]


def test_an_interruption_is_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Any, problem: bs.Problem, run: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(bs.Enumeration, "solve", interrupted)

    with pytest.raises(KeyboardInterrupt):
        bs.BestSubsetRegressorCV(k=2, cv=2, solver="enumeration").fit(X, Y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "1se"}, "rule is '1se'; expected one of"),
        ({"k": None}, "expected at least one size"),
        ({"k": []}, "expected at least one size"),
        ({"lambda2": []}, "expected at least one size"),
        ({"k": [1, 2.5]}, "k is 2.5; expected a whole number"),
        ({"k": [0, 1]}, "k is 0; expected a whole number"),
    ],
)
def test_bad_grids_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        bs.BestSubsetRegressorCV(**settings).fit(X, Y)


def test_classes_are_held_out_in_strata() -> None:
    labels = np.where(np.median(Y) < Y, "high", "low")
    model = bs.BestSubsetClassifierCV(k=2, cv=3).fit(X, labels)
    signs = np.where(labels == model.classes_[1], 1.0, -1.0)
    scores = [
        [
            np.mean((X[test] @ result.coef + result.intercept > 0) == (signs[test] > 0))
            for k in (1, 2)
            for result in [bs.best_subset(X[train], signs[train], k, loss="hinge", lambda1=1.0)]
        ]
        for train, test in StratifiedKFold(3).split(X, labels)
    ]

    assert model.cv_results_["mean_test_score"] == pytest.approx(np.mean(scores, axis=0))
    assert set(model.predict(X)) <= {"high", "low"}
    assert model.path_[1].problem.loss == bs.HingeLoss()


def test_absolute_loss_is_scored_as_asked() -> None:
    model = bs.BestSubsetRegressorCV(k=[2], loss="absolute", cv=2, scoring="neg_mean_absolute_error").fit(X, Y)
    train, test = next(KFold(2).split(X))
    result = bs.best_subset(X[train], Y[train], 2, loss="absolute")

    assert model.cv_results_["split0_test_score"][0] == pytest.approx(
        -mean_absolute_error(Y[test], X[test] @ result.coef + result.intercept), rel=1e-6
    )


def test_threads_give_way_to_jobs() -> None:
    single = cross_validation.CrossValidated._single

    assert single(bs.BestSubsetRegressorCV(n_jobs=2)).threads == 1
    assert single(bs.BestSubsetRegressorCV(n_jobs=2, threads=3)).threads == 3
    assert single(bs.BestSubsetRegressorCV()).threads is None
