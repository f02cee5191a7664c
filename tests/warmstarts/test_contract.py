"""The contract of every heuristic in the folder, found by scanning it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import warmstarts
from formulations import AtMost, Exclude, Group, Include, Problem, ProblemError, ScaledProblem
from tests.warmstarts.instances import ar1, scale
from warmstarts import Heuristic, by_name, gram_rows, members, refit
from warmstarts.interface import SizeBySize
from warmstarts.support_fit import fit_support

# The contract is the same with few steps; the defaults of these take long.
QUICK: dict[str, dict[str, Any]] = {
    "hard_concrete": {"prices": (0.1,), "steps": 60},
    "continuous_sparsification": {"prices": (0.1,), "steps": 60},
    "discrete_first_order": {"starts": 4},
    "multi_start": {"starts": 3},
    "admm": {"max_iterations": 60},
    "restarts": {"kicks": 5, "path_kicks": 2},
}
MEMBERS = [cls(**QUICK.get(name, {})) for name, cls in members().items()]
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ridge": {"lambda2": 0.5},
    "lasso": {"lambda1": 2.0},
    "boxed": {"bounds": (-0.4, 0.6)},
    "weighted": {"standardize": True, "lambda2": 0.1, "fit_intercept": False},
    "included": {"constraints": [Include([3, 9])]},
    "excluded": {"constraints": [Exclude([0, 5]), Include(3)]},
    "grouped": {"constraints": [Group([0, 1, 2]), Group([5, 6])]},
    "grouped_included": {"constraints": [Group([0, 1, 2]), Include(1), Group([5, 6])], "lambda1": 0.5},
}
CASES = [*((name, False) for name in SETTINGS), *((name, True) for name in ("plain", "boxed", "grouped_included"))]
each_member = pytest.mark.parametrize("heuristic", MEMBERS, ids=lambda h: h.name)


def value(scaled: ScaledProblem, support: np.ndarray) -> float:
    return scaled.value(support, refit(scaled, support))


def proposed(heuristic: Heuristic, scaled: ScaledProblem, sizes: list[int]) -> dict[int, np.ndarray]:
    """What is proposed, checked: at most so many columns, sorted, allowed, the same again."""
    proposals = heuristic.supports(scaled, sizes, np.random.default_rng(3))
    again = heuristic.supports(scaled, sizes, np.random.default_rng(3))
    assert proposals.keys() == again.keys() <= set(sizes)
    for size, support in proposals.items():
        assert support.tolist() == sorted(set(support.tolist())) == again[size].tolist()
        assert len(support) <= size
        assert scaled.selection.allows(support.tolist())
    return proposals


@each_member
@pytest.mark.parametrize(("name", "wide"), CASES)
def test_proposals_keep_every_rule(
    heuristic: Heuristic, name: str, wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wide:
        monkeypatch.setattr(gram_rows, "_WHOLE", 0)
    problem = Problem(*ar1(15 if wide else 50, 20 if wide else 12, 0.6, 1.0, 0), k=6, **SETTINGS[name])
    scaled = ScaledProblem.of(problem)
    reason = heuristic.refuses(scaled)
    if reason is not None:
        assert "grouped" in name
        with pytest.raises(ProblemError, match="expected none with the heuristic"):
            heuristic(problem)
        return
    proposals = proposed(heuristic, scaled, [2, 5, 6])
    if heuristic.name != "backward_stepwise":
        assert {5, 6} <= proposals.keys()
    coef = heuristic(problem)
    assert np.count_nonzero(coef) <= 6
    assert problem.selection.allows(np.union1d(np.flatnonzero(coef), problem.selection.included).tolist()) or (
        problem.selection.has_groups and problem.lambda1 > 0  # λ1 may put zeros inside a group
    )
    smallest = np.flatnonzero(scaled.included)
    full = heuristic.supports(scaled, [6], np.random.default_rng(0))
    values = [value(scaled, s) for s in [smallest, *full.values()]]
    assert problem.objective(coef) / scaled.unit == pytest.approx(min(values), abs=1e-9)


@each_member
def test_what_is_returned_is_never_worse_than_the_start(heuristic: Heuristic) -> None:
    for seed in range(4):
        problem = Problem(*ar1(30, 10, 0.9, 0.5, seed, k=3), k=3)
        scaled = ScaledProblem.of(problem)
        masks = (np.flatnonzero([mask >> j & 1 for j in range(10)]) for mask in range(2**10))
        best = min((s for s in masks if len(s) == 3), key=lambda s, scaled=scaled: value(scaled, s))
        found = heuristic(problem, scaled.to_coef(best, refit(scaled, best)))
        assert problem.objective(found) == pytest.approx(value(scaled, best) * scaled.unit, rel=1e-9)


@each_member
def test_orthogonal_columns_are_chosen_by_their_correlations(heuristic: Heuristic) -> None:
    rng = np.random.default_rng(5)
    X = np.linalg.qr(rng.standard_normal((40, 12)))[0]
    y = X @ np.array([3.0, -2.5, 2.0, 1.5, -1.0, *np.zeros(7)]) + 0.05 * rng.standard_normal(40)
    scaled = scale((X, y), 4, fit_intercept=False)
    found = heuristic.supports(scaled, [4], np.random.default_rng(0))[4]
    assert found.tolist() == np.sort(np.argsort(-np.abs(X.T @ y))[:4]).tolist()


@each_member
def test_every_column_may_be_taken(heuristic: Heuristic) -> None:
    problem = Problem(*ar1(30, 6, 0.3, 1.0, 0), k=6)
    scaled = ScaledProblem.of(problem)
    proposals = proposed(heuristic, scaled, [6, 8])
    assert problem.objective(heuristic(problem)) <= value(scaled, np.arange(6)) * scaled.unit * (1 + 1e-9) or (
        len(proposals[6]) < 6  # columns that enter along a path need not all do so
    )


@each_member
def test_every_column_may_be_included(heuristic: Heuristic) -> None:
    scaled = scale(ar1(30, 6, 0.3, 1.0, 0), 6, constraints=[Include(range(6))])
    for support in proposed(heuristic, scaled, [3, 6]).values():
        assert support.tolist() == list(range(6))


@each_member
def test_dependent_columns_are_survived(heuristic: Heuristic) -> None:
    X, y = ar1(30, 5, 0.3, 1.0, 7, k=3)
    X = np.column_stack([X, X[:, 0], 2.0 * X[:, 1], X[:, 2] - X[:, 3]])
    problem = Problem(X, y, 4, constraints=[Include([0, 5])])
    proposed(heuristic, ScaledProblem.of(problem), [1, 2, 5, 8, 20])
    assert problem.objective(heuristic(problem)) <= problem.null_objective
    assert np.count_nonzero(heuristic(problem)) <= 4


@each_member
def test_a_response_that_one_column_explains(heuristic: Heuristic) -> None:
    X, _ = ar1(12, 15, 0.3, 1.0, 2, k=3)
    problem = Problem(X, 2.0 * X[:, 4] + 1.0, 3)
    proposed(heuristic, ScaledProblem.of(problem), [1, 3])
    if heuristic.name != "backward_stepwise":  # it needs more rows than columns
        assert problem.objective(heuristic(problem)) <= 1e-12 * problem.null_objective


@each_member
def test_one_column(heuristic: Heuristic) -> None:
    X, y = ar1(12, 1, 0.0, 1.0, 2, k=1)
    assert np.flatnonzero(heuristic(Problem(X, y, 1))).tolist() == [0]


@each_member
@pytest.mark.parametrize("lambda0", [2.0, 1e4])
def test_a_price_of_columns_is_weighed(heuristic: Heuristic, lambda0: float) -> None:
    problem = Problem(*ar1(40, 8, 0.6, 2.0, 6), lambda0=lambda0)
    objective = problem.objective(heuristic(problem))
    assert objective <= problem.null_objective
    if lambda0 > problem.null_objective:
        assert np.count_nonzero(heuristic(problem)) == 0


@each_member
def test_rules_are_refused_with_a_reason(heuristic: Heuristic) -> None:
    problem = Problem(*ar1(40, 8, 0.6, 2.0, 6), k=3, constraints=[AtMost([0, 1, 2], 1)])
    with pytest.raises(ProblemError, match="rules; expected Include, Exclude and Group alone with the heuristic"):
        heuristic(problem)


LOSSES: dict[str, dict[str, Any]] = {
    "plain": {},
    "ridge": {"lambda2": 1.0, "standardize": True},
    "lasso": {"lambda1": 0.5},
    "included": {"constraints": [Include(7), Exclude(0)]},
}


@each_member
@pytest.mark.parametrize("name", LOSSES)
def test_logistic_loss_is_taken_or_refused(heuristic: Heuristic, name: str) -> None:
    X, y = ar1(60, 8, 0.5, 4.0, 1, k=3)
    problem = Problem(X, np.sign(y), 3, loss="logistic", **LOSSES[name])
    if not heuristic.takes_smooth_losses:
        with pytest.raises(ProblemError, match=f"'squared' with the heuristic '{heuristic.name}'"):
            heuristic(problem)
        return
    coef = heuristic(problem)
    support = np.flatnonzero(coef)
    assert len(support) <= 3
    assert problem.selection.allows(np.union1d(support, problem.selection.included).tolist())
    assert np.array_equal(coef, heuristic(problem))
    fitted = fit_support(problem, np.union1d(support, problem.selection.included))
    assert problem.objective(coef) <= problem.objective(fitted) * (1 + 1e-7)
    begun = heuristic(problem, start=coef)
    assert problem.objective(begun) <= problem.objective(coef) * (1 + 1e-12)


def test_losses_with_kinks_are_refused() -> None:
    X, y = ar1(40, 6, 0.5, 4.0, 1, k=3)
    for heuristic in MEMBERS:
        with pytest.raises(ProblemError, match="loss is 'absolute'"):
            heuristic(Problem(X, y, 3, loss="absolute"))


def test_many_starts_take_what_the_heuristic_takes() -> None:
    X, y = ar1(40, 6, 0.5, 4.0, 1, k=3)
    many = warmstarts.MultiStart(warmstarts.ADMM(), starts=2)
    with pytest.raises(ProblemError, match="'squared' with the heuristic 'admm'"):
        many(Problem(X, np.sign(y), 3, loss="logistic"))
    assert np.count_nonzero(many(Problem(X, y, 3, constraints=[Group([0, 1])]))) <= 3


def test_each_member_is_public_under_its_name() -> None:
    public = {getattr(warmstarts, name) for name in warmstarts.__all__}
    classes = {cls for cls in public if isinstance(cls, type) and issubclass(cls, Heuristic)} - {Heuristic}
    assert classes == set(members().values())
    for name, cls in members().items():
        assert by_name(name) == cls()
        assert "Source\n    ------" in (cls.__doc__ or "") or name == "portfolio"
        assert cls.__module__.startswith("warmstarts.")


def test_a_name_that_is_not_known_brings_a_suggestion() -> None:
    with pytest.raises(ProblemError, match="Did you mean 'splicing'"):
        by_name("splycing")
    with pytest.raises(ProblemError, match="Pass one of these"):
        by_name("zzz")


def test_an_instance_is_its_own_name() -> None:
    heuristic = warmstarts.Splicing(exchanges=2)
    assert by_name(heuristic) is heuristic
    assert isinstance(heuristic, SizeBySize)
