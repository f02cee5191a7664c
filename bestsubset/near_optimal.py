"""The n best models of a size, or all models within a tolerance of the best, proved complete."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bestsubset.api import split_settings
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.write import join, write
from bestsubset.near_models import NearModel, NearOptimal
from bestsubset.report.progress import shown
from bestsubset.result import Result
from bestsubset.run import Run
from bestsubset.solve import solve
from bestsubset.solvers import BranchAndBound
from bestsubset.status import Status, Termination
from formulations import Constraint, Exclude, Include, Problem, ProblemError, ScaledProblem
from formulations._types import IntVector
from warmstarts.support_fit import fit_support

_DEFAULT = 10  # models of each size
_MOST = 10_000  # of a list of all within a tolerance
_ROUNDING = 1e-11  # of an objective


def near_optimal(
    X: ArrayLike | Problem,
    y: ArrayLike | None = None,
    k: int | Sequence[int] | None = None,
    *,
    n_best: int | None = None,
    within: float | None = None,
    **settings: Any,
) -> NearOptimal:
    r"""Return the best models of each size, proved to be all there are.

    With ``n_best``, so many of each size; with ``within`` = ε, all whose objective is at most (1 + ε) times that of the
    best of their size. The tree prunes at the objective of the last model that is wanted, so that a list costs little
    more than the best model (Hofmann, Gatu, Kontoghiorghes, Colubi and Zeileis 2020 do so by residual sums of squares).
    Where the tree cannot list, a problem is parted by what its best model holds, again and again (Lawler 1972): that
    takes any loss and any constraint, and as many searches as models times their size.

    Parameters
    ----------
    X, y
        As in `best_subset`; a `Problem` may stand in the place of X.
    k : int or sequence of int
        The size of the models, or several sizes.
    n_best : int, optional
        10 unless it or ``within`` is given.
    within : float, optional
        Relative. At most 10,000 models are listed; the result says where there are more.
    **settings
        Those of `best_subset`. ``time_limit`` is for each size.

    Raises
    ------
    ProblemError
        If neither k nor the problem's own is given, or a number is out of range.

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> X = np.array([[1.0, 0, 2], [0, 1, 1], [2, 1, 0], [1, 3, 1], [0, 2, 5]])
    >>> y = X[:, 0] - X[:, 2] + np.array([0.1, -0.1, 0.0, 0.1, 0.0])
    >>> bs.near_optimal(X, y, 2, n_best=2).supports
    ((0, 2), (1, 2))
    """
    problem_settings, solve_settings = split_settings(settings)
    problem = X if isinstance(X, Problem) else _problem(X, y, k, problem_settings)
    sizes = _sizes(k, problem)
    if n_best is not None and n_best < 1:
        raise ProblemError(f"n_best is {n_best}; expected a whole number >= 1. Raise it.")
    if within is not None and not within >= 0:
        raise ProblemError(f"within is {within}; expected a number >= 0. Use 0.01 for one per cent.")
    if n_best is not None and within is not None:
        raise ProblemError("n_best and within are both given; expected one of them. Drop one.")
    wanted = _Wanted(n_best or (_DEFAULT if within is None else _MOST), within)
    with shown(solve_settings.pop("progress", None)) as listener:
        settings = {**solve_settings, "progress": listener}
        return _joined([_List(problem.with_k(size), wanted, settings).of_size() for size in sizes])


@dataclass(frozen=True)
class _Wanted:
    """At most so many models, and only those within a factor of the best."""

    n_best: int
    within: float | None

    def limit(self, best: float) -> float:
        return math.inf if self.within is None else best + self.within * abs(best)


class _List:
    """The models of one size."""

    def __init__(self, problem: Problem, wanted: _Wanted, settings: dict[str, Any]) -> None:
        self.problem, self.wanted, self.settings = problem, wanted, settings
        self.began = time.perf_counter()

    def of_size(self) -> NearOptimal:
        best = solve(self.problem, **self.settings)
        if best.coef is None:
            return self._result([], best.dual_bound, False, None, best.stats.nodes)
        if self._is_squared():
            from bestsubset.bnb.listing import can_list

            scaled = ScaledProblem.of(self.problem)
            if can_list(scaled):
                return self._by_tree(scaled, best)
        return self._by_parts(best)

    def _is_squared(self) -> bool:
        solver = self.settings.get("solver")
        is_ours = solver is None or isinstance(solver, BranchAndBound) or solver == BranchAndBound.name
        return is_ours and BranchAndBound().refuses(self.problem) is None

    def _by_tree(self, scaled: ScaledProblem, best: Result) -> NearOptimal:
        assert best.coef is not None
        from bestsubset.bnb.listing import list_best

        local = _filled(scaled, np.flatnonzero(np.isin(scaled.columns, best.support)))
        run = Run(
            self.problem, time_limit=self._seconds_left(), certificate=self.settings.get("certificate", True),
            listener=self.settings.get("progress"),
        )  # fmt: skip
        limit = self.wanted.limit(best.objective)
        # The limit is the objective of a fit, known to its rounding: on it, or a trifle above, models are in.
        found = list_best(scaled, local, self.wanted.n_best, limit * (1 + 2 * _ROUNDING), run)
        supports = found.supports or [scaled.columns[local]]  # stopped before it found any
        models = sorted(map(self._model, supports), key=lambda model: model.objective)
        models = [model for model in models if model.objective <= limit * (1 + _ROUNDING)]
        is_all = self.wanted.within is None or len(found.supports) < self.wanted.n_best
        is_done = found.termination is Termination.GAP_CLOSED and is_all
        certificate = None
        if found.logged is not None and self.problem.has_rows:
            given = best.coef, best.objective, found.dual_bound, found.logged, found.supports
            certificate = write(self.problem, *given)
        return self._result(models, found.dual_bound, is_done, certificate, best.stats.nodes + found.nodes)

    def _by_parts(self, best: Result) -> NearOptimal:
        """Lawler's procedure: the best model of a part, then the parts that differ from it in a first column."""
        order, nodes = count(), best.stats.nodes
        queue = [(best.objective, next(order), best, self.problem)]
        models: list[NearModel] = []
        bound, is_done = math.inf, best.status is Status.OPTIMAL
        limit = self.wanted.limit(best.objective)
        while queue and len(models) < self.wanted.n_best and queue[0][0] <= limit:
            _, _, result, part = heapq.heappop(queue)
            model = self._model(np.array(_model_of(result, part), dtype=np.int64))
            models.append(model)
            for child in _parts(part, model.support):
                found = solve(child, **{**self.settings, "time_limit": self._seconds_left(), "certificate": False})
                if found.coef is None:
                    continue
                nodes += found.stats.nodes
                is_done = is_done and found.status is Status.OPTIMAL
                bound = min(bound, math.inf if found.status is Status.OPTIMAL else found.dual_bound)
                heapq.heappush(queue, (found.objective, next(order), found, child))
        bound = min([bound, *(entry[2].dual_bound for entry in queue)])
        is_done = is_done and not (self.wanted.within is not None and queue and queue[0][0] <= limit)
        return self._result(models, bound, is_done, None, nodes)

    def _seconds_left(self) -> float | None:
        limit = self.settings.get("time_limit")
        return None if limit is None else max(0.0, limit - (time.perf_counter() - self.began))

    def _model(self, support: IntVector) -> NearModel:
        problem = self.problem
        coef = fit_support(problem, support)
        return NearModel(
            problem.max_cardinality, tuple(int(j) for j in support), coef, problem.intercept(coef),
            problem.objective(coef), problem.residual_sum_of_squares(coef),
        )  # fmt: skip

    def _result(
        self, models: list[NearModel], bound: float, is_done: bool, certificate: Certificate | None, nodes: int
    ) -> NearOptimal:
        k = self.problem.max_cardinality
        return NearOptimal(
            tuple(models), {k: bound}, {k: is_done}, self.problem, certificate, time.perf_counter() - self.began, nodes
        )


def _filled(scaled: ScaledProblem, support: IntVector) -> IntVector:
    """A support with columns added until it has k: a fit may have zero coefficients."""
    missing = scaled.k - len(support)
    rest = np.setdiff1d(np.arange(scaled.m), support)
    return np.sort(np.append(support, rest[:missing])) if missing > 0 else support


def _model_of(result: Result, part: Problem) -> tuple[int, ...]:
    """The model behind a support: what the part includes is in it at a coefficient of zero, too."""
    model = part.selection.completion(result.support)
    return result.support if model is None else tuple(model)


def _parts(part: Problem, support: tuple[int, ...]) -> list[Problem]:
    """The models of a part that are not this one: with its first columns and without the next."""
    forced = set(part.selection.included)
    free = [j for j in support if j not in forced]
    parts = []
    for number, column in enumerate(free):
        more: list[Constraint] = [Exclude([column])]
        if number:
            more.append(Include(free[:number]))
        try:
            parts.append(part.with_more(*more))
        except ProblemError:  # no model of this part is allowed
            continue
    return parts


def _joined(lists: list[NearOptimal]) -> NearOptimal:
    """The lists of several sizes as one."""
    certificates = [each.certificate for each in lists if each.certificate is not None]
    return NearOptimal(
        tuple(model for each in lists for model in each.models),
        {k: bound for each in lists for k, bound in each.bounds.items()},
        {k: done for each in lists for k, done in each.complete.items()},
        lists[-1].problem,
        join(certificates) if len(certificates) == len(lists) else None,
        sum(each.seconds for each in lists),
        sum(each.nodes for each in lists),
    )


def _problem(X: Any, y: Any, k: Any, settings: dict[str, Any]) -> Problem:
    if y is None or k is None:
        raise ProblemError("y or k is None; expected data and the size of the models. Pass X, y and k.")
    return Problem(X, y, int(np.max(k)), **settings)


def _sizes(k: Any, problem: Problem) -> list[int]:
    if k is None:
        return [problem.max_cardinality]
    return [int(size) for size in np.atleast_1d(np.asarray(k))]
