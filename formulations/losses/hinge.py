"""The hinge loss of support vector machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.losses.kinked import KinkedLoss
from formulations.losses.two_classes import two_classes


@dataclass(frozen=True)
class HingeLoss(KinkedLoss):
    r""":math:`\sum_i w_i (1 - y_i\eta_i)_+` for classes :math:`y_i \in \{-1, +1\}`.

    Source
    ------
    Cortes and Vapnik (1995).
    """

    name: ClassVar[str] = "hinge"

    def check_response(self, y: Vector) -> str | None:
        return two_classes(y, self.name)

    def kinks(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        return y, np.where(y < 0, 1.0, 0.0), np.where(y > 0, 1.0, 0.0)  # (1 - yη)₊ has its kink at η = 1/y = y
