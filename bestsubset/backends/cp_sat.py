"""CP-SAT: models in integers, solved in exact arithmetic."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from bestsubset.backends.finite import finite_bounds
from bestsubset.backends.grid import Grid
from bestsubset.backends.integer_model import IntegerModel, is_used
from bestsubset.backends.interface import Backend, Solved
from bestsubset.backends.rewriting import binary_columns
from bestsubset.errors import BackendError, RefusedError
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import ProblemError
from formulations._types import Vector
from formulations.mio.model import Model

_LARGEST_INTEGER = 2.0**31
_SHARE_OF_GAP = 0.9  # the rest is for what a refit and rounding change
_SHARE_OF_LOSS = 0.1
_BITS_OF_MASTER = 36  # of the grid of a single continuous column, which a fine one does not slow down
_USELESS = 0.01  # of the objective: a grid that costs the bound more is refused


@dataclass(frozen=True)
class CPSAT(Backend):
    """The CP-SAT solver of OR-Tools.

    Made for binary models with cuts. Continuous columns are put on a grid, and each row is relaxed by the most that
    this can change it: the bound, computed in integers, holds for the model in real numbers, and is the weaker for it.
    Sets of special order become literals that force a column to zero.

    Parameters
    ----------
    grid_bits : int
        A continuous column has a grid of about 2^-grid_bits of its largest absolute value, and a finer one where it is
        the only one.
    max_continuous : int
        Refuse models with more continuous columns without a price than this: the search is slow for a dozen of them.
    pool_size : int
        How many of the last improving points are handed back beside the best.
    """

    name: ClassVar[str] = "cp_sat"

    grid_bits: int = 20
    max_continuous: int = 21
    pool_size: int = 10

    def __post_init__(self) -> None:
        if not 8 <= self.grid_bits <= 40:
            raise ProblemError(f"grid_bits is {self.grid_bits}; expected a whole number from 8 to 40. Use 20.")
        if self.max_continuous < 0:
            raise ProblemError(f"max_continuous is {self.max_continuous}; expected a whole number >= 0. Use 21.")
        if self.pool_size < 0:
            raise ProblemError(f"pool_size is {self.pool_size}; expected a whole number >= 0. Use 10.")

    def refuses(self, model: Model) -> str | None:
        if find_spec("ortools") is None:
            return "ortools is not installed; expected a version >= 9.10. pip install 'ortools>=9.10'."
        if model.Q is not None:
            return (
                "CP-SAT takes no quadratic objective; expected a linear one."
                " Use the outer-approximation formulation, or Pyomo('scip')."
            )
        if model.cones:
            return f"CP-SAT takes no cones and the model has {len(model.cones)}; expected rows. Use Pyomo('scip')."
        whole = model.is_integer
        if np.any(np.maximum(np.abs(model.lower[whole]), np.abs(model.upper[whole])) > _LARGEST_INTEGER):
            return f"CP-SAT takes integer columns up to {_LARGEST_INTEGER:g} and one has wider bounds. Use HiGHS()."
        free = int((~whole & ~binary_columns(model) & (model.cost == 0) & is_used(model)).sum())
        if free > self.max_continuous:
            return (
                f"the model has {free} continuous columns without a price; expected at most {self.max_continuous} for"
                " CP-SAT, whose search in scaled integers does not end with more. Use HiGHS(), or outer approximation."
            )
        return None

    def solve(
        self,
        model: Model,
        run: Run,
        start: Vector | None = None,
        lower_bound: float = 0.0,
        upper_bound: float = math.inf,
    ) -> Solved:
        if np.any(model.lower > model.upper) or np.any(model.row_lower > model.row_upper):
            return self._answer(None, math.inf, Termination.GAP_CLOSED, is_infeasible=True)
        stated = IntegerModel(model, self._grid(model, upper_bound))
        if stated.is_empty:
            return self._answer(None, math.inf, Termination.GAP_CLOSED, is_infeasible=True)
        loss = stated.worst_loss()
        if math.isfinite(upper_bound) and loss > _USELESS * abs(upper_bound):
            raise RefusedError(
                f"the grid of CP-SAT may cost the bound {loss:.2g} of an objective of {upper_bound:.6g}; expected less"
                f" than 1 %. Raise grid_bits above {self.grid_bits}, tighten the bounds of the coefficients, or use"
                " HiGHS()."
            )
        if start is not None:
            stated.hint(start)
        solver = self._solver(run, stated, upper_bound)
        watch = _Watch(stated, run, solver, lower_bound, upper_bound, self.pool_size)
        status = watch.solve()
        termination, is_infeasible = _ending(status, run, watch.was_interrupted)
        values, bound = None, math.inf
        if not is_infeasible:
            found = len(solver.response_proto.solution) > 0
            values = stated.values(solver.response_proto.solution) if found else None
            bound = stated.objective.bound(int(solver.response_proto.inner_objective_lower_bound), model.constant)
        nodes = int(solver.num_branches)
        return self._answer(values, bound, termination, is_infeasible, nodes, tuple(watch.pool), loss)

    def _answer(
        self,
        values: Vector | None,
        bound: float,
        termination: Termination,
        is_infeasible: bool = False,
        nodes: int = 0,
        pool: tuple[Vector, ...] = (),
        loss: float = 0.0,
    ) -> Solved:
        return Solved(
            values=values,
            dual_bound=bound,
            termination=termination,
            nodes=nodes,
            pool=pool,
            is_infeasible=is_infeasible,
            tolerances=f"CP-SAT in exact integers, relaxed so that rounding costs its bound at most about {loss:.1e}",
            version=f"ortools {version('ortools')}",
        )

    def _grid(self, model: Model, upper_bound: float) -> Grid:
        used = is_used(model)
        lower, upper = finite_bounds(model, upper_bound)
        # A column in no row and without a price may have any value: the one next to zero.
        aside = np.clip(0.0, model.lower, model.upper)
        lower, upper = np.where(used, lower, aside), np.where(used, upper, aside)
        unbounded = np.flatnonzero(np.isinf(lower) | np.isinf(upper))
        if len(unbounded):
            j = int(unbounded[0])
            raise RefusedError(
                f"the column {model.column_names[j]!r} has the bounds [{lower[j]:g}, {upper[j]:g}]; expected finite"
                " ones, given or implied by the rows and by the objective of a known point. Give bounds, or use"
                " HiGHS()."
            )
        is_whole = model.is_integer | binary_columns(model)
        bits = max(self.grid_bits, _BITS_OF_MASTER) if np.sum(~is_whole & used) <= 1 else self.grid_bits
        return Grid.of(lower, upper, is_whole, bits)

    def _solver(self, run: Run, stated: IntegerModel, upper_bound: float) -> Any:
        from ortools.sat.python import cp_model

        solver = cp_model.CpSolver()
        solver.parameters.num_workers = run.cores
        solver.parameters.random_seed = run.random_state % 2**31
        solver.parameters.relative_gap_limit = 0.0
        room = _SHARE_OF_GAP * run.gap * abs(upper_bound) if math.isfinite(upper_bound) else 0.0
        # Where the grid itself costs more than the gap asked for, a search to the end would prove next to nothing.
        room = max(room, _SHARE_OF_LOSS * stated.worst_loss()) * stated.objective.scale
        solver.parameters.absolute_gap_limit = max(0.5, math.floor(room))
        if run.time_limit is not None:
            solver.parameters.max_time_in_seconds = run.seconds_left
        return solver


def _ending(status: Any, run: Run, was_interrupted: bool) -> tuple[Termination, bool]:
    """Why the search stopped, and whether nothing is feasible."""
    from ortools.sat.python import cp_model

    match status:
        case cp_model.OPTIMAL:
            return Termination.GAP_CLOSED, False
        case cp_model.INFEASIBLE:
            return Termination.GAP_CLOSED, True
        case cp_model.FEASIBLE | cp_model.UNKNOWN:
            # It takes Ctrl-C for itself and then ends early without a word; a limit on time is the only one given.
            in_time = run.seconds_left > 0.01
            return (Termination.INTERRUPTED if was_interrupted or in_time else Termination.TIME_LIMIT), False
        case cp_model.MODEL_INVALID:
            raise BackendError("CP-SAT ends with MODEL_INVALID; expected a model that it takes. Please report it.")
        case _:
            raise BackendError(f"CP-SAT ends with the status {status!r}, which is not known. Nothing follows from it.")


class _Watch:
    """What CP-SAT tells while it runs, from its own threads, and the way to stop it."""

    def __init__(
        self, stated: IntegerModel, run: Run, solver: Any, lower_bound: float, upper_bound: float, pool_size: int
    ) -> None:
        self.stated, self.run, self.solver = stated, run, solver
        self.best, self.bound = upper_bound, lower_bound
        self.pool: deque[Vector] = deque(maxlen=pool_size)
        self.was_interrupted = False
        self.error: Exception | None = None
        self._one_at_a_time = threading.Lock()

    def solve(self) -> Any:
        self.solver.best_bound_callback = self._on_bound
        try:
            status = self.solver.solve(self.stated.program, _listener(self))
        except KeyboardInterrupt:
            self.was_interrupted = True
            raise
        if self.error is not None:
            raise self.error
        return status

    def _on_bound(self, bound: float) -> None:
        self._guarded(lambda: self._improve_bound(bound))

    def on_solution(self, t: list[int]) -> None:
        self._guarded(lambda: self._keep(t))

    def _improve_bound(self, bound: float) -> None:
        self.bound = max(self.bound, self.stated.objective.bound(math.floor(bound), self.stated.model.constant))
        self._report()

    def _keep(self, t: list[int]) -> None:
        values = self.stated.grid.values(t)
        self.pool.append(values)
        self.best = min(self.best, self.stated.model.objective(values))
        self._report()

    def _report(self) -> None:
        if math.isfinite(self.bound):
            self.run.report(self.best, min(self.bound, self.best), 0)

    def _guarded(self, work: Any) -> None:
        """Nothing may be raised through CP-SAT: keep it, and stop the search."""
        with self._one_at_a_time:
            try:
                work()
            except KeyboardInterrupt:
                self.was_interrupted = True
            except Exception as error:
                self.error = error
        if self.was_interrupted or self.error is not None:
            self.solver.stop_search()


def _listener(watch: _Watch) -> Any:
    from ortools.sat.python import cp_model

    class Listener(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            watch.on_solution([self.value(column) for column in watch.stated.columns])

    return Listener()
