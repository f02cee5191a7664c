"""Bounds on coefficients that follow from the incumbent: nothing here is guessed."""

from __future__ import annotations

import numpy as np

from formulations import ScaledProblem
from formulations._types import Vector

_INFLATION = 1 + 1e-9  # so that rounding cannot cut the optimum off


def derived_box(scaled: ScaledProblem, upper: float) -> tuple[Vector, Vector]:
    r"""Return the user's bounds, tightened by what any point better than ``upper`` satisfies.

    Every term of the objective is at most ``upper``, so :math:`\rho_j\gamma_j^2 + \lambda_{1j}|\gamma_j| \le f^*`,
    which bounds :math:`|\gamma_j|` wherever there is a ridge or an ℓ1 price.
    """
    bound = np.full(scaled.m, np.inf)
    l1, rho = scaled.lambda1, scaled.ridge
    priced = (l1 > 0) | (rho > 0)
    # The positive root of rho b² + l1 b = upper, in the form that does not cancel and allows rho = 0.
    discriminant = np.sqrt(l1[priced] ** 2 + 4 * rho[priced] * upper)
    bound[priced] = 2 * upper / (l1[priced] + discriminant) * _INFLATION
    return np.maximum(scaled.lower, -bound), np.minimum(scaled.upper, bound)
