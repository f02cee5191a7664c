"""Paths: one result a size, and the criteria against their formulas worked by hand."""

from __future__ import annotations

from math import comb, log
from typing import Any

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.solvers.enumeration import Enumeration
from bestsubset.solvers.interface import Answer

RNG = np.random.default_rng(9)
N, P = 50, 6
X = RNG.standard_normal((N, P))
Y = X @ np.array([2.0, 0.0, -1.0, 0.0, 0.3, 0.0]) + RNG.standard_normal(N) + 3.0


def path(k_max: int = 5, **settings: Any) -> bs.Path:
    return bs.best_path(X, Y, k_max, solver="enumeration", **settings)


def rss_of(columns: list[int], intercept: bool = True) -> float:
    design = np.column_stack([np.ones(N), X[:, columns]]) if intercept else X[:, columns]
    return float(np.sum((Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0]) ** 2))


def test_a_path_maps_sizes_to_results() -> None:
    found = path()

    assert list(found) == [1, 2, 3, 4, 5]
    assert len(found) == 5
    assert [result.cardinality for result in found.values()] == [1, 2, 3, 4, 5]
    assert all(result.status is bs.Status.OPTIMAL for result in found.values())


def test_each_size_is_that_of_a_solve_of_its_own() -> None:
    found = path()

    assert [found[k].support for k in (1, 2, 3)] == [
        bs.best_subset(X, Y, k, solver="enumeration").support for k in (1, 2, 3)
    ]
    assert [found[k].problem.digest for k in (1, 2, 3)] == [bs.Problem(X, Y, k).digest for k in (1, 2, 3)]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("intercept", [True, False])
def test_criteria_are_their_formulas(k: int, intercept: bool) -> None:
    found = path(fit_intercept=intercept)
    row = found.table().set_index("k").loc[k]
    rss = rss_of(list(found[k].support), intercept)
    m = k + intercept
    noise = rss_of(list(range(P)), intercept) / (N - P - intercept)
    total = float(np.sum((Y - Y.mean()) ** 2)) if intercept else float(Y @ Y)
    aic = N * log(rss / N) + 2 * m
    bic = N * log(rss / N) + log(N) * m

    assert row["rss"] == pytest.approx(rss)
    assert row["r2"] == pytest.approx(1 - rss / total)
    assert row["adj_r2"] == pytest.approx(1 - (rss / (N - m)) / (total / (N - intercept)))
    assert row["aic"] == pytest.approx(aic)
    assert row["aicc"] == pytest.approx(aic + 2 * m * (m + 1) / (N - m - 1))
    assert row["bic"] == pytest.approx(bic)
    assert row["ebic"] == pytest.approx(bic + 2 * log(comb(P, k)))
    assert row["cp"] == pytest.approx(rss / noise - N + 2 * m)
    assert row["gap"] == found[k].relative_gap


def test_table_has_the_columns_in_order() -> None:
    columns = ["k", "rss", "r2", "adj_r2", "aic", "aicc", "bic", "ebic", "cp", "gap"]

    assert list(path(2).table().columns) == columns


@pytest.mark.parametrize("criterion", ["aic", "aicc", "bic", "ebic", "cp"])
def test_select_takes_the_smallest(criterion: str) -> None:
    found = path()
    table = found.table()

    assert found.select(criterion) is found[int(table["k"][table[criterion].idxmin()])]


def test_select_takes_the_largest_adjusted_r2() -> None:
    found = path()
    table = found.table()

    assert found.select("adj_r2") is found[int(table["k"][table["adj_r2"].idxmax()])]


def test_unknown_criterion_lists_what_would_have_worked() -> None:
    with pytest.raises(bs.ProblemError, match=r"criterion is 'bicc'; expected one of .*'bic'"):
        path(2).select("bicc")


def test_cp_needs_more_rows_than_columns() -> None:
    found = bs.best_path(X[:6], Y[:6], 2, solver="enumeration")

    assert found.table()["cp"].isna().all()
    with pytest.raises(bs.ProblemError, match="cp is undefined"):
        found.select("cp")


def test_sizes_below_the_included_columns_are_left_out() -> None:
    assert list(path(4, constraints=[bs.Include([1, 3])])) == [2, 3, 4]


def test_an_interruption_ends_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = Enumeration.solve

    def interrupted_at_two(self: Enumeration, problem: bs.Problem, run: Any) -> Answer:
        answer = solved(self, problem, run)
        if problem.k == 2:
            return Answer(answer.coef, 0.5 * answer.dual_bound, bs.Termination.INTERRUPTED, 1)
        return answer

    monkeypatch.setattr(Enumeration, "solve", interrupted_at_two)

    assert list(path()) == [1, 2]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k_max": 7}, "k is 7"),
        ({"k_max": 0}, "k is 0"),
        ({"k_max": 2, "time_limit": -1.0}, "time_limit is -1.0"),
        ({"k_max": 2, "time_limit": float("nan")}, "time_limit is nan"),
        ({"k_max": 2, "k": 1}, "k is given twice"),
        ({"k_max": 2, "random_state": -1}, "random_state is -1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        path(**settings)
