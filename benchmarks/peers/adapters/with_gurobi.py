"""Gurobi, as a mixed-integer quadratic program.

The setting is the formulation: "bigm" with bounds that hold, "indicator", "sos1", or "perspective": the largest
multiple of the identity taken out of the quadratic form and written as rotated cones.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import GAP, Answer, Instance, RefusedError, serve
from miqp import program


def load() -> Any:
    import gurobipy

    return gurobipy


def warm_up(instance: Instance, setting: str) -> None:
    """Ask the licence for a quadratic model of that size, before anything is built."""
    model = _model(10.0)
    x = model.addMVar((3 if setting == "perspective" else 2) * instance.p)
    model.setObjective(x[0] * x[0])
    try:
        model.optimize()
    except load().GurobiError as error:
        raise RefusedError(str(error)) from error


def _model(limit: float) -> Any:
    gp = load()
    env = gp.Env(params={"OutputFlag": 0, "Threads": 1, "MIPGap": GAP, "TimeLimit": limit})
    return gp.Model(env=env)


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    began = time.perf_counter()
    data, p = program(instance), instance.p
    model = _model(limit)
    free = setting in ("sos1", "indicator") and not instance.boxed
    b = model.addMVar(p, lb=-np.inf if free else data.lower, ub=np.inf if free else data.upper)
    z = model.addMVar(p, vtype="B")
    price = instance.lambda0 if instance.penalised else 0.0
    if not instance.penalised:
        model.addConstr(z.sum() <= instance.k)
    extracted = _link(model, b, z, data, setting)
    quadratic = 0.5 * (b @ (data.G - extracted * np.eye(p)) @ b)
    if extracted:
        s = model.addMVar(p)
        for j in range(p):
            model.addConstr(b[j] * b[j] <= s[j] * z[j])
        quadratic = quadratic + 0.5 * extracted * s.sum()
    model.setObjective(quadratic - data.c @ b + price * z.sum() + data.constant)
    model.Params.TimeLimit = max(1.0, limit - (time.perf_counter() - began))
    model.optimize()
    return _answer(instance, model, z)


def _link(model: Any, b: Any, z: Any, data: Any, setting: str) -> float:
    """Write z_j = 0 ⇒ b_j = 0; return the multiple of the identity to take out of the objective."""
    gp = load()
    if setting == "perspective":
        return data.extracted
    if setting in ("bigm", ""):
        model.addConstr(b <= data.upper * z)
        model.addConstr(b >= data.lower * z)
        return 0.0
    if setting == "sos1":
        out = model.addMVar(b.shape[0], vtype="B")
        model.addConstr(out + z == 1)
    for j in range(b.shape[0]):
        if setting == "sos1":
            model.addSOS(gp.GRB.SOS_TYPE1, [b[j].item(), out[j].item()])
        else:
            model.addGenConstrIndicator(z[j].item(), False, b[j].item() == 0)
    return 0.0


def _answer(instance: Instance, model: Any, z: Any) -> Answer:
    found = model.SolCount > 0
    return {
        "form": instance.form,
        "support": np.flatnonzero(z.X > 0.5) if found else None,
        "objective": model.ObjVal if found else None,
        "bound": model.ObjBound,
        "nodes": int(model.NodeCount),
        "status": {2: "optimal", 9: "time_limit"}.get(model.Status, f"status {model.Status}"),
    }


if __name__ == "__main__":
    serve("gurobipy", load, warm_up, solve)
