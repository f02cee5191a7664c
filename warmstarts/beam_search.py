"""Beam search: forward selection that carries several supports along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic
from warmstarts.objective import SquaredObjective
from warmstarts.refit import forced_columns
from warmstarts.thresholding import largest

_DEPENDENT = 1e-10  # what is left of a unit column that the others explain


@dataclass(frozen=True)
class BeamSearch(Heuristic):
    r"""Extend each of the best supports by the columns that lower the value most; keep the best of all that come out.

    The fall along column j with S inside is :math:`w_j^2 / 2g_j`, as in `ForwardStepwise`, which is the beam of one.

    Attributes
    ----------
    width : int
        Supports kept of each size.
    branches : int
        Columns that each support is extended by.

    Source
    ------
    Liu, Rosen, Zhong and Rudin (2023), OKRidge, section 3.3: 50 and 50 there, at every node of a tree.
    """

    name: ClassVar[str] = "beam_search"
    takes_groups: ClassVar[bool] = False

    width: int = 20
    branches: int = 10

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        objective, forced = SquaredObjective(GramRows(scaled)), forced_columns(scaled)
        beam = [tuple(forced.tolist())]
        found = {len(forced): forced}
        while len(beam[0]) < min(max(sizes), scaled.m):
            values: dict[tuple[int, ...], float] = {}
            for support in beam:
                values.update(self._extended(objective, np.array(support, dtype=np.int64)))
            if not values:  # the others depend on those inside
                break
            beam = sorted(values, key=lambda support: (values[support], support))[: self.width]
            found[len(beam[0])] = np.array(beam[0], dtype=np.int64)
        return {s: found[min(s, max(found))] for s in sizes if s >= len(forced)}

    def _extended(self, objective: SquaredObjective, support: IntVector) -> dict[tuple[int, ...], float]:
        _, value, slope = objective.fitted(support)
        left = objective.diagonal.copy()
        if len(support):
            rows = objective.source.whole_rows(support)
            explained = np.linalg.lstsq(objective.block(support), rows, rcond=_DEPENDENT)[0]
            left -= np.einsum("ij,ij->j", rows, explained)
        left[support] = 0.0
        falls = np.where(left > _DEPENDENT, 0.5 * slope**2 / np.maximum(left, _DEPENDENT), -1.0)
        best = [int(j) for j in largest(falls, self.branches) if falls[j] >= 0.0]
        return {tuple(sorted((*support.tolist(), j))): value - float(falls[j]) for j in best}
