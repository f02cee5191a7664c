"""Compressive sampling matching pursuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector
from warmstarts.gradient_support_pursuit import pursue
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective


@dataclass(frozen=True)
class CoSaMP(SizeBySize):
    r"""Join the 2k columns most correlated with the residual, fit on all, keep the k largest coefficients.

    The next residual is that of the pruned coefficients, not fitted again, as in the paper. Ends when a support comes
    back; the best on the way is proposed. Meant for 3k well below the number of rows. Begins at ``start`` if given.

    Attributes
    ----------
    max_iterations : int

    Source
    ------
    Needell and Tropp (2009), CoSaMP: iterative signal recovery from incomplete and inaccurate samples.
    """

    name: ClassVar[str] = "cosamp"

    max_iterations: int = 50

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return pursue(objective, size, start, joining=2, debias=False, max_iterations=self.max_iterations)
