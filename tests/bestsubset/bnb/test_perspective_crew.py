"""Several workers on one perspective tree: the same optimum, bounds that hold at any moment, one certificate."""

from __future__ import annotations

import contextlib
import threading
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb import crew, perspective
from bestsubset.bnb.crew import Crew
from bestsubset.bnb.perspective import PerspectiveTree
from bestsubset.certificates import exact
from tests.bestsubset.bnb.test_node_bounds import ROUNDING, moments, quadratic, residual


@pytest.fixture(autouse=True)
def split_from_the_first_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perspective, "ALONE", 1)
    monkeypatch.setattr(crew, "BURST", 1e-5)


def planted(seed: int, threads: int, lambda0: float) -> tuple[PerspectiveTree, float]:
    G, c = moments(seed)
    least = min(0.5 * residual(G, c, s) + lambda0 * size for size in range(5) for s in combinations(range(9), size))
    terms, Q = quadratic(G, c, 4, lambda0, np.inf)
    return PerspectiveTree(terms, lambda columns: Q[columns], 1.5 * least, 1e-9, threads=threads), least


@pytest.mark.parametrize("lambda0", [0.0, 0.01])
@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_between_all_bursts(seed: int, threads: int, lambda0: float) -> None:
    tree, least = planted(seed, threads, lambda0)
    finished = False
    while not finished:
        finished = tree.grow(3)
        assert tree.bound <= least + ROUNDING
        assert tree.bound <= min([tree.upper, *tree.open_nodes()[1]]) + ROUNDING
    assert tree.upper == pytest.approx(least, abs=1e-9)


def noisy(seed: int, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.round(rng.standard_normal((n, p)) + rng.standard_normal((n, 1)), 2)
    return X, np.round(X[:, :5].sum(axis=1) + 5 * rng.standard_normal(n), 2)


@pytest.mark.parametrize(
    "settings",
    [
        {"k": 5, "lambda2": 2.0},
        {"lambda0": 40.0, "lambda2": 4.0},
        {"lambda0": 30.0, "bounds": (-1.0, 1.5)},
        {"k": 5, "lambda1": 1.0, "bounds": (-2.0, 2.0)},
        {"k": 6, "lambda0": 5.0, "lambda2": 3.0, "constraints": [bs.Include([0]), bs.Exclude([1])]},
    ],
)
@pytest.mark.parametrize("threads", [2, 4])
def test_certificates_hold(settings: dict, threads: int) -> None:
    X, y = noisy(1, 40, 30)
    problem = bs.Problem(X, y, **settings)
    solver = bs.BranchAndBound(tree="perspective")
    result, one = (bs.solve(problem, solver, threads=count) for count in (threads, 1))

    assert result.status == one.status == "optimal"
    assert result.objective == pytest.approx(one.objective, rel=1e-9)
    assert result.stats.nodes > 20
    assert result.certificate is not None
    assert bs.verify(result.certificate, X, y).valid


@pytest.mark.parametrize("nodes", [3, 10, 40, 100])
def test_certificates_of_searches_that_stopped_early_hold(nodes: int, tmp_path: Path) -> None:
    X, y = noisy(2, 30, 40)
    problem = bs.Problem(X, y, 6, lambda2=0.5)
    result = bs.solve(problem, bs.BranchAndBound(tree="perspective", node_limit=nodes), threads=3)

    assert result.status != "optimal"
    assert result.stats.nodes == nodes
    assert result.certificate is not None
    assert bs.verify(result.certificate, X, y).valid
    result.certificate.save(tmp_path / "stopped")
    exact.check_file(str(tmp_path / "stopped"), exact.Table(X.T.tolist(), y.tolist(), [1.0] * len(y)))


@pytest.mark.parametrize("bursts", range(1, 8))
def test_an_interruption_leaves_a_sound_tree(bursts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, least = planted(1, 2, 0.01)
    next_burst, count = Crew._next_burst, 0

    def interrupted(self: Crew, worker: object) -> int:
        nonlocal count
        count += threading.current_thread() is threading.main_thread()
        if count > bursts and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return next_burst(self, worker)

    monkeypatch.setattr(Crew, "_next_burst", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        while not tree.grow(50):
            pass
    assert threading.active_count() == 1
    assert tree.bound <= least + ROUNDING


def test_threads_that_worked_are_told() -> None:
    X, y = noisy(1, 40, 30)
    problem = bs.Problem(X, y, 5, lambda2=2.0)

    assert [bs.solve(problem, bs.BranchAndBound(tree="perspective"), threads=n).stats.threads for n in (1, 3)] == [1, 3]
