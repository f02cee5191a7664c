"""bestsubset itself, in the interpreter that runs the comparison; the setting is the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from common import Answer, Instance, serve, tiny

GAP = 1e-6


def load() -> Any:
    import bestsubset

    return bestsubset


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    return _answer(instance, instance.X, instance.y, limit, int(setting or 1))


def _answer(instance: Instance, X: np.ndarray, y: np.ndarray, limit: float, threads: int) -> Answer:
    import bestsubset as bs

    terms: dict[str, Any] = {"lambda2": instance.lambda2}
    if instance.penalised:
        terms["lambda0"] = instance.lambda0
    if instance.boxed:
        terms["bounds"] = (-instance.M, instance.M)
    problem = bs.Problem(X, y, None if instance.penalised else instance.k, **terms)
    result = bs.solve(problem, threads=threads, time_limit=limit, gap=GAP)
    return {
        "form": instance.form,
        "coefficients": result.coef,
        "objective": result.objective,
        "bound": result.dual_bound,
        "nodes": result.stats.nodes,
        "status": "optimal" if result.status == "optimal" else str(result.termination).replace(" ", "_"),
        "proof": str(result.proof),
    }


def warm_up(instance: Instance, setting: str) -> None:
    """Solve small problems of the instance's kind and of its neighbours, so that every kernel is compiled."""
    import bestsubset as bs

    threads = int(setting or 1)
    X, y = tiny()
    bs.solve(bs.Problem(X, y, 5), threads=threads)
    rng = np.random.default_rng(0)
    for n, p in ((60, 30), (40, 200)):
        A = rng.standard_normal((n, p))
        b = A[:, :3].sum(axis=1) + rng.standard_normal(n)
        for lambda0, bounds in ((None, None), (1.0, None), (1.0, (-1.0, 1.0))):
            terms: dict[str, Any] = {"lambda0": lambda0 or 0.0, "lambda2": 20.0, "bounds": bounds}
            bs.solve(bs.Problem(A, b, None if lambda0 else 3, **terms), threads=threads, time_limit=5.0)
    few = slice(None, 200)
    part = instance.X[:, few] - instance.X[:, few].mean(0)
    if instance.n > part.shape[1] or instance.lambda2 > 0:
        _answer(instance, np.ascontiguousarray(part), instance.y, 1.0, threads)


if __name__ == "__main__":
    serve("bestsubset", load, warm_up, solve)
