"""Rules on the support, against every subset of a few columns, each looked at by the constraint's own words."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from formulations import (
    AtLeast,
    AtMost,
    Bounds,
    Budget,
    Constraint,
    ExcludePairs,
    Group,
    Implies,
    Include,
    Problem,
    ProblemError,
    Sign,
)
from formulations.rules import FREE, IN, OUT

P = 6


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((30, P))
    X[:, 4] += 3 * X[:, 1]
    return X, X @ np.arange(P) + rng.standard_normal(30)


def subsets() -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(P), size) for size in range(P + 1)))


def obeys(constraint: Constraint, z: set[int], X: np.ndarray) -> bool:
    """The constraint in words, written anew."""
    match constraint:
        case AtMost(columns, count):
            return len(z & set(columns)) <= count
        case AtLeast(columns, count):
            return len(z & set(columns)) >= count
        case Implies(child, parents, "all"):
            return child not in z or set(parents) <= z
        case Implies(child, parents, _):
            return child not in z or bool(set(parents) & z)
        case Budget(costs, limit):
            return sum(costs[j] for j in z) <= limit
        case ExcludePairs(threshold):
            return all(abs(np.corrcoef(X[:, i], X[:, j])[0, 1]) <= threshold for i, j in combinations(sorted(z), 2))
        case Include(columns):
            return set(columns) <= z
        case Group(columns):
            return len(z & set(columns)) in (0, len(set(columns)))
    raise AssertionError(constraint)


CASES: list[list[Constraint]] = [
    [AtMost((0, 1, 2), 1)],
    [AtLeast((3, 4), 1), AtMost((0, 1, 3), 2)],
    [Implies(5, (0, 1), "all")],
    [Implies(5, (0, 1), "any"), Implies(0, (2,), "all")],
    [Budget((1.0, 2.0, 0.0, 4.0, 1.5, 3.0), 4.5)],
    [ExcludePairs(0.8)],
    [Include((1,)), ExcludePairs(0.8), Group((0, 5))],
    [Group((0, 3)), Implies(0, (2, 5), "any"), AtLeast((1, 4, 5), 2), Budget((1.0,) * P, 5.0)],
]


@pytest.mark.parametrize("constraints", CASES, ids=str)
def test_allows_agrees_with_the_words(constraints: list[Constraint], data: tuple[np.ndarray, np.ndarray]) -> None:
    selection = Problem(*data, k=P, constraints=constraints).selection

    for support in subsets():
        assert selection.allows(support) == all(obeys(c, set(support), data[0]) for c in constraints), support


@pytest.mark.parametrize("constraints", CASES, ids=str)
def test_completion_is_the_least_allowed_model(
    constraints: list[Constraint], data: tuple[np.ndarray, np.ndarray]
) -> None:
    selection = Problem(*data, k=P, constraints=constraints).selection
    allowed = [set(s) for s in subsets() if selection.allows(s)]

    for nonzero in subsets():
        sizes = [len(z) for z in allowed if z >= set(nonzero)]
        found = selection.completion(nonzero)
        assert (found is None) == (not sizes)
        if found is not None:
            assert selection.allows(found)
            assert set(found) >= set(nonzero)
            assert len(found) == min(sizes)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("constraints", CASES, ids=str)
def test_propagation_never_loses_a_model(
    constraints: list[Constraint], k: int, data: tuple[np.ndarray, np.ndarray]
) -> None:
    selection = Problem(*data, k=k, constraints=constraints).selection
    system = selection.system(k)
    allowed = [set(s) for s in subsets() if selection.allows(s) and len(s) <= k]
    rng = np.random.default_rng(0)
    decided = 0
    for _ in range(200):
        status = system.start.copy()
        free = np.flatnonzero(status == FREE)
        chosen = rng.choice(free, size=rng.integers(0, len(free) + 1), replace=False)
        status[chosen] = rng.choice([IN, OUT], len(chosen)).astype(np.int8)
        before = status.copy()

        feasible = system.propagate(status)

        are_in, are_out = set(np.flatnonzero(before == IN)), set(np.flatnonzero(before == OUT))
        fitting = [z for z in allowed if z >= are_in and not z & are_out]
        if not feasible:
            assert fitting == []
            continue
        decided += int(np.sum(status != before))
        for z in fitting:
            assert z.issuperset(np.flatnonzero(status == IN))
            assert not z & set(np.flatnonzero(status == OUT))
        if not np.any(status == FREE):
            assert len(fitting) == 1
    assert decided > 0


def test_a_group_may_count_as_one(data: tuple[np.ndarray, np.ndarray]) -> None:
    one = Problem(*data, k=1, constraints=[Group((0, 1, 2), counts="one")])
    each = Problem(*data, k=3, constraints=[Group((0, 1, 2))])

    assert one.selection.size((0, 1, 2)) == 1
    assert one.selection.size((0, 1, 2, 4)) == 2
    assert each.selection.size((0, 1, 2)) == 3
    with pytest.raises(ProblemError, match="constraints force 2 columns in; expected at most k = 1"):
        Problem(*data, k=1, constraints=[Group((0, 1, 2), counts="one"), Include([0, 4])])


def test_the_price_of_a_group_that_counts_as_one_is_paid_once(data: tuple[np.ndarray, np.ndarray]) -> None:
    coef = np.array([1.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    free = Problem(*data, k=P)
    priced = Problem(*data, lambda0=0.25, constraints=[Group((0, 1, 2), counts="one")])

    assert priced.objective(coef) == pytest.approx(free.objective(coef) + 0.25, rel=1e-15)


def test_sign_and_bounds_tighten_the_bounds(data: tuple[np.ndarray, np.ndarray]) -> None:
    constraints = [Sign([0], 1), Sign([1], -1), Bounds([1, 2], -3, 2)]
    problem = Problem(*data, k=2, bounds=(-4, 4), constraints=constraints)

    assert problem.lower.tolist() == [0, -3, -3, -4, -4, -4]
    assert problem.upper.tolist() == [4, 0, 2, 4, 4, 4]


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (lambda: AtMost([0, 1], 3), "count of AtMost is 3; expected a whole number between 0 and 2"),
        (lambda: AtLeast([0, 1], -1), "count of AtLeast is -1"),
        (lambda: Implies(0, [1], "both"), "rule of Implies is 'both'"),
        (lambda: Budget([1, -1], 2), "Budget has the least cost -1"),
        (lambda: Sign([0], 0), "sign of Sign is 0"),
        (lambda: Bounds([0], 1, 2), r"Bounds are \(1, 2\); expected lo <= 0 <= hi"),
        (lambda: ExcludePairs(1.5), "threshold of ExcludePairs is 1.5"),
        (lambda: Group([0, 1], counts="two"), "counts of Group is 'two'"),
    ],
)
def test_settings_out_of_range_are_refused(constraint: object, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        constraint()


def test_a_budget_needs_a_cost_for_each_column(data: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ProblemError, match="Budget has 2 costs; expected one for each of the 6 columns"):
        Problem(*data, k=2, constraints=[Budget([1, 2], 3)])


def test_a_contradiction_is_refused(data: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ProblemError, match="constraints contradict each other"):
        Problem(*data, k=3, constraints=[Include([0]), AtMost([0, 1], 0)])
    with pytest.raises(ProblemError, match="constraints force 3 columns in; expected at most k = 2"):
        Problem(*data, k=2, constraints=[AtLeast([0, 1, 2, 3], 3)])
