"""Losses of two straight pieces with a kink between them: absolute error, quantile, hinge."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from formulations._types import Vector
from formulations.losses.interface import Loss


class KinkedLoss(Loss):
    r"""Two slopes and a kink for each row.

    .. math:: \ell(y_i, \eta_i) = u_i\,(\eta_i - \kappa_i)_+ + d_i\,(\kappa_i - \eta_i)_+,\qquad u_i, d_i \ge 0,

    so that every model with such a loss is a linear programme once its support is known: with the surplus
    :math:`(\eta-\kappa)_+` and the shortfall :math:`(\kappa-\eta)_+` as variables.
    """

    @abstractmethod
    def kinks(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        """Return κ, and the prices of surplus and shortfall, u and d; shape (n,) each."""

    def value(self, y: Vector, eta: Vector, weights: Vector) -> float:
        kink, up, down = self.kinks(y)
        beyond = eta - kink
        return float(np.dot(weights, np.where(beyond > 0, up, -down) * beyond))

    def gradient(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        """Return a subgradient: half the sum of the two slopes at a kink."""
        kink, up, down = self.kinks(y)
        side = np.sign(eta - kink)
        return weights * np.where(side > 0, up, np.where(side < 0, -down, 0.5 * (up - down)))

    def conjugate(self, y: Vector, u: Vector, weights: Vector) -> float:
        kink, up, down = self.kinks(y)
        if np.any(u > weights * up) or np.any(u < -weights * down):
            return float("inf")
        return float(np.dot(u, kink))

    def best_intercept(self, y: Vector, eta: Vector, weights: Vector) -> float:
        """Return a weighted quantile of κ - η: the middle of the interval where several are best."""
        kink, up, down = self.kinks(y)
        used = weights > 0
        where, total = (kink - eta)[used], (weights * (up + down))[used]
        order = np.argsort(where, kind="stable")
        where, slopes = where[order], np.cumsum(total[order])
        aim = float(np.dot(weights, down))  # the slope far to the left is its negative
        rounding = 1e-12 * slopes[-1]
        first = int(np.searchsorted(slopes, aim - rounding))
        last = int(np.searchsorted(slopes, aim + rounding))
        first, last = min(first, len(where) - 1), min(last, len(where) - 1)
        return float(0.5 * (where[first] + where[last]))
