"""Stepwise selection in both directions."""

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
from warmstarts.stepwise import forward_order

_GAIN = 1e-12


@dataclass(frozen=True)
class BidirectionalStepwise(Heuristic):
    r"""Enter the best column; then remove columns as long as that beats the best support of the smaller size.

    Efroymson's stepwise regression with the table of the best support of each size in the place of F-tests, so that
    one run proposes for every size and each removal lowers an entry of the table: it ends.

    Attributes
    ----------
    beyond : int
        Sizes above the largest one wanted up to which columns enter, so that removals also come from there.

    Source
    ------
    Efroymson (1960), Multiple regression analysis; Pudil, Novovičová and Kittler (1994), Floating search methods in
    feature selection.
    """

    name: ClassVar[str] = "bidirectional_stepwise"
    takes_groups: ClassVar[bool] = False

    beyond: int = 3

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        source = GramRows(scaled)
        objective = SquaredObjective(source)
        support = forced_columns(scaled)
        least, most = len(support), min(max(sizes) + self.beyond, scaled.m)
        best = {least: (objective.fitted(support)[1], support)}
        while len(support) < most:
            entered = forward_order(source, support, len(support) + 1)
            if len(entered) == len(support):  # the others depend on those inside
                break
            support = entered
            if not _enter(best, objective, entered):
                support = best[len(entered)][1]
            while len(support) > least + 1:
                shorter = _without_the_least_missed(objective, support)
                if not _enter(best, objective, shorter):
                    break
                support = shorter
        return {s: np.sort(best[min(s, max(best))][1]) for s in sizes if s >= least}


def _enter(best: dict[int, tuple[float, IntVector]], objective: SquaredObjective, support: IntVector) -> bool:
    """Put a support into the table, if it is better than that of its size."""
    value, size = objective.fitted(support)[1], len(support)
    if size in best and not value < best[size][0] - _GAIN:
        return False
    best[size] = value, support
    return True


def _without_the_least_missed(objective: SquaredObjective, support: IntVector) -> IntVector:
    inverse = np.linalg.pinv(objective.block(support), hermitian=True)
    missed = objective.fit(support) ** 2 / np.maximum(np.diag(inverse), _GAIN)
    return np.delete(support, np.argmin(np.where(objective.scaled.included[support], np.inf, missed)))
