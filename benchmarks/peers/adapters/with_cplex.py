"""CPLEX, as a mixed-integer quadratic program: "bigm" with bounds that hold, or "perspective" as for Gurobi."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import GAP, Answer, Instance, RefusedError, serve
from miqp import Program, program

STATUS = {101: "optimal", 102: "optimal", 107: "time_limit", 108: "time_limit"}


def load() -> Any:
    import cplex

    return cplex


def warm_up(instance: Instance, setting: str) -> None:
    """Ask the licence for a quadratic model of that size, before anything is built."""
    model, count = _model(10.0), (3 if setting == "perspective" else 2) * instance.p
    model.variables.add(ub=[1.0] * count, types="B" * count)
    model.objective.set_quadratic([1.0] + [0.0] * (count - 1))
    try:
        model.solve()
    except load().exceptions.CplexError as error:
        raise RefusedError(str(error)) from error


def _model(limit: float) -> Any:
    model = load().Cplex()
    for stream in (model.set_log_stream, model.set_results_stream, model.set_warning_stream):
        stream(None)
    model.parameters.threads.set(1)
    model.parameters.mip.tolerances.mipgap.set(GAP)
    model.parameters.timelimit.set(limit)
    return model


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    began = time.perf_counter()
    data, p = program(instance), instance.p
    model = _model(limit)
    price = instance.lambda0 if instance.penalised else 0.0
    perspective = setting == "perspective"
    b, z, s = list(range(p)), list(range(p, 2 * p)), list(range(2 * p, 3 * p))
    model.variables.add(obj=(-data.c).tolist(), lb=data.lower.tolist(), ub=data.upper.tolist(), types="C" * p)
    model.variables.add(obj=[price] * p, lb=[0.0] * p, ub=[1.0] * p, types="B" * p)
    if not instance.penalised:
        model.linear_constraints.add([[z, [1.0] * p]], senses="L", rhs=[float(instance.k)])
    if perspective:
        _cones(model, b, z, s, data)
    else:
        _big_m(model, b, z, data)
    G = data.G - (data.extracted if perspective else 0.0) * np.eye(p)
    rows: list[Any] = [[b, row.tolist()] for row in G]
    model.objective.set_quadratic(rows + [[[], []]] * (model.variables.get_num() - p))
    model.objective.set_offset(data.constant)
    model.parameters.timelimit.set(max(1.0, limit - (time.perf_counter() - began)))
    model.solve()
    return _answer(instance, model, z)


def _big_m(model: Any, b: list[int], z: list[int], data: Program) -> None:
    pairs = list(zip(b, z, strict=True))
    above: list[Any] = [[[i, j], [1.0, -float(data.upper[i])]] for i, j in pairs]
    below: list[Any] = [[[i, j], [1.0, -float(data.lower[i])]] for i, j in pairs]
    model.linear_constraints.add(above, senses="L" * len(b), rhs=[0.0] * len(b))
    model.linear_constraints.add(below, senses="G" * len(b), rhs=[0.0] * len(b))


def _cones(model: Any, b: list[int], z: list[int], s: list[int], data: Program) -> None:
    """b_j² ≤ s_j z_j, and half of what was taken out of the objective on each s_j."""
    model.variables.add(obj=[0.5 * data.extracted] * len(s), lb=[0.0] * len(s), types="C" * len(s))
    for i, j, t in zip(b, z, s, strict=True):
        model.quadratic_constraints.add(quad_expr=[[i, t], [i, j], [1.0, -1.0]], sense="L", rhs=0.0)


def _answer(instance: Instance, model: Any, z: list[int]) -> Answer:
    solution = model.solution
    found = solution.is_primal_feasible()
    return {
        "form": instance.form,
        "support": np.flatnonzero(np.array(solution.get_values(z)) > 0.5) if found else None,
        "objective": solution.get_objective_value() if found else None,
        "bound": solution.MIP.get_best_objective(),
        "nodes": solution.progress.get_num_nodes_processed(),
        "status": STATUS.get(solution.get_status(), solution.get_status_string()),
    }


if __name__ == "__main__":
    serve("cplex", load, warm_up, solve)
