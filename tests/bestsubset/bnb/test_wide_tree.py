"""The tree over candidate columns: the optimum and the proof of the tree over all of them, bounds that hold always."""

from __future__ import annotations

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb import engine, wide_looks, wide_tree
from bestsubset.bnb.wide_tree import WideTree
from formulations import columns, design, scaling

FORMS = {
    "ridge": {"lambda0": 8.0, "lambda2": 4.0},
    "box": {"lambda0": 10.0, "bounds": (-1.2, 1.3)},
    "lambda1": {"lambda0": 6.0, "lambda1": 2.0, "lambda2": 4.0},
    "at most k": {"k": 3, "lambda0": 6.0, "lambda2": 4.0},
    "decided": {"lambda0": 8.0, "lambda2": 4.0, "constraints": [bs.Include([5, 17]), bs.Exclude([1])]},
}


def noisy(seed: int, n: int = 60, p: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.round(rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1)), 2)
    return X, np.round(X[:, :4].sum(axis=1) + 0.7 * rng.standard_normal(n), 2)


@pytest.fixture
def few_candidates(monkeypatch: pytest.MonkeyPatch) -> list[WideTree]:
    """Trees over candidates for all sizes, that begin with next to none and get one at a time."""
    for name, value in {"_FIRST_COLUMNS": 2, "_FIRST_WAVE": 3, "_LARGEST_WAVE": 6, "_AT_HAND": 4, "_ROWS": 0.0}.items():
        monkeypatch.setattr(wide_tree, name, value)
    for name, value in {"_MOST_NEW": 1, "_FEWEST_NEW": 1, "_AT_ONCE": 3}.items():
        monkeypatch.setattr(wide_looks, name, value)
    monkeypatch.setattr(engine, "WIDE", 0)
    monkeypatch.setattr(scaling, "_GRAM_LIMIT", 0)
    trees: list[WideTree] = []
    begin = WideTree.__init__

    def noted(self, *args, **settings) -> None:
        begin(self, *args, **settings)
        trees.append(self)

    monkeypatch.setattr(WideTree, "__init__", noted)
    return trees


@pytest.mark.parametrize("is_blocked", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_answer_is_that_of_the_tree_over_all(form, seed, is_blocked, few_candidates, monkeypatch) -> None:
    X, y = noisy(seed)
    if is_blocked:
        monkeypatch.setattr(design, "DENSE", 0)
        monkeypatch.setattr(columns.column_blocks, "__defaults__", (256,))
        monkeypatch.setattr(design, "_SINGLE", 1)
    result = bs.best_subset(X, y, time_limit=20, **FORMS[form])
    monkeypatch.setattr(engine, "WIDE", X.shape[1])
    whole = bs.best_subset(X, y, time_limit=20, **FORMS[form])

    assert len(few_candidates) == 1
    assert (result.status, whole.status) == ("optimal", "optimal")
    assert result.objective == pytest.approx(whole.objective, rel=1e-9)
    assert result.verify().valid


@pytest.mark.parametrize("nodes", [0, 1, 2, 5, 11, 23, 40])
def test_what_is_proved_when_the_search_stops_is_proved(nodes, few_candidates) -> None:
    X, y = noisy(1)
    best = bs.best_subset(X, y, **FORMS["box"]).objective
    problem = bs.Problem(X, y, **FORMS["box"])
    result = bs.solve(problem, bs.BranchAndBound(node_limit=nodes))

    assert len(few_candidates) == 2
    assert result.dual_bound <= best * (1 + 1e-12)
    assert result.verify().valid


def test_bounds_grow_with_the_waves(few_candidates) -> None:
    X, y = noisy(2)
    bounds: list[float] = []
    result = bs.best_subset(X, y, progress=lambda row: bounds.append(row.dual_bound), **FORMS["ridge"])

    assert bounds == sorted(bounds)
    assert max(bounds) <= result.objective * (1 + 1e-9)
