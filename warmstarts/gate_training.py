"""What the methods with trained gates share: Adam, where weights begin, and the unit of the price of a gate."""

from __future__ import annotations

import numpy as np

from formulations._types import Vector
from warmstarts.objective import Objective


class Adam:
    """The steps of Adam for one vector of parameters: Kingma and Ba (2015), algorithm 1, with their constants."""

    def __init__(self, rate: float, m: int) -> None:
        self._rate, self._turn = rate, 0
        self._first, self._second = np.zeros(m), np.zeros(m)

    def step(self, gradient: Vector) -> Vector:
        """Return what is to be added to the parameters."""
        self._turn += 1
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.999 * self._second + 0.001 * gradient**2
        first = self._first / (1.0 - 0.9**self._turn)
        second = self._second / (1.0 - 0.999**self._turn)
        return np.asarray(-self._rate * first / (np.sqrt(second) + 1e-8))


def first_weights(objective: Objective) -> tuple[Vector, float]:
    """Return the best coefficient of each column alone, and the largest fall of the value along one column."""
    _, slope = objective.at(np.arange(0), np.zeros(0))
    alone = slope / objective.diagonal
    return alone, float(0.5 * (slope * alone).max())
