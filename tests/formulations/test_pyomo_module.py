"""A model as a Python module: Pyomo builds from it what the arrays say."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from formulations import ProblemError
from formulations.mio.model import SOS1, Indicator, Model, RotatedCone
from formulations.mio.pyomo_module import pyomo_module

pyo = pytest.importorskip("pyomo.environ")

INF = float("inf")
MODEL = Model(
    name="small",
    column_names=["beta[a]", "beta[b b]", "z['c']", "s"],
    row_names=["link", "cap", "fixed", "free"],
    cost=np.array([1.0, -2.0, 0.0, 0.1]),
    lower=np.array([-3.0, -INF, 0.0, 0.0]),
    upper=np.array([3.0, INF, 1.0, INF]),
    is_integer=np.array([False, False, True, False]),
    A=sparse.csr_matrix(np.array([[1.0, 0.0, -3.0, 0.0], [0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [1.0, 0, 0, 0]])),
    row_lower=np.array([-INF, -1.0, 2.0, -INF]),
    row_upper=np.array([0.0, 4.0, 2.0, INF]),
    constant=7.5,
    Q=sparse.csc_matrix(np.array([[2.0, 1.0, 0, 0], [1.0, 4.0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])),
    sos1=(SOS1("either", (0, 1), (1.0, 2.0)),),
    cones=(RotatedCone("cone", 3, 2, (0, 1)),),
    notes=('bounds are "given"',),
)


def built(model: Model, folder: Path) -> Any:
    path = folder / "model.py"
    path.write_text(pyomo_module(model), encoding="utf-8")
    return runpy.run_path(str(path))["model"]


def test_pyomo_has_the_same_columns_rows_and_objective(tmp_path: Path) -> None:
    model = built(MODEL, tmp_path)
    point = np.array([0.5, 1.5, 1.0, 2.0])
    for name, value in zip(MODEL.column_names, point, strict=True):
        model.x[name].set_value(value)

    assert pyo.value(model.objective) == pytest.approx(MODEL.objective(point))
    bounds = [(model.x[name].lb, model.x[name].ub) for name in MODEL.column_names]
    assert bounds == [(-3, 3), (None, None), (0, 1), (0, None)]
    assert [model.x[name].is_integer() for name in MODEL.column_names] == [False, False, True, False]
    assert [pyo.value(model.rows[name].body) for name in ("link", "cap", "fixed")] == [-2.5, 4.5, 2.0]
    limits = [(row.lower, row.upper) for row in model.rows.values()]
    assert [tuple(None if v is None else pyo.value(v) for v in pair) for pair in limits] == [(None, 0), (-1, 4), (2, 2)]
    assert [v.name for v in model.sos1["either"].variables] == [model.x["beta[a]"].name, model.x["beta[b b]"].name]
    squares = 0.5**2 + 1.5**2 - 2.0 * 1.0
    cone = model.cones["cone"]
    assert pyo.value(cone.body) - pyo.value(cone.upper) == pytest.approx(squares)


def test_indicator_rows_are_refused() -> None:
    model = replace(MODEL, indicators=(Indicator("off", 2, 0, (0,), (1.0,), 0.0, 0.0),))

    with pytest.raises(ProblemError, match="indicator rows"):
        pyomo_module(model)


def test_a_module_needs_pyomo_alone() -> None:
    text = pyomo_module(MODEL)

    assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == [
        "import pyomo.environ as pyo"
    ]
