"""Hard concrete gates: random gates on the coefficients, trained to be mostly shut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, logit

from formulations._types import Vector
from warmstarts.gate_training import Adam, first_weights
from warmstarts.objective import Objective
from warmstarts.rounding import Rounded


@dataclass(frozen=True)
class HardConcrete(Rounded):
    r"""Minimise the expected loss over random gates, with a price for each gate that is not shut.

    .. math::
        s = \sigma\left((\mathrm{logit}\,u + \log\alpha)/\beta\right),\quad u \sim U(0,1),\qquad
        z = \min(1, \max(0, s(\zeta - \gamma) + \gamma)),

    coefficients :math:`w z`, and the expected number of open gates in closed form,
    :math:`\sum_j \sigma(\log\alpha_j - \beta\log(-\gamma/\zeta))`. One draw of all gates a step, Adam on w and log α.
    Trained once for each price; the coefficients with the mean gates are rounded to each size and fitted again. Any
    smooth loss.

    Attributes
    ----------
    prices : tuple of float
        Prices of a gate, of the largest fall of the loss along one column.
    steps : int
        Steps for each price.
    rate : float
        The step length of Adam.
    beta, gamma, zeta : float
        Temperature and stretch: those of the paper.

    Source
    ------
    Louizos, Welling and Kingma (2018), Learning sparse neural networks through L0 regularization, eq. (10)-(13).
    """

    name: ClassVar[str] = "hard_concrete"
    takes_smooth_losses: ClassVar[bool] = True

    prices: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01)
    steps: int = 250
    rate: float = 0.05
    beta: float = 2.0 / 3.0
    gamma: float = -0.1
    zeta: float = 1.1

    def worths(self, objective: Objective, rng: np.random.Generator) -> list[Vector]:
        return [self._trained(objective, price, rng) for price in self.prices]

    def gates(self, log_alpha: Vector, noise: Vector) -> tuple[Vector, Vector]:
        """Return the gates for some logits of u, and their derivatives by log α."""
        s = expit((noise + log_alpha) / self.beta)
        stretched = s * (self.zeta - self.gamma) + self.gamma
        inside = (stretched > 0.0) & (stretched < 1.0)
        return np.clip(stretched, 0.0, 1.0), inside * (self.zeta - self.gamma) * s * (1.0 - s) / self.beta

    def open_probability(self, log_alpha: Vector) -> Vector:
        """Return the probability that each gate is not zero; their sum is the expected number."""
        return np.asarray(expit(log_alpha - self.beta * np.log(-self.gamma / self.zeta)))

    def mean_gates(self, log_alpha: Vector) -> Vector:
        """Return the gates of the trained model, eq. (13)."""
        return np.asarray(np.clip(expit(log_alpha) * (self.zeta - self.gamma) + self.gamma, 0.0, 1.0))

    def _trained(self, objective: Objective, price: float, rng: np.random.Generator) -> Vector:
        m, included = objective.m, objective.scaled.included
        weights, unit = first_weights(objective)
        log_alpha = 0.01 * rng.standard_normal(m)
        of_weights, of_gates = Adam(self.rate, m), Adam(5.0 * self.rate, m)
        for _ in range(self.steps):
            z, slope_of_z = self.gates(log_alpha, logit(rng.uniform(1e-12, 1.0 - 1e-12, m)))
            z = np.where(included, 1.0, z)
            _, falls = objective.everywhere(weights * z)
            open_ = self.open_probability(log_alpha)
            by_gates = -falls * weights * slope_of_z / unit + price * open_ * (1.0 - open_)
            weights = weights + of_weights.step(-falls * z / unit)
            log_alpha = log_alpha + of_gates.step(by_gates)
        # Gates that are shut rank by how near they are to opening.
        worth = np.abs(weights) * (self.mean_gates(log_alpha) + 1e-6 * self.open_probability(log_alpha))
        return np.asarray(worth)
