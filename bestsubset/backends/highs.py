"""HiGHS: mixed-integer linear programmes by branch and cut."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from bestsubset.backends.interface import Backend, Solved
from bestsubset.backends.rewriting import unbounded_set, without_sos1
from bestsubset.backends.units import InUnits
from bestsubset.errors import BackendError
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import ProblemError
from formulations._types import Vector
from formulations.mio.model import Model

_SMALLEST_ENTRY = 1e-9  # HiGHS drops what is smaller, with a mere warning: its bound may then be above the optimum
_LARGEST_ENTRY = 1e15
_FLOOR_OF_TOLERANCES = 1e-10
_SHARE_OF_GAP = 0.9  # the rest is for what a refit and rounding change
_ROW_WISE, _MINIMISE = 2, 1


@dataclass(frozen=True)
class HiGHS(Backend):
    """The HiGHS solver, called through arrays.

    Takes mixed-integer linear models. Sets of special order are stated as rows first, with the bounds of their columns
    as M. Entries are brought near one by powers of two, so that its tolerances mean the same in all units.

    Parameters
    ----------
    feasibility_tolerance : float
        Of rows, bounds and integrality, at least 1e-10; its default of 1e-6 lets coefficients through behind a large M.
    node_limit : int, optional
    pool_size : int
        How many of the last improving points are handed back beside the best.
    """

    name: ClassVar[str] = "highs"

    feasibility_tolerance: float = 1e-9
    node_limit: int | None = None
    pool_size: int = 10

    def __post_init__(self) -> None:
        if not _FLOOR_OF_TOLERANCES <= self.feasibility_tolerance <= 1e-4:
            raise ProblemError(
                f"feasibility_tolerance is {self.feasibility_tolerance}; expected 1e-10 to 1e-4. Use 1e-9."
            )
        if self.node_limit is not None and self.node_limit < 1:
            raise ProblemError(f"node_limit is {self.node_limit}; expected a whole number >= 1. Drop it for no limit.")
        if self.pool_size < 0:
            raise ProblemError(f"pool_size is {self.pool_size}; expected a whole number >= 0. Use 10.")

    def refuses(self, model: Model) -> str | None:
        if find_spec("highspy") is None:
            return "highspy is not installed; expected a version >= 1.10 and < 1.15. pip install 'highspy>=1.10,<1.15'."
        if model.Q is not None and model.is_integer.any():
            return (
                "HiGHS takes no quadratic objective with integer columns; expected a linear one."
                " Use the perspective or the outer-approximation formulation, or Pyomo('scip')."
            )
        if model.Q is not None:
            return (
                "HiGHS gives no bound for a quadratic objective; expected a linear one, since the value that it reports"
                " lies above the optimum. Use a linear formulation, or Pyomo('scip')."
            )
        if model.cones:
            return f"HiGHS takes no cones and the model has {len(model.cones)}; expected rows. Use Pyomo('scip')."
        if model.indicators:
            return (
                f"HiGHS takes no indicators and the model has {len(model.indicators)}; expected rows."
                " Use the big-M formulation, or CPSAT()."
            )
        return unbounded_set(model) or _extreme_entry(model)

    def solve(
        self,
        model: Model,
        run: Run,
        start: Vector | None = None,
        lower_bound: float = 0.0,
        upper_bound: float = math.inf,
    ) -> Solved:
        if np.any(model.lower > model.upper) or np.any(model.row_lower > model.row_upper):
            return Solved(None, math.inf, Termination.GAP_CLOSED, 0, is_infeasible=True)
        rewritten = without_sos1(model)
        scaled = InUnits.of(rewritten).without_small_entries(_SMALLEST_ENTRY)
        program = self._program(rewritten, scaled, run)
        if start is not None:
            _give_start(program, rewritten, start)
        watch = _Watch(scaled, run, lower_bound, upper_bound, self.pool_size)
        watch.listen_to(program)
        status = _run(program, watch)
        solved = _Reader(program, scaled, rewritten, watch).solved(status)
        n = model.n_columns
        return replace(
            solved,
            values=None if solved.values is None else solved.values[:n],
            pool=tuple(values[:n] for values in solved.pool),
            tolerances=f"HiGHS with rows, bounds and integrality to {self.feasibility_tolerance:g}",
            # What a row may be broken by counts in the objective times its dual, in units where both are near one.
            bound_tolerance=100 * self.feasibility_tolerance,
            notes=rewritten.notes[len(model.notes) :],
            version=f"highspy {program.version()}",
        )

    def _program(self, model: Model, scaled: InUnits, run: Run) -> Any:
        import highspy

        # The number of threads is fixed with the first solve of a process; a later change would fail.
        highspy.Highs.resetGlobalScheduler(True)
        program = highspy.Highs()
        options = {
            "output_flag": False,
            "threads": run.cores,
            "random_seed": run.random_state % 2**31,
            "mip_rel_gap": _SHARE_OF_GAP * run.gap,
            "mip_abs_gap": 0.0,  # its default would end the search early where the objective is small
            "mip_feasibility_tolerance": self.feasibility_tolerance,
            "primal_feasibility_tolerance": self.feasibility_tolerance,
            "dual_feasibility_tolerance": self.feasibility_tolerance,
        }
        if run.time_limit is not None:
            options["time_limit"] = run.seconds_left
        if self.node_limit is not None:
            options["mip_max_nodes"] = self.node_limit
        for option, value in options.items():
            _must(program.setOptionValue(option, value), f"the option {option}")
        A = scaled.A
        passed = program.passModel(
            model.n_columns, model.n_rows, A.nnz, _ROW_WISE, _MINIMISE, scaled.constant,
            scaled.cost, scaled.lower, scaled.upper, scaled.row_lower, scaled.row_upper,
            A.indptr.astype(np.int32), A.indices.astype(np.int32), A.data, model.is_integer.astype(np.int32),
        )  # fmt: skip
        _must(passed, "the model")
        return program


def _must(status: Any, what: str) -> None:
    """Take no warning: HiGHS warns where it has changed what it was given."""
    import highspy

    if status != highspy.HighsStatus.kOk:
        raise BackendError(f"HiGHS answers {what} with {status.name}; expected kOk. Please report the model.")


def _extreme_entry(model: Model) -> str | None:
    """A row that HiGHS would change, and that cannot be relaxed by what the change amounts to."""
    scaled = InUnits.of(model)
    rows, columns = scaled.small_entries(_SMALLEST_ENTRY)
    if len(rows):
        row, column = model.row_names[rows[0]], model.column_names[columns[0]]
        return (
            f"the entry of the column {column!r} in the row {row!r} is below {_SMALLEST_ENTRY:g} in the row's own units"
            " and the column has no bounds; expected finite bounds, since HiGHS drops such entries."
            " Bound the column, or use Pyomo('scip')."
        )
    if np.abs(scaled.A.data).max(initial=0.0) > _LARGEST_ENTRY:
        return (
            f"the entries of the model {model.name!r} differ by a factor beyond {_LARGEST_ENTRY:g}; expected less."
            " Put the columns of X in units of like size."
        )
    return None


def _give_start(program: Any, model: Model, start: Vector) -> None:
    """Fix the integers alone: HiGHS completes them by a linear programme, so that the rest is consistent."""
    known = np.flatnonzero(model.is_integer[: len(start)] & ~np.isnan(start))
    if len(known):
        program.setSolution(len(known), known.astype(np.int32), np.round(start[known]))


def _run(program: Any, watch: _Watch) -> Any:
    try:
        program.run()
    except KeyboardInterrupt:  # outside of the watch: between two of its calls
        watch.was_interrupted = True
    if watch.error is not None:
        raise watch.error
    return program.getModelStatus()


class _Watch:
    """What HiGHS tells while it runs, and the way to stop it."""

    def __init__(self, scaled: InUnits, run: Run, lower_bound: float, upper_bound: float, pool_size: int) -> None:
        self.scaled, self.run = scaled, run
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        self.pool: deque[Vector] = deque(maxlen=pool_size)
        self.was_interrupted = False
        self.error: Exception | None = None

    def listen_to(self, program: Any) -> None:
        import highspy

        Event = highspy.cb.HighsCallbackType
        program.setCallback(self, None)
        for event in (
            Event.kCallbackMipImprovingSolution,
            Event.kCallbackMipInterrupt,
            Event.kCallbackSimplexInterrupt,
        ):
            program.startCallback(event)
        # Without output there are no events of logging; where it asks whether to stop, the bounds are told as well.
        self._improving, self._asking = int(Event.kCallbackMipImprovingSolution), int(Event.kCallbackMipInterrupt)

    def __call__(self, event: Any, message: str, told: Any, answer: Any, data: Any) -> None:
        """Nothing may be raised through HiGHS: keep it, and ask for the search to stop."""
        try:
            if int(event) == self._improving:
                self.pool.append(np.array(told.mip_solution, dtype=np.float64) * self.scaled.columns)
            elif int(event) == self._asking:
                self._report(told)
        except KeyboardInterrupt:
            self.was_interrupted = True
        except Exception as error:
            self.error = error
        if self.was_interrupted or self.error is not None:
            answer.user_interrupt = True

    def _report(self, told: Any) -> None:
        unit = self.scaled.objective
        bound = max(self.lower_bound, told.mip_dual_bound / unit)
        best = min(self.upper_bound, told.mip_primal_bound / unit)
        if math.isfinite(bound):
            self.run.report(best, min(bound, best), int(told.mip_node_count))


@dataclass(frozen=True, eq=False)
class _Reader:
    """What HiGHS ended with, in the units of the model."""

    program: Any
    scaled: InUnits
    model: Model
    watch: _Watch

    def solved(self, status: Any) -> Solved:
        import highspy

        Status = highspy.HighsModelStatus
        is_infeasible = False
        match status:
            case Status.kOptimal:
                termination = Termination.GAP_CLOSED
            case Status.kInfeasible:
                termination, is_infeasible = Termination.GAP_CLOSED, True
            case Status.kTimeLimit:
                termination = Termination.TIME_LIMIT
            case Status.kIterationLimit | Status.kSolutionLimit:
                termination = Termination.NODE_LIMIT
            case Status.kMemoryLimit:
                termination = Termination.MEMORY_LIMIT
            case Status.kInterrupt | Status.kHighsInterrupt:
                termination = Termination.INTERRUPTED
            case _:
                raise BackendError(
                    f"HiGHS ends with {status.name}; expected an optimum, infeasibility or a limit."
                    f" Nothing is known of the model {self.model.name!r}: try another formulation or backend."
                )
        if self.watch.was_interrupted and termination is not Termination.GAP_CLOSED:
            termination = Termination.INTERRUPTED
        values = None if is_infeasible else self._values()
        nodes = max(0, int(self.program.getInfo().mip_node_count))
        bound = math.inf if is_infeasible else self._bound()
        return Solved(values, bound, termination, nodes, tuple(self.watch.pool), is_infeasible)

    def _values(self) -> Vector | None:
        import highspy

        feasible = self.program.getInfo().primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        if not feasible:  # the arrays are there, and hold zeros
            return None
        return np.array(self.program.getSolution().col_value) * self.scaled.columns

    def _bound(self) -> float:
        if self.model.is_integer.any():
            bound = float(self.program.getInfo().mip_dual_bound) / self.scaled.objective
        else:
            bound = self._bound_of_duals() / self.scaled.objective
        return bound if math.isfinite(bound) else -math.inf

    def _bound_of_duals(self) -> float:
        """A linear programme: from the rows' duals, each taken with the side on which it holds."""
        solution = self.program.getSolution()
        if not solution.dual_valid:
            return -math.inf
        scaled = self.scaled
        duals = np.array(solution.row_dual)
        reduced = scaled.cost - scaled.A.T @ duals
        # What is missing of a zero where a side is absent is rounding, up to the tolerance; beyond, there is no bound.
        tolerance = 1e-6
        total = scaled.constant
        for prices, lower, upper in ((duals, scaled.row_lower, scaled.row_upper),
                                     (reduced, scaled.lower, scaled.upper)):  # fmt: skip
            sides = np.where(prices > 0, lower, upper)
            absent = np.isinf(sides)
            if np.any(np.abs(prices[absent]) > tolerance):
                return -math.inf
            total += float(prices[~absent] @ sides[~absent])
        return total
