"""The closed form of the swaps, and the descents built on it, against refits of every swap."""

from __future__ import annotations

import numpy as np
import pytest

from formulations import Include, Problem, ScaledProblem
from tests.warmstarts.instances import ar1, least_value, scale
from warmstarts import Restarts, Swaps, gram_rows
from warmstarts.elimination_kernels import eliminate
from warmstarts.gram_rows import GramRows
from warmstarts.swap_kernels import best_swap, fit_support
from warmstarts.swaps import descend_from, shrink


def _swap_values(scaled: ScaledProblem, support: np.ndarray) -> dict[tuple[int, int], float]:
    outside = np.setdiff1d(np.arange(scaled.m), support)
    return {
        (int(i), int(j)): least_value(scaled.X, scaled.y, scaled.ridge, tuple(np.append(support[support != i], j)))
        for i in support
        for j in outside
    }


def _kernel_best(source: GramRows, support: np.ndarray) -> tuple[float, int, int, float]:
    size, m = len(support), source.m
    inverse, coef = np.empty((size, size)), np.empty(size)
    at = source.at(support)
    rss = fit_support(source.rows, at, support, source.c, inverse, coef)
    room = np.empty((size, m)), np.empty(m), np.empty(m)
    found = best_swap(source.rows, at, support, source.c, source.diagonal, source.locked, inverse, coef, *room)
    return rss, *found


@pytest.fixture(params=["whole", "by_rows"])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "by_rows":
        monkeypatch.setattr(gram_rows, "_WHOLE", 0)
    return str(request.param)


@pytest.mark.parametrize("rho", [0.0, 0.9])
@pytest.mark.parametrize("lambda2", [0.0, 2.0])
def test_closed_form_finds_the_best_swap(rho: float, lambda2: float, layout: str) -> None:
    for seed in range(10):
        scaled = scale(ar1(40, 12, rho, 1.0, seed), 4, lambda2=lambda2)
        support = np.random.default_rng(seed).choice(12, 4, replace=False)
        source = GramRows(scaled)
        assert source.is_whole == (layout == "whole")
        rss, leaves, enters, gain = _kernel_best(source, support)
        now = least_value(scaled.X, scaled.y, scaled.ridge, tuple(support))
        values = _swap_values(scaled, support)
        assert 0.5 * rss == pytest.approx(now, abs=1e-12)
        if min(values.values()) > now:
            assert leaves == -1
        else:
            assert 0.5 * gain == pytest.approx(now - min(values.values()), abs=1e-11)
            assert values[int(support[leaves]), enters] == pytest.approx(min(values.values()), abs=1e-12)


@pytest.mark.parametrize("lambda2", [0.0, 2.0])
def test_descent_ends_where_no_swap_is_better(lambda2: float, layout: str) -> None:
    for seed in range(8):
        scaled = scale(ar1(40, 14, 0.8, 1.0, seed), 5, lambda2=lambda2)
        start = np.arange(5)
        support, rss = descend_from(GramRows(scaled), start)
        reached = least_value(scaled.X, scaled.y, scaled.ridge, tuple(support))
        assert start.tolist() == [0, 1, 2, 3, 4]
        assert len(set(support.tolist())) == 5
        assert 0.5 * rss == pytest.approx(reached, abs=1e-12)
        assert reached <= min(_swap_values(scaled, support).values()) + 1e-9


def test_included_columns_never_leave(layout: str) -> None:
    X, y = ar1(40, 12, 0.5, 3.0, 0)
    idle = int(np.argmin(np.abs((X - X.mean(0)).T @ y)))
    scaled = ScaledProblem.of(Problem(X, y, k=3, constraints=[Include(idle)]))
    others = [j for j in range(12) if j != idle][:2]
    support, _ = descend_from(GramRows(scaled), np.array([idle, *others]))
    assert idle in support
    assert idle in shrink(GramRows(scaled), support, 1)


def test_dependent_columns_are_not_swapped_in(layout: str) -> None:
    X, y = ar1(30, 6, 0.0, 1.0, 3, k=3)
    X = np.column_stack([X, X[:, 0], X[:, 1] + X[:, 2]])
    scaled = scale((X, y), 4)
    support, rss = descend_from(GramRows(scaled), np.array([0, 1, 2, 3]))
    assert np.linalg.matrix_rank(X[:, support] - X[:, support].mean(0)) == 4
    assert 0.5 * rss == pytest.approx(least_value(scaled.X, scaled.y, scaled.ridge, tuple(support)), abs=1e-10)
    assert descend_from(GramRows(scaled), np.array([0, 6]))[1] == np.inf


def test_shrink_drops_the_least_costly_column() -> None:
    scaled = scale(ar1(40, 10, 0.7, 1.0, 5), 5)
    support = np.array([0, 3, 5, 7, 9])
    kept = shrink(GramRows(scaled), support, 4)
    values = [least_value(scaled.X, scaled.y, scaled.ridge, tuple(np.delete(support, i))) for i in range(5)]
    assert kept.tolist() == np.delete(support, np.argmin(values)).tolist()


def test_a_full_cache_of_rows_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram_rows, "_WHOLE", 0)
    scaled = scale(ar1(30, 20, 0.5, 1.0, 0), 2)
    source = GramRows(scaled)
    source.rows = source.rows[:3].copy()
    expected = scaled.X.T @ scaled.X
    for columns in ([0, 1], [2, 3], [3, 1], [4, 5, 6, 7, 8]):
        at = source.at(np.array(columns))
        assert source.rows[at] == pytest.approx(expected[columns], abs=1e-13)


def test_elimination_removes_the_cheapest_each_time() -> None:
    X, y = ar1(50, 9, 0.6, 1.0, 2)
    H, c = X.T @ X, X.T @ y
    inverse = np.linalg.inv(H)
    locked = np.zeros(9, dtype=bool)
    locked[4] = True
    order = eliminate(inverse.copy(), inverse @ c, locked, 0)
    left = list(range(9))
    for column in order:
        costs = {j: least_value(X, y, np.zeros(9), tuple(i for i in left if i != j)) for j in left if j != 4}
        assert costs[int(column)] == pytest.approx(min(costs.values()))
        left.remove(int(column))
    assert left == [4]


def test_swaps_improve_on_forward_selection_from_any_size() -> None:
    scaled = scale(ar1(40, 14, 0.8, 1.0, 1), 5)
    for size, support in Swaps().supports(scaled, [1, 3, 5], np.random.default_rng(0)).items():
        assert len(support) == size
        reached = least_value(scaled.X, scaled.y, scaled.ridge, tuple(support))
        assert reached <= min(_swap_values(scaled, support).values()) + 1e-9


@pytest.mark.parametrize("whole", [0, 800])
def test_no_swap_improves_what_restarts_proposes(whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kicks once read the row cache as if it were the whole matrix, and adopted supports at random."""
    monkeypatch.setattr(gram_rows, "_WHOLE", whole)
    scaled = scale(ar1(15, 20, 0.6, 1.0, 0), 6, lambda2=0.5)
    for size, support in Restarts().supports(scaled, range(1, 7), np.random.default_rng(3)).items():
        value = least_value(scaled.X, scaled.y, scaled.ridge, tuple(support))
        for out in support:
            for j in np.setdiff1d(np.arange(20), support):
                swapped = (*(s for s in support if s != out), j)

                assert least_value(scaled.X, scaled.y, scaled.ridge, swapped) >= value - 1e-9, size
