"""The squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.losses.interface import Loss


@dataclass(frozen=True)
class SquaredLoss(Loss):
    r"""Half the weighted residual sum of squares, :math:`\tfrac12\sum_i w_i (y_i - \eta_i)^2`."""

    name: ClassVar[str] = "squared"
    depends_on_residual_alone: ClassVar[bool] = True

    def value(self, y: Vector, eta: Vector, weights: Vector) -> float:
        residual = y - eta
        return 0.5 * float(np.dot(weights * residual, residual))

    def gradient(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        return weights * (eta - y)

    def curvature(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        return weights

    def conjugate(self, y: Vector, u: Vector, weights: Vector) -> float:
        used = weights > 0
        if np.any(u[~used] != 0):
            return float("inf")
        return float(np.dot(u[used], y[used]) + 0.5 * np.dot(u[used] / weights[used], u[used]))

    def best_intercept(self, y: Vector, eta: Vector, weights: Vector) -> float:
        return float(np.dot(weights, y - eta) / weights.sum())
