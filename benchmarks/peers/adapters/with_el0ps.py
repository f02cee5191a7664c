"""el0ps, in the penalised form. The setting "pruning" leaves its simultaneous pruning on, as it is by default.

With it on, version 0.0.4 at times returns a wrong answer as optimal, from memory that was never written.
"""

from __future__ import annotations

from typing import Any

from common import GAP, Answer, Instance, serve, tiny


def load() -> Any:
    import el0ps.datafit
    import el0ps.penalty
    import el0ps.solver

    return el0ps


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    return _solve(instance.X, instance.y, instance, instance.lambda0, limit, setting)


def warm_up(instance: Instance, setting: str) -> None:
    """Its classes are compiled in every process."""
    X, y = tiny()
    _solve(X, y, instance, 5.0, 20.0, setting)


def _solve(X: Any, y: Any, instance: Instance, lambda0: float, limit: float, setting: str) -> Answer:
    package: Any = load()
    said: dict[str, float] = {}

    class Solver(package.solver.BnbSolver):  # type: ignore[misc, name-defined]
        """The result it returns has no bound; the results it is made from do."""

        def package_results(self, problem: Any, results: Any) -> Any:
            said.update(bound=float(results.bound), objective=float(results.objective))
            return super().package_results(problem, results)

    if instance.lambda2 > 0:
        penalty = package.penalty.BigmL2norm(instance.M, instance.lambda2)
    else:
        penalty = package.penalty.Bigm(instance.M)
    solver = Solver(relative_gap=GAP, time_limit=float(limit), simpruning=setting == "pruning")
    found = solver.solve(package.datafit.Leastsquares(y.copy()), penalty, X, lambda0)
    status = str(found.status).rsplit(".", 1)[-1].lower()
    return {
        "form": "penalised",
        "coefficients": found.x,
        "objective": float(found.objective_value),
        "bound": said["bound"],
        "nodes": int(found.iter_count),
        "status": "time_limit" if "time" in status else status,
    }


if __name__ == "__main__":
    serve("el0ps", load, warm_up, solve)
