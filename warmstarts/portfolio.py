"""Several heuristics, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector
from warmstarts.interface import Heuristic
from warmstarts.members import by_name
from warmstarts.refit import best_of


@dataclass(frozen=True)
class Portfolio(Heuristic):
    """Run the heuristics that take the problem, each from the same seed; keep the best for each size by `refit`.

    Attributes
    ----------
    heuristics : tuple of str or Heuristic
    """

    name: ClassVar[str] = "portfolio"

    heuristics: tuple[str | Heuristic, ...] = ("beam_search", "splicing", "coordinate_swaps", "hard_thresholding")

    def refuses(self, scaled: ScaledProblem) -> str | None:
        reasons = [by_name(heuristic).refuses(scaled) for heuristic in self.heuristics]
        return None if None in reasons else next(iter(reasons), None)

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        seed = int(rng.integers(2**32))
        members = [by_name(heuristic) for heuristic in self.heuristics]
        every = [
            member.supports(scaled, sizes, np.random.default_rng(seed), start)
            for member in members
            if member.refuses(scaled) is None
        ]
        return {
            s: best_of(scaled, [found[s] for found in every if s in found])
            for s in sizes
            if any(s in found for found in every)
        }
