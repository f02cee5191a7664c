"""Stepwise selection, hard thresholding, and how often the default warm start finds the optimum."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from formulations import Group, Include, Problem, ScaledProblem
from tests.warmstarts.instances import ar1, enumerated_optimum, least_value, scale
from warmstarts import (
    BackwardStepwise,
    ForwardStepwise,
    IterativeHardThresholding,
    Restarts,
    best_of,
    gram_rows,
    refit,
)


@pytest.mark.parametrize("lambda2", [0.0, 3.0])
def test_forward_enters_the_best_column_each_time(lambda2: float) -> None:
    scaled = scale(ar1(40, 12, 0.7, 1.0, 4), 6, lambda2=lambda2)
    path = ForwardStepwise().supports(scaled, range(1, 7), np.random.default_rng(0))
    before: set[int] = set()
    for size in range(1, 7):
        options = [tuple(before | {j}) for j in range(12) if j not in before]
        least = min(least_value(scaled.X, scaled.y, scaled.ridge, s) for s in options)
        assert least_value(scaled.X, scaled.y, scaled.ridge, tuple(path[size])) == pytest.approx(least, abs=1e-12)
        assert before < set(path[size].tolist())
        before = set(path[size].tolist())


def test_backward_needs_a_positive_definite_matrix() -> None:
    wide = ar1(10, 15, 0.0, 1.0, 0)
    rng = np.random.default_rng(0)
    assert BackwardStepwise().supports(scale(wide, 3), [3], rng) == {}
    assert len(BackwardStepwise().supports(scale(wide, 3, lambda2=0.1), [3], rng)[3]) == 3


@pytest.mark.parametrize("wide", [False, True])
def test_thresholding_recovers_a_clear_signal(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if wide:
        monkeypatch.setattr(gram_rows, "_WHOLE", 0)
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 120 if wide else 30))
    y = X[:, [2, 11, 29]] @ np.array([2.0, -1.0, 1.0]) + 0.05 * rng.standard_normal(80)
    scaled = scale((X, y), 3)
    assert IterativeHardThresholding().supports(scaled, [3], rng)[3].tolist() == [2, 11, 29]


def test_thresholding_begins_at_the_start_given() -> None:
    scaled = scale(ar1(60, 15, 0.3, 5.0, 2), 5)
    _, optimum = enumerated_optimum(scaled, 5)
    found = IterativeHardThresholding().supports(scaled, [5], np.random.default_rng(0), np.array(optimum))
    assert found[5].tolist() == sorted(optimum)


@pytest.mark.parametrize(("rho", "wanted"), [(0.0, 0.97), (0.5, 0.97), (0.8, 0.97), (0.95, 0.97)])
def test_restarts_find_the_optimum(
    rho: float,
    wanted: float,
    record_property: Callable[[str, object], None],
) -> None:
    found = 0
    for seed in range(50):
        scaled = scale(ar1(50, 18, rho, 1.0, 1000 + seed), 5)
        least, _ = enumerated_optimum(scaled, 5)
        support = Restarts().supports(scaled, [5], np.random.default_rng(0))[5]
        found += scaled.value(support, refit(scaled, support)) <= least + 1e-9
    record_property("share_found", found / 50)
    print(f"rho {rho}: optimum found in {found} of 50")
    assert found / 50 >= wanted


@pytest.mark.parametrize(
    "settings", [{"lambda2": 1.0}, {"fit_intercept": False}, {"standardize": True, "lambda2": 1.0}]
)
def test_restarts_find_every_size_of_a_path(settings: dict[str, object]) -> None:
    scaled = scale(ar1(40, 12, 0.8, 1.0, 5), 12, **settings)
    proposals = Restarts().supports(scaled, range(1, 13), np.random.default_rng(0))
    for size in range(1, 13):
        support = proposals[size]
        assert len(support) == size
        assert scaled.value(support, refit(scaled, support)) <= enumerated_optimum(scaled, size)[0] + 1e-9


@pytest.mark.parametrize("lambda0", [0.05, 1.0, 5.0, 30.0, 1e4])
def test_restarts_find_the_penalised_optimum(lambda0: float) -> None:
    scaled = ScaledProblem.of(Problem(*ar1(40, 12, 0.6, 2.0, 6), lambda0=lambda0))
    proposals = Restarts().supports(scaled, range(1, 13), np.random.default_rng(0))
    support = best_of(scaled, proposals.values())
    least = min([0.5, *(enumerated_optimum(scaled, s)[0] + s * scaled.lambda0 for s in range(1, 13))])
    assert scaled.value(support, refit(scaled, support)) == pytest.approx(least, abs=1e-10)


@pytest.mark.parametrize(
    "settings",
    [
        {"lambda1": 4.0},
        {"bounds": (0.0, np.inf)},
        {"bounds": (-0.3, 0.3), "lambda2": 0.2},
        {"constraints": [Group([0, 1]), Group([4, 5, 6])]},
    ],
    ids=["lasso", "nonnegative", "box", "groups"],
)
def test_restarts_judge_by_the_objective_where_the_search_ignores_it(settings: dict[str, object]) -> None:
    missed = 0
    for seed in range(8):
        problem = Problem(*ar1(40, 9, 0.6, 1.0, seed, k=4), k=4, **settings)
        scaled = ScaledProblem.of(problem)
        masks = (np.flatnonzero([mask >> j & 1 for j in range(9)]) for mask in range(2**9))
        allowed = [s for s in masks if len(s) <= 4 and problem.selection.allows(s.tolist())]
        least = min(scaled.value(s, refit(scaled, s)) for s in allowed)
        support = Restarts().supports(scaled, [4], np.random.default_rng(0))[4]
        missed += scaled.value(support, refit(scaled, support)) > least + 1e-9
    assert missed <= 1


def _value(scaled: ScaledProblem, support: np.ndarray) -> float:
    return scaled.value(support, refit(scaled, support))


def test_thresholding_goes_on_improving() -> None:
    for seed in range(5):
        scaled = scale(ar1(50, 18, 0.9, 2.0, seed), 5)
        one, many = (
            IterativeHardThresholding(max_iterations=i).supports(scaled, [5], np.random.default_rng(0))[5]
            for i in (1, 100)
        )
        assert _value(scaled, many) < _value(scaled, one)


def test_restarts_without_kicks_need_a_start_now_and_then_and_keep_it() -> None:
    missed = 0
    for seed in range(30):
        scaled = scale(ar1(50, 18, 0.95, 1.0, seed), 5)
        least, optimum = enumerated_optimum(scaled, 5)
        lazy, rng = Restarts(rounds=0), np.random.default_rng(0)
        missed += _value(scaled, lazy.supports(scaled, [5], rng)[5]) > least + 1e-9
        begun = lazy.supports(scaled, [5], rng, np.array(optimum))[5]
        assert _value(scaled, begun) == pytest.approx(least, abs=1e-12)
    assert missed > 0


@pytest.mark.parametrize("settings", [{"bounds": (-0.1, 0.1)}, {"constraints": [Group([0, 1]), Group([4, 5, 6])]}])
def test_restarts_never_end_above_a_start_they_may_propose(settings: dict[str, object]) -> None:
    missed = 0
    for seed in range(8):
        problem = Problem(*ar1(40, 10, 0.95, 0.5, seed, k=4), k=4, **settings)
        scaled, lazy = ScaledProblem.of(problem), Restarts(rounds=0, path_kicks=0)
        masks = (np.flatnonzero([mask >> j & 1 for j in range(10)]) for mask in range(2**10))
        allowed = [s for s in masks if len(s) <= 4 and problem.selection.allows(s.tolist())]
        optimum = min(allowed, key=lambda s, scaled=scaled: _value(scaled, s))
        missed += (
            _value(scaled, lazy.supports(scaled, [4], np.random.default_rng(0))[4]) > _value(scaled, optimum) + 1e-9
        )
        begun = lazy.supports(scaled, [4], np.random.default_rng(0), optimum)[4]
        assert _value(scaled, begun) == pytest.approx(_value(scaled, optimum), abs=1e-12)
    assert missed > 0 or "constraints" not in settings


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 8, 20])
def test_restarts_behave_with_dependent_columns(size: int) -> None:
    X, y = ar1(30, 5, 0.3, 1.0, 7, k=3)
    X = np.column_stack([X, X[:, 0], 2.0 * X[:, 1], X[:, 2] - X[:, 3]])
    scaled = scale((X, y), 8)
    support = Restarts().supports(scaled, [size], np.random.default_rng(0))[size]
    assert len(support) <= size
    masks = (tuple(np.flatnonzero([mask >> j & 1 for j in range(8)])) for mask in range(1, 2**8))
    least = min(least_value(scaled.X, scaled.y, scaled.ridge, s) for s in masks if len(s) <= size)
    assert scaled.value(support, refit(scaled, support)) == pytest.approx(least, abs=1e-9)


def test_restarts_with_every_column_included() -> None:
    scaled = scale(ar1(30, 6, 0.3, 1.0, 0), 6, constraints=[Include(range(6))])
    proposals = Restarts().supports(scaled, [3, 6], np.random.default_rng(0))
    assert list(proposals) == [6]
    assert proposals[6].tolist() == list(range(6))


def test_restarts_on_wide_data_find_a_model_as_good_as_the_planted_one() -> None:
    X, y = ar1(100, 2000, 0.5, 10.0, 1, k=4)
    scaled = scale((X, y), 4)
    support = Restarts().supports(scaled, [4], np.random.default_rng(0))[4]
    planted = ar1_support(1, 2000, 4)
    reached = least_value(scaled.X, scaled.y, scaled.ridge, tuple(support))
    assert reached <= least_value(scaled.X, scaled.y, scaled.ridge, planted) + 1e-12


def ar1_support(seed: int, p: int, k: int) -> tuple[int, ...]:
    rng = np.random.default_rng(seed)
    rng.standard_normal((100, p))
    return tuple(rng.choice(p, k, replace=False))


def test_importing_the_floor_does_not_import_the_compiler() -> None:
    code = "import sys, warmstarts; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
