"""Models as files, read back by other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from scipy import sparse

from formulations import SOS1, BigM, Formulation, Model, Perspective, Problem, ProblemError
from formulations.mio.builder import ModelBuilder
from formulations.mio.export.names import legal
from formulations.mio.model import Indicator, RotatedCone
from tests.model_points import judged, random_problem, solve_by_highs


def small_problem(loss: str = "absolute", **settings: Any) -> Problem:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((20, 4))
    y = X[:, 0] - X[:, 1] + rng.standard_normal(20)
    names = ["e1", "a b", "größe", "a_b"]
    return Problem(X, np.sign(y) if loss == "hinge" else y, 2, loss=loss, feature_names=names, **settings)


def read_by_highs(path: Path) -> highspy.Highs:
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    assert h.readModel(str(path)) == highspy.HighsStatus.kOk
    return h


def solved_by_scip(path: Path) -> float:
    scip = pytest.importorskip("pyscipopt").Model()
    scip.hideOutput()
    scip.readProblem(str(path))
    scip.setParam("limits/gap", 0.0)
    scip.optimize()
    assert scip.getStatus() == "optimal"
    return float(scip.getObjVal())


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
@pytest.mark.parametrize(
    ("formulation", "problem"),
    [
        (BigM(), small_problem(lambda0=0.3, lambda1=0.1)),
        (BigM(), small_problem("hinge", fit_intercept=False, lambda1=0.2)),
        (Perspective(), small_problem("squared")),
        (Perspective(), random_problem(np.random.default_rng(3), lambda2=0.5)),
    ],
)
def test_highs_reads_what_it_would_be_given(
    formulation: Formulation, problem: Problem, suffix: str, tmp_path: Path
) -> None:
    model = formulation.build(problem)
    model.write(tmp_path / f"model{suffix}")
    h = read_by_highs(tmp_path / f"model{suffix}")
    h.setOptionValue("mip_rel_gap", 1e-9)
    h.run()
    lp = h.getLp()
    n = model.n_columns
    order = [h.getColByName(name)[1] for name in legal(model.column_names)]

    assert h.getInfo().objective_function_value == pytest.approx(solve_by_highs(model)[0], rel=1e-7)
    assert h.getNumRow() == model.n_rows
    for ours, theirs in (
        (model.cost, lp.col_cost_),
        (model.lower, lp.col_lower_),
        (model.upper, lp.col_upper_),
    ):
        assert np.array(theirs)[order].tolist() == ours[:n].tolist()  # to the last digit


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_quadratic_objective_is_read(suffix: str, tmp_path: Path) -> None:
    problem = small_problem("squared", lambda2=0.1)
    model = BigM().build(problem)
    model = replace(model, is_integer=np.zeros(model.n_columns, dtype=bool))
    model.write(tmp_path / f"model{suffix}")
    h = read_by_highs(tmp_path / f"model{suffix}")
    h.run()
    values = np.array([h.getSolution().col_value[h.getColByName(name)[1]] for name in legal(model.column_names)])

    assert h.getInfo().objective_function_value == pytest.approx(model.objective(values), rel=1e-9)


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
@pytest.mark.parametrize(
    ("formulation", "loss"), [(SOS1(), "absolute"), (SOS1(), "squared"), (BigM(), "squared"), (SOS1(), "hinge")]
)
def test_scip_finds_the_optimum(formulation: Formulation, loss: str, suffix: str, tmp_path: Path) -> None:
    problem = small_problem(loss, lambda0=0.1)
    formulation.build(problem).write(tmp_path / f"model{suffix}")

    assert solved_by_scip(tmp_path / f"model{suffix}") == pytest.approx(judged(problem), rel=1e-5)


def tiny(**changes: Any) -> Model:
    """x + 2y with a binary z, and whatever is to be written."""
    builder = ModelBuilder("tiny")
    columns = builder.add_columns("xy", ["x", "y"], meaning="two numbers", lower=-np.inf, upper=10.0, cost=[1.0, 2.0])
    builder.add_columns("z", ["z"], meaning="a switch", lower=1.0, upper=1.0, integer=True)
    builder.add_columns("whole", ["n"], meaning="a whole number", upper=np.inf, cost=1.0, integer=True)
    lower, upper = [-1.0, -np.inf], [1.0, np.inf]
    builder.add_rows("range", ["r", "free"], [(columns, np.eye(2))], meaning="a range", lower=lower, upper=upper)
    builder.add_rows("least", ["s"], [(columns, np.ones((1, 2)))], meaning="a sum", lower=-3.0)
    return replace(builder.build(), **changes)


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_ranges_free_columns_and_whole_numbers(suffix: str, tmp_path: Path) -> None:
    model = tiny()
    model.write(tmp_path / f"tiny{suffix}")
    h = read_by_highs(tmp_path / f"tiny{suffix}")
    h.run()

    assert h.getInfo().objective_function_value == pytest.approx(-7.0)  # x = 1, y = -4


def test_indicators_and_cones_are_written_as_lp(tmp_path: Path) -> None:
    indicator = Indicator("no_less", binary=2, value=1, columns=(1,), coefs=(1.0,), lower=-2.0, upper=np.inf)
    cone = RotatedCone("cone", left=3, right=2, squares=(1,))  # y² ≤ n z
    tiny(indicators=(indicator,), cones=(cone,)).write(tmp_path / "tiny.lp")
    text = (tmp_path / "tiny.lp").read_text()

    assert " no_less: z = 1 -> + 1 y >= -2\n" in text
    assert "+ 1 y ^2" in text
    assert solved_by_scip(tmp_path / "tiny.lp") == pytest.approx(
        -1.0 - 1.0 * 2 + 1.0, abs=1e-4
    )  # y = -1, n = 1, x = -1


@pytest.mark.parametrize(
    ("model", "path", "reason"),
    [
        (tiny(indicators=(Indicator("i", 2, 1, (0,), (1.0,), 0.0, 1.0),)), "m.mps", "has indicator rows"),
        (tiny(cones=(RotatedCone("c", 0, 1, (2,)),)), "m.mps", "has cones"),
        (tiny(), "m.txt", "suffix of '.*m.txt' is '.txt'; expected .lp or .mps"),
    ],
)
def test_what_cannot_be_written(model: Model, path: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=reason):
        model.write(tmp_path / path)


def test_names_are_legal_and_distinct() -> None:
    names = legal(["x 1", "x_1", "e1", "E12a", "1st", "free", "größe", "", "x" * 300, "a" * 199 + "é", "a" * 199 + "è"])

    assert len(set(names)) == 11
    assert names[:7] == ["x_1", "x_1_2", "x_e1", "x_E12a", "x_1st", "x_free", "gr__e"]
    assert max(len(name) for name in names) <= 255


def test_numbers_are_exact(tmp_path: Path) -> None:
    model = tiny(cost=np.array([0.1 + 0.2, 1 / 3, 1e-300, 1e17]))
    model.write(tmp_path / "tiny.lp")
    costs = read_by_highs(tmp_path / "tiny.lp").getLp().col_cost_

    assert sorted(costs) == sorted(model.cost)


def test_quadratic_terms_in_full(tmp_path: Path) -> None:
    Q = sparse.csc_matrix(np.array([[2.0, 0.5, 0, 0], [0.5, 1.0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    tiny(Q=Q).write(tmp_path / "tiny.lp")

    assert "+ 2 x ^2 + 1 x * y + 1 y ^2\n" in (tmp_path / "tiny.lp").read_text()
