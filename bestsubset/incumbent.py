"""The only door to the incumbent: whatever is offered is refitted and valued from the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.refit import refit


class Incumbent:
    """The best feasible point of a scaled problem so far; it begins with the included columns alone."""

    def __init__(self, scaled: ScaledProblem) -> None:
        self._scaled = scaled
        self.support: IntVector = np.zeros(0, dtype=np.int64)
        self.gamma: Vector = np.zeros(0)
        self.value = np.inf
        self.offer(np.flatnonzero(scaled.included))

    def offer(self, support: IntVector | Sequence[int]) -> bool:
        """Refit the support; take it, and return True, if it is allowed and better than what is known."""
        chosen = np.asarray(support, dtype=np.int64)
        if not self._scaled.allows(chosen):
            return False
        gamma = refit(self._scaled, chosen)
        value = self._scaled.value(chosen, gamma)
        if not value < self.value:
            return False
        self.support, self.gamma, self.value = chosen, gamma, value
        return True

    def coef(self) -> Vector:
        """The user's coefficients."""
        return self._scaled.to_coef(self.support, self.gamma)
