"""Every solver against every support, on the problems that break solvers."""

from __future__ import annotations

import numpy as np
import pytest

import bestsubset as bs
from tests.instances import NASTY
from tests.oracle import judge, values_scale

SOLVERS = {
    "race": bs.BranchAndBound(),
    "downdating": bs.BranchAndBound(tree="downdating"),
    "perspective": bs.BranchAndBound(tree="perspective"),
    "enumeration": bs.Enumeration(),
}
FORMS = {
    "k=1": {"k": 1},
    "k=2": {"k": 2},
    "k=3": {"k": 3},
    "k=p": {"k": "p"},
    "ridge": {"k": 3, "lambda2": 0.3},
    "price": {"lambda0": 0.5},
    "price, k, ridge": {"lambda0": 0.2, "k": 4, "lambda2": 0.01},
    "l1": {"k": 2, "lambda1": 0.4},
    "box": {"k": 2, "bounds": (-0.4, 0.3)},
    "sign": {"k": 2, "bounds": (0.0, np.inf)},
    "everything": {"k": 2, "lambda0": 0.1, "lambda1": 0.2, "lambda2": 0.1, "bounds": (-0.5, 0.5)},
}
UNITS = {"y in 1e-9": 1e-9, "y in 1e9": 1e9}


def in_its_units(name: str, form: dict) -> dict:
    """λ0 goes with the square of y's unit, λ1 and bounds with the unit itself."""
    unit = UNITS.get(name, 1.0)
    powers = {"lambda0": 2, "lambda1": 1}
    scaled = {key: value * unit ** powers[key] if key in powers else value for key, value in form.items()}
    if "bounds" in form:
        scaled["bounds"] = tuple(b * unit for b in form["bounds"])
    return scaled


def problem_of(name: str, form: str) -> bs.Problem:
    settings = in_its_units(name, FORMS[form])
    least_k = 3 if name == "forced group" else 1
    p = NASTY[name](k=least_k).p
    if "k" in settings:
        settings["k"] = p if settings["k"] == "p" else min(max(settings["k"], least_k), p)
    return NASTY[name](**settings)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NASTY)
def test_every_solver_finds_and_proves_the_optimum(name: str, form: str) -> None:
    problem = problem_of(name, form)
    least, _ = judge(problem)
    tolerance = 1e-8 * least + 1e-13 * values_scale(problem)
    refused = []
    for label, solver in SOLVERS.items():
        if solver.refuses(problem) is not None:
            refused.append(label)
            continue
        result = bs.solve(problem, solver)

        assert result.objective == pytest.approx(least, abs=tolerance), label
        assert result.status == "optimal", label
        assert result.dual_bound <= least + 1e-9 * least + 1e-13 * values_scale(problem), label
        assert result.objective == problem.objective(result.coef, result.intercept) or np.isclose(
            result.objective, problem.objective(result.coef, result.intercept), rtol=1e-9, atol=tolerance
        ), label
        assert problem.selection.allows(_selected(problem, result.support)), label
        assert np.all((result.coef >= problem.lower) & (result.coef <= problem.upper)), label
    # Only the downdating tree may decline (bounds, λ1, groups), and wide data need the race or enumeration.
    assert set(refused) <= {"downdating"}, refused


def _selected(problem: bs.Problem, support: tuple[int, ...]) -> set[int]:
    """The support with what is in the model at a coefficient of zero: forced columns, members of an entered block."""
    chosen = set(support) | set(problem.selection.included)
    return chosen.union(*(group for group in problem.selection.groups if chosen.intersection(group)))


def test_orthogonal_ties_are_all_optimal() -> None:
    problem = NASTY["ties"](k=2)
    least, optimal = judge(problem)
    result = bs.solve(problem)

    assert len(optimal) == 6  # every pair of the four columns
    assert result.support in optimal
    assert result.objective == pytest.approx(least)


def test_ties_of_duplicate_columns_are_reported() -> None:
    result = bs.solve(NASTY["duplicate columns"](k=2))

    assert result.ties == ((0, 5),)
    assert "x5" in result.statement() or "x0" in result.statement()


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e6, 1e9])
def test_the_answer_does_not_depend_on_units(unit: float) -> None:
    X, y = NASTY["plain"](k=3).X, NASTY["plain"](k=3).y
    reference = bs.best_subset(X, y, k=3)
    result = bs.best_subset(X, unit * y, k=3)

    assert result.support == reference.support
    assert result.relative_gap == pytest.approx(reference.relative_gap, abs=1e-8)
    np.testing.assert_allclose(result.coef, unit * reference.coef, rtol=1e-9)


def test_wide_data_without_ridge_or_bounds_is_enumerated_or_refused() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 60)), rng.standard_normal(20)
    problem = bs.Problem(X, y, k=2)
    least, _ = judge(problem)

    assert bs.solve(problem).objective == pytest.approx(least)
    with pytest.raises(bs.RefusedError, match="lambda2"):
        bs.solve(bs.Problem(rng.standard_normal((50, 2000)), rng.standard_normal(50), k=10))


@pytest.mark.parametrize("solver", [bs.BranchAndBound(), bs.Enumeration()])
@pytest.mark.parametrize("constraint", [bs.Sign([0, 1], -1), bs.Bounds([0, 2], -0.5, 0.25)], ids=str)
def test_signs_and_bounds_on_some_columns_equal_the_judge(constraint: bs.Constraint, solver: bs.Solver) -> None:
    plain = NASTY["plain"](k=3)
    problem = bs.Problem(plain.X, plain.y, 3, constraints=[constraint])
    least, _ = judge(problem)

    result = bs.solve(problem, solver)

    assert result.status == "optimal"
    assert result.objective == pytest.approx(least, rel=1e-8)
    assert result.objective > bs.solve(plain).objective


def test_unknown_solver_is_named_with_a_close_match() -> None:
    with pytest.raises(bs.ProblemError, match="branch_and_bound"):
        bs.solve(NASTY["plain"](k=2), "brunch_and_bound")


def test_enumeration_by_closed_form_equals_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from bestsubset.solvers import enumeration

    rng = np.random.default_rng(5)
    for trial in range(12):
        X = rng.standard_normal((12, 11))
        X[:, 3] = X[:, 1] if trial % 3 == 0 else X[:, 3]
        X[:, 4] = X[:, 2] + 1e-5 * X[:, 4] if trial % 3 == 1 else X[:, 4]
        y = X[:, :3].sum(axis=1) + rng.standard_normal(12)
        settings = [
            {"k": 3},
            {"k": 4, "lambda2": 0.1},
            {"k": 3, "lambda0": 0.1},
            {"k": 3, "constraints": [bs.Include([6])]},
        ]
        problem = bs.Problem(X, y, **settings[trial % 4])
        monkeypatch.setattr(enumeration, "_DIRECT", 0)
        fast = bs.solve(problem, bs.Enumeration(), threads=1 + trial % 2)
        least, _ = judge(problem)

        assert fast.objective == pytest.approx(least, rel=1e-9)
        assert fast.status == "optimal"


@pytest.mark.parametrize("offset", [1e6, 1e8, 1e10, 1e12])
@pytest.mark.parametrize("lambda2", [0.0, 0.1])
def test_data_far_from_zero_keep_their_digits(offset: float, lambda2: float) -> None:
    """A response of mean 1e10 once lost ten digits of the objective, and the bound then lay above it."""
    rng = np.random.default_rng(3)
    X = np.round(rng.standard_normal((60, 8)), 3) + offset  # the offset swallows digits of the data, not of the answer
    y = np.round((X - offset)[:, :3].sum(axis=1) + rng.standard_normal(60), 3) + offset
    here = bs.best_subset(X - offset, y - offset, k=3, lambda2=lambda2)  # exact differences: the same data nearby
    there = bs.best_subset(X, y, k=3, lambda2=lambda2)

    assert there.status == "optimal"
    assert there.support == here.support
    assert there.objective == pytest.approx(here.objective, rel=1e-9)
    assert there.rss == pytest.approx(here.rss, rel=1e-9)
