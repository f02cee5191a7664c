"""The alternating direction method of multipliers on the cardinality constraint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.thresholding import keep

_ENOUGH = 1e-9  # difference of the two copies, of their length, at which the iterations end


@dataclass(frozen=True)
class ADMM(SizeBySize):
    r"""Split coefficients and support, and let multipliers bring the two copies together.

    .. math::
        \gamma \leftarrow (H + \varrho I)^{-1}(c + \varrho(z - u)),\qquad
        z \leftarrow P_k(\gamma + u),\qquad u \leftarrow u + \gamma - z

    The set of k-sparse vectors is not convex, so nothing is promised for a fixed ϱ; it grows a little each time, and
    the copies meet. Each support on the way is fitted, the best is proposed. Begins at ``start`` if given.

    Attributes
    ----------
    rho : float
        The first ϱ; the largest eigenvalue of H is at least 1 in units of unit columns.
    growth : float
        What ϱ is multiplied with after each iteration.
    max_iterations : int

    Source
    ------
    Boyd, Parikh, Chu, Peleato and Eckstein (2011), Distributed optimization and statistical learning via the
    alternating direction method of multipliers, section 9.1.
    """

    name: ClassVar[str] = "admm"

    rho: float = 0.1
    growth: float = 1.03
    max_iterations: int = 400

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        assert isinstance(objective, SquaredObjective)
        met = {support.tobytes(): support for support, _, _ in self.iterations(objective, size, start)}
        return min(met.values(), key=lambda support: objective.fitted(support)[1])

    def iterations(
        self, objective: SquaredObjective, size: int, start: IntVector | None = None
    ) -> Iterator[tuple[IntVector, Vector, Vector]]:
        """Yield the sorted support of z, z and γ after each iteration, until the copies meet."""
        c, rho = objective.source.c, self.rho
        z, u = np.zeros(objective.m), np.zeros(objective.m)
        if start is not None:
            z[start] = objective.fit(start)
        for _ in range(self.max_iterations):
            gamma = objective.spectrum.solve(rho, c + rho * (z - u))
            support = np.sort(keep(objective.scaled, np.abs(gamma + u), size))
            z = np.zeros(objective.m)
            z[support] = (gamma + u)[support]
            u = u + gamma - z
            yield support, z, gamma
            if np.linalg.norm(gamma - z) <= _ENOUGH * np.linalg.norm(z):
                break
            rho *= self.growth
            u /= self.growth  # u is the multiplier over ϱ
