"""HiGHS against every assignment, and the ways in which it could mislead."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

import bestsubset as bs
from bestsubset.backends.highs import _Reader, _Watch
from bestsubset.backends.units import InUnits
from bestsubset.status import Termination
from formulations.mio.builder import ModelBuilder
from formulations.mio.model import Indicator, RotatedCone, SOS1Set
from tests.handmade import absolute, judge, knapsack, run

# A model, and the same one in other units: the judge works in those of one.
MODELS = {
    "knapsack": (knapsack(0), 1.0),
    "knapsack in 1e-9": (knapsack(0, unit=1e-9), 1e-9),
    "knapsack in 1e9": (knapsack(0, unit=1e9), 1e9),
    "absolute": (absolute(0), 1.0),
    "absolute in 1e-8": (absolute(0, unit=1e-8), 1e-8),
    "absolute in 1e8": (absolute(0, unit=1e8), 1e8),
    "absolute by pairs": (absolute(0, pairs=True), 1.0),
    "absolute by pairs in 1e-8": (absolute(0, pairs=True, unit=1e-8), 1e-8),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_finds_and_bounds_the_optimum(name: str) -> None:
    model, unit = MODELS[name]
    least = unit * judge(knapsack(0) if "knapsack" in name else absolute(0))
    solved = bs.HiGHS().solve(model, run())

    assert solved.termination is Termination.GAP_CLOSED
    assert model.objective(solved.values) == pytest.approx(least, rel=1e-7, abs=0)
    assert solved.dual_bound == pytest.approx(least, rel=1e-7, abs=0)
    assert solved.dual_bound <= least + solved.bound_tolerance * abs(least)
    scale = np.abs(solved.values).max()
    assert model.violation(solved.values) <= 1e-8 * max(scale, 1e-12)


def test_the_first_model_is_not_trivial() -> None:
    assert judge(MODELS["absolute"][0]) > 1.0
    assert judge(MODELS["knapsack"][0]) < 0.0
    assert judge(MODELS["absolute by pairs"][0]) == pytest.approx(judge(MODELS["absolute"][0]))


@pytest.mark.parametrize("seed", range(20))
def test_bounds_of_random_models_are_not_above_the_optimum(seed: int) -> None:
    for model in (knapsack(100 + seed), absolute(100 + seed, n=8, p=3)):
        least = judge(model)
        for gap in (1e-9, 0.05, 0.3):
            solved = bs.HiGHS().solve(model, run(gap=gap))

            assert solved.dual_bound <= least + 1e-9 * abs(least)
            assert model.objective(solved.values) >= least - 1e-9 * abs(least)
            assert (
                model.objective(solved.values) - solved.dual_bound <= gap * abs(model.objective(solved.values)) + 1e-9
            )


def test_an_entry_too_small_for_it_does_not_raise_the_bound() -> None:
    # min x with x + 5e-10 y >= 1, 0 <= y <= 1e9: the optimum is 0.5. HiGHS drops the entry and says 1.
    builder = ModelBuilder("small")
    x = builder.add_columns("x", ["x"], meaning="", cost=1.0)
    y = builder.add_columns("y", ["y"], meaning="", upper=1e9, cost=0.0)
    z = builder.add_columns("z", ["z"], meaning="", upper=1, integer=True)
    builder.add_rows("r", ["r"], [(x, 1.0), (y, 5e-10), (z, 1e-12)], meaning="", lower=1.0)
    model = builder.build()
    solved = bs.HiGHS().solve(model, run())

    assert bs.HiGHS().refuses(model) is None
    assert solved.dual_bound == pytest.approx(0.5, abs=1e-8)
    assert solved.dual_bound <= 0.5


def test_a_small_entry_of_an_unbounded_column_is_refused_by_name() -> None:
    builder = ModelBuilder("small")
    x = builder.add_columns("x", ["x"], meaning="", cost=1.0)
    y = builder.add_columns("y", ["free"], meaning="")
    builder.add_rows("r", ["r0", "r1", "r2"], [(x, np.ones((3, 1))), (y, [[1.0], [1e-30], [1.0]])], meaning="", lower=1)

    assert "'free'" in bs.HiGHS().refuses(builder.build())


def test_what_it_does_not_take_is_refused_with_a_way_out() -> None:
    model = absolute(0)
    n = model.n_columns
    Q = sparse.identity(n, format="csc")
    free = replace(model, lower=np.full(n, -np.inf), upper=np.full(n, np.inf))

    def reason(**changed):
        return bs.HiGHS().refuses(replace(model, **changed))

    assert bs.HiGHS().refuses(model) is None
    assert "perspective" in reason(Q=Q)
    assert "no bound" in reason(Q=Q, is_integer=np.zeros(n, dtype=bool))
    assert "Pyomo" in reason(cones=(RotatedCone("c", 0, 1, (2,)),))
    assert "CPSAT" in reason(indicators=(Indicator("i", 4, 1, (0,), (1.0,), 0.0, 0.0),))
    unbounded = bs.HiGHS().refuses(replace(free, sos1=(SOS1Set("pair", (0, 4), (1.0, 2.0)),)))
    assert "'beta0'" in unbounded
    assert "No M is proved" in unbounded
    with pytest.raises(bs.RefusedError, match="No M is proved"):
        bs.HiGHS().solve(replace(free, sos1=(SOS1Set("pair", (0, 4), (1.0, 2.0)),)), run())


def test_an_infeasible_model_is_said_to_be() -> None:
    model = knapsack(0)
    for impossible in (
        replace(model, row_lower=np.full(3, 1e4), row_upper=np.full(3, np.inf)),
        replace(model, row_lower=np.full(3, 2.0), row_upper=np.full(3, 1.0)),
        replace(model, lower=np.full(8, 0.2), upper=np.full(8, 0.8)),
    ):
        solved = bs.HiGHS().solve(impossible, run())
        assert solved.is_infeasible
        assert solved.values is None


def test_a_limit_on_nodes_or_time_leaves_a_bound_that_holds() -> None:
    model = knapsack(7, n=9, n_rows=6)
    least = judge(model)
    stopped = bs.HiGHS(node_limit=1).solve(model, run())
    out_of_time = bs.HiGHS().solve(absolute(5, n=200, p=25, k=8), run(time_limit=0.3))

    assert stopped.dual_bound <= least + 1e-9 * abs(least)
    assert out_of_time.termination is Termination.TIME_LIMIT
    assert np.isfinite(out_of_time.dual_bound)


def test_a_start_is_completed_and_honoured() -> None:
    model = absolute(5, n=120, p=20, k=6)
    start = np.full(model.n_columns, np.nan)
    start[model.block("z")] = np.arange(20) < 6
    hopeless = bs.HiGHS(node_limit=1).solve(model, run(time_limit=0.05), start)
    given = judge(replace(model, lower=_with(model, model.lower, start), upper=_with(model, model.upper, start),
                          is_integer=np.zeros(model.n_columns, dtype=bool)))  # fmt: skip

    assert hopeless.values is not None
    assert model.objective(hopeless.values) <= given + 1e-6


def _with(model, bounds, start):
    bounds = bounds.copy()
    bounds[model.block("z")] = start[model.block("z")]
    return bounds


def test_the_same_call_gives_the_same_answer() -> None:
    model = absolute(9, n=40, p=8, k=3)
    first, second = (bs.HiGHS().solve(model, run(threads=2)) for _ in range(2))

    assert first.dual_bound == second.dual_bound
    assert first.nodes == second.nodes
    np.testing.assert_array_equal(first.values, second.values)


def test_threads_may_change_from_call_to_call() -> None:
    model = knapsack(3)
    values = [bs.HiGHS().solve(model, run(threads=threads)).dual_bound for threads in (1, 2, 1)]

    assert values == pytest.approx([judge(model)] * 3)


def test_interrupting_returns_the_bound_so_far() -> None:
    def interrupt(progress) -> None:
        if progress.dual_bound > 0:
            raise KeyboardInterrupt

    model = absolute(5, n=200, p=25, k=8)
    began = time.perf_counter()
    solved = bs.HiGHS().solve(model, run(time_limit=30, listener=interrupt))

    assert solved.termination is Termination.INTERRUPTED
    assert time.perf_counter() - began < 10
    assert solved.dual_bound > 0


def test_an_error_of_the_listener_is_not_swallowed() -> None:
    def fail(progress) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        bs.HiGHS().solve(absolute(5, n=200, p=25, k=8), run(time_limit=30, listener=fail))


def test_every_ending_is_named_or_an_error() -> None:
    import highspy

    status = highspy.HighsModelStatus
    expected = {
        status.kOptimal: Termination.GAP_CLOSED,
        status.kInfeasible: Termination.GAP_CLOSED,
        status.kTimeLimit: Termination.TIME_LIMIT,
        status.kIterationLimit: Termination.NODE_LIMIT,
        status.kSolutionLimit: Termination.NODE_LIMIT,
        status.kMemoryLimit: Termination.MEMORY_LIMIT,
        status.kInterrupt: Termination.INTERRUPTED,
        status.kHighsInterrupt: Termination.INTERRUPTED,
    }
    model = knapsack(0)
    scaled = InUnits.of(model)
    program = bs.HiGHS()._program(model, scaled, run())
    reader = _Reader(program, scaled, model, _Watch(scaled, run(), 0.0, np.inf, 1))
    every = [getattr(status, name) for name in dir(status) if name.startswith("k")]

    assert len(every) >= 18
    for ending in every:
        if ending in expected:
            assert reader.solved(ending).termination is expected[ending]
        else:
            with pytest.raises(bs.BackendError, match=ending.name):
                reader.solved(ending)


def test_a_linear_programme_is_bounded_by_its_duals() -> None:
    model = replace(absolute(4), is_integer=np.zeros(absolute(4).n_columns, dtype=bool))
    least = judge(model)
    solved = bs.HiGHS().solve(model, run())

    assert solved.dual_bound == pytest.approx(least, rel=1e-9)


def test_the_pool_holds_feasible_points_and_no_more_than_asked_for() -> None:
    model = absolute(11, n=60, p=12, k=4)
    solved = bs.HiGHS(pool_size=2).solve(model, run())

    assert len(solved.pool) <= 2
    assert all(model.violation(point) < 1e-7 for point in solved.pool)
    assert bs.HiGHS(pool_size=0).solve(model, run()).pool == ()


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"feasibility_tolerance": 1e-12}, "1e-10"), ({"node_limit": 0}, "node_limit"), ({"pool_size": -1}, "pool_size")],
)
def test_settings_out_of_range_are_refused(settings: dict, word: str) -> None:
    with pytest.raises(bs.ProblemError, match=word):
        bs.HiGHS(**settings)


def test_a_large_dense_model_is_handed_over_in_a_moment() -> None:
    model = absolute(0, n=500, p=500, k=5)
    highs = bs.HiGHS()
    highs._program(knapsack(0), InUnits.of(knapsack(0)), run())  # loads the package
    began = time.perf_counter()
    assert highs.refuses(model) is None
    highs._program(model, InUnits.of(model).without_small_entries(1e-9), run())

    assert time.perf_counter() - began < 0.6
