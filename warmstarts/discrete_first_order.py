"""The discrete first-order method, from many starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector, Matrix
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class DiscreteFirstOrder(SizeBySize):
    r"""Gradient steps of length 1/L followed by keeping the k largest, from many starts together; then the best fit.

    .. math::
        \gamma \leftarrow H_k\left(\gamma - \tfrac1L \nabla f(\gamma)\right)

    The first start is zero, the others normal in all columns, in units of a fit of norm one; ``start``, if given, is
    one more. All starts are rows of one matrix. The best support after a fit is proposed.

    Attributes
    ----------
    starts : int
    max_iterations : int
    tolerance : float
        Decrease of the value that ends the iterations, for all starts together.

    Source
    ------
    Bertsimas, King and Mazumder (2016), Best subset selection via a modern optimization lens, algorithm 1 and
    section 5.2.1: 50 starts, ``1e-4``.
    """

    name: ClassVar[str] = "discrete_first_order"
    takes_groups: ClassVar[bool] = False

    starts: int = 50
    max_iterations: int = 1000
    tolerance: float = 1e-4

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        assert isinstance(objective, SquaredObjective)
        gammas = np.zeros((self.starts, objective.m))
        gammas[1:] = rng.standard_normal((self.starts - 1, objective.m)) * 2.0 / np.sqrt(objective.m)
        if start is not None:
            begun = np.zeros(objective.m)
            begun[start] = objective.fit(start)
            gammas = np.vstack([gammas, begun])
        gammas = _thresholded(gammas, objective, size)
        values = np.full(len(gammas), np.inf)
        for _ in range(self.max_iterations):
            reached, slopes = _values_and_slopes(objective, gammas)
            gammas = _thresholded(gammas + slopes / objective.largest_curvature, objective, size)
            if np.all(values - reached <= self.tolerance):
                break
            values = reached
        ends = {tuple(np.sort(keep(objective.scaled, np.abs(gamma), size)).tolist()) for gamma in gammas}
        return min((np.array(end) for end in sorted(ends)), key=lambda support: objective.fitted(support)[1])


def _values_and_slopes(objective: SquaredObjective, gammas: Matrix) -> tuple[np.ndarray, Matrix]:
    scaled, c = objective.scaled, objective.source.c
    if objective.source.is_whole:
        products = gammas @ objective.source.rows
    else:
        products = scaled.design.correlate(scaled.X @ gammas.T) + 2.0 * gammas * scaled.ridge
    return 0.5 + np.einsum("ij,ij->i", gammas, 0.5 * products - c), c - products


def _thresholded(points: Matrix, objective: SquaredObjective, size: int) -> Matrix:
    """Keep the largest of each row, the included columns among them."""
    worth = np.where(objective.scaled.included, np.inf, np.abs(points))
    kept = np.argpartition(-worth, size - 1, axis=1)[:, :size]
    result = np.zeros_like(points)
    np.put_along_axis(result, kept, np.take_along_axis(points, kept, axis=1), axis=1)
    return result
