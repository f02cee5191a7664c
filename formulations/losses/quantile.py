"""The check loss of quantile regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.errors import ProblemError
from formulations.losses.kinked import KinkedLoss


@dataclass(frozen=True)
class QuantileLoss(KinkedLoss):
    r"""Koenker and Bassett's check loss, :math:`\sum_i w_i [\tau (y_i-\eta_i)_+ + (1-\tau)(\eta_i-y_i)_+]`.

    Parameters
    ----------
    tau : float
        The quantile, 0 < tau < 1. At ½ the loss is half the absolute error.

    Raises
    ------
    ProblemError
        If tau is out of range.

    Source
    ------
    Koenker and Bassett (1978), eq. (3.1).
    """

    name: ClassVar[str] = "quantile"
    depends_on_residual_alone: ClassVar[bool] = True

    tau: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.tau < 1:
            raise ProblemError(f"tau is {self.tau}; expected 0 < tau < 1. Use 0.5 for the median.")

    def kinks(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        return y, np.full(len(y), 1.0 - self.tau), np.full(len(y), self.tau)
