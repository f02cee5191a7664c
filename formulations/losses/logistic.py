"""The logistic loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, xlogy

from formulations._types import Vector
from formulations.losses.interface import Loss
from formulations.losses.two_classes import two_classes

_STEPS = 200
_FLAT = 700.0  # beyond it the exponential of a double over- or underflows


@dataclass(frozen=True)
class LogisticLoss(Loss):
    r""":math:`\sum_i w_i \log(1 + e^{-y_i\eta_i})` for classes :math:`y_i \in \{-1, +1\}`: minus the log-likelihood."""

    name: ClassVar[str] = "logistic"

    def check_response(self, y: Vector) -> str | None:
        return two_classes(y, self.name)

    def value(self, y: Vector, eta: Vector, weights: Vector) -> float:
        return float(np.dot(weights, np.logaddexp(0.0, -y * eta)))

    def gradient(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        return np.asarray(-weights * y * expit(-y * eta))

    def curvature(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        share = expit(eta)
        return np.asarray(weights * share * (1 - share))

    def conjugate(self, y: Vector, u: Vector, weights: Vector) -> float:
        """Return Σ w [a log a + (1 - a) log(1 - a)] with a = -u y / w, which must lie in [0, 1]."""
        used = weights > 0
        if np.any(u[~used] != 0):
            return float("inf")
        share = -u[used] * y[used] / weights[used]
        if np.any((share < 0) | (share > 1)):
            return float("inf")
        return float(np.dot(weights[used], xlogy(share, share) + xlogy(1 - share, 1 - share)))

    def best_intercept(self, y: Vector, eta: Vector, weights: Vector) -> float:
        """Return the root of the derivative by Newton's method, kept inside a bracket by bisection.

        One class alone has none: then ±∞ is cut off where the loss is zero in double precision.
        """
        low, high = -_FLAT - float(eta.max()), _FLAT - float(eta.min())
        b = 0.0 if low < 0 < high else 0.5 * (low + high)
        for _ in range(_STEPS):
            slope = float(self.gradient(y, eta + b, weights).sum())
            if slope == 0.0:
                break
            low, high = (low, b) if slope > 0 else (b, high)
            share = expit(eta + b)
            curvature = float(np.dot(weights, share * (1 - share)))
            step = b - slope / curvature if curvature > 0 else np.inf
            following = step if low < step < high else 0.5 * (low + high)
            if following == b:
                break
            b = following
        return b
