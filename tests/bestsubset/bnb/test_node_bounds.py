"""At every moment of every tree: each open node's bound holds in its subtree, and no better support is lost."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bestsubset.bnb.block_tree import BlockTree
from bestsubset.bnb.diagonal import optimise_diagonal, scaled_diagonal
from bestsubset.bnb.downdating import DowndatingTree
from bestsubset.bnb.downdating_state import NOT_OPENED
from bestsubset.bnb.perspective import PerspectiveTree
from bestsubset.bnb.perspective_state import FREE, IN, PRUNE_AT
from bestsubset.bnb.quadratic import Quadratic
from formulations import Group, Problem, ScaledProblem

ROUNDING = 1e-11
P = 11  # columns of the downdating trees


def moments(seed: int, n: int = 40, p: int = 9, rho: float = 0.7, signals: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    y = X[:, :signals] @ rng.choice([-1.0, 1.0], signals) + 2 * rng.standard_normal(n)
    X, y = X - X.mean(axis=0), y - y.mean()
    X, y = X / np.linalg.norm(X, axis=0), y / np.linalg.norm(y)
    return X.T @ X, X.T @ y


def residual(G: np.ndarray, c: np.ndarray, support: tuple[int, ...]) -> float:
    chosen = list(support)
    return 1.0 - float(c[chosen] @ np.linalg.solve(G[np.ix_(chosen, chosen)], c[chosen])) if chosen else 1.0


@pytest.mark.parametrize("k", [2, 3, 5, 8, 10])
@pytest.mark.parametrize("seed", range(4))
def test_downdating_nodes(seed: int, k: int) -> None:
    G, c = moments(seed, p=P, signals=P)
    values = {s: residual(G, c, s) for s in combinations(range(P), k)}
    # A negative slack keeps nodes alive that are up to half as bad again as the incumbent: more to look at.
    tree = DowndatingTree(G, c, 1.0, k, 1.2 * min(values.values()), -0.5, np.linalg.cond(G))
    finished, looked = False, 0
    while not finished:
        finished = tree.grow(1)
        assert tree.bound <= min(values.values()) + ROUNDING
        stack, level = tree._first.stack, int(tree._first.search.counts[0])
        for at in range(level + 1):
            inside = set(stack.inside[at, : stack.n_in[at]].tolist())
            free = stack.free[at, : stack.n_free[at]].tolist()
            subtree = [v for s, v in values.items() if inside <= set(s) <= inside | set(free)]
            assert stack.rss[at] <= min(subtree) + ROUNDING
            looked += at > 0
            if stack.next_child[at] == NOT_OPENED:
                continue
            for t in range(stack.first_child[at], stack.next_child[at] + 1):
                with_first = inside | set(free[:t])
                child = [v for s, v in values.items() if with_first <= set(s) <= with_first | set(free[t + 1 :])]
                if child:
                    assert stack.rss[at] + stack.increase[at, t] <= min(child) + ROUNDING
    assert tree.upper == pytest.approx(min(values.values()), abs=ROUNDING)
    assert looked > 0 or k in (2, 3, 10)  # up to three columns, or all but one, are chosen at the root


def quadratic(G: np.ndarray, c: np.ndarray, k: int, lambda0: float, box: float) -> tuple[Quadratic, np.ndarray]:
    p = len(c)
    d = optimise_diagonal(G, c, 1.0, k, np.zeros(p)).d
    Q = np.ascontiguousarray(G - np.diag(d))
    free = np.full(p, box)
    terms = Quadratic(c, np.diag(Q).copy(), 0.5, k, lambda0, np.zeros(p), 0.5 * d, -free, free, np.zeros(p, dtype=bool))
    return terms, Q


@pytest.mark.parametrize("lambda0", [0.0, 0.01])
@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_perspective_nodes(seed: int, k: int, lambda0: float) -> None:
    G, c = moments(seed)
    values = {
        s: 0.5 * residual(G, c, s) + lambda0 * len(s) for size in range(k + 1) for s in combinations(range(9), size)
    }
    terms, Q = quadratic(G, c, k, lambda0, np.inf)
    tree = PerspectiveTree(terms, lambda columns: Q[columns], 1.2 * min(values.values()), 1e-9)
    finished = False
    while not finished:
        finished = tree.grow(1)
        assert tree.bound <= min(values.values()) + ROUNDING
        lost = {s for s, v in values.items() if v < tree._first.search.scalars[PRUNE_AT] - ROUNDING}
        for status, bound in zip(*tree.open_nodes(), strict=True):
            inside = {j for j in range(9) if status[j] == IN}
            allowed = inside | {j for j in range(9) if status[j] == FREE}
            # Without λ0 a support of fewer columns is never better than a larger one: only full ones are kept.
            subtree = {s: v for s, v in values.items() if inside <= set(s) <= allowed}
            if subtree:
                assert bound <= min(subtree.values()) + ROUNDING
            lost -= set(subtree)
        if lambda0 > 0:
            assert not lost
        else:
            assert not {s for s in lost if len(s) == k}
    assert tree.upper == pytest.approx(min(values.values()), abs=1e-9)


@pytest.mark.parametrize("settings", [{"k": 4}, {"k": 4, "lambda2": 0.5}, {"lambda0": 1.0}, {"k": 5, "lambda0": 0.2}])
@pytest.mark.parametrize("seed", range(3))
def test_block_nodes(seed: int, settings: dict) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 8)) + rng.standard_normal((30, 1))
    X[:, 7] = X[:, 0] - X[:, 3]
    y = X[:, :3].sum(axis=1) + 2 * rng.standard_normal(30)
    scaled = ScaledProblem.of(Problem(X, y, constraints=[Group([0, 4]), Group([1, 2, 6])], **settings))
    values = {}
    for count in range(len(scaled.blocks) + 1):
        for blocks in combinations(range(len(scaled.blocks)), count):
            support = np.sort([j for b in blocks for j in scaled.blocks[b]]).astype(int)
            if len(support) <= scaled.k:
                coef = np.linalg.lstsq(
                    np.vstack([scaled.X[:, support], np.diag(np.sqrt(2 * scaled.ridge[support]))]),
                    np.concatenate([scaled.y, np.zeros(len(support))]),
                    rcond=1e-12,
                )[0]
                r = scaled.y - scaled.X[:, support] @ coef
                values[blocks] = 0.5 * r @ r + scaled.ridge[support] @ coef**2 + scaled.lambda0 * len(support)
    tree = BlockTree(scaled, 1.3 * min(values.values()), 1e-9)
    finished, looked = False, 0
    while not finished:
        finished = tree.grow(1)
        assert tree.bound <= min(values.values()) + ROUNDING
        for bound, _, status, *_ in tree._open:
            decided = np.frombuffer(status, np.int8)
            inside = set(np.flatnonzero(decided == IN).tolist())
            allowed = inside | set(np.flatnonzero(decided == FREE).tolist())
            subtree = [v for s, v in values.items() if inside <= set(s) <= allowed]
            if subtree:
                assert bound <= min(subtree) + ROUNDING
                looked += 1
    assert looked > 0
    assert tree.upper == pytest.approx(min(values.values()), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_diagonals_leave_a_semidefinite_matrix_and_improve_the_bound(seed: int) -> None:
    G, c = moments(seed)
    best = min(residual(G, c, s) for s in combinations(range(9), 3))
    found = optimise_diagonal(G, c, 1.0, 3, np.zeros(9))

    assert np.linalg.eigvalsh(G - np.diag(found.d))[0] > 0
    assert np.linalg.eigvalsh(G - np.diag(scaled_diagonal(G)))[0] == pytest.approx(0.0, abs=1e-12)
    assert residual(G, c, tuple(range(9))) - ROUNDING <= 2 * found.bound <= best + ROUNDING


def test_a_singular_matrix_has_no_diagonal() -> None:
    G, c = moments(0)
    G[:, 1], G[1, :], c[1] = G[:, 0], G[0, :], c[0]

    assert optimise_diagonal(G, c, 1.0, 3, np.zeros(9)) is None
