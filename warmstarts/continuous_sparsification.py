"""Continuous sparsification: gates that harden while they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from formulations._types import Vector
from warmstarts.gate_training import Adam, first_weights
from warmstarts.objective import Objective
from warmstarts.rounding import Rounded


@dataclass(frozen=True)
class ContinuousSparsification(Rounded):
    r"""Minimise :math:`f(w\,\sigma(\beta s)) + \lambda\sum_j\sigma(\beta s_j)` while β grows from 1 to its end.

    The gates begin smooth and end as the step function of s: a path to the count itself, without randomness. Adam on w
    and s. Trained once for each price; the gated coefficients are rounded to each size and fitted again. Any smooth
    loss.

    Attributes
    ----------
    prices : tuple of float
        The λ, of the largest fall of the loss along one column.
    steps : int
        Steps for each price.
    rate : float
        The step length of Adam.
    last_beta : float
        200, as in the paper; β grows exponentially.
    first_gate : float
        Where all s begin.

    Source
    ------
    Savarese, Silva and Maire (2020), Winning the lottery with continuous sparsification, algorithm 2, one round.
    """

    name: ClassVar[str] = "continuous_sparsification"
    takes_smooth_losses: ClassVar[bool] = True

    prices: tuple[float, ...] = (0.03, 0.01, 0.003, 0.001)
    steps: int = 500
    rate: float = 0.02
    last_beta: float = 200.0
    first_gate: float = 0.0

    def worths(self, objective: Objective, rng: np.random.Generator) -> list[Vector]:
        return [self._trained(objective, price) for price in self.prices]

    def _trained(self, objective: Objective, price: float) -> Vector:
        m, included = objective.m, objective.scaled.included
        weights, unit = first_weights(objective)
        gates = np.full(m, self.first_gate)
        of_weights, of_gates = Adam(self.rate, m), Adam(self.rate, m)
        z = np.ones(m)
        for beta in self.last_beta ** np.linspace(0.0, 1.0, self.steps):
            z = np.where(included, 1.0, expit(beta * gates))
            _, falls = objective.everywhere(weights * z)
            by_gates = (price - falls * weights / unit) * beta * z * (1.0 - z)
            weights = weights + of_weights.step(-falls * z / unit)
            gates = gates + of_gates.step(by_gates)
        return np.asarray(np.abs(weights) * (z + 1e-6 * expit(gates)))
