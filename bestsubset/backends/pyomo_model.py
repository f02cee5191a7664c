"""A model as Pyomo's own: to be solved by it, or to be taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from bestsubset.errors import BackendError
from formulations.mio.model import Block, Model


def to_pyomo(model: Model) -> Any:
    """Return the model as a Pyomo ``ConcreteModel``: a variable and a constraint for each block, indexed from 0.

    Sets of special order become ``SOSConstraint``, rotated cones quadratic constraints.

    Raises
    ------
    BackendError
        If the model has indicators.
    """
    import pyomo.environ as pyo

    if model.indicators:
        raise BackendError("Pyomo has no indicators and the model has some; expected rows. Use the big-M formulation.")
    stated = pyo.ConcreteModel(name=model.name)
    for block in _covering(model.column_blocks, model.n_columns, "x"):
        stated.add_component(block.name, _variable(model, block))
    columns = columns_of(stated)
    for block in _covering(model.row_blocks, model.n_rows, "rows"):
        name = block.name if stated.component(block.name) is None else f"{block.name}_rows"
        stated.add_component(name, _constraint(model, block, columns))
    linear = _linear(columns, np.flatnonzero(model.cost), model.cost[model.cost != 0], model.constant)
    stated.objective = pyo.Objective(expr=linear if model.Q is None else linear + _quadratic(model.Q, columns))
    if model.sos1:
        stated.sos1 = pyo.SOSConstraint(
            range(len(model.sos1)),
            rule=lambda _, i: ([columns[j] for j in model.sos1[i].columns], list(model.sos1[i].weights)),
            sos=1,
        )
    if model.cones:
        stated.cones = pyo.ConstraintList()
        for cone in model.cones:
            stated.cones.add(sum(columns[j] ** 2 for j in cone.squares) <= columns[cone.left] * columns[cone.right])
    return stated


def _covering(blocks: tuple[Block, ...], n: int, name: str) -> tuple[Block, ...]:
    """The blocks of a model, or one for all where they leave something out."""
    if sum(block.stop - block.start for block in blocks) == n:
        return blocks
    return (Block(name, 0, n, ""),)


def _variable(model: Model, block: Block) -> Any:
    import pyomo.environ as pyo

    def bounds(_: Any, i: int) -> tuple[float | None, float | None]:
        lower, upper = model.lower[block.start + i], model.upper[block.start + i]
        return None if np.isinf(lower) else float(lower), None if np.isinf(upper) else float(upper)

    def domain(_: Any, i: int) -> Any:
        j = block.start + i
        if not model.is_integer[j]:
            return pyo.Reals
        return pyo.Binary if model.lower[j] >= 0 and model.upper[j] <= 1 else pyo.Integers

    return pyo.Var(range(block.stop - block.start), bounds=bounds, domain=domain)


def _constraint(model: Model, block: Block, columns: list[Any]) -> Any:
    import pyomo.environ as pyo

    A = model.A

    def row(_: Any, i: int) -> Any:
        r = block.start + i
        inside = slice(A.indptr[r], A.indptr[r + 1])
        lower, upper = float(model.row_lower[r]), float(model.row_upper[r])
        total = _linear(columns, A.indices[inside], A.data[inside], 0.0)
        if inside.start == inside.stop or (np.isinf(lower) and np.isinf(upper)):
            return pyo.Constraint.Feasible if lower <= 0 <= upper else pyo.Constraint.Infeasible
        if lower == upper:
            return total == lower
        return pyo.inequality(None if np.isinf(lower) else lower, total, None if np.isinf(upper) else upper)

    return pyo.Constraint(range(block.stop - block.start), rule=row)


def _linear(columns: list[Any], indices: Any, coefs: Any, constant: float) -> Any:
    from pyomo.core.expr import LinearExpression

    return LinearExpression(
        constant=float(constant), linear_coefs=coefs.tolist(), linear_vars=[columns[j] for j in indices]
    )


def _quadratic(Q: sparse.csc_matrix, columns: list[Any]) -> Any:
    import pyomo.environ as pyo

    entries = sparse.coo_matrix(Q)
    return pyo.quicksum(
        0.5 * float(q) * columns[i] * columns[j]
        for i, j, q in zip(entries.row, entries.col, entries.data, strict=True)
        if q != 0
    )


def columns_of(stated: Any) -> list[Any]:
    """Return its variables, in the order of the columns of the model that it was made from."""
    import pyomo.environ as pyo

    return [variable[i] for variable in stated.component_objects(pyo.Var) for i in variable]
