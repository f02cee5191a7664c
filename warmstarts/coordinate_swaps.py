"""Coordinate descent on the penalised problem, with swaps of single columns out of its stationary points."""

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

_SMALLEST = 1e-10  # λ0, of the squared norm of the response, where the path ends
_GAIN = 1e-12


@dataclass(frozen=True)
class CoordinateSwaps(Heuristic):
    r"""Follow λ0 down; for each, descend along coordinates and swap, until no single swap is better.

    A column enters where :math:`d_j^2 / 2h_j > \lambda_0` and leaves where :math:`\tfrac12 h_j\gamma_j^2 < \lambda_0`;
    between changes the members are fitted exactly, which is where descent along their coordinates leads. A swap
    replaces member i by j when :math:`(d_j + \gamma_i H_{ij})^2/h_j > h_i\gamma_i^2`: better with all others fixed, so
    the end is swap-inescapable of order 1. The next λ0 is a little less than what lets a column enter. Supports of all
    sizes met on the way, up to the largest size, are compared.

    Attributes
    ----------
    shrink : float
        The next λ0, of the least one that changes nothing.
    max_steps : int
        Changes for each λ0, at most.

    Source
    ------
    Hazimeh and Mazumder (2020), Fast best subset selection, algorithms 1 and 2, PSI(1), and section 4.3.
    """

    name: ClassVar[str] = "coordinate_swaps"
    takes_groups: ClassVar[bool] = False

    shrink: float = 0.95
    max_steps: int = 200

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        path = _Path(self, SquaredObjective(GramRows(scaled)))
        path.follow(min(max(sizes), scaled.m))
        found: dict[int, IntVector] = {}
        for size in sizes:
            met = [s for s in path.best if s <= size]
            if met:
                found[size] = path.best[min(met, key=path.value.__getitem__)]
        return found


class _Path:
    """The best support met of each size, and its value."""

    def __init__(self, settings: CoordinateSwaps, objective: SquaredObjective) -> None:
        self.settings, self.objective = settings, objective
        self.best: dict[int, IntVector] = {}
        self.value: dict[int, float] = {}
        self.included = objective.scaled.included
        self.move_to(forced_columns(objective.scaled))

    def move_to(self, support: IntVector) -> None:
        self.support = np.sort(support)
        self.gamma, value, self.slope = self.objective.fitted(self.support)
        size = len(self.support)
        if value < self.value.get(size, np.inf):
            self.best[size], self.value[size] = self.support, value

    def follow(self, largest: int) -> None:
        while len(self.support) <= largest and len(self.support) < self.objective.m:
            lambda0 = self.settings.shrink * float(self.promises().max())
            if lambda0 < _SMALLEST:
                break
            for _ in range(self.settings.max_steps):
                if len(self.support) > largest or not (self.drop(lambda0) or self.add(lambda0) or self.swap()):
                    break

    def promises(self) -> np.ndarray:
        """How much the value falls along each column outside."""
        found = 0.5 * self.slope**2 / self.objective.diagonal
        found[self.support] = -1.0
        return found

    def drop(self, lambda0: float) -> bool:
        prices = 0.5 * self.gamma**2 * self.objective.diagonal[self.support]
        prices[self.included[self.support]] = np.inf
        i = int(prices.argmin()) if len(prices) else -1
        if i < 0 or not prices[i] < lambda0:
            return False
        self.move_to(np.delete(self.support, i))
        return True

    def add(self, lambda0: float) -> bool:
        promises = self.promises()
        j = int(promises.argmax())
        if not promises[j] > lambda0:
            return False
        self.move_to(np.append(self.support, j))
        return True

    def swap(self) -> bool:
        """Make the best swap, all other coefficients fixed."""
        loose = np.flatnonzero(~self.included[self.support])
        if not len(loose) or len(self.support) == self.objective.m:
            return False
        diagonal, leaving = self.objective.diagonal, self.support[loose]
        rows = self.objective.source.whole_rows(leaving)
        slopes = self.slope + self.gamma[loose, None] * rows
        gains = 0.5 * slopes**2 / diagonal - 0.5 * (self.gamma[loose] ** 2 * diagonal[leaving])[:, None]
        gains[:, self.support] = -1.0
        i, j = divmod(int(gains.argmax()), self.objective.m)
        if not gains[i, j] > _GAIN:
            return False
        self.move_to(np.append(np.delete(self.support, loose[i]), j))
        return True
