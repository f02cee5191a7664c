"""Dependent columns: parts that together keep a best support, and searches over several parts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb.independence import independent_parts
from formulations import Include, Problem, ScaledProblem
from tests.oracle import best_value, judge


def dependent(seed: int, kind: str, **settings: object) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 7))
    if kind == "twins":
        X[:, 5], X[:, 6] = 2 * X[:, 1], -X[:, 0]
    elif kind == "sum":
        X[:, 6] = X[:, 0] + X[:, 2] - X[:, 4]
    elif kind == "dummies":
        X[:, 3:] = np.eye(4)[rng.integers(0, 4, 30)]
    elif kind == "overlapping":
        X[:, 5], X[:, 6] = X[:, 0] + X[:, 1], X[:, 0] - X[:, 1]
    elif kind == "nearly":
        X[:, 6] = X[:, 0] + 1e-8 * X[:, 6]
    return Problem(X, X[:, :4] @ [1.0, -2, 1, 1] + 2 * rng.standard_normal(30), **settings)


@pytest.mark.parametrize("include", [[], [5], [2, 6]])
@pytest.mark.parametrize("k", [3, 4, 6])
@pytest.mark.parametrize("kind", ["twins", "sum", "dummies", "overlapping"])
def test_parts_are_independent_and_one_holds_a_best_support(kind: str, k: int, include: list[int]) -> None:
    problem = dependent(k, kind, k=k, constraints=[Include(include)] if include else [])
    scaled = ScaledProblem.of(problem)
    parts = independent_parts(scaled, 1e-9)
    least, _ = judge(problem)

    assert parts is not None
    assert all(np.linalg.matrix_rank(scaled.X[:, part]) == len(part) < 7 for part in parts.columns)
    reached = [
        best_value(problem, list(support))
        for part in parts.columns
        for size in (min(k, len(part)),)
        for support in combinations(part.tolist(), size)
        if set(include) <= set(support)
    ]
    assert min(reached) == pytest.approx(least, rel=1e-10)
    for settings in ({"k": k}, {"k": k, "lambda0": 1.0}):
        stated = dependent(k, kind, **settings, constraints=problem.constraints)
        result = bs.solve(stated)
        assert result.status == "optimal"
        assert result.objective == pytest.approx(judge(stated)[0], rel=1e-9)


def test_nearly_dependent_columns_are_not_taken_for_dependent() -> None:
    problem = dependent(0, "nearly", k=3)

    assert independent_parts(ScaledProblem.of(problem), 1e-9) is None
    assert bs.solve(problem).objective == pytest.approx(judge(problem)[0], rel=1e-9)


def test_included_twins_leave_nothing_to_split_on() -> None:
    problem = dependent(0, "twins", k=4, constraints=[Include([0, 6])])

    assert independent_parts(ScaledProblem.of(problem), 1e-9) is None
    assert bs.solve(problem).objective == pytest.approx(judge(problem)[0], rel=1e-9)


def test_independent_columns_are_one_part() -> None:
    parts = independent_parts(ScaledProblem.of(dependent(0, "plain", k=3)), 1e-9)

    assert [part.tolist() for part in parts.columns] == [list(range(7))]


def test_a_limit_in_the_middle_of_the_parts_keeps_a_valid_bound() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 30)) + rng.standard_normal((80, 1))
    X[:, 25:] = np.eye(5)[rng.integers(0, 5, 80)]
    problem = Problem(X, X[:, :8].sum(axis=1) + 8 * rng.standard_normal(80), 8)
    full = bs.solve(problem)

    assert full.status == "optimal"
    for nodes in (1, 5, 40, 200):
        part = bs.solve(problem, bs.BranchAndBound(node_limit=nodes))
        assert part.dual_bound <= full.objective * (1 + 1e-9)
        assert part.stats.nodes <= nodes
