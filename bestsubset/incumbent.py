"""The only doors to the incumbent: whatever is offered is refitted and valued from the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from formulations import Problem, ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.refit import refit
from warmstarts.support_fit import fit_support


class Incumbent:
    """The best feasible point of a scaled problem so far; it begins with the least model allowed.

    Attributes
    ----------
    objective : float
        Of the point.
    value : float
        What a better point must be below: the objective, or the cutoff where nothing above that matters.
    """

    def __init__(self, scaled: ScaledProblem, cutoff: float = np.inf) -> None:
        self._scaled, self._cutoff = scaled, cutoff
        self.support: IntVector = np.zeros(0, dtype=np.int64)
        self.gamma: Vector = np.zeros(0)
        self.objective = np.inf
        least = scaled.selection.completion(())
        assert least is not None  # a problem whose rules contradict each other is not made
        self.offer(least)

    def offer(self, support: IntVector | Sequence[int]) -> bool:
        """Refit the support; take it, and return True, if it is allowed and better than what is known."""
        chosen = np.asarray(support, dtype=np.int64)
        if not self._scaled.allows(chosen):
            return False
        gamma = refit(self._scaled, chosen)
        objective = self._scaled.value(chosen, gamma)
        if not objective < self.objective:
            return False
        self.support, self.gamma, self.objective = chosen, gamma, objective
        return True

    @property
    def value(self) -> float:
        return min(self.objective, self._cutoff)

    def coef(self) -> Vector:
        """The user's coefficients."""
        return self._scaled.to_coef(self.support, self.gamma)


class ProblemIncumbent:
    """The best feasible point of a problem of any loss, with any rules; it begins with the least model allowed."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.coef: Vector = np.zeros(problem.p)
        self.value = np.inf
        least = problem.selection.completion(())
        assert least is not None  # a problem whose rules contradict each other is not made
        self.offer(least)

    def offer(self, support: Iterable[int]) -> bool:
        """Fit the columns; take them, and return True, if they are part of an allowed model and better."""
        selection = self._problem.selection
        model = selection.completion(support)
        if model is None or selection.size(model) > self._problem.max_cardinality:
            return False
        return self.offer_coef(fit_support(self._problem, model))

    def offer_coef(self, coef: Vector) -> bool:
        """Take coefficients of an allowed model as they are, and return True, if they are better."""
        value = self._problem.objective(coef)
        if not value < self.value:
            return False
        self.coef, self.value = coef, value
        return True
