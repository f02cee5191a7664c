"""Gradient support pursuit: columns of steep slope join the support, all are fitted, the best stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.refit import forced_columns
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class GradientSupportPursuit(SizeBySize):
    r"""Join the 2k columns of steepest slope to the support, fit on all, keep the k largest coefficients.

    Ends when a support comes back; the best on the way, after a fit, is proposed. Begins at ``start`` if given.
    Any smooth loss: for squared error these are the steps of compressive sampling matching pursuit.

    Attributes
    ----------
    max_iterations : int
    debias : bool
        Whether slopes are taken at the best fit on the k columns, not at what pruning left.

    Source
    ------
    Bahmani, Raj and Boufounos (2013), Greedy sparsity-constrained optimization.
    """

    name: ClassVar[str] = "gradient_support_pursuit"
    takes_smooth_losses: ClassVar[bool] = True

    max_iterations: int = 50
    debias: bool = True

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return pursue(objective, size, start, joining=2, debias=self.debias, max_iterations=self.max_iterations)


def pursue(
    objective: Objective,
    size: int,
    start: IntVector | None,
    *,
    joining: int,
    debias: bool,
    max_iterations: int,
    descend: bool = False,
) -> IntVector:
    """Return the best support of the iterations in which ``joining * size`` columns join and ``size`` stay.

    With ``descend`` they end at the first value that is not lower.
    """
    scaled = objective.scaled
    support = forced_columns(scaled) if start is None else start
    _, least, slope = objective.fitted(support)
    best = support
    seen: set[bytes] = set()
    for _ in range(max_iterations):
        steep = np.abs(slope)
        steep[support] = 0.0
        union = np.union1d(support, keep(scaled, steep, min(joining * size, objective.m)))
        wide = objective.fit(union)
        every = np.zeros(objective.m)
        every[union] = wide
        support = np.sort(keep(scaled, np.abs(every), size))
        _, value, slope = objective.fitted(support)
        if value < least:
            best, least = support, value
        elif descend:
            break
        if support.tobytes() in seen:
            break
        seen.add(support.tobytes())
        if not debias:
            _, slope = objective.at(support, every[support])
    return best
