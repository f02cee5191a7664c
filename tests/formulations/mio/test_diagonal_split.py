"""What the perspective model is made of, against plain linear algebra."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from formulations import Problem
from formulations.mio.diagonal_split import DiagonalSplit
from formulations.mio.relaxation import relaxed
from tests.oracle import best_value

SHAPES = [(30, 6, 0.0), (30, 6, 0.2), (5, 7, 0.2)]


def split_of(n: int, p: int, lambda2: float, **settings: float) -> tuple[Problem, DiagonalSplit]:
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    problem = Problem(X, X[:, 0] - X[:, 1] + rng.standard_normal(n), 3, lambda2=lambda2, **settings)
    return problem, DiagonalSplit.of(problem)


@pytest.mark.parametrize(("n", "p", "lambda2"), SHAPES)
def test_parts_sum_to_the_objective(n: int, p: int, lambda2: float) -> None:
    problem, split = split_of(n, p, lambda2)
    gamma = np.random.default_rng(1).standard_normal(p)
    parts = split.constant - split.c @ gamma + 0.5 * np.sum((split.R @ gamma) ** 2) + split.e @ gamma**2

    assert parts * split.scaled.unit == pytest.approx(problem.objective(gamma * split.scaled.coef_unit), rel=1e-12)
    assert np.all(split.e > 0)


@pytest.mark.parametrize("lambda1", [0.0, 0.4])
@pytest.mark.parametrize(("n", "p", "lambda2"), SHAPES)
def test_support_cuts_are_valid_everywhere_and_exact_where_made(n: int, p: int, lambda2: float, lambda1: float) -> None:
    problem, split = split_of(n, p, lambda2, lambda1=lambda1)
    free = np.full(p, np.inf)
    values = {s: best_value(problem, list(s)) / split.scaled.unit for s in combinations(range(p), 3)}
    for made in list(values)[::5]:
        best = split.best_on(np.array(made), -free, free)
        for at in (best, relaxed(split, 3.0, 0.0, best)[0]):
            constant, gains = split.support_cut(at, -free, free)
            cut = {s: constant - gains[list(s)].sum() for s in values}

            assert all(cut[s] <= values[s] + 1e-8 for s in values)
        constant, gains = split.support_cut(best, -free, free)

        assert constant - gains[list(made)].sum() == pytest.approx(values[made], abs=1e-7)


@pytest.mark.parametrize(("n", "p", "lambda2"), SHAPES)
def test_neighbours_are_the_best_swaps(n: int, p: int, lambda2: float) -> None:
    problem, split = split_of(n, p, lambda2)
    swaps = [s for s in combinations(range(p), 3) if len({0, 2, 4}.intersection(s)) == 2]
    ordered = sorted(swaps, key=lambda s: best_value(problem, list(s)))
    found = split.neighbours(np.array([0, 2, 4]), 4)

    assert [tuple(sorted(s.tolist())) for s in found] == ordered[:4]
