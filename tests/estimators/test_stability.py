"""Frequencies of selection against loops over the same draws, and the bound on false selections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bestsubset as bs

RNG = np.random.default_rng(2)
N, P = 40, 6
X = RNG.standard_normal((N, P))
Y = X[:, 0] - 0.3 * X[:, 2] + RNG.standard_normal(N)


def test_subsamples_are_halves_each_enumerated() -> None:
    found = bs.stability_selection(X, Y, k=2, n_subsamples=12, random_state=4)
    rng = np.random.default_rng(4)
    counts = np.zeros(P)
    for _ in range(12):
        rows = np.sort(rng.choice(N, 20, replace=False))
        counts[list(bs.best_subset(X[rows], Y[rows], 2, solver="enumeration").support)] += 1

    assert found.frequencies == pytest.approx(counts / 12)
    assert found.mean_cardinality == 2
    assert (found.n_optimal, found.fraction) == (12, 0.5)
    assert found.selected(0.5) == tuple(np.flatnonzero(counts >= 6))


@pytest.mark.parametrize("settings", [{}, {"loss": "absolute"}, {"lambda2": 1.0, "standardize": True}], ids=str)
def test_bootstraps_repeat_rows(settings: dict[str, Any]) -> None:
    weights = np.arange(1.0, N + 1)
    found = bs.bootstrap_selection(X, Y, k=2, n_bootstraps=8, random_state=4, sample_weight=weights, **settings)
    rng = np.random.default_rng(4)
    counts = np.zeros(P)
    for _ in range(8):
        rows = rng.integers(0, N, N)
        result = bs.best_subset(X[rows], Y[rows], 2, sample_weight=weights[rows], solver="enumeration", **settings)
        counts[list(result.support)] += 1

    assert found.frequencies == pytest.approx(counts / 8)


def test_the_table_is_sorted_and_named() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    found = bs.stability_selection(X, Y, k=2, n_subsamples=10, feature_names=names)
    table = found.table()

    assert table["frequency"].tolist() == sorted(found.frequencies, reverse=True)
    assert table["feature"].tolist() == [names[j] for j in table.index]
    assert table["frequency"].tolist() == found.frequencies[table.index].tolist()
    assert table["feature"].iloc[0] == "a"


def test_the_bound_is_that_of_meinshausen_and_buehlmann() -> None:
    found = bs.stability_selection(X, Y, k=3, n_subsamples=5)

    assert found.expected_false_selections(0.75) == pytest.approx(3**2 / (0.5 * P))
    assert found.expected_false_selections(1) == pytest.approx(3**2 / P)


def test_noise_is_selected_no_more_often_than_the_bound_says() -> None:
    rng = np.random.default_rng(0)
    bounds, false = [], []
    for _ in range(10):
        found = bs.stability_selection(rng.standard_normal((40, 12)), rng.standard_normal(40), k=2, n_subsamples=20)
        bounds.append(found.expected_false_selections(0.7))
        false.append(len(found.selected(0.7)))

    assert bounds == pytest.approx([4 / (0.4 * 12)] * 10)
    assert np.mean(false) <= bounds[0]


def test_a_price_leaves_the_number_to_the_data() -> None:
    found = bs.stability_selection(X, Y, lambda0=3.0, n_subsamples=10)

    assert found.mean_cardinality == found.selections.sum() / 10
    assert found.expected_false_selections(0.9) == pytest.approx((found.selections.sum() / 10) ** 2 / (0.8 * P))


def test_draws_depend_on_the_seed_alone() -> None:
    first, again, beside = (
        bs.stability_selection(X, Y, k=2, n_subsamples=6, random_state=1, n_jobs=n_jobs) for n_jobs in (None, 1, 2)
    )
    other = bs.stability_selection(X, Y, k=2, n_subsamples=6, random_state=2)

    assert first.selections.tolist() == again.selections.tolist() == beside.selections.tolist()
    assert first.selections.tolist() != other.selections.tolist()


def test_columns_constant_in_a_subsample_are_not_selected_there() -> None:
    rare = np.zeros(N)
    rare[3] = 1.0
    data = np.column_stack([X, rare])
    response = Y + 50 * rare  # selected wherever its row is drawn
    found = bs.bootstrap_selection(data, response, k=1, n_bootstraps=30, random_state=3)
    rng = np.random.default_rng(3)
    drawn = [3 in rng.integers(0, N, N) for _ in range(30)]

    assert found.selections[:, P].tolist() == drawn
    assert 0 < sum(drawn) < 30


def test_searches_stopped_by_a_limit_are_counted() -> None:
    rng = np.random.default_rng(1)
    data, response = rng.standard_normal((80, 40)) + 2 * rng.standard_normal((80, 1)), rng.standard_normal(80)
    solver = bs.BranchAndBound(node_limit=1)
    found = bs.stability_selection(data, response, k=10, n_subsamples=3, lambda2=1e-3, solver=solver)

    assert found.n_optimal == 0
    assert found.mean_cardinality == 10


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bs.stability_selection(X, Y, 2, fraction=1.0), "fraction is 1.0 of 40 rows"),
        (lambda: bs.stability_selection(X, Y, 2, fraction=0.01), "fraction is 0.01 of 40 rows"),
        (lambda: bs.stability_selection(X, Y, 2, n_subsamples=0), "n_subsamples is 0; expected"),
        (lambda: bs.bootstrap_selection(X, Y, 2, n_bootstraps=0), "n_bootstraps is 0; expected"),
        (lambda: bs.stability_selection(X, Y), "k is None and lambda0 is 0"),
        (lambda: bs.stability_selection(X, Y, 2, n_subsamples=2).selected(0), "threshold is 0; expected 0 < "),
        (lambda: bs.stability_selection(X, Y, 2, n_subsamples=2).expected_false_selections(0.5), "expected 1/2 <"),
        (
            lambda: bs.stability_selection(X, Y, 2, n_subsamples=2, fraction=0.6).expected_false_selections(0.8),
            "fraction is 0.6; expected 0.5",
        ),
    ],
)
def test_bad_arguments_are_refused(call: Any, words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        call()
