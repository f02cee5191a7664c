"""Several workers on one downdating tree: the same optimum, bounds that hold at any moment, one log in preorder."""

from __future__ import annotations

import contextlib
import threading
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb import crew, downdating
from bestsubset.bnb.crew import Crew
from bestsubset.bnb.downdating import DowndatingTree
from bestsubset.bnb.downdating_worker import Worker
from bestsubset.certificates import exact
from bestsubset.stream import Stream
from tests.bestsubset.bnb.test_node_bounds import ROUNDING, moments, residual

P, K = 14, 6


@pytest.fixture(autouse=True)
def split_from_the_first_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downdating, "ALONE", 1)
    monkeypatch.setattr(crew, "BURST", 1e-5)


def hard(seed: int, n: int = 60, p: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours are much alike and the noise is loud: some hundred nodes even with closed triples."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p + 4))
    X = np.round(sum(X[:, i : i + p] for i in range(5)), 2)
    return X, np.round(X[:, ::3].sum(axis=1) + 8 * rng.standard_normal(n), 2)


def planted(seed: int, threads: int, tokens: Stream | None = None) -> tuple[DowndatingTree, float]:
    G, c = moments(seed, p=P, signals=P)
    least = min(residual(G, c, s) for s in combinations(range(P), K))
    return DowndatingTree(G, c, 1.0, K, 1.2 * least, -0.5, np.linalg.cond(G), tokens=tokens, threads=threads), least


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_between_all_bursts(seed: int, threads: int) -> None:
    tree, least = planted(seed, threads)
    finished = False
    while not finished:
        finished = tree.grow(30)
        assert tree.bound <= least + ROUNDING
    assert tree.upper == pytest.approx(least, abs=ROUNDING)
    assert tree.support is not None


@pytest.mark.parametrize("seed", range(4))
def test_what_is_given_away_is_logged_in_its_place(seed: int) -> None:
    X, y = hard(seed)
    X, y = X - X.mean(axis=0), y - y.mean()
    G, c = X.T @ X / (y @ y), X.T @ y / (y @ y)
    alone = Stream(np.int16)
    first = DowndatingTree(G, c, 1.0, 8, 1.0, 1e-9, np.linalg.cond(G), tokens=alone)
    assert first.grow(10**6)
    # From the optimum on, the order of the search does not matter.
    logs = []
    for threads in (1, 2, 4):
        tokens = Stream(np.int16)
        tokens.append([8, 0])  # what stands there already stays
        tree = DowndatingTree(G, c, 1.0, 8, first.upper, 1e-9, np.linalg.cond(G), tokens=tokens, threads=threads)
        while not tree.grow(200):
            pass
        logs.append(tokens.array().tolist())
    assert len(logs[0]) > 100
    assert logs[0] == logs[1] == logs[2]


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_certificates_hold(seed: int, threads: int) -> None:
    X, y = hard(seed)
    result = bs.solve(bs.Problem(X, y, 7), bs.BranchAndBound(tree="downdating"), threads=threads)
    one = bs.solve(bs.Problem(X, y, 7), bs.BranchAndBound(tree="downdating"), threads=1)

    assert result.objective == pytest.approx(one.objective, rel=1e-12)
    assert result.status == "optimal"
    assert result.certificate is not None
    assert bs.verify(result.certificate, X, y).valid


@pytest.mark.parametrize("nodes", [3, 10, 40, 100])
def test_certificates_of_searches_that_stopped_early_hold(nodes: int, tmp_path: Path) -> None:
    X, y = hard(0)
    result = bs.solve(bs.Problem(X, y, 8), bs.BranchAndBound(tree="downdating", node_limit=nodes), threads=2)

    assert result.status != "optimal"
    assert result.stats.nodes == nodes
    assert bs.verify(result.certificate, X, y).valid
    result.certificate.save(tmp_path / "stopped")
    exact.check_file(str(tmp_path / "stopped"), exact.Table(X.T.tolist(), y.tolist(), [1.0] * len(y)))


@pytest.mark.parametrize("bursts", range(1, 12))
def test_an_interruption_leaves_a_sound_tree(bursts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Stream(np.int16)
    tree, least = planted(1, 2, tokens)
    next_burst, count = Crew._next_burst, 0

    def interrupted(self: Crew, worker: Worker) -> int:
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
    tree.close_log()
    assert tokens.array().min() >= 0  # no marker is left


def test_a_worker_that_fails_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    tree, _ = planted(2, 3)
    work = Worker.work

    def failing(self: Worker, nodes: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError
        work(self, nodes)

    tree.grow(2)
    monkeypatch.setattr(Worker, "work", failing)
    with pytest.raises(MemoryError):
        tree.grow(10**6)


def test_more_threads_than_work_come_to_an_end() -> None:
    began = time.perf_counter()
    for seed in range(10):
        tree, least = planted(seed, 8)
        while not tree.grow(10**6):
            pass
        assert tree.upper == pytest.approx(least, abs=ROUNDING)
    assert time.perf_counter() - began < 60
