"""Bounds on coefficients that follow from the incumbent: nothing here is guessed."""

from __future__ import annotations

import numpy as np

from formulations import ScaledProblem
from formulations._types import Vector

_INFLATION = 1 + 1e-9  # so that rounding cannot cut the optimum off


def derived_box(scaled: ScaledProblem, upper: float) -> tuple[Vector, Vector]:
    r"""Return the user's bounds, with derived ones where λ1 is all that bounds a coefficient.

    Every term of the objective is at most ``upper`` at a point that improves on it, so
    :math:`|\gamma_j| \le f^*/\lambda_{1j}`.

    A ridge bounds its coefficients likewise, by :math:`\sqrt{f^*/\rho_j}`. That is left out because it does not help:
    a bound changes the perspective envelope only below its knee :math:`\sqrt{\mu/\rho_j}`, and the multiplier μ, the
    price of one column, is far below :math:`f^*`. The ellipsoid of all improving points (Bertsimas, King and Mazumder
    2016, section 2.3) is tighter by a fifth only on wide data with weak ridge, and changed no node there.
    """
    bound = np.full(scaled.m, np.inf)
    alone = (scaled.lambda1 > 0) & (scaled.ridge == 0)
    bound[alone] = upper / scaled.lambda1[alone] * _INFLATION
    return np.maximum(scaled.lower, -bound), np.minimum(scaled.upper, bound)
