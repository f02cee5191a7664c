"""Pyomo: the same model, and never the objective as its own bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy import sparse

import bestsubset as bs
from bestsubset.backends.pyomo import _ending
from bestsubset.backends.pyomo_model import columns_of, to_pyomo
from bestsubset.status import Termination
from formulations.mio.model import Indicator, RotatedCone
from tests.handmade import absolute, judge, knapsack, run

SCIP = bs.Pyomo("scip").refuses(knapsack(0))
needs_scip = pytest.mark.skipif(SCIP is not None, reason=str(SCIP))


def quadratic(seed: int = 0):
    """Squared error over two of four columns, by sets of special order, with a quadratic objective."""
    rng = np.random.default_rng(seed)
    model = absolute(seed, n=6, p=4, pairs=True)
    X, y = rng.standard_normal((10, 4)), rng.standard_normal(10)
    keep = [*model.block("beta"), *model.block("z"), *model.block("out")]
    rows = np.flatnonzero([name.startswith(("size", "is_out")) or name == "size" for name in model.row_names])
    rows = np.union1d(rows, [6, *range(7, 11)])
    A = model.A[rows][:, keep]
    Q = sparse.block_diag([X.T @ X, sparse.csc_matrix((8, 8))], format="csc")
    cost = np.concatenate([-X.T @ y, np.zeros(8)])
    moved = [replace(s, columns=(i, 8 + i)) for i, s in enumerate(model.sos1)]
    blocks = tuple(replace(model.column_blocks[b], start=4 * i, stop=4 * i + 4) for i, b in enumerate((0, 1, 5)))
    stated = replace(
        model, cost=cost, lower=model.lower[keep], upper=model.upper[keep], is_integer=model.is_integer[keep], A=A,
        row_lower=model.row_lower[rows], row_upper=model.row_upper[rows], Q=Q, sos1=tuple(moved), column_blocks=blocks,
        row_blocks=(), column_names=tuple(model.column_names[j] for j in keep),
        row_names=tuple(model.row_names[i] for i in rows), constant=0.5 * y @ y,
    )  # fmt: skip
    return stated, bs.Problem(X, y, 2, fit_intercept=False, bounds=(-2.0, 2.0))


@needs_scip
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_scip_solves_linear_models_with_sets(unit: float, pairs: bool) -> None:
    model = absolute(0, pairs=pairs, unit=unit)
    solved = bs.Pyomo("scip").solve(model, run())

    assert solved.dual_bound == pytest.approx(unit * judge(absolute(0)), rel=1e-6)
    assert model.objective(solved.values) == pytest.approx(unit * judge(absolute(0)), rel=1e-6)
    assert solved.termination is Termination.GAP_CLOSED


@needs_scip
@pytest.mark.parametrize("seed", range(3))
def test_scip_solves_quadratic_models_with_sets(seed: int) -> None:
    model, problem = quadratic(seed)
    least = bs.solve(problem, "enumeration").objective
    solved = bs.Pyomo("scip").solve(model, run(gap=1e-7))

    assert solved.dual_bound == pytest.approx(least, rel=1e-5)
    assert solved.dual_bound <= least * (1 + 1e-6)
    assert model.objective(solved.values) >= least * (1 - 1e-6)


@pytest.mark.parametrize("solver", ["highs", "appsi_highs"])
def test_highs_through_pyomo(solver: str) -> None:
    for seed in range(2):
        model = knapsack(seed)
        solved = bs.Pyomo(solver).solve(model, run())

        assert solved.dual_bound == pytest.approx(judge(model), rel=1e-7)
        assert model.objective(solved.values) == pytest.approx(judge(model), rel=1e-7)


@pytest.mark.parametrize("solver", ["highs", "appsi_highs"])
def test_a_continuous_model_has_no_bound(solver: str) -> None:
    model = absolute(0)
    relaxed = replace(model, is_integer=np.zeros(model.n_columns, dtype=bool))
    solved = bs.Pyomo(solver).solve(relaxed, run())

    assert solved.values is not None
    assert solved.dual_bound == -np.inf


@pytest.mark.parametrize("solver", [pytest.param("scip", marks=needs_scip), "highs", "appsi_highs"])
def test_an_infeasible_model_is_said_to_be(solver: str) -> None:
    impossible = replace(knapsack(0), row_lower=np.full(3, 1e4), row_upper=np.full(3, np.inf))
    solved = bs.Pyomo(solver).solve(impossible, run())

    assert solved.is_infeasible
    assert solved.values is None


@needs_scip
def test_a_time_limit_leaves_a_bound_that_holds() -> None:
    model = absolute(5, n=100, p=15, k=5)
    solved = bs.Pyomo("scip").solve(model, run(time_limit=0.5))
    least = bs.HiGHS().solve(model, run()).dual_bound

    assert solved.termination is Termination.TIME_LIMIT
    assert solved.dual_bound < least * (1 + 1e-6)


def test_the_model_of_pyomo_is_the_model() -> None:
    model, _ = quadratic()
    stated = to_pyomo(model)
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.standard_normal(model.n_columns)
        for column, value in zip(columns_of(stated), values, strict=True):
            column.set_value(value, skip_validation=True)
        rows = [pyo.value(row.body) for row in stated.component_data_objects(pyo.Constraint)]

        assert pyo.value(stated.objective) == pytest.approx(model.objective(values))
        np.testing.assert_allclose(rows, model.A @ values, atol=1e-12)
    assert [c.is_binary() for c in columns_of(stated)] == model.is_integer.tolist()
    assert len(stated.sos1) == 4
    assert list(stated.beta.keys()) == [0, 1, 2, 3]


@needs_scip
def test_cones_become_quadratic_rows() -> None:
    model = replace(knapsack(0), cones=(RotatedCone("c", 0, 1, (2,)),))
    solved = bs.Pyomo("scip").solve(model, run())

    assert solved.values[2] ** 2 <= solved.values[0] * solved.values[1] + 1e-6
    assert solved.dual_bound >= judge(knapsack(0)) - 1e-6


def test_what_it_does_not_take_is_refused_with_a_way_out() -> None:
    assert "'nosuch'" in bs.Pyomo("nosuch").refuses(knapsack(0))
    assert "HiGHS" in bs.Pyomo("nosuch").refuses(knapsack(0))
    assert "SOS1" in bs.Pyomo("highs").refuses(absolute(0, pairs=True))
    indicator = replace(knapsack(0), indicators=(Indicator("i", 0, 1, (1,), (1.0,), 0.0, 0.0),))
    assert "indicators" in bs.Pyomo("highs").refuses(indicator)
    assert "quadratic" in bs.Pyomo("highs").refuses(replace(knapsack(0), Q=sparse.identity(8, format="csc")))
    with pytest.raises(bs.BackendError, match="indicators"):
        to_pyomo(indicator)


@pytest.mark.parametrize("word", ["unknown", "error", "unbounded", "infeasibleOrUnbounded", "", "surprise"])
def test_an_ending_that_says_nothing_is_an_error(word: str) -> None:
    with pytest.raises(bs.BackendError, match="Nothing follows"):
        _ending(word, "scip")
