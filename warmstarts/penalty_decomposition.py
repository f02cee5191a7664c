"""Penalty decomposition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class PenaltyDecomposition(SizeBySize):
    r"""Two copies of the coefficients, held together by a growing penalty, minimised in turns.

    .. math::
        \min_{\gamma,\; \|z\|_0 \le k}\; q_\varrho(\gamma, z) = f(\gamma) + \tfrac{\varrho}{2}\|\gamma - z\|^2

    For each ϱ both are minimised in turns until the value stands; then ϱ grows, until the copies meet. Where a new ϱ
    begins above the value of a feasible point known, z begins there instead. The last support and that of the feasible
    point are compared. Begins at ``start`` if given.

    Attributes
    ----------
    rho, growth : float
        The first ϱ, and what it is multiplied with: √10 in the paper.
    inner, outer : float
        Relative changes that end the turns, and the difference of the copies that ends all.
    max_iterations : int
        Turns for each ϱ, at most.

    Source
    ------
    Lu and Zhang (2013), Sparse approximation via penalty decomposition methods, algorithms 4.1 and 4.2.
    """

    name: ClassVar[str] = "penalty_decomposition"

    rho: float = 0.1
    growth: float = 10.0**0.5
    inner: float = 1e-4
    outer: float = 1e-4
    max_iterations: int = 200

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        assert isinstance(objective, SquaredObjective)
        scaled = objective.scaled
        feasible = np.sort(keep(scaled, np.abs(objective.source.c), size)) if start is None else start
        held, ceiling, _ = objective.fitted(feasible)
        known = np.zeros(objective.m)
        known[feasible] = held
        z, rho = known, self.rho
        support = feasible
        for _ in range(60):
            gamma, value = _fitted_to(objective, z, rho)
            if value > ceiling:
                z = known
                gamma, value = _fitted_to(objective, z, rho)
            for _ in range(self.max_iterations):
                support = np.sort(keep(scaled, np.abs(gamma), size))
                z = np.zeros(objective.m)
                z[support] = gamma[support]
                gamma, reached = _fitted_to(objective, z, rho)
                settled = value - reached <= self.inner * max(value, 1e-12)
                value = reached
                if settled:
                    break
            if np.abs(gamma - z).max() <= self.outer * max(np.abs(z).max(), 1e-12):
                break
            rho *= self.growth
        return min(support, feasible, key=lambda s: objective.fitted(s)[1])


def _fitted_to(objective: SquaredObjective, z: Vector, rho: float) -> tuple[Vector, float]:
    """Return the γ that minimises the penalised value for a z, and that value."""
    gamma = objective.spectrum.solve(rho, objective.source.c + rho * z)
    value, _ = objective.everywhere(gamma)
    return gamma, value + 0.5 * rho * float((gamma - z) @ (gamma - z))
