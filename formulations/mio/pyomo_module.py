"""A model as a Python module of its own: tables of its columns and rows, and the few lines that build it in Pyomo."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import sparse

from formulations.errors import ProblemError
from formulations.mio.model import Model

_HEAD = '''"""{title}

Needs Pyomo alone: `from {stem} import model`, or run this file to see the model's size.
"""

import pyomo.environ as pyo

'''
_BUILD = """
model = pyo.ConcreteModel(name=NAME)
model.x = pyo.Var([name for name, *_ in COLUMNS])
for name, lower, upper, is_integer in COLUMNS:
    model.x[name].setlb(lower)
    model.x[name].setub(upper)
    if is_integer:
        model.x[name].domain = pyo.Integers


def total(terms):
    return pyo.quicksum(coef * model.x[name] for name, coef in terms)


def row(model, name):
    lower, upper, terms = ROWS[name]
    return (lower, total(terms), upper) if lower != upper else total(terms) == lower


def cone(model, name):
    squares, left, right = CONES[name]
    return pyo.quicksum(model.x[j] ** 2 for j in squares) <= model.x[left] * model.x[right]


def special(model, name):
    columns, weights = SOS1[name]
    return [model.x[j] for j in columns], weights


model.objective = pyo.Objective(
    expr=CONSTANT + total(LINEAR) + pyo.quicksum(coef * model.x[a] * model.x[b] for a, b, coef in QUADRATIC)
)
model.rows = pyo.Constraint(list(ROWS), rule=row)
if CONES:
    model.cones = pyo.Constraint(list(CONES), rule=cone)
if SOS1:
    model.sos1 = pyo.SOSConstraint(list(SOS1), rule=special, sos=1)

if __name__ == "__main__":
    print(f"{NAME}: {len(COLUMNS)} columns, {len(ROWS)} rows, {len(SOS1)} sets, {len(CONES)} cones")
"""


def pyomo_module(model: Model, stem: str = "model") -> str:
    """Return the text of a Python module whose ``model`` is a ``pyomo.environ.ConcreteModel``; nothing is pickled.

    Raises
    ------
    ProblemError
        If the model has indicator rows, for which Pyomo's core has no component.
    """
    if model.indicators:
        raise ProblemError(
            f"{model.name} has {len(model.indicators)} indicator rows; expected none, since Pyomo's core has no"
            " component for them. Use another formulation, such as big_m or sos1."
        )
    names = [str(name) for name in model.column_names]
    head = _HEAD.format(
        title=". ".join(["A model of best subset selection", *model.notes]).replace('"', "'"), stem=stem
    )
    tables = [
        f"NAME = {model.name!r}",
        f"CONSTANT = {float(model.constant)!r}",
        "# Of each column: its name, least and greatest value, and whether it is an integer.",
        _listing("COLUMNS", _columns(model, names)),
        "# The objective: linear terms, and products of two columns.",
        _listing("LINEAR", [repr((names[j], float(model.cost[j]))) for j in np.flatnonzero(model.cost)]),
        _listing("QUADRATIC", _products(model.Q, names)),
        "# Of each row: its least and greatest value, and its terms.",
        _mapping("ROWS", _rows(model, names)),
        "# At most one of these columns is nonzero; weights order them.",
        _mapping("SOS1", [(s.name, repr(([names[j] for j in s.columns], list(s.weights)))) for s in model.sos1]),
        "# The squares sum to at most the product of the last two.",
        _mapping(
            "CONES",
            [(c.name, repr(([names[j] for j in c.squares], names[c.left], names[c.right]))) for c in model.cones],
        ),
    ]
    return head + "\n".join(tables) + "\n" + _BUILD


def _columns(model: Model, names: list[str]) -> list[str]:
    bounds = zip(names, model.lower, model.upper, model.is_integer, strict=True)
    return [repr((name, _finite(lo), _finite(up), bool(whole))) for name, lo, up, whole in bounds]


def _products(Q: sparse.csc_matrix | None, names: list[str]) -> list[str]:
    """The terms of ½ x'Qx, one for each pair of columns."""
    if Q is None:
        return []
    upper = sparse.triu(Q).tocoo()
    terms = zip(upper.row, upper.col, upper.data, strict=True)
    return [repr((names[i], names[j], float(value) * (0.5 if i == j else 1.0))) for i, j, value in terms]


def _rows(model: Model, names: list[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for i, name in enumerate(model.row_names):
        entries = slice(model.A.indptr[i], model.A.indptr[i + 1])
        pairs = zip(model.A.indices[entries], model.A.data[entries], strict=True)
        terms = [(names[j], float(value)) for j, value in pairs]
        lower, upper = float(model.row_lower[i]), float(model.row_upper[i])
        if not terms and not lower <= 0 <= upper:
            raise ProblemError(f"row {name} is empty and lies in [{lower:g}, {upper:g}]; expected 0 within. Report it.")
        if terms and math.isfinite(max(lower, -upper)):  # all others hold whatever the columns are
            rows.append((str(name), repr((_finite(lower), _finite(upper), terms))))
    return rows


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _listing(name: str, entries: Iterable[str]) -> str:
    return "\n".join([f"{name} = [", *(f"    {entry}," for entry in entries), "]"])


def _mapping(name: str, entries: Iterable[tuple[str, str]]) -> str:
    return "\n".join([f"{name} = {{", *(f"    {key!r}: {entry}," for key, entry in entries), "}"])
