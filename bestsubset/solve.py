"""The one verb: a problem and a solver in, a result out. The only place where results are made."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from bestsubset.blas import blas_threads
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verify import verify
from bestsubset.certificates.write import write
from bestsubset.errors import InvalidBoundError, RefusedError
from bestsubset.events import Listener
from bestsubset.gap import ROUNDING_OF_NULL, ROUNDING_OF_OBJECTIVE, relative_gap
from bestsubset.report.progress import Display, shown
from bestsubset.result import Result, Stats
from bestsubset.run import Run
from bestsubset.solvers import BranchAndBound, Enumeration, LPBranchAndBound, Solver, by_name, default_for
from bestsubset.solvers.interface import Answer
from bestsubset.status import Status, Termination
from formulations import Problem, ProblemError
from formulations._types import Vector
from warmstarts.interface import Heuristic
from warmstarts.members import by_name as heuristic_by_name

_OURS = (BranchAndBound, Enumeration, LPBranchAndBound)
_DOUBT = 2e-7  # of the objective: what a bound is lowered by where nearly dependent columns have cost its digits


def solve(
    problem: Problem,
    solver: Solver | str | None = None,
    *,
    time_limit: float | None = None,
    gap: float = 1e-6,
    start: str | Heuristic | Sequence[int] | Sequence[float] | Vector | Result | None = None,
    threads: int | None = None,
    progress: Listener | Display | None = None,
    random_state: int = 0,
    certificate: bool = True,
) -> Result:
    """Solve a problem and return the best model found, with its bound.

    Parameters
    ----------
    problem : Problem
    solver : Solver or str, optional
        An instance such as ``BranchAndBound()``, or its name; the one meant for the problem's loss unless given.
    time_limit : float, optional
        Seconds of wall time. Zero returns the warm start with the root's bound.
    gap : float
        Relative gap at which the search may stop.
    start : str, Heuristic, Result, support or coefficients, optional
        Where the warm start begins: a heuristic or its name, see `heuristics`; a result, column indices, or
        coefficients of shape (p,). A heuristic's time counts, but ``time_limit`` does not cut it off.
    threads : int, optional
    progress : callable, True or "rich", optional
        A callable is called with a `Progress` a few times a second at most. True and ``"rich"`` show the search: a live
        line in a terminal or a notebook, rows on stderr elsewhere.
    random_state : int
        Seed of everything random: the warm starts.
    certificate : bool
        Log the search, so that the answer comes with a certificate where the solver can give one.

    Returns
    -------
    Result

    Raises
    ------
    RefusedError
        If the solver does not take the problem; the message says what would.
    ProblemError
        If a setting is out of range.
    InvalidBoundError
        If a bound contradicts a feasible point: a bug, please report it.
    """
    chosen = default_for(problem) if solver is None else by_name(solver)
    _require(gap >= 0 and math.isfinite(gap), f"gap is {gap}; expected a finite number >= 0. Use 1e-6.")
    _require(
        time_limit is None or time_limit >= 0,
        f"time_limit is {time_limit}; expected seconds >= 0, or None for no limit.",
    )
    _require(
        threads is None or threads >= 1,
        f"threads is {threads}; expected a whole number >= 1. Drop it for all cores.",
    )
    _require(random_state >= 0, f"random_state is {random_state}; expected a whole number >= 0. Use 0.")
    _require_taken(problem, chosen)  # before a heuristic takes its time
    began = time.perf_counter()
    with shown(progress) as listener:
        run = Run(
            problem,
            gap=gap,
            time_limit=time_limit,
            start=_start_coefficients(start, problem, random_state),
            threads=threads,
            listener=listener,
            random_state=random_state,
            certificate=certificate,
            began=began,
        )
        return carry_out(problem, chosen, run)


def carry_out(problem: Problem, solver: Solver, run: Run) -> Result:
    """Have a solver search, and make its answer a result; `solve` without the defaults."""
    _require_taken(problem, solver)
    return _result(problem, solver.solve(problem, run), run, solver)


def _require_taken(problem: Problem, solver: Solver) -> None:
    reason = solver.refuses(problem)
    if reason is not None:
        raise RefusedError(reason)


def _result(problem: Problem, answer: Answer, run: Run, solver: Solver) -> Result:
    coef = answer.coef
    objective = math.inf if coef is None else problem.objective(coef)
    dual_bound, certificate = _certified(problem, answer, objective, solver, run)
    if coef is not None and dual_bound > objective:
        allowance = (
            max(ROUNDING_OF_OBJECTIVE, answer.bound_tolerance) * abs(objective)
            + ROUNDING_OF_NULL * problem.null_objective
        )
        if dual_bound - objective > allowance:
            raise InvalidBoundError(
                f"The dual bound is {dual_bound!r}; expected at most the objective {objective!r} of the incumbent."
                f" This is a bug in {solver.name}: please report it with the problem's digest {problem.digest}."
            )
        dual_bound = objective
    status = Status.UNKNOWN
    if coef is not None:
        closed = relative_gap(objective, dual_bound, problem.null_objective) <= run.gap
        status = Status.OPTIMAL if closed else Status.FEASIBLE
    termination = answer.termination
    if status is Status.OPTIMAL:
        termination = Termination.GAP_CLOSED
    elif termination is Termination.GAP_CLOSED:
        termination = Termination.EXHAUSTED
    with suppress(KeyboardInterrupt):  # too late to interrupt: the answer is here
        run.report(objective, dual_bound, answer.nodes, force=True)
    return Result(
        status=status,
        termination=termination,
        coef=coef,
        intercept=0.0 if coef is None else problem.intercept(coef),
        objective=objective,
        dual_bound=dual_bound,
        problem=problem,
        certificate=certificate,
        stats=Stats(solver.name, run.seconds, answer.nodes, answer.threads, dict((*_versions(), *answer.versions))),
        gap_tolerance=run.gap,
        notes=answer.notes,
        imposed=answer.imposed,
        rows=tuple(run.rows),
    )


def _certified(
    problem: Problem, answer: Answer, objective: float, solver: Solver, run: Run
) -> tuple[float, Certificate | None]:
    """The bound of an answer and its certificate: of our own searches alone, never on the word of another solver.

    Where the answer is doubtful, a certificate is checked before it is handed out; if that of the bound claimed does
    not hold, one of a slightly lower bound may. Where a finished search took so much off its bounds for rounding that
    the gap stays open, the checker, which loses less, may accept the bound that closes it. A certificate is about rows:
    where they are not known, it has served when the bound is checked.
    """
    bound = answer.dual_bound
    if type(solver) not in _OURS or answer.logged is None or answer.coef is None:
        return bound, None
    claims = [min(bound, objective)]
    is_finished = answer.termination is Termination.GAP_CLOSED
    aim = min(objective, run.cutoff)
    if is_finished and relative_gap(aim, claims[0], problem.null_objective) > run.gap:
        claims.insert(0, aim - 0.5 * run.gap * abs(aim))
    if answer.is_doubtful:
        claims.append(min(bound, objective - _DOUBT * abs(objective)))
    elif len(claims) == 1:
        certificate = write(problem, answer.coef, objective, claims[0], answer.logged)
        return bound, certificate if problem.has_rows else None
    with blas_threads(1):
        for claimed in claims:
            certificate = write(problem, answer.coef, objective, claimed, answer.logged)
            if verify(certificate, problem.X, problem.y, problem.sample_weight).valid:
                return claimed, certificate if problem.has_rows else None
    return bound, None


def _start_coefficients(start: Any, problem: Problem, random_state: int) -> Vector | None:
    """Accept a heuristic or its name, a result, coefficients, or column indices.

    Return an array whose nonzeros are the start's support.
    """
    if start is None:
        return None
    if isinstance(start, str | Heuristic):
        with blas_threads(1):
            return heuristic_by_name(start)(problem, rng=np.random.default_rng(random_state))
    if isinstance(start, Result):
        start = start.coef if start.coef is not None else ()
    values = np.asarray(start)
    if values.shape == (problem.p,) and values.dtype.kind == "f":
        return values.astype(np.float64)
    indices = values.astype(np.int64) if values.size else np.zeros(0, dtype=np.int64)
    if values.ndim != 1 or np.any(indices != values) or np.any((indices < 0) | (indices >= problem.p)):
        raise ProblemError(
            f"start is {start!r}; expected a heuristic, a result, column indices between 0 and {problem.p - 1},"
            f" or {problem.p} coefficients. Drop it to let the warm starts choose."
        )
    coef = np.zeros(problem.p)
    coef[indices] = 1.0
    return coef


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ProblemError(message)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for package in ("bestsubset", "numpy", "scipy", "numba"):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:  # run from a source tree that was not installed
            found.append((package, "not installed"))
    return tuple(found)
