"""A formulation solved by a backend, in rounds where the formulation adds cuts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from bestsubset.backends.highs import HiGHS
from bestsubset.backends.interface import Backend, Solved
from bestsubset.errors import BackendError, BigMWarning, RefusedError
from bestsubset.gap import relative_gap
from bestsubset.incumbent import ProblemIncumbent
from bestsubset.run import Run
from bestsubset.solvers.interface import Answer, Solver
from bestsubset.status import Termination
from formulations import KinkedLoss, Problem, ProblemError, SquaredLoss
from formulations._types import Vector
from formulations.mio.big_m import BigM
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from formulations.mio.perspective import Perspective

_SHARE_OF_WARM_START = 0.1  # of the time there is
_LONGEST_WARM_START = 5.0  # seconds
_TOUCHES = 1 - 1e-6  # of an imposed bound


@dataclass(frozen=True)
class MIO(Solver):
    """State the problem as a mixed-integer model and hand it to a program that solves such models.

    The bound is that program's word, within its tolerances: there is no certificate. Whatever points it finds are
    fitted anew and judged by the problem itself.

    Parameters
    ----------
    formulation : Formulation, optional
        The perspective for squared error where it applies, big-M for all else, unless given.
    backend : Backend
    max_rounds : int, optional
        How often the model may be solved, where its formulation adds cuts; as often as it takes unless given.
    """

    name: ClassVar[str] = "mio"

    formulation: Formulation | None = None
    backend: Backend = field(default_factory=HiGHS)
    max_rounds: int | None = None

    def __post_init__(self) -> None:
        for value, what, kind in ((self.formulation, "formulation", Formulation), (self.backend, "backend", Backend)):
            if not isinstance(value, kind) and not (value is None and what == "formulation"):
                example = "BigM()" if what == "formulation" else "HiGHS()"
                raise ProblemError(f"{what} is {value!r}; expected a {kind.__name__}. Pass one such as {example}.")
        if self.max_rounds is not None and self.max_rounds < 1:
            raise ProblemError(f"max_rounds is {self.max_rounds}; expected a whole number >= 1. Drop it for no limit.")

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.loss, KinkedLoss) and problem.lambda2 > 0:
            return (
                f"lambda2 is {problem.lambda2:g} with the loss {problem.loss.name!r}; expected 0 for mio, which fits"
                " supports by linear programmes. Use lambda1, or bounds."
            )
        return self._formulation(problem).refuses(problem)

    def solve(self, problem: Problem, run: Run) -> Answer:
        rounds = _Rounds(problem, run, self._formulation(problem), self.backend, self.max_rounds)
        try:
            rounds.search()
        except KeyboardInterrupt:
            rounds.termination = Termination.INTERRUPTED
        return rounds.answer()

    def _formulation(self, problem: Problem) -> Formulation:
        if self.formulation is not None:
            return self.formulation
        if isinstance(problem.loss, SquaredLoss) and Perspective().refuses(problem) is None:
            return Perspective()
        return BigM()


class _Rounds:
    """Solve, fit what was found, cut, and again until the gap is closed or a limit is met."""

    def __init__(
        self, problem: Problem, run: Run, formulation: Formulation, backend: Backend, max_rounds: int | None
    ) -> None:
        self.problem, self.run, self.formulation, self.backend = problem, run, formulation, backend
        self.max_rounds = max_rounds
        self.incumbent = ProblemIncumbent(problem)
        self.bound = 0.0  # losses and penalties are sums of non-negative terms
        self.termination = Termination.TIME_LIMIT
        self.rounds, self.nodes = 0, 0
        self.model: Model | None = None
        self.last: Solved | None = None
        self.notes: list[str] = []

    def search(self) -> None:
        self._warm_start()
        self._report()
        if self.run.is_out_of_time or self._is_closed():
            return
        self.model = self.formulation.build(self.problem, self.incumbent.coef)
        reason = self.backend.refuses(self.model)
        if reason is not None:
            raise RefusedError(reason)
        self._solve_and_cut()

    def _warm_start(self) -> None:
        problem, run = self.problem, self.run
        if run.start is not None:
            self.incumbent.offer(run.start_columns())
        if isinstance(problem.loss, SquaredLoss) and not problem.selection.has_rules:
            from warmstarts import Restarts  # compiled kernels: not loaded with the package

            start = self.incumbent.coef if run.start is not None else None
            self.incumbent.offer(np.flatnonzero(Restarts()(problem, start, run.rng())))
            return
        from warmstarts.greedy import Greedy

        # A limit of zero is for a warm start and nothing else: that one gets what it needs.
        seconds = _SHARE_OF_WARM_START * run.time_limit if run.time_limit else _LONGEST_WARM_START
        greedy = Greedy(min(seconds, _LONGEST_WARM_START))
        self.incumbent.offer_coef(greedy.coefficients(problem, np.flatnonzero(self.incumbent.coef).tolist()))

    def _solve_and_cut(self) -> None:
        seen: tuple[float, tuple[int, ...]] | None = None
        while True:
            assert self.model is not None
            solved = self._solve(self.model)
            self.termination = solved.termination
            points = [point for point in (solved.values, *solved.pool) if point is not None]
            for point in points:
                self.incumbent.offer(np.flatnonzero(self.formulation.recover(self.problem, point, self.model)))
                self.incumbent.offer(np.flatnonzero(point[self.model.block("z")] > 0.5))
            self.bound = max(self.bound, self._valid(solved.dual_bound))
            self._report()
            if self._is_closed() or solved.termination is not Termination.GAP_CLOSED or solved.values is None:
                return
            state = (solved.dual_bound, tuple(np.flatnonzero(solved.values[self.model.block("z")] > 0.5).tolist()))
            refined = self.formulation.refine(self.problem, self.model, points)
            if refined is None or state == seen:  # exact at what was found, or cuts too weak for the tolerances
                return
            if self.run.is_out_of_time or self.rounds == self.max_rounds:
                limited = self.rounds == self.max_rounds
                self.termination = Termination.NODE_LIMIT if limited else Termination.TIME_LIMIT
                return
            self.model, seen = refined, state

    def _solve(self, model: Model) -> Solved:
        self.rounds += 1
        solved = self.backend.solve(model, self.run, self._start(model), self.bound, self._upper_bound(model))
        self.last = solved
        self.nodes += solved.nodes
        if solved.is_infeasible:
            raise BackendError(
                f"{self.backend.name} says that the model {model.name!r} is infeasible; expected a feasible one, since"
                f" coefficients with the objective {self.incumbent.value:.6g} are known. Its tolerances or the"
                " formulation are at fault: try another backend, and please report it."
            )
        return solved

    def _start(self, model: Model) -> Vector:
        """The incumbent, as far as it says what the columns are."""
        coef = self.incumbent.coef
        model_of = self.problem.selection.completion(np.flatnonzero(coef).tolist())
        start = np.full(model.n_columns, np.nan)
        if model.has_block("beta"):
            start[model.block("beta")] = coef
        start[model.block("z")] = 0.0
        start[model.block("z")[list(model_of or ())]] = 1.0
        return start

    def _upper_bound(self, model: Model) -> float:
        """The objective of a feasible point of the model: of the incumbent, within bounds that were imposed."""
        if not model.imposed:
            return self.incumbent.value
        beta = model.block("beta")
        return self.problem.objective(np.clip(self.incumbent.coef, model.lower[beta], model.upper[beta]))

    def _valid(self, bound: float) -> float:
        """What a bound of the model says of the problem: coefficients may beat it beyond bounds that were imposed."""
        if self.model is not None and self.model.imposed:
            return min(bound, self.incumbent.value)
        return bound

    def _is_closed(self) -> bool:
        gap = relative_gap(self.incumbent.value, self.bound, self.problem.null_objective)
        return gap <= self.run.gap

    def _report(self) -> None:
        self.run.report(self.incumbent.value, min(self.bound, self.incumbent.value), self.nodes, force=True)

    def answer(self) -> Answer:
        model, last = self.model, self.last
        notes = list(self.notes)
        if model is not None:
            notes += [f"model: {model.name}, solved by {self.backend.name}", *model.notes]
        if last is not None:
            notes += [*last.notes, last.tolerances, f"rounds: {self.rounds}"]
        notes += self._touched()
        if self._is_closed():
            self.termination = Termination.GAP_CLOSED
        name, _, version = ("", "", "") if last is None else last.version.partition(" ")
        return Answer(
            coef=self.incumbent.coef,
            dual_bound=self.bound,
            termination=self.termination,
            nodes=self.nodes,
            threads=self.run.cores,
            notes=tuple(note for note in notes if note),
            imposed=() if model is None else model.imposed,
            bound_tolerance=0.0 if last is None else last.bound_tolerance,
            versions=((name, version),) if name else (),
        )

    def _touched(self) -> list[str]:
        """Warn where the model found is at a bound that was imposed, or beyond it."""
        model, coef = self.model, self.incumbent.coef
        if model is None or not model.imposed:
            return []
        beta = model.block("beta")
        lower, upper = model.lower[beta], model.upper[beta]
        own = (upper >= self.problem.upper, lower <= self.problem.lower)  # the problem's own bounds are no assumption
        beyond = (coef > 0) & ~own[0] & (coef >= upper * _TOUCHES) | (coef < 0) & ~own[1] & (coef <= lower * _TOUCHES)
        if not beyond.any() or not math.isfinite(self.incumbent.value):
            return []
        names = _listed([self.problem.feature_names[int(j)] for j in np.flatnonzero(beyond)])
        message = f"the coefficients of {names} touch the imposed big-M: raise it, the best model may lie beyond"
        warnings.warn(message, BigMWarning, stacklevel=5)
        return [message]


def _listed(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
