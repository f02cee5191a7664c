"""A heuristic, or its name, as the start of a search."""

from __future__ import annotations

import numpy as np
import pytest

import bestsubset as bs
from tests.warmstarts.instances import ar1


def test_every_heuristic_is_listed_and_can_be_the_start() -> None:
    X, y = ar1(40, 8, 0.5, 2.0, 0, k=3)
    best = bs.best_subset(X, y, k=3)
    assert {"splicing", "orthogonal_matching_pursuit", "hard_concrete", "restarts"} <= set(bs.heuristics())
    for name, cls in bs.heuristics().items():
        assert issubclass(cls, bs.Heuristic)
        if name not in ("hard_concrete", "continuous_sparsification"):
            assert bs.best_subset(X, y, k=3, start=name).support == best.support


def test_the_start_is_where_the_search_begins() -> None:
    class Fixed(bs.Heuristic):
        name = "fixed"

        def supports(self, scaled, sizes, rng, start=None):
            calls.append((list(sizes), rng.integers(100)))
            return {size: np.arange(size) for size in sizes}

    calls: list[tuple[list[int], int]] = []
    X, y = ar1(40, 8, 0.5, 2.0, 0, k=3)
    problem = bs.Problem(X, y, 3)
    result = bs.solve(problem, "enumeration", start=Fixed(), time_limit=0)
    assert calls == [([3], np.random.default_rng(0).integers(100))]
    fitted = np.linalg.lstsq(np.column_stack([X[:, :3], np.ones(40)]), y, rcond=None)[0]
    assert result.objective <= 0.5 * np.sum((y - np.column_stack([X[:, :3], np.ones(40)]) @ fitted) ** 2) + 1e-9
    bs.solve(problem, start=Fixed(), random_state=7)
    assert calls[-1][1] == np.random.default_rng(7).integers(100)


def test_a_logistic_model_takes_a_heuristic_of_smooth_losses() -> None:
    X, y = ar1(60, 6, 0.3, 4.0, 2, k=2)
    problem = bs.Problem(X, np.sign(y), 2, loss="logistic", lambda2=0.5)
    assert bs.solve(problem, "enumeration", start="gradient_support_pursuit").status == "optimal"


def test_what_a_heuristic_does_not_take_is_said() -> None:
    X, y = ar1(40, 8, 0.5, 2.0, 0, k=3)
    with pytest.raises(bs.ProblemError, match="Did you mean 'splicing'"):
        bs.best_subset(X, y, k=3, start="splicng")
    with pytest.raises(bs.ProblemError, match="constraints hold a Group"):
        bs.best_subset(X, y, k=3, start="splicing", constraints=[bs.Group([0, 1])])
    with pytest.raises(bs.ProblemError, match="loss is 'absolute'"):
        bs.best_subset(X, y, k=3, start="splicing", loss="absolute")
