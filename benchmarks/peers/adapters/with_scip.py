"""SCIP, as a mixed-integer quadratic program on the residuals, reduced by QR where n > p.

The setting is "bigm", with bounds that hold, or "sos1". A ridge is written as rotated cones.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import GAP, Answer, Instance, RefusedError, serve
from miqp import program

MOST_TERMS = 2_000_000  # of the model, all built one by one in Python
STATUS = {"optimal": "optimal", "gaplimit": "optimal", "timelimit": "time_limit", "memlimit": "memory_limit"}


def load() -> Any:
    import pyscipopt

    return pyscipopt


def warm_up(instance: Instance, setting: str) -> None:
    """Nothing is compiled."""
    terms = min(instance.n, instance.p) * instance.p
    if terms > MOST_TERMS:
        raise RefusedError(f"the model is not built beyond {MOST_TERMS} terms")


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    began = time.perf_counter()
    scip, p = load(), instance.p
    model = scip.Model()
    model.hideOutput()
    model.setParam("limits/gap", GAP)
    model.setParam("limits/memory", 9000)
    b, z = _columns(model, instance, setting)
    objective = _half_residuals(model, instance, b)
    if instance.lambda2 > 0:
        squares = [model.addVar(lb=0) for _ in range(p)]
        for j in range(p):
            model.addCons(b[j] * b[j] <= squares[j] * z[j])
        objective = objective + instance.lambda2 * scip.quicksum(squares)
    if instance.penalised:
        objective = objective + instance.lambda0 * scip.quicksum(z)
    else:
        model.addCons(scip.quicksum(z) <= instance.k)
    model.setObjective(objective)
    model.setParam("limits/time", max(1.0, limit - (time.perf_counter() - began)))
    model.optimize()
    return _answer(instance, model, z)


def _columns(model: Any, instance: Instance, setting: str) -> tuple[list[Any], list[Any]]:
    """Coefficients and their switches."""
    p = instance.p
    z = [model.addVar(vtype="B") for _ in range(p)]
    if setting == "sos1":
        M = instance.M if instance.boxed else None
        b = [model.addVar(lb=None if M is None else -M, ub=M) for _ in range(p)]
        for j in range(p):
            out = model.addVar(vtype="B")
            model.addCons(out == 1 - z[j])
            model.addConsSOS1([b[j], out])
        return b, z
    data = program(instance)
    b = [model.addVar(lb=float(data.lower[j]), ub=float(data.upper[j])) for j in range(p)]
    for j in range(p):
        model.addCons(b[j] <= float(data.upper[j]) * z[j])
        model.addCons(b[j] >= float(data.lower[j]) * z[j])
    return b, z


def _half_residuals(model: Any, instance: Instance, b: list[Any]) -> Any:
    """½‖y − Xb‖² as a variable above it, and a constant where QR has made X square."""
    scip, A, rhs, constant = load(), instance.X, instance.y, 0.0
    if instance.n > instance.p:
        Q, A = np.linalg.qr(instance.X)
        rhs = Q.T @ instance.y
        constant = instance.half_square - 0.5 * float(rhs @ rhs)
    residuals = [model.addVar(lb=None) for _ in rhs]
    for row, value, residual in zip(A, rhs, residuals, strict=True):
        fit = scip.quicksum(float(row[j]) * b[j] for j in np.flatnonzero(row))
        model.addCons(residual == float(value) - fit)
    square = model.addVar(lb=0)
    model.addCons(scip.quicksum(r * r for r in residuals) <= square)
    return 0.5 * square + constant


def _answer(instance: Instance, model: Any, z: list[Any]) -> Answer:
    found = model.getNSols() > 0
    bound = model.getDualbound()
    return {
        "form": instance.form,
        "support": [j for j in range(instance.p) if model.getVal(z[j]) > 0.5] if found else None,
        "objective": model.getObjVal() if found else None,
        "bound": bound if abs(bound) < 1e19 else None,
        "nodes": int(model.getNNodes()),
        "status": STATUS.get(model.getStatus(), model.getStatus()),
    }


if __name__ == "__main__":
    serve("pyscipopt", load, warm_up, solve)
