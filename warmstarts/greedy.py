"""Forward selection and exchanges for any loss and any rules on the support: slow, and open to everything."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formulations import Problem
from formulations._types import IntVector, Vector
from warmstarts.support_fit import fit_support

_SHORTLIST = 8  # candidates fitted at each step, by the slope of the loss
_EXCHANGES = 4  # candidates fitted for each column that leaves
_BETTER = 1e-9  # of the objective


@dataclass(frozen=True)
class Greedy:
    """Add the column that lowers the objective most until none does, then exchange one column for another.

    Each step fits only the columns along which the loss is steepest. Columns that a rule brings along come along.

    Parameters
    ----------
    seconds : float
        Wall time after which the best model so far is returned.
    """

    seconds: float = 5.0

    def coefficients(self, problem: Problem, start: Iterable[int] = ()) -> Vector:
        """Return feasible coefficients, shape (p,), no worse than those of ``start`` where that is feasible."""
        return _Search(problem, time.perf_counter() + self.seconds).run(start)


class _Search:
    def __init__(self, problem: Problem, until: float) -> None:
        self.problem, self.until = problem, until
        empty = problem.selection.completion(())
        assert empty is not None  # a problem whose rules contradict each other is not made
        self.model: tuple[int, ...] = empty
        self.coef = fit_support(problem, empty)
        self.value = problem.objective(self.coef)

    def run(self, start: Iterable[int]) -> Vector:
        self.offer(self.completed(start))
        while self.add() and time.perf_counter() < self.until:
            pass
        while time.perf_counter() < self.until and self.exchange():
            self.add()
        return self.coef

    def completed(self, columns: Iterable[int]) -> tuple[int, ...] | None:
        """The least model that holds the columns, if it is small enough."""
        selection = self.problem.selection
        model = selection.completion(columns)
        return None if model is None or selection.size(model) > self.problem.max_cardinality else model

    def offer(self, model: tuple[int, ...] | None) -> bool:
        if model is None or model == self.model:
            return False
        coef = fit_support(self.problem, model)
        value = self.problem.objective(coef)
        if not value < self.value - _BETTER * abs(self.value):
            return False
        self.model, self.coef, self.value = model, coef, value
        return True

    def steepest(self, coef: Vector, number: int, without: Iterable[int]) -> IntVector:
        """Columns along which the loss falls most steeply, for columns of norm one."""
        problem = self.problem
        eta = problem.predict(coef)
        pull = problem.loss.gradient(problem.y, eta, problem.sample_weight)
        slopes = np.abs(problem.X.T @ pull - problem.column_means * pull.sum()) / np.maximum(
            problem.column_norms, 1e-300
        )
        slopes[list(without)] = -1.0
        slopes[list(problem.selection.excluded)] = -1.0
        return np.argsort(-slopes, kind="stable")[:number]

    def add(self) -> bool:
        improved = False
        model, coef = self.model, self.coef
        for column in self.steepest(coef, _SHORTLIST, model):
            improved |= self.offer(self.completed([*model, int(column)]))
            if time.perf_counter() >= self.until:
                break
        return improved

    def exchange(self) -> bool:
        model = self.model
        improved = False
        for leaving in model:
            rest = [j for j in model if j != leaving]
            shorter = self.completed(rest)
            if shorter is None or leaving in shorter:
                continue
            coef = fit_support(self.problem, shorter)
            for column in self.steepest(coef, _EXCHANGES, model):
                improved |= self.offer(self.completed([*rest, int(column)]))
            if time.perf_counter() >= self.until:
                break
        return improved
