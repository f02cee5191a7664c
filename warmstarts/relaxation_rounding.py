"""The perspective relaxation, rounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.rounding import best_kept

_SHUT = 1e-9  # z of a column that is out
_SETTLED = 1e-6


@dataclass(frozen=True)
class RelaxationRounding(SizeBySize):
    r"""Minimise the perspective relaxation in turns over γ and z, and round z: the largest, and at random.

    .. math::
        \min_{\gamma,\; 0 \le z \le 1,\; \sum z \le k}\; \tfrac12\gamma'Q\gamma - c'\gamma
            + \tfrac12\sum_j d_j \gamma_j^2 / z_j,\qquad Q + \mathrm{diag}(d) = H

    d is the ridge with the least eigenvalue of :math:`X'X`; where both are next to nothing, ``ridge``, which then
    serves the relaxation only. For γ that is one system of equations; for z, :math:`\min(1, \tau\sqrt{d_j}|\gamma_j|)`.
    The problem is convex in both together, so the turns lead to its minimum. Nothing is claimed about the bound.

    Attributes
    ----------
    ridge : float
        In units of unit columns.
    draws : int
        Supports drawn with probabilities that follow z.
    max_iterations : int

    Source
    ------
    Günlük and Linderoth (2010), Perspective reformulations; randomised rounding of it: Pilanci, Wainwright and
    El Ghaoui (2015), Sparse learning via Boolean relaxations.
    """

    name: ClassVar[str] = "relaxation_rounding"

    ridge: float = 0.01
    draws: int = 20
    max_iterations: int = 100

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        z = self.relaxed(objective, size)
        chances = np.log(z)
        worths = [z, *(chances + rng.gumbel(size=objective.m) for _ in range(self.draws))]
        return best_kept(objective, worths, size)

    def relaxed(self, objective: Objective, size: int) -> Vector:
        """Return z, shape (m,), of the relaxation's minimum."""
        assert isinstance(objective, SquaredObjective)
        ridge = 2.0 * objective.scaled.ridge
        spectrum, m = objective.spectrum, objective.m
        least = float(spectrum.values[0]) - float(ridge.max()) if len(spectrum.values) == m else 0.0
        extracted = np.full(m, max(0.0, 0.999 * least))
        d = ridge + extracted
        if d.min() < 1e-6:
            d = d + self.ridge
        z = np.where(objective.scaled.included, 1.0, min(1.0, size / m))
        for _ in range(self.max_iterations):
            gamma = self._coefficients(objective, ridge + extracted, d / z)
            following = _shares(np.sqrt(d) * np.abs(gamma), objective.scaled.included, size)
            change = float(np.abs(following - z).max())
            z = following
            if change < _SETTLED:
                break
        return z

    def _coefficients(self, objective: SquaredObjective, inside: Vector, outside: Vector) -> Vector:
        """Solve (H - diag(inside) + diag(outside)) γ = c: by rows where those are fewer."""
        scaled = objective.scaled
        if scaled.m <= scaled.n or inside.any():
            Q = scaled.gram.copy()
            Q[np.diag_indices_from(Q)] += 2.0 * scaled.ridge - inside + outside
            return np.asarray(np.linalg.solve(Q, objective.source.c))
        spread = scaled.X / outside
        inner = np.eye(scaled.n) + spread @ scaled.X.T
        return np.asarray(spread.T @ np.linalg.solve(inner, scaled.y))


def _shares(strength: Vector, included: np.ndarray, size: int) -> Vector:
    """Return the z that minimises Σ strength²/z: proportional to strength, cut at one, of sum ``size``."""
    z = np.where(included, 1.0, _SHUT)
    order = np.flatnonzero(~included)[np.argsort(-strength[~included], kind="stable")]
    room = size - int(included.sum())
    tail = np.cumsum(strength[order][::-1])[::-1]
    for full in range(min(room, len(order))):
        if strength[order[full]] * (room - full) <= tail[full]:
            z[order[full:]] = np.maximum((room - full) * strength[order[full:]] / max(tail[full], _SHUT**2), _SHUT)
            return np.minimum(z, 1.0)
        z[order[full]] = 1.0
    return z
