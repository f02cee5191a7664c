"""The absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.losses.kinked import KinkedLoss


@dataclass(frozen=True)
class AbsoluteLoss(KinkedLoss):
    r"""Weighted sum of absolute residuals, :math:`\sum_i w_i |y_i - \eta_i|`: regression of the median."""

    name: ClassVar[str] = "absolute"
    depends_on_residual_alone: ClassVar[bool] = True

    def kinks(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        return y, np.ones(len(y)), np.ones(len(y))
