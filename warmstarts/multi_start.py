"""Another heuristic from many random starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import Problem, ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.splicing import Splicing
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class MultiStart(SizeBySize):
    """Run another heuristic as it begins by itself, from ``start`` if given, and from random supports; keep the best.

    Attributes
    ----------
    heuristic : SizeBySize
        One that begins at ``start``: thresholding, pursuits of whole supports, splicing, ADMM, …
    starts : int
        Random supports of the size wanted.

    Source
    ------
    Bertsimas, King and Mazumder (2016), section 5.2.1, with 50 starts; Martí, Resende and Ribeiro (2013), Multi-start
    methods for combinatorial optimization.
    """

    name: ClassVar[str] = "multi_start"
    takes_smooth_losses: ClassVar[bool] = True

    heuristic: SizeBySize = Splicing()  # noqa: RUF009  frozen, so it can be shared
    starts: int = 20

    def refuses(self, scaled: ScaledProblem) -> str | None:
        return self.heuristic.refuses(scaled)

    def _with_loss(
        self, problem: Problem, scaled: ScaledProblem, rng: np.random.Generator, start: IntVector | None
    ) -> Vector:
        if not self.heuristic.takes_smooth_losses:
            return self.heuristic._with_loss(problem, scaled, rng, start)
        return super()._with_loss(problem, scaled, rng, start)

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        begins = [None, *([start] if start is not None else [])]
        begins += [np.sort(keep(objective.scaled, rng.random(objective.m), size)) for _ in range(self.starts)]
        ends = (self.heuristic.support(objective, size, rng, begin) for begin in begins)
        return min(ends, key=lambda support: objective.fitted(support)[1])
