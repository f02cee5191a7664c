r"""Lower bounds on the best objective of a support, linear in the support's indicators, from any point.

Squared error is :math:`\tfrac12\gamma^\top(G+2\Lambda)\gamma - c^\top\gamma + \tfrac12` in the units of
`ScaledProblem`. With a diagonal D ≥ 0 that leaves :math:`Q = G + 2\Lambda - D` positive semidefinite, and ρ = D/2, any
γ gives

.. math:: f(z) \ge \tfrac12 - \tfrac12\gamma^\top Q\gamma - \sum_j z_j h_j(c - Q\gamma),\qquad
          h_j(v) = \max_{lo_j \le t \le hi_j} vt - \lambda_{1j}|t| - \rho_j t^2,

with equality at z where γ is the best point of z. Sources: Bertsimas and Van Parys (2020) for a ridge and the best γ;
Frangioni and Gentile (2007) for the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from formulations._types import IntVector, Matrix, Vector
from formulations.scaling import ScaledProblem

_SINGULAR = 1e-9  # smallest eigenvalue below which no diagonal is taken out
_SAFELY = 1 - 1e-6  # share of the largest diagonal of its kind that is taken out


@dataclass(frozen=True, eq=False)
class ValueCuts:
    """The quadratic Q, the separable ρ and the boxes behind the cuts of one problem; shapes (m, m), (m,)."""

    Q: Matrix
    c: Vector
    rho: Vector
    lambda1: Vector
    lower: Vector
    upper: Vector

    @classmethod
    def of(cls, scaled: ScaledProblem, lower: Vector, upper: Vector) -> ValueCuts:
        """Take a diagonal out of the Gram matrix where there is one to take, and move the ridge to it."""
        G = scaled.gram
        d = _diagonal(G) if scaled.n > scaled.m else np.zeros(scaled.m)
        return cls(G - np.diag(d), scaled.correlation, scaled.ridge + 0.5 * d, scaled.lambda1, lower, upper)

    @property
    def is_bounded(self) -> bool:
        """Tell whether every h is finite."""
        return bool(np.all((self.rho > 0) | (np.isfinite(self.lower) & np.isfinite(self.upper))))

    def gains(self, w: Vector) -> Vector:
        """Return h_j(w_j), shape (m,)."""
        pull = np.maximum(np.abs(w) - self.lambda1, 0.0)
        reach = np.where(w > 0, self.upper, -self.lower)
        with np.errstate(divide="ignore", invalid="ignore"):
            best = np.where(pull > 0, np.minimum(pull / (2 * self.rho), reach), 0.0)
            gain = np.where(best > 0, pull * best - self.rho * best**2, 0.0)
        return np.asarray(gain)

    def cut(self, gamma: Vector) -> tuple[float, Vector]:
        """Return (a, g) with f(z) ≥ a - g'z for every z, for any γ, shape (m,)."""
        product = self.Q @ gamma
        return 0.5 - 0.5 * float(gamma @ product), self.gains(self.c - product)

    def best_point(self, support: IntVector) -> Vector:
        """Return γ, shape (m,): the best of a support, to working precision where there are no boxes and no λ1."""
        gamma = np.zeros(len(self.c))
        if not len(support):
            return gamma
        H = self.Q[np.ix_(support, support)] + np.diag(2 * self.rho[support])
        lower, upper, lambda1 = self.lower[support], self.upper[support], self.lambda1[support]
        try:
            inside = linalg.cho_solve(linalg.cho_factor(H), self.c[support])
        except linalg.LinAlgError:
            inside = linalg.lstsq(H, self.c[support])[0]
        if lambda1.any() or np.any(inside < lower) or np.any(inside > upper):
            inside = _coordinate_descent(H, self.c[support], lambda1, lower, upper, np.clip(inside, lower, upper))
        gamma[support] = inside
        return gamma


def _diagonal(G: Matrix) -> Vector:
    """Return θ/(G⁻¹)_jj with nearly the largest θ that leaves G - D positive semidefinite; zero where G is singular."""
    if linalg.eigvalsh(G, subset_by_index=[0, 0])[0] < _SINGULAR:
        return np.zeros(len(G))
    inverse = linalg.inv(G)
    root = 1.0 / np.sqrt(np.diag(inverse))
    largest = linalg.eigvalsh(root[:, None] * inverse * root, subset_by_index=[len(G) - 1, len(G) - 1])[0]
    return np.asarray(_SAFELY / largest * root**2)


def _coordinate_descent(H: Matrix, c: Vector, lambda1: Vector, lower: Vector, upper: Vector, start: Vector) -> Vector:
    gamma = start.copy()
    for _ in range(500):
        moved = 0.0
        for j in range(len(c)):
            pull = c[j] - H[j] @ gamma + H[j, j] * gamma[j]
            aim = np.sign(pull) * max(abs(pull) - lambda1[j], 0.0) / H[j, j]
            aim = min(max(aim, lower[j]), upper[j])
            moved = max(moved, abs(aim - gamma[j]))
            gamma[j] = aim
        if moved <= 1e-14:
            break
    return gamma
