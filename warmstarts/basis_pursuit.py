"""Basis pursuit: the least sum of absolute coefficients that explains the response, as a linear programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import optimize

from formulations._types import Vector
from warmstarts.objective import Objective, SquaredObjective
from warmstarts.rounding import Rounded

_EXPLAINED = 1e-12  # residual sum of squares of a full fit that explains all, of that of the response


@dataclass(frozen=True)
class BasisPursuit(Rounded):
    r"""Minimise :math:`\|\gamma\|_1` subject to :math:`X\gamma = y`, or to :math:`\|c - H\gamma\|_\infty \le \delta`.

    The second form, the Dantzig selector, is for noise. Both by HiGHS. The k largest coefficients are proposed.
    Included columns are not charged.

    Attributes
    ----------
    noise : float, optional
        δ, of the norm of the response. Unless given, :math:`\hat\sigma\sqrt{2\log m}` with the residual variance of
        the full fit, and zero where that explains all.

    Source
    ------
    Chen, Donoho and Saunders (1998), Atomic decomposition by basis pursuit; Candès and Tao (2007), The Dantzig
    selector: statistical estimation when p is much larger than n.
    """

    name: ClassVar[str] = "basis_pursuit"

    noise: float | None = None

    def worths(self, objective: Objective, rng: np.random.Generator) -> list[Vector]:
        return [np.abs(self.coefficients(objective))]

    def coefficients(self, objective: Objective) -> Vector:
        """Return the solution of the linear programme, shape (m,)."""
        assert isinstance(objective, SquaredObjective)
        spectrum, n, m, c = objective.spectrum, objective.scaled.n, objective.m, objective.source.c
        delta, rank = self.noise, len(spectrum.values)
        if delta is None:
            rss = max(0.0, 1.0 - float(c @ spectrum.least_squares(c)))
            delta = float(np.sqrt(2.0 * np.log(m) * rss / (n - rank))) if rss > _EXPLAINED else 0.0
        prices = np.tile(np.where(objective.scaled.included, 0.0, 1.0), 2)
        if delta > 0.0:
            H = spectrum.vectors * spectrum.values @ spectrum.vectors.T
            both = np.hstack([H, -H])
            limits = {"A_ub": np.vstack([both, -both]), "b_ub": np.concatenate([c + delta, delta - c])}
        else:  # Xγ = y, by as many rows as are independent
            rows = spectrum.vectors.T
            limits = {"A_eq": np.hstack([rows, -rows]), "b_eq": c @ spectrum.vectors / spectrum.values}
        found = optimize.linprog(prices, **limits, bounds=(0, None), method="highs")
        if found.x is None:
            raise ArithmeticError(f"a linear programme of {m} columns was not solved: {found.message}")
        return np.asarray(found.x[:m] - found.x[m:])
