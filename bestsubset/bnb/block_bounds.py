"""Two bounds for a tree over blocks of columns: the best fill of the room left, and the fit of all that is allowed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import IntVector, Vector

_UNITS = 16 * 2.0**-53  # of rounding, in the data and in the fit


def knapsack(gains: Vector, sizes: Vector, room: float) -> float:
    """The fractional knapsack: the most that blocks with these gains can add in the room left."""
    positive = gains > 0
    gains, sizes = gains[positive], sizes[positive]
    order = np.argsort(-gains / sizes)
    total = 0.0
    for gain, size in zip(gains[order], sizes[order], strict=True):
        if room <= 0:
            break
        total += gain * min(1.0, room / size)
        room -= size
    return total


def fit_bound(scaled: ScaledProblem) -> Callable[[IntVector], tuple[float, Vector]]:
    """Return the function from allowed columns to (least objective without λ0, their coefficients).

    The data are compressed once to the triangle of their QR factorisation, with the ridge as extra rows. λ1 and
    bounds only raise the objective, so leaving them out keeps the bound.
    """
    data = np.column_stack([scaled.X, scaled.y])
    if scaled.ridge.any():
        extra = np.column_stack([np.diag(np.sqrt(2 * scaled.ridge)), np.zeros(scaled.m)])
        data = np.vstack([data, extra])
    triangle = linalg.qr(data, mode="r")[0][: scaled.m + 1]

    def fit(allowed: IntVector) -> tuple[float, Vector]:
        gamma = np.zeros(scaled.m)
        if len(allowed):
            gamma[allowed] = linalg.lstsq(triangle[:, allowed], triangle[:, -1], lapack_driver="gelsy")[0]
        residual = triangle[:, -1] - triangle[:, allowed] @ gamma[allowed]
        # Scaling rounded each entry of the unit columns: at these coefficients that moves the residual by so much.
        moved = _UNITS * (1.0 + float(np.abs(gamma).sum()))
        return 0.5 * max(0.0, float(np.linalg.norm(residual)) - moved) ** 2, gamma

    return fit
