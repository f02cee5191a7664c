"""Whatever stops the search, the incumbent, the bound and the gap so far come back, and they are true."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bestsubset as bs
from bestsubset import run
from bestsubset.bnb import engine, race
from bestsubset.solve import _result
from bestsubset.solvers.interface import Answer


def hard(n: int = 60, p: int = 40, k: int = 8, **settings: object) -> bs.Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    return bs.Problem(X, X[:, :k].sum(axis=1) + 6 * rng.standard_normal(n), k, **settings)


@pytest.fixture(scope="module")
def optimum() -> float:
    result = bs.solve(hard())

    assert result.status == "optimal"
    return result.objective


def test_no_time_gives_the_warm_start_and_the_roots_bound(optimum: float) -> None:
    result = bs.solve(hard(), time_limit=0)

    assert result.status == "feasible"
    assert result.termination == "time limit"
    assert 0 < result.dual_bound <= optimum * (1 + 1e-9) <= result.objective * (1 + 2e-9)
    assert "not proved" in result.statement().lower()


@pytest.mark.parametrize("tree", ["race", "downdating", "perspective"])
def test_node_limit(tree: str, optimum: float) -> None:
    result = bs.solve(hard(), bs.BranchAndBound(tree=tree, node_limit=150))

    assert result.termination == "node limit"
    assert result.stats.nodes == 150
    assert result.dual_bound <= optimum * (1 + 1e-9)


def test_little_memory_makes_the_search_depth_first() -> None:
    problem = hard(n=50, p=120, k=8, lambda2=4.0)
    ample = bs.solve(problem, bs.BranchAndBound(tree="perspective"))
    little = bs.solve(problem, bs.BranchAndBound(tree="perspective", memory_limit=2.6e5))

    assert little.status == ample.status == "optimal"
    assert little.objective == pytest.approx(ample.objective, rel=1e-9)
    assert little.certificate is not None
    assert bs.verify(little.certificate, problem.X, problem.y).valid


def test_too_little_memory_for_a_dive_ends_the_search() -> None:
    problem = hard(n=50, p=300, k=12, lambda2=0.5)
    result = bs.solve(problem, bs.BranchAndBound(memory_limit=1e6), time_limit=30)

    assert result.termination == "memory limit"
    assert 0 < result.dual_bound < result.objective


@pytest.mark.parametrize("settings", [{}, {"lambda2": 1.0, "constraints": [bs.Group([0, 1])]}])
def test_interruption_returns_what_is_known(settings: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_ROWS", 0.0)  # every burst tells, however short
    monkeypatch.setattr(race, "_FIRST_NODES", 5)
    monkeypatch.setattr(engine, "_SPRINT", 5)

    def interrupt(event: bs.Progress) -> None:
        if event.nodes > 0:
            raise KeyboardInterrupt

    problem = hard(**settings)
    result = bs.solve(problem, progress=interrupt)

    assert result.termination == "interrupted"
    assert result.coef is not None
    assert result.dual_bound <= bs.solve(problem, time_limit=20).objective * (1 + 1e-9)


def test_enumeration_obeys_the_clock_in_the_middle_of_a_scan() -> None:
    rng = np.random.default_rng(1)
    problem = bs.Problem(rng.standard_normal((100, 60)), rng.standard_normal(100), 8)
    result = bs.solve(problem, bs.Enumeration(), time_limit=0.5)

    assert result.termination == "time limit"
    assert result.status == "feasible"
    assert result.dual_bound == 0.0  # an enumeration proves nothing before it ends
    assert result.stats.seconds < 10  # C(60, 8) supports would take hours


def test_interruption_before_anything_is_known() -> None:
    def interrupt(event: bs.Progress) -> None:
        raise KeyboardInterrupt

    result = bs.solve(hard(constraints=[bs.Include([3])]), progress=interrupt)

    assert result.termination == "interrupted"
    assert result.coef is not None
    assert result.dual_bound >= 0


def test_a_wide_gap_ends_the_search_early_and_is_kept(optimum: float) -> None:
    loose = bs.solve(hard(), gap=0.2)
    tight = bs.solve(hard(), gap=1e-6)

    assert loose.status == tight.status == "optimal"
    assert loose.relative_gap <= 0.2
    assert loose.stats.nodes < tight.stats.nodes
    assert loose.dual_bound <= optimum * (1 + 1e-9)


def test_a_start_is_used_and_can_only_help() -> None:
    problem = hard()
    best = bs.solve(problem)

    for start in (best, best.support, best.coef):
        again = bs.solve(problem, start=start, time_limit=0)
        assert again.objective == pytest.approx(best.objective)
    with pytest.raises(bs.ProblemError, match="start"):
        bs.solve(problem, start=[0, 99])


def test_trace_is_monotone_and_ends_with_the_result() -> None:
    result = bs.solve(hard())
    trace = result.trace

    assert list(trace.columns) == ["seconds", "objective", "dual_bound", "nodes"]
    assert trace["seconds"].is_monotonic_increasing
    assert trace["objective"].is_monotonic_decreasing
    assert trace["dual_bound"].is_monotonic_increasing
    assert trace["objective"].iloc[-1] == result.objective


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = bs.solve(hard(), random_state=7), bs.solve(hard(), random_state=7)

    assert first.support == second.support
    np.testing.assert_array_equal(first.coef, second.coef)


def test_a_bound_above_the_objective_raises_and_is_never_repaired() -> None:
    problem = hard()
    coef = bs.solve(problem, time_limit=0).coef
    begun = run.Run(problem)
    value = problem.objective(coef)
    answer = Answer(coef, value * 1.001, bs.Termination.GAP_CLOSED, 1)
    with pytest.raises(bs.InvalidBoundError):
        _result(problem, answer, begun, bs.BranchAndBound())

    crossing_by_rounding = Answer(coef, value * (1 + 1e-12), bs.Termination.GAP_CLOSED, 1)
    assert _result(problem, crossing_by_rounding, begun, bs.BranchAndBound()).relative_gap == 0.0


@pytest.mark.parametrize(
    ("objective", "bound", "null", "gap"),
    [(2.0, 1.0, 10.0, 0.5), (0.0, 0.0, 0.0, 0.0), (1e-30, 0.0, 1.0, 1e-18), (1.0, -math.inf, 1.0, math.inf)],
)
def test_relative_gap(objective: float, bound: float, null: float, gap: float) -> None:
    # 1e-30 against a floor of 1e-12 times the null objective: 1e-18.
    assert bs.relative_gap(objective, bound, null) == pytest.approx(gap)


@pytest.mark.parametrize("setting", [{"gap": -1}, {"gap": math.nan}, {"time_limit": -1}, {"threads": 0}])
def test_settings_out_of_range_are_refused(setting: dict) -> None:
    with pytest.raises(bs.ProblemError, match=next(iter(setting))):
        bs.solve(hard(), **setting)
