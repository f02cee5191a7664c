"""How far a given model is from the best one, proved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bestsubset.api import split_settings
from bestsubset.gap import ROUNDING_OF_OBJECTIVE, relative_gap
from bestsubset.report.statement import one_digit_up
from bestsubset.result import Result
from bestsubset.solve import solve
from formulations import Problem, ProblemError
from formulations._types import Vector
from warmstarts.support_fit import fit_support

_ALLOWANCE = 1e-9  # of a coefficient's bound: what rounding may put it beyond


@dataclass(frozen=True, eq=False)
class Distance:
    """A given model's distance from the best one.

    Attributes
    ----------
    coef : shape (p,)
        The given coefficients, or the best ones of the given support.
    objective : float
        Theirs.
    dual_bound : float
        No model has an objective below it.
    best : Result
        What the search found, with its certificate: the given model itself where nothing better was found.
    """

    coef: Vector
    objective: float
    dual_bound: float
    best: Result

    @property
    def relative_gap(self) -> float:
        """How far the given model may be from the best one, relative to its objective."""
        if not math.isfinite(self.dual_bound):
            return math.inf
        return relative_gap(self.objective, self.dual_bound, self.best.problem.null_objective)

    @property
    def excess(self) -> float:
        """How far the given model is above the best one known; zero if it is that one."""
        return max(0.0, self.objective - self.best.objective)

    @property
    def is_optimal(self) -> bool:
        return self.relative_gap <= self.best.gap_tolerance

    def statement(self) -> str:
        """Return what is proved of the given model, in a sentence or two."""
        given = f"The given model has the objective {self.objective:.6g}"
        if not math.isfinite(self.dual_bound):
            return f"{given}; nothing is proved of the best one."
        if self.is_optimal:
            gap = one_digit_up(max(self.relative_gap, ROUNDING_OF_OBJECTIVE))
            return f"{given}, the best there is, to a relative gap of {gap}."
        proved = f"{given}. The best one is at most {100 * self.relative_gap:.3g} % below it."
        if self.excess <= self.best.gap_tolerance * abs(self.objective):
            return f"{proved} None better was found."
        names = ", ".join(self.best.support_names) or "without predictors"
        return f"{proved} A better one is known: {names}, with {self.best.objective:.6g}."


def certify(
    given: Result | Sequence[int] | Sequence[float] | Vector,
    X: ArrayLike | Problem | None = None,
    y: ArrayLike | None = None,
    k: int | None = None,
    **settings: Any,
) -> Distance:
    """Prove how far a model, whoever found it, is from the best one.

    The search begins from the given model, so that nothing worse is handed back. It is the given model that the answer
    is about; a better one, where the search finds it, is ``best``.

    Parameters
    ----------
    given : Result, column indices or coefficients
        Integers are a support, to be fitted; p numbers with a decimal point are coefficients, taken as they are, the
        intercept being the best for them.
    X, y, k
        As in `best_subset`; a `Problem` may stand in the place of X. For a result, its own problem unless given.
    **settings
        Those of `best_subset`: of the problem, and ``solver``, ``time_limit``, ``gap``, ….

    Raises
    ------
    ProblemError
        If the given model breaks a constraint of the problem, or what is given does not make a problem.
    RefusedError
        If the solver does not take the problem.

    Examples
    --------
    >>> import bestsubset as bs
    >>> X, y = [[0.0, 1, 1], [1, 0, 3], [2, 0, 1], [3, 1, 0], [5, 1, 2]], [0.0, 1.1, 1.9, 3.0, 5.2]
    >>> print(bs.certify([0], X, y, k=1).is_optimal)
    True
    """
    problem_settings, solve_settings = split_settings(settings)
    problem = _problem(given, X, y, k, problem_settings)
    coef = _coefficients(given, problem)
    _require_feasible(problem, coef)
    best = solve(problem, start=coef, **solve_settings)
    objective = problem.objective(coef)
    # The search refits what it is given: rounding may put that above what was given.
    return Distance(coef, objective, min(best.dual_bound, objective), best)


def _problem(given: Any, X: Any, y: Any, k: int | None, settings: dict[str, Any]) -> Problem:
    own = X if isinstance(X, Problem) else given.problem if X is None and isinstance(given, Result) else None
    if own is not None:
        if y is not None or settings:
            what = "y" if y is not None else next(iter(settings))
            raise ProblemError(f"{what} is given beside a problem; expected the problem alone. Drop {what}.")
        return own if k is None else own.with_k(k)
    if X is None or y is None:
        raise ProblemError("X or y is None; expected the data of the problem. Pass X, y and k, a Problem or a Result.")
    return Problem(X, y, k, **settings)


def _coefficients(given: Any, problem: Problem) -> Vector:
    if isinstance(given, Result):
        if given.coef is None:
            raise ProblemError("the result has no coefficients; expected a model to certify. Solve it longer.")
        given = given.coef
    values = np.asarray(given)
    if values.shape == (problem.p,) and values.dtype.kind == "f":
        return np.array(values, dtype=np.float64)
    indices = values.astype(np.int64) if values.size else np.zeros(0, dtype=np.int64)
    if values.ndim != 1 or np.any(indices != values) or np.any((indices < 0) | (indices >= problem.p)):
        raise ProblemError(
            f"the model given is {given!r}; expected a result, column indices between 0 and {problem.p - 1}, or"
            f" {problem.p} coefficients."
        )
    return fit_support(problem, _completed(problem, indices.tolist()))


def _completed(problem: Problem, columns: list[int]) -> tuple[int, ...]:
    """The least model that holds the columns."""
    model = problem.selection.completion(columns)
    if model is None:
        raise ProblemError("the model given breaks a constraint; expected one that the problem allows. Change either.")
    return model


def _require_feasible(problem: Problem, coef: Vector) -> None:
    if not np.isfinite(coef).all():
        raise ProblemError("the coefficients given hold NaN or infinity; expected finite numbers.")
    size = problem.selection.size(_completed(problem, np.flatnonzero(coef).tolist()))
    if size > problem.max_cardinality:
        raise ProblemError(f"the model given counts {size} columns; expected at most k = {problem.k}. Raise k.")
    slack = _ALLOWANCE * np.abs(coef)
    outside = np.flatnonzero((coef < problem.lower - slack) | (coef > problem.upper + slack))
    if len(outside):
        name = problem.feature_names[int(outside[0])]
        raise ProblemError(f"the coefficient of {name!r} is {coef[outside[0]]:g}; expected it within its bounds.")
