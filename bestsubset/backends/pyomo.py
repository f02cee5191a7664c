"""Pyomo: a model for any solver that it can reach, or to take away."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from bestsubset.backends.interface import Backend, Solved
from bestsubset.backends.pyomo_model import columns_of, to_pyomo
from bestsubset.errors import BackendError
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations._types import Vector
from formulations.mio.model import Model

_SHARE_OF_GAP = 0.9  # the rest is for what a refit and rounding change
# By the plain name: the interface that needs no program on the path where there is one.
_DIRECT = {"scip": "scip_direct", "gurobi": "gurobi_direct", "knitro": "knitro_direct"}
# The bound cuts that SCIP 10 adds for sets of special order cut optima off: 11 of 42 small models ended with bounds up
# to 40 % above the optimum, and none without them.
_OF_SCIP = (("numerics/feastol", 1e-9), ("constraints/SOS1/boundcutsfreq", -1))
_SETTINGS = {name: _OF_SCIP for name in ("scip", "scip_direct", "scip_persistent")}
_NO_SETS = ("highs", "appsi_highs", "glpk", "appsi_cbc", "ipopt")


@dataclass(frozen=True)
class Pyomo(Backend):
    """Any mixed-integer solver with an interface in Pyomo.

    Parameters
    ----------
    solver : str
        Pyomo's name of it, as in ``"scip"``, ``"gurobi"``, ``"highs"`` or ``"appsi_highs"``.
    options : tuple of pairs
        Passed on under the solver's own names.
    """

    name: ClassVar[str] = "pyomo"

    solver: str = "scip"
    options: tuple[tuple[str, float | int | str], ...] = ()

    def refuses(self, model: Model) -> str | None:
        if find_spec("pyomo") is None:
            return "pyomo is not installed; expected a version >= 6.7. pip install pyomo."
        if model.indicators:
            return (
                f"Pyomo takes no indicators and the model has {len(model.indicators)}; expected rows, cones or SOS1"
                " sets. Use the big-M formulation, or CPSAT()."
            )
        if _interface(self.solver) is None:
            hint = "pip install pyscipopt" if self.solver == "scip" else "Install it, or use Pyomo('scip') or HiGHS()"
            return f"Pyomo finds no solver {self.solver!r} here; expected one that is installed. {hint}."
        if model.sos1 and self.solver in _NO_SETS:
            return f"Pyomo hands no SOS1 sets to {self.solver!r}; expected rows. Use HiGHS(), or Pyomo('scip')."
        if model.Q is not None and model.is_integer.any() and "highs" in self.solver:
            return f"{self.solver!r} takes no quadratic objective with integer columns. Use Pyomo('scip')."
        return None

    def solve(
        self,
        model: Model,
        run: Run,
        start: Vector | None = None,
        lower_bound: float = 0.0,
        upper_bound: float = math.inf,
    ) -> Solved:
        found = _interface(self.solver)
        if found is None:
            raise BackendError(f"Pyomo finds no solver {self.solver!r} here; expected one that is installed.")
        name, is_new = found
        stated = to_pyomo(model)
        columns = columns_of(stated)
        given = start is not None and _give_start(columns, model, start)
        options = dict[str, float | int | str]((*_SETTINGS.get(name, ()), *self.options))
        with _quiet():
            ended = (_new if is_new else _old)(name, stated, run, options, given)
        values = np.array([np.nan if c.value is None else c.value for c in columns]) if ended.has_values else None
        if values is not None:  # a column in no row and without a price is left out
            values = np.where(np.isnan(values), np.clip(0.0, model.lower, model.upper), values)
        termination, is_infeasible = _ending(ended.condition, self.solver)
        # Of continuous models Pyomo's interfaces report the objective itself as its bound: no bound.
        discrete = bool(model.is_integer.any() or model.sos1)
        bound = ended.bound if ended.bound is not None and discrete and math.isfinite(ended.bound) else -math.inf
        import pyomo

        return Solved(
            values=None if is_infeasible else values,
            dual_bound=math.inf if is_infeasible else bound,
            termination=termination,
            nodes=ended.nodes,
            is_infeasible=is_infeasible,
            tolerances=f"{self.solver} through Pyomo, with its tolerances {options or 'as they are'}",
            bound_tolerance=1e-6,
            version=f"pyomo {pyomo.__version__}",
        )


def _give_start(columns: list[Any], model: Model, start: Vector) -> bool:
    """Set the integers; tell whether all of them are known, without which no solver takes them."""
    whole = np.flatnonzero(model.is_integer)
    if np.isnan(start[whole]).any():
        return False
    for j in whole:
        columns[j].set_value(round(float(start[j])))
    return True


@dataclass(frozen=True)
class _Ended:
    condition: str
    bound: float | None
    nodes: int
    has_values: bool


def _interface(solver: str) -> tuple[str, bool] | None:
    """Return Pyomo's name of a solver that is there, and whether its interface is one of the new ones."""
    import pyomo.environ as pyo
    from pyomo.contrib.solver.common.factory import SolverFactory as NewFactory

    with _quiet():
        for name in (_DIRECT.get(solver, solver), solver):
            if name in NewFactory._cls and NewFactory(name).available():
                return name, True
        try:
            available = pyo.SolverFactory(solver).available(exception_flag=False)
        except Exception:  # a solver that Pyomo does not know says so when asked
            available = False
    return (solver, False) if available else None


def _new(name: str, stated: Any, run: Run, options: dict[str, Any], has_start: bool) -> _Ended:
    from pyomo.contrib.solver.common.factory import SolverFactory

    solver = SolverFactory(name)
    config: dict[str, Any] = {
        "load_solutions": False,
        "raise_exception_on_nonoptimal_result": False,
        "rel_gap": _SHARE_OF_GAP * run.gap,
        "threads": run.cores,
        "solver_options": options,
    }
    if run.time_limit is not None:
        config["time_limit"] = run.seconds_left
    if has_start and "warmstart_discrete_vars" in solver.config:
        config["warmstart_discrete_vars"] = True
    results = solver.solve(stated, **config)
    has_values = results.incumbent_objective is not None
    if has_values:
        results.solution_loader.load_vars()
    nodes = int(getattr(results.extra_info, "NNodes", 0) or 0)
    return _Ended(results.termination_condition.name, results.objective_bound, nodes, has_values)


def _old(name: str, stated: Any, run: Run, options: dict[str, Any], has_start: bool) -> _Ended:
    import pyomo.environ as pyo

    solver = pyo.SolverFactory(name)
    if hasattr(solver, "config") and "mip_gap" in solver.config:
        solver.config.mip_gap = _SHARE_OF_GAP * run.gap
        solver.config.time_limit = run.seconds_left if run.time_limit is not None else None
        limits: dict[str, Any] = {}
    else:
        limits = {"timelimit": math.ceil(run.seconds_left)} if run.time_limit is not None else {}
    for option, value in options.items():
        solver.options[option] = value
    results = solver.solve(stated, load_solutions=False, **limits)
    has_values = len(results.solution) > 0
    if has_values:
        stated.solutions.load_from(results)
    bound = results.problem.lower_bound
    known = isinstance(bound, int | float)
    return _Ended(str(results.solver.termination_condition), float(bound) if known else None, 0, has_values)


def _ending(condition: str, solver: str) -> tuple[Termination, bool]:
    """Why the search stopped, and whether nothing is feasible; by the words of Pyomo's two interfaces."""
    match condition:
        case "convergenceCriteriaSatisfied" | "optimal" | "globallyOptimal":
            return Termination.GAP_CLOSED, False
        case "provenInfeasible" | "infeasible":
            return Termination.GAP_CLOSED, True
        case "maxTimeLimit":
            return Termination.TIME_LIMIT, False
        case "iterationLimit" | "maxIterations" | "maxEvaluations":
            return Termination.NODE_LIMIT, False
        case "interrupted" | "userInterrupt" | "resourceInterrupt":
            return Termination.INTERRUPTED, False
        case _:
            raise BackendError(
                f"{solver} ends with {condition!r} through Pyomo; expected an optimum, infeasibility or a limit."
                " Nothing follows from it: try another formulation or backend."
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Pyomo logs to the console what it hands back as a result as well."""
    log = logging.getLogger("pyomo")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
