"""Splicing: exchanges of the columns that give least for those that promise most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.thresholding import keep, largest


@dataclass(frozen=True)
class Splicing(SizeBySize):
    r"""Exchange several columns at once for others, by sacrifices, while the value falls.

    The backward sacrifice of a member is :math:`\tfrac12 h_j\gamma_j^2`, the forward sacrifice of another column
    :math:`\tfrac12 d_j^2/h_j`, with d minus the gradient and h the curvature. For C = 1, 2, … the C members of the
    least are exchanged for the C others of the largest; the best C is taken. Sacrifices leave correlation aside, so
    the end point is often short of the optimum where columns are correlated. Begins at ``start`` if given, else at the
    columns most correlated with the response.

    Attributes
    ----------
    exchanges : int
        The largest C.
    tau : float
        How much the value must fall, of that of the empty model. The paper, which aims at the truth and not at the
        least value, has :math:`0.02\,k \log p\,\log\log n / n` in these units.
    max_iterations : int

    Source
    ------
    Zhu, Wen, Zhu, Zhang and Wang (2020), A polynomial algorithm for best-subset selection problem, algorithms 1 and 2.
    """

    name: ClassVar[str] = "splicing"
    takes_groups: ClassVar[bool] = False
    takes_smooth_losses: ClassVar[bool] = True

    exchanges: int = 5
    tau: float = 0.0
    max_iterations: int = 100

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        null, slope = objective.at(np.arange(0), np.zeros(0))
        diagonal, included = objective.diagonal, objective.scaled.included
        support = keep(objective.scaled, slope**2 / diagonal, size) if start is None else start
        gamma, value, slope = objective.fitted(support)
        for _ in range(self.max_iterations):
            loose = ~included[support]
            most = min(self.exchanges, int(loose.sum()), objective.m - len(support))
            least = largest(np.where(loose, -(gamma**2) * diagonal[support], -np.inf), most)
            promise = slope**2 / diagonal
            promise[support] = -1.0
            others = largest(promise, most)
            best = support, gamma, value, slope
            for count in range(1, most + 1):
                trial = support.copy()
                trial[least[:count]] = others[:count]
                fitted = objective.fitted(trial)
                if fitted[1] < best[2]:
                    best = trial, *fitted
            if not value - best[2] > max(self.tau * null, 1e-12 * value):
                break
            support, gamma, value, slope = best
        return support
