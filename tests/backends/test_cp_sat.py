"""CP-SAT: bounds that hold for the real model, judged in rational arithmetic."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

import bestsubset as bs
from bestsubset.backends.cp_sat import _ending
from bestsubset.backends.finite import finite_bounds
from bestsubset.backends.grid import Grid
from bestsubset.status import Termination
from formulations.mio.builder import ModelBuilder
from formulations.mio.model import Indicator, RotatedCone
from tests.handmade import absolute, exact_master, judge, knapsack, master, run


@pytest.mark.parametrize("block", range(10))
def test_bounds_of_masters_are_never_above_the_rational_optimum(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        scale = 10.0 ** (seed % 13 - 6)
        model = master(seed, p=5, n_cuts=6, scale=scale)
        exact = exact_master(model)
        solved = bs.CPSAT(grid_bits=30).solve(model, run(gap=0.0), upper_bound=float(exact) * 1.5)

        assert Fraction(solved.dual_bound) <= exact, seed
        assert solved.dual_bound == pytest.approx(float(exact), rel=1e-6), seed
        assert solved.termination is Termination.GAP_CLOSED


@pytest.mark.parametrize("bits", [8, 12, 24, 40])
def test_a_coarse_grid_costs_strength_and_never_truth(bits: int) -> None:
    for seed in range(10):
        model = master(seed, p=5, n_cuts=6)
        exact = exact_master(model)
        solved = bs.CPSAT(grid_bits=bits).solve(model, run(), upper_bound=float(exact) * 1.2)

        assert Fraction(solved.dual_bound) <= exact


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_bounds_with_continuous_columns_are_not_above_the_optimum(seed: int, pairs: bool) -> None:
    model = absolute(seed, n=8, p=3, pairs=pairs)
    least = judge(model)
    for bits in (15, 20):
        solved = bs.CPSAT(grid_bits=bits).solve(model, run(time_limit=20), upper_bound=1.1 * least)

        assert solved.dual_bound <= least
        assert solved.dual_bound == pytest.approx(least, rel=1e-2 if bits == 15 else 3e-4)
        chosen = np.abs(solved.values[model.block("beta")]) > 0
        assert chosen.sum() <= 2


@pytest.mark.parametrize("seed", range(5))
def test_pure_binaries(seed: int) -> None:
    model = knapsack(seed)
    solved = bs.CPSAT().solve(model, run())

    assert solved.dual_bound <= judge(model)
    assert solved.dual_bound == pytest.approx(judge(model), rel=1e-9)
    assert model.objective(solved.values) == pytest.approx(judge(model), rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_no_feasible_point_is_lost_to_the_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6
    whole = rng.random(n) < 0.4
    lower, upper = -rng.integers(0, 5, n).astype(float), rng.integers(1, 5, n).astype(float)
    lower[~whole] *= rng.uniform(0.1, 100, (~whole).sum())
    grid = Grid.of(lower, upper, whole, 10)
    entries = rng.standard_normal(n) * 10.0 ** rng.integers(-5, 5, n)
    for _ in range(20):
        x = rng.uniform(lower, upper)
        x[whole] = np.round(x[whole])
        activity = sum(Fraction(a) * Fraction(v) for a, v in zip(entries.tolist(), x.tolist(), strict=True))
        # The tightest sides that the point obeys, in doubles.
        above, below = np.nextafter(float(activity), np.inf), np.nextafter(float(activity), -np.inf)
        row = grid.row(np.arange(n), entries, below, above)
        total = int(sum(int(c) * int(t) for c, t in zip(row.coefs, grid.nearest(x), strict=True)))

        assert row.lower <= total <= row.upper
        objective = grid.objective(np.arange(n), entries)
        reached = int(sum(int(c) * int(t) for c, t in zip(objective.coefs, grid.nearest(x), strict=True)))
        assert Fraction(objective.bound(reached, 0.0)) <= activity


def test_bounds_follow_from_a_known_objective() -> None:
    model = absolute(0)
    least = judge(model)
    lower, upper = finite_bounds(model, 1.5 * least)

    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    solved = bs.HiGHS().solve(model, run())
    assert np.all((solved.values >= lower - 1e-9) & (solved.values <= upper + 1e-9))
    with pytest.raises(bs.RefusedError, match="expected finite"):
        bs.CPSAT().solve(model, run())


def test_indicators_are_enforced() -> None:
    model = absolute(1)
    beta, z = model.block("beta"), model.block("z")
    bare = replace(model, A=model.A[:13], row_lower=model.row_lower[:13], row_upper=model.row_upper[:13])
    rows = tuple(Indicator(f"i{j}", int(z[j]), 0, (int(beta[j]),), (1.0,), 0.0, 0.0) for j in range(4))
    least = judge(model)
    solved = bs.CPSAT().solve(replace(bare, indicators=rows), run(time_limit=20), upper_bound=1.1 * least)

    assert solved.dual_bound <= least
    assert solved.dual_bound == pytest.approx(least, rel=1e-3)


def test_what_it_does_not_take_is_refused_with_a_way_out() -> None:
    model = absolute(0)
    assert bs.CPSAT().refuses(model) is None
    assert "outer-approximation" in bs.CPSAT().refuses(replace(model, Q=sparse.identity(model.n_columns, format="csc")))
    assert "Pyomo" in bs.CPSAT().refuses(replace(model, cones=(RotatedCone("c", 0, 1, (2,)),)))
    assert "HiGHS" in bs.CPSAT().refuses(absolute(0, p=30))
    assert "HiGHS" in bs.CPSAT().refuses(replace(knapsack(0), upper=np.full(8, 1e12)))
    with pytest.raises(bs.RefusedError, match="grid"):
        bs.CPSAT(grid_bits=8).solve(model, run(), upper_bound=1.1 * judge(model))


def test_an_infeasible_model_is_said_to_be() -> None:
    for impossible in (
        replace(knapsack(0), row_lower=np.full(3, 1e4), row_upper=np.full(3, np.inf)),
        replace(knapsack(0), lower=np.full(8, 0.2), upper=np.full(8, 0.8)),
        replace(knapsack(0), row_lower=np.full(3, 2.0), row_upper=np.full(3, 1.0)),
    ):
        solved = bs.CPSAT().solve(impossible, run())
        assert solved.is_infeasible
        assert solved.values is None


def test_a_time_limit_leaves_a_bound_that_holds() -> None:
    model = absolute(2, n=30, p=6, k=3)
    least = bs.HiGHS().solve(model, run()).dual_bound
    solved = bs.CPSAT().solve(model, run(time_limit=0.5), upper_bound=1.5 * least)

    assert solved.dual_bound <= least
    assert solved.termination in (Termination.TIME_LIMIT, Termination.GAP_CLOSED)


def test_an_error_or_an_interrupt_of_the_listener_ends_the_search() -> None:
    model = absolute(2, n=60, p=10, k=3)
    least = bs.HiGHS().solve(model, run()).dual_bound

    def interrupt(progress) -> None:
        raise KeyboardInterrupt

    def fail(progress) -> None:
        raise LookupError("mine")

    solved = bs.CPSAT().solve(model, run(time_limit=30, listener=interrupt), upper_bound=1.5 * least)
    assert solved.termination is Termination.INTERRUPTED
    with pytest.raises(LookupError, match="mine"):
        bs.CPSAT().solve(model, run(time_limit=30, listener=fail), upper_bound=1.5 * least)


def test_one_thread_is_deterministic() -> None:
    model = master(5, p=10, n_cuts=20)
    first, second = (bs.CPSAT().solve(model, run(), upper_bound=10.0) for _ in range(2))

    assert (first.dual_bound, first.nodes) == (second.dual_bound, second.nodes)
    np.testing.assert_array_equal(first.values, second.values)


def test_every_ending_is_named_or_an_error() -> None:
    from ortools.sat.python import cp_model

    late, early = run(time_limit=0.0), run()
    assert _ending(cp_model.OPTIMAL, early, False) == (Termination.GAP_CLOSED, False)
    assert _ending(cp_model.INFEASIBLE, early, False) == (Termination.GAP_CLOSED, True)
    for status in (cp_model.FEASIBLE, cp_model.UNKNOWN):
        assert _ending(status, late, False) == (Termination.TIME_LIMIT, False)
        assert _ending(status, early, False) == (Termination.INTERRUPTED, False)
    with pytest.raises(bs.BackendError, match="MODEL_INVALID"):
        _ending(cp_model.MODEL_INVALID, early, False)
    with pytest.raises(bs.BackendError, match="not known"):
        _ending("surprise", early, False)


def test_a_column_that_is_not_used_may_have_no_bounds() -> None:
    builder = ModelBuilder("aside")
    z = builder.add_columns("z", ["a", "b"], meaning="", upper=1, cost=[-1.0, -2.0], integer=True)
    builder.add_columns("beta", ["free"], meaning="", lower=-np.inf)
    builder.add_rows("one", ["one"], [(z, np.ones((1, 2)))], meaning="", upper=1)

    assert bs.CPSAT().solve(builder.build(), run()).dual_bound == -2.0


BOTH = """
import {first}, {second}
import numpy as np, bestsubset as bs
from tests.handmade import knapsack, judge, run
model = knapsack(0)
for backend in ({a}, {b}):
    assert abs(backend.solve(model, run()).dual_bound - judge(model)) < 1e-6
print("both")
"""


@pytest.mark.parametrize(
    "order", [("highspy", "ortools.sat.python.cp_model"), ("ortools.sat.python.cp_model", "highspy")]
)
def test_both_live_in_one_process_in_either_order(order: tuple[str, str]) -> None:
    backends = {"highspy": "bs.HiGHS()", "ortools.sat.python.cp_model": "bs.CPSAT()"}
    code = BOTH.format(first=order[0], second=order[1], a=backends[order[0]], b=backends[order[1]])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "both", done.stderr
