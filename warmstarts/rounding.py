"""Heuristics that solve something smooth or convex once, and round it for every size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.refit import forced_columns
from warmstarts.thresholding import keep


class Rounded(SizeBySize):
    """Coefficients on all columns, found once for all sizes; the largest are kept, the best set of them is proposed."""

    @abstractmethod
    def worths(self, objective: Objective, rng: np.random.Generator) -> list[Vector]:
        """Return what each column is worth, shape (m,), by each of the solutions to round."""

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return best_kept(objective, self.worths(objective, rng), size)

    def _supports(
        self, objective: Objective, sizes: Sequence[int], rng: np.random.Generator, start: IntVector | None
    ) -> dict[int, IntVector]:
        worths = self.worths(objective, rng)
        least = len(forced_columns(objective.scaled))
        return {s: np.sort(best_kept(objective, worths, min(s, objective.m))) for s in sizes if s >= least}


def best_kept(objective: Objective, worths: list[Vector], size: int) -> IntVector:
    """Return the best support among those that keep the columns worth most."""
    supports = {tuple(np.sort(keep(objective.scaled, worth, size)).tolist()): None for worth in worths}
    kept = [np.array(support, dtype=np.int64) for support in supports]
    return min(kept, key=lambda support: objective.fitted(support)[1])
