"""Derived boxes: every better point lies within, and the search with them ends where the search without does."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb import derived_boxes, engine, nursery
from bestsubset.bnb.derived_boxes import DerivedBoxes
from bestsubset.bnb.quadratic import Quadratic


def small(seed: int, m: int, k: int, lambda0: float) -> tuple[Quadratic, np.ndarray]:
    """A wide problem with a weak ridge."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m - 1, m))
    X /= np.linalg.norm(X, axis=0)
    y = X[:, :3] @ [1.0, -0.7, 0.5] + 0.2 * rng.standard_normal(m - 1)
    y /= np.linalg.norm(y)
    one, free = np.ones(m), np.full(m, np.inf)
    Q = X.T @ X
    quadratic = Quadratic(
        X.T @ y, np.diag(Q).copy(), 0.5, k, lambda0, 0 * one, 0.02 * one, -free, free, np.zeros(m, dtype=bool)
    )
    return quadratic, Q


def least_beyond(q: Quadratic, Q: np.ndarray, j: int, value: float) -> float:
    """The least objective with β_j = value, by enumeration."""
    m, best = len(q.c), np.inf
    for size in range(q.k):
        for others in combinations([i for i in range(m) if i != j], size):
            S = list(others)
            A = Q[np.ix_(S, S)] + 2 * np.diag(q.rho[S])
            b = q.c[S] - value * Q[S, j]
            rest = 0.5 * value * value * (Q[j, j] + 2 * q.rho[j]) - value * q.c[j]
            best = min(best, q.half_yy + rest - 0.5 * b @ np.linalg.solve(A, b) + q.lambda0 * (size + 1))
    return best


@pytest.mark.parametrize(("k", "lambda0"), [(3, 0.0), (8, 0.03), (3, 0.02)])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_better_lies_beyond(seed: int, k: int, lambda0: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived_boxes, "_USEFUL", np.inf)
    q, Q = small(seed, 8, k, lambda0)
    target = min(least_beyond(q, Q, j, v) for j in range(3) for v in np.linspace(-1, 1, 21))

    boxes = DerivedBoxes(q, Q, target, np.zeros(8), max(lambda0, 0.01), 9)
    boxed = boxes.derive(lambda: False)

    assert boxed is not None
    assert boxed.is_plain
    for j in range(8):
        for value in (boxed.lower[j], boxed.upper[j]):
            if np.isfinite(value):
                assert least_beyond(q, Q, j, value) >= target


def test_they_are_left_alone_where_they_would_not_pay() -> None:
    q, Q = small(0, 40, 3, 0.0)

    assert DerivedBoxes(q, Q, 100.0, np.zeros(40), 0.001, 44).derive(lambda: False) is None


def test_the_search_with_them_ends_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 90))
    X /= np.linalg.norm(X, axis=0)
    y = X[:, :6].sum(axis=1) + 0.05 * rng.standard_normal(60)
    problem = bs.Problem(X, y / np.linalg.norm(y), 6, lambda2=0.01)
    without = bs.solve(problem)
    made = []
    monkeypatch.setattr(engine, "_BEFORE_BOXES", 0.0)
    monkeypatch.setattr(engine, "has_definite_moments", lambda scaled: False)
    monkeypatch.setattr(derived_boxes, "_USEFUL", np.inf)
    monkeypatch.setattr(nursery, "DerivedBoxes", lambda *a: made.append(DerivedBoxes(*a)) or made[-1])
    result = bs.solve(problem, threads=2)

    assert made
    assert result.status == "optimal"
    assert result.objective == pytest.approx(without.objective, rel=1e-9)
    assert bs.verify(result.certificate, problem.X, problem.y).valid
