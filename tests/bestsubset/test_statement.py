"""The claim in words: never more than was proved, and by whom."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.report.statement import statement
from bestsubset.report.summary import path_table

RNG = np.random.default_rng(5)
X = RNG.standard_normal((60, 7))
Y = X @ np.array([1.0, -1.0, 0.5, 0.0, 0.0, 0.0, 0.0]) + RNG.standard_normal(60)
TSS = float(np.sum((Y - Y.mean()) ** 2))


def solved(**settings: Any) -> bs.Result:
    arguments = {"X": X, "y": Y, "k": 2, "solver": "enumeration", **settings}
    return bs.best_subset(arguments.pop("X"), arguments.pop("y"), **arguments)


def stopped(result: bs.Result, bound_on_r2: float, termination: bs.Termination) -> bs.Result:
    """The same model, with a weaker bound."""
    stats = replace(result.stats, seconds=60.04)
    bound = 0.5 * TSS * (1.0 - bound_on_r2)
    return replace(
        result,
        status=bs.Status.FEASIBLE,
        termination=termination,
        dual_bound=bound,
        gap_tolerance=1e-6,
        stats=stats,
    )


def test_optimal_in_terms_of_r2() -> None:
    result = solved(certificate=False)
    text = statement(result)

    r2 = f"{result.r2:.4f}"
    assert text.startswith(f"No model with at most 2 of these 7 predictors has R² above {r2}. The one found has {r2}.")
    assert re.search(r"Proved in \d+\.\d+ s by enumeration in double precision, to a relative gap of \de-9\.$", text)
    assert text == result.statement()


def test_the_gap_claimed_is_never_smaller_than_the_gap_reached() -> None:
    result = solved()
    loose = replace(result, dual_bound=result.objective * (1 - 3.2e-7))

    assert statement(loose).endswith("to a relative gap of 4e-7.")


@pytest.mark.parametrize(
    ("settings", "scope"),
    [
        ({"lambda2": 0.1}, "with at most 2 of these 7 predictors has"),
        ({"lambda1": 0.1}, "with at most 2 of these 7 predictors has"),
        ({"lambda0": 0.1}, "with at most 2 of these 7 predictors has"),
        ({"lambda0": 0.1, "k": None}, "No model of these 7 predictors has"),
    ],
)
def test_with_penalties_the_objective_is_what_is_bounded(settings: dict[str, Any], scope: str) -> None:
    result = solved(**settings)
    text = statement(result)

    value = f"{result.objective:.6g}"
    assert scope in text
    assert f"a penalised objective below {value}. The one found has {value}." in text
    assert "R²" not in text


@pytest.mark.parametrize(
    ("termination", "words"),
    [
        (bs.Termination.TIME_LIMIT, "Stopped by the time limit after 60.0 s"),
        (bs.Termination.NODE_LIMIT, "Stopped by the limit on nodes after 60.0 s"),
        (bs.Termination.MEMORY_LIMIT, "Stopped by the limit on memory after 60.0 s"),
        (bs.Termination.INTERRUPTED, "Interrupted after 60.0 s"),
        (bs.Termination.EXHAUSTED, "rounding leaves a gap above the 1e-06 asked for"),
    ],
)
def test_a_gap_is_said_plainly(termination: bs.Termination, words: str) -> None:
    optimal = solved()
    result = stopped(optimal, optimal.r2 + 0.01003, termination)
    text = statement(result)
    claimed = re.search(r"has R² above (\d\.\d+), a gap of (\S+) %", text)

    assert words in text
    assert "not proved to be the best" in text
    assert f"has R² {result.r2:.4f}." in text
    assert claimed is not None
    # Rounded up, so that the claim stays true; and not by more than the last decimal.
    assert result.r2 + 0.01003 <= float(claimed[1]) <= result.r2 + 0.01003 + 1e-4
    assert float(claimed[2]) == pytest.approx(100 * result.relative_gap, rel=0.05)


def test_a_bound_that_says_nothing_is_a_gap_of_all() -> None:
    text = statement(stopped(solved(), 1.0, bs.Termination.TIME_LIMIT))

    assert "has R² above 1.0000, a gap of 100 %." in text


def test_a_bound_on_the_objective_is_rounded_down() -> None:
    optimal = solved(lambda2=0.1)
    bound = optimal.objective * 0.9
    text = statement(
        replace(optimal, status=bs.Status.FEASIBLE, termination=bs.Termination.TIME_LIMIT, dual_bound=bound)
    )
    claimed = re.search(r"a penalised objective below (\S+), a gap of 10 %", text)

    assert claimed is not None
    assert bound * (1 - 1e-5) <= float(claimed[1]) <= bound


def test_without_a_bound_nothing_is_proved() -> None:
    result = replace(
        solved(),
        status=bs.Status.FEASIBLE,
        termination=bs.Termination.TIME_LIMIT,
        dual_bound=-np.inf,
    )
    text = statement(result)

    assert "nothing is proved" in text
    assert "No model" not in text


def test_without_a_model_nothing_is_claimed() -> None:
    result = replace(
        solved(),
        status=bs.Status.UNKNOWN,
        termination=bs.Termination.TIME_LIMIT,
        coef=None,
        objective=np.inf,
        dual_bound=-np.inf,
    )

    assert "no model was found, and nothing is proved" in statement(result)
    assert "no coefficients" in str(result.summary())


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((-3.0, 3.0), ", given |β_j| ≤ 3."),
        ((-1.0, 3.0), ", given -1 ≤ β_j ≤ 3."),
        ((0.0, np.inf), ", given β_j ≥ 0."),
        ((-np.inf, 0.5), ", given β_j ≤ 0.5."),
        ((-np.arange(1.0, 8.0), 3.0), ", given the bounds imposed on each β_j."),
        ((-np.arange(1.0, 8.0), np.inf), ", given the bounds imposed on each β_j."),
    ],
)
def test_imposed_bounds_are_part_of_the_claim(bounds: Any, words: str) -> None:
    assert words in statement(solved(bounds=bounds))


def test_constraints_are_part_of_the_claim() -> None:
    text = statement(solved(constraints=[bs.Include(3)]))

    assert text.startswith("No model that obeys the constraints, with at most 2 of these 7 predictors, has R²")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sample_weight": np.arange(1.0, 61.0)}, "has weighted R² above"),
        ({"fit_intercept": False}, "has R² (about zero) above"),
    ],
)
def test_which_r2_is_said(settings: dict[str, Any], words: str) -> None:
    assert words in statement(solved(**settings))


def test_identical_columns_are_named() -> None:
    data = np.column_stack([X, X[:, 1]])
    result = solved(X=data, feature_names=["a", "b", "c", "d", "e", "f", "g", "b2"])
    chosen, other = ("b", "b2") if "b" in result.support_names else ("b2", "b")

    assert chosen in result.support_names
    assert statement(result).endswith(f"Identical columns would serve as well: {other} in place of {chosen}.")


@pytest.mark.parametrize(
    "settings",
    [
        {"constraints": [bs.Exclude("b2")]},
        {"constraints": [bs.Include("b")]},
        {"constraints": [bs.Group(["b", "a"])]},
        {"bounds": (-np.array([9, 9, 9, 9, 9, 9, 9, 0.0]), 9.0)},
    ],
    ids=["excluded", "included", "grouped", "bounded"],
)
def test_identical_columns_that_are_told_apart_are_no_ties(settings: dict[str, Any]) -> None:
    data = np.column_stack([X, X[:, 1]])
    result = solved(X=data, feature_names=["a", "b", "c", "d", "e", "f", "g", "b2"], **settings)

    assert "b" in result.support_names
    assert "b2" not in result.support_names
    assert result.ties == ()


@pytest.mark.parametrize("solver", ["enumeration", None])
def test_no_certificate_is_spoken_of_where_there_is_none(solver: str | None) -> None:
    result = solved(solver=solver, certificate=False)
    unproved = replace(stopped(result, 0.9, bs.Termination.TIME_LIMIT), dual_bound=-np.inf)
    text = statement(result) + statement(stopped(result, 0.9, bs.Termination.TIME_LIMIT)) + statement(unproved)

    assert [word for word in ("certif", "checked") if word in text] == []


def test_a_certificate_is_spoken_of_by_its_state() -> None:
    result = solved(solver="branch_and_bound")

    assert "certificate that is not yet checked" in statement(result)
    assert result.verify().valid
    assert "certificate that was checked" in statement(result)


def test_a_close_fit_is_not_printed_as_a_perfect_one() -> None:
    result = solved(y=X[:, 0] - X[:, 1] + 1e-4 * RNG.standard_normal(60))

    assert 1 - 1e-6 < result.r2 < 1
    assert "R² above 1." not in statement(result)


def test_summary_holds_the_model_and_the_claim() -> None:
    result = solved(feature_names=["a", "b", "c", "d", "e", "f", "g"])
    lines = str(result.summary()).splitlines()
    coefficients = {line.split()[0]: float(line.split()[1]) for line in lines if re.match(r"^([abc]|\(int)", line)}

    assert coefficients["(intercept)"] == pytest.approx(result.intercept, rel=1e-7)
    assert [coefficients[name] for name in result.support_names] == pytest.approx(
        [result.coef[j] for j in result.support], rel=1e-7
    )
    assert " ".join(lines).replace("  ", " ").endswith(result.statement())
    assert max(len(line) for line in lines) <= 80


def test_path_table_has_a_row_a_size() -> None:
    path = bs.best_path(X, Y, 3, solver="enumeration")
    rows = [line.split() for line in path_table(path).splitlines()[1:]]

    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[1] for row in rows] == [f"{path[k].r2:.4f}" for k in (1, 2, 3)]
    assert [" ".join(row[5:]) for row in rows] == [", ".join(path[k].support_names) for k in (1, 2, 3)]
