"""The supports along the lasso path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic
from warmstarts.objective import SquaredObjective
from warmstarts.refit import forced_columns

_TINY = 1e-12
_DEPENDENT = 1e-10  # what is left of a unit column that the others explain
_SMALLEST = 1e-9  # λ1 at which the path ends; it begins at the largest correlation, at most 1


@dataclass(frozen=True)
class LassoPath(Heuristic):
    r"""Follow :math:`\min_\gamma \tfrac12\|y - X\gamma\|^2 + \rho'\gamma^2 + \lambda_1\|\gamma\|_1` as λ1 falls.

    By least angle regression with the lasso's removals: the path is linear between its knots, and every support on it
    is met. For each size the support of the least value after a fit is proposed, so the coefficients are those of the
    relaxed lasso with φ = 0. The ridge makes it the elastic net. Included columns are not penalised.

    Attributes
    ----------
    knots : int
        Knots for each column of the largest size, at most.

    Source
    ------
    Tibshirani (1996); Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression, section 3.1;
    Meinshausen (2007), Relaxed lasso.
    """

    name: ClassVar[str] = "lasso_path"
    takes_groups: ClassVar[bool] = False

    knots: int = 4

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        objective, forced = SquaredObjective(GramRows(scaled)), forced_columns(scaled)
        best = {len(forced): (objective.fitted(forced)[1], forced)}
        for count, (_, support, _) in enumerate(lasso_knots(objective)):
            if len(support) > max(sizes) or count > self.knots * max(sizes):
                break
            value = objective.fitted(support)[1]
            if value < best.get(len(support), (np.inf,))[0]:
                best[len(support)] = value, support
        return {
            s: np.sort(min((found for size, found in best.items() if size <= s), key=lambda f: f[0])[1])
            for s in sizes
            if s >= len(forced)
        }


def lasso_knots(objective: SquaredObjective) -> Iterator[tuple[float, IntVector, Vector]]:
    """Yield, at each knot of the path, λ1, the columns that are nonzero down to the next knot, and their coefficients.

    The coefficients are those at the knot: a column that enters there is zero yet.
    """
    source = objective.source
    active = forced_columns(objective.scaled).tolist()
    free = objective.scaled.included
    gamma = objective.fit(np.array(active, dtype=np.int64))
    _, slope = objective.at(np.array(active, dtype=np.int64), gamma)
    is_shut = free.copy()
    barred: set[int] = set()  # what depends on those inside
    lambda1 = float(np.max(np.abs(slope), where=~is_shut, initial=0.0))
    entering = int(np.argmax(np.where(is_shut, -1.0, np.abs(slope))))
    while lambda1 > _SMALLEST and len(active) < source.m:
        if entering >= 0:
            active.append(entering)
            is_shut[entering] = True
            gamma = np.append(gamma, 0.0)
        support = np.array(active, dtype=np.int64)
        signs = np.where(free[support], 0.0, np.sign(np.where(gamma != 0.0, gamma, slope[support])))
        block = objective.block(support)
        if entering >= 0 and _is_explained(block):
            active.pop()
            barred.add(entering)
            gamma = gamma[:-1]
            support, signs, block = support[:-1], signs[:-1], block[:-1, :-1]
        else:
            yield lambda1, support, gamma.copy()
        if not len(support):
            return
        direction = _solved(block, signs)
        falls = direction @ source.whole_rows(support)
        length, entering = _next_entry(lambda1, slope, falls, is_shut)
        crossing = np.where(
            (gamma * direction < 0.0) & ~free[support], -gamma / np.where(direction, direction, 1), np.inf
        )
        leaving = int(crossing.argmin())
        if crossing[leaving] < length:
            length, entering = float(crossing[leaving]), -1
        length = min(length, lambda1)
        gamma = gamma + length * direction
        slope = slope - length * falls
        lambda1 -= length
        if entering < 0 and length == crossing[leaving]:
            is_shut[active.pop(leaving)] = False
            gamma = np.delete(gamma, leaving)
            is_shut[list(barred)] = False
            barred.clear()


def _solved(block: Matrix, right: Vector) -> Vector:
    """Solve a system; included columns may depend on each other."""
    return np.asarray(np.linalg.lstsq(block, right, rcond=_DEPENDENT)[0])


def _is_explained(block: Matrix) -> bool:
    """Tell whether the others leave next to nothing of the last column."""
    others = block[-1, :-1]
    return bool(block[-1, -1] - others @ _solved(block[:-1, :-1], others) < _DEPENDENT)


def _next_entry(lambda1: float, slope: Vector, falls: Vector, is_shut: np.ndarray) -> tuple[float, int]:
    """Return how far λ1 may fall until a column outside is as correlated as those inside, and the column."""
    with np.errstate(divide="ignore", invalid="ignore"):
        above = (lambda1 - slope) / (1.0 - falls)
        below = (lambda1 + slope) / (1.0 + falls)
    lengths = np.minimum(np.where(above > _TINY, above, np.inf), np.where(below > _TINY, below, np.inf))
    lengths[is_shut] = np.inf
    j = int(np.argmin(lengths))
    return (float(lengths[j]), j) if np.isfinite(lengths[j]) else (np.inf, -1)
