"""Smoothed L0: a sequence of smooth counts of the nonzero coefficients, ever closer to the count itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class SmoothedL0(SizeBySize):
    r"""Lower :math:`F_\sigma(\gamma) = \sum_j 1 - e^{-\gamma_j^2 / 2\sigma^2}` among the best fits, for falling σ.

    For each σ a few steps :math:`\gamma_j \leftarrow \gamma_j (1 - \mu e^{-\gamma_j^2/2\sigma^2})`, each followed by
    the projection on :math:`X\gamma = y`. With noise, as little of the projection as brings the squared residual
    down to what is allowed. The k largest coefficients at the end are proposed.

    Attributes
    ----------
    noise : float, optional
        Residual sum of squares allowed above the least one, of that of the response. Unless given, what k columns of
        the truth would leave on average: :math:`RSS\,(r-k)/(n-r)` with the rank r; zero where r = n.
    decrease : float
        What σ is multiplied with: 0.5 to 1, the nearer to 1 the surer and the slower.
    least_sigma : float
        The last σ, of the largest coefficient of the solution of least norm.
    steps : int
        Steps for each σ: the L of the paper.
    mu : float

    Source
    ------
    Mohimani, Babaie-Zadeh and Jutten (2009), A fast approach for overcomplete sparse decomposition based on smoothed
    ℓ0 norm. The version for noise: Eftekhari, Babaie-Zadeh, Jutten and Moghaddam (2009), Robust-SL0.
    """

    name: ClassVar[str] = "smoothed_l0"

    noise: float | None = None
    decrease: float = 0.5
    least_sigma: float = 1e-3
    steps: int = 3
    mu: float = 2.0

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return keep(objective.scaled, np.abs(self.coefficients(objective, size)), size)

    def coefficients(self, objective: Objective, size: int) -> Vector:
        """Return the coefficients, shape (m,), where the sequence ends."""
        assert isinstance(objective, SquaredObjective)
        spectrum, n = objective.spectrum, objective.scaled.n
        fitted = spectrum.least_squares(objective.source.c)
        rank = len(spectrum.values)
        allowed = self.noise
        if allowed is None:
            rss = max(0.0, 1.0 - float(objective.source.c @ fitted))
            allowed = rss * max(rank - size, 0) / (n - rank) if rank < n else 0.0
        gamma, loose = fitted, ~objective.scaled.included
        largest = float(np.abs(fitted).max())
        sigma = 2.0 * largest
        while sigma > self.least_sigma * largest:
            for _ in range(self.steps):
                gamma = gamma * (1.0 - self.mu * loose * np.exp(-(gamma**2) / (2.0 * sigma**2)))
                # In the coordinates of the eigenvectors the projection moves what the response sees, and no more.
                away = (gamma - fitted) @ spectrum.vectors
                excess = float(spectrum.values @ away**2)
                if excess > allowed:
                    gamma = gamma - (1.0 - np.sqrt(allowed / excess)) * (spectrum.vectors @ away)
            sigma *= self.decrease
        return np.asarray(gamma)
