"""Subspace pursuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector
from warmstarts.gradient_support_pursuit import pursue
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective


@dataclass(frozen=True)
class SubspacePursuit(SizeBySize):
    r"""Join the k columns most correlated with the residual, fit on all, keep the k largest coefficients, fit again.

    Ends, as in the paper, when the residual does not fall. Begins at ``start`` if given.

    Attributes
    ----------
    max_iterations : int

    Source
    ------
    Dai and Milenkovic (2009), Subspace pursuit for compressive sensing signal reconstruction.
    """

    name: ClassVar[str] = "subspace_pursuit"

    max_iterations: int = 50

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return pursue(objective, size, start, joining=1, debias=True, max_iterations=self.max_iterations, descend=True)
