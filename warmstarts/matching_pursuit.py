"""Matching pursuits: the columns most correlated with the residual enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic, SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.refit import forced_columns
from warmstarts.thresholding import keep, largest

_DEPENDENT = 1e-10  # what is left of a unit column that the others explain
_NOTHING = 1e-13  # correlation with the residual of a response that is explained


@dataclass(frozen=True)
class MatchingPursuit(Heuristic):
    r"""Step along the column most correlated with the residual, again and again; columns may come back.

    A size is reached when so many columns have entered; its support is what had entered before one more would.

    Attributes
    ----------
    steps : int
        Steps for each column of the largest size, at most.

    Source
    ------
    Mallat and Zhang (1993), Matching pursuits with time-frequency dictionaries.
    """

    name: ClassVar[str] = "matching_pursuit"
    takes_groups: ClassVar[bool] = False

    steps: int = 20

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        source, forced = GramRows(scaled), forced_columns(scaled)
        _, _, w = SquaredObjective(source).fitted(forced)
        order, held = forced.tolist(), scaled.included.copy()
        for _ in range(self.steps * max(sizes)):
            j = int(np.argmax(np.abs(w) / np.sqrt(source.diagonal)))
            if abs(w[j]) <= _NOTHING:
                break
            if not held[j]:
                if len(order) >= max(sizes):
                    break
                order.append(j)
                held[j] = True
            w = w - w[j] / source.diagonal[j] * source.row(j)
        return {s: np.sort(np.array(order[:s], dtype=np.int64)) for s in sizes if s >= len(forced)}


@dataclass(frozen=True)
class OrthogonalMatchingPursuit(Heuristic):
    r"""Enter the column most correlated with the residual, and fit on all that have entered.

    Each step costs one new row of the Cholesky factor of :math:`X'X + 2\,\mathrm{diag}(\rho)`: k²m operations for k
    steps, one pass for all sizes. Unlike `ForwardStepwise` the column is not judged by what it explains beside the
    others. For many responses at once see `warmstarts.batch_pursuit`.

    Source
    ------
    Pati, Rezaiifar and Krishnaprasad (1993); Tropp (2004), Greed is good. By the Gram matrix: Rubinstein, Zibulevsky
    and Elad (2008).
    """

    name: ClassVar[str] = "orthogonal_matching_pursuit"
    takes_groups: ClassVar[bool] = False

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        forced = forced_columns(scaled)
        order = entry_order(GramRows(scaled), forced, max(sizes))
        return {s: np.sort(order[:s]) for s in sizes if s >= len(forced)}


@dataclass(frozen=True)
class GeneralizedOMP(SizeBySize):
    r"""Enter several columns at a time, until k times have passed or nothing is left to explain; keep the k largest.

    Attributes
    ----------
    per_step : int
        Columns that enter together: the N of the paper.

    Source
    ------
    Wang, Kwon and Shim (2012), Generalized orthogonal matching pursuit.
    """

    name: ClassVar[str] = "generalized_omp"
    takes_groups: ClassVar[bool] = False

    per_step: int = 3

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        assert isinstance(objective, SquaredObjective)
        scaled, forced = objective.scaled, forced_columns(objective.scaled)
        # More columns than rows explain any response, and their coefficients tell nothing.
        most = min(len(forced) + self.per_step * (size - len(forced)), max(size, scaled.n // 2))
        entered = np.sort(entry_order(objective.source, forced, most, self.per_step))
        worth = np.full(objective.m, -1.0)
        worth[entered] = np.abs(objective.fit(entered))
        return keep(scaled, worth, min(size, len(entered)))


def entry_order(source: GramRows, begin: IntVector, size: int, per_step: int = 1) -> IntVector:
    """Return the columns in the order of entry: ``begin`` first, at most ``size`` in all.

    Stops where the response is explained. A column that depends on those before it is passed over.
    """
    w = source.c.copy()
    is_open = np.ones(source.m)
    factor = np.empty((min(size, source.m), source.m))
    order: list[int] = []
    rank = 0
    while len(order) < len(factor):
        if len(order) < len(begin):
            entering = begin[len(order) : len(order) + 1]
        else:
            scores = np.abs(w) * is_open
            room = min(per_step, len(factor) - len(order))
            entering = np.array([scores.argmax()]) if room == 1 else largest(scores, room)
            entering = entering[scores[entering] > _NOTHING]
            if not len(entering):
                break
        for j in entering.tolist():
            is_open[j] = 0.0
            row = source.row(j) - factor[:rank, j] @ factor[:rank]
            left = row[j]
            if left > _DEPENDENT:
                row /= np.sqrt(left)
                w -= w[j] / np.sqrt(left) * row
                factor[rank] = row
                rank += 1
            if left > _DEPENDENT or len(order) < len(begin):
                order.append(j)
    return np.array(order, dtype=np.int64)
