r"""Squared error as a separable part and squares of linear forms: what perspective models and their cuts are made of.

In the units of `ScaledProblem`, with :math:`e_j = \tfrac12 d_j + \rho_j` and :math:`R^\top R = G - D`,

.. math:: \tfrac12\|y - X\gamma\|^2 + \sum_j \rho_j\gamma_j^2
          = \tfrac12\|y\|^2 - c^\top\gamma + \tfrac12\|R\gamma\|^2 + \sum_j e_j\gamma_j^2.

The linear part is not completed to :math:`\|R\gamma - q\|^2`: q would be large where G - D is nearly singular.

Sources: Frangioni and Gentile (2006) for the tangents, (2007) for the split; Dong, Chen and Linderoth (2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from formulations._types import IntVector, Matrix, Vector
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

_SINGULAR = 1e-9  # smallest eigenvalue of the moments below which there is no diagonal worth taking out
_SHRINK = 0.999  # of the diagonal: what is left stays positive definite
SMALLEST = 2e-9  # entry of a row: solvers drop smaller ones, which would make a cut stricter than it may be
_SWEEPS = 2000  # of coordinate descent on a support, at most
_STILL = 1e-13  # of the largest coefficient: a sweep that moves none by more is the last


@dataclass(frozen=True, eq=False)
class DiagonalSplit:
    """The parts of the objective named above, with `constant` = ½ y'y and `c` = X'y."""

    scaled: ScaledProblem
    R: Matrix
    constant: float
    e: Vector
    c: Vector

    @classmethod
    def of(cls, problem: Problem) -> DiagonalSplit:
        """Take the ridge, and what the moments can spare, into the separable part; e is zero where there is neither."""
        scaled = ScaledProblem.of(problem)
        d = np.zeros(scaled.m)
        if scaled.n > scaled.m and linalg.eigvalsh(scaled.gram, subset_by_index=[0, 0])[0] >= _SINGULAR:
            d = _SHRINK * scaled_diagonal(scaled.gram)
            R = linalg.cholesky(scaled.gram - np.diag(d))
        elif scaled.n > scaled.m:
            R = linalg.qr(scaled.X, mode="r")[0][: scaled.m]
        else:
            R = scaled.X
        return cls(scaled, R, 0.5 * float(scaled.y @ scaled.y), 0.5 * d + scaled.ridge, scaled.correlation)

    def pull(self, gamma: Vector) -> Vector:
        """Return w = c - (G - D) γ."""
        return np.asarray(self.c - self.R.T @ (self.R @ gamma))

    def support_cut(self, gamma: Vector, lower: Vector, upper: Vector) -> tuple[float, Vector]:
        r"""Return :math:`a` and :math:`g \ge 0` with loss and penalties at least :math:`a - g^\top z`.

        By convexity of :math:`\tfrac12\gamma^\top(G-D)\gamma` and with the conjugates
        :math:`g_j = \max_{lo_j \le \gamma_j \le hi_j} w_j\gamma_j - e_j\gamma_j^2 - \lambda_{1j}|\gamma_j|`. Any γ
        gives a valid cut; the best γ of a support gives one that is exact at the support. Where e_j = 0 the bounds must
        be finite.
        """
        w = self.pull(gamma)
        excess = np.maximum(np.abs(w) - self.scaled.lambda1, 0.0)
        reach = np.divide(excess, 2 * self.e, out=np.where(excess > 0, np.inf, 0.0), where=self.e > 0)
        best = np.clip(np.sign(w) * reach, lower, upper)
        gains = w * best - self.e * best**2 - self.scaled.lambda1 * np.abs(best)
        image = self.R @ gamma
        tiny = gains < SMALLEST  # solvers drop such entries: as if these columns were always in
        constant = self.constant - 0.5 * float(image @ image) - float(gains[tiny].sum())
        return constant, np.where(tiny, 0.0, gains)

    def best_on(self, support: IntVector, lower: Vector, upper: Vector) -> Vector:
        """Return the γ that is best on a support within bounds: by coordinate descent where λ1 or a bound bends it."""
        gamma = np.zeros(self.scaled.m)
        if not len(support):
            return gamma
        G = self.scaled.gram[np.ix_(support, support)] + 2 * np.diag(self.scaled.ridge[support])
        c, price, low, high = (a[support] for a in (self.c, self.scaled.lambda1, lower, upper))
        free = linalg.lstsq(G, c)[0]
        inside = np.clip(free, low, high)
        if price.any() or np.any(inside != free):
            _descend(G, c, price, low, high, inside)
        gamma[support] = inside
        return gamma

    def neighbours(self, support: IntVector, count: int) -> list[IntVector]:
        """Return the best supports that differ from one by a single swap, by their fits without λ1 and bounds."""
        outside = np.setdiff1d(np.arange(self.scaled.m), support)
        if len(support) < 2 or not len(outside):
            return []
        gram, ridge = self.scaled.gram, 2 * self.scaled.ridge
        values, swaps = [], []
        for i in support:
            kept = support[support != i]
            across = gram[np.ix_(kept, outside)]
            targets = np.column_stack([self.c[kept], across])
            solved = linalg.lstsq(gram[np.ix_(kept, kept)] + np.diag(ridge[kept]), targets)[0]
            fit, explained = solved[:, 0], np.einsum("ij,ij->j", across, solved[:, 1:])
            left = np.maximum(np.diag(gram)[outside] + ridge[outside] - explained, _SINGULAR)
            values.append(self.c[kept] @ fit + (self.c[outside] - across.T @ fit) ** 2 / left)
            swaps += [(i, j) for j in outside]
        best = np.argsort(-np.concatenate(values))[:count]
        return [np.append(support[support != swaps[b][0]], swaps[b][1]) for b in best]


def _descend(G: Matrix, c: Vector, price: Vector, lower: Vector, upper: Vector, x: Vector) -> None:
    """Minimise ½x'Gx - c'x + Σ price |x| within bounds, in place, one coordinate after the other."""
    for _ in range(_SWEEPS):
        moved = 0.0
        for j, diagonal in enumerate(np.diag(G)):
            pull = c[j] - G[j] @ x + diagonal * x[j]
            aim = np.sign(pull) * max(abs(pull) - price[j], 0.0) / diagonal
            aim = min(max(aim, lower[j]), upper[j])
            moved = max(moved, abs(aim - x[j]))
            x[j] = aim
        if moved <= _STILL * np.abs(x).max():
            return


def scaled_diagonal(G: Matrix) -> Vector:
    r"""Return :math:`d_j = \theta / (G^{-1})_{jj}` with the largest θ that keeps G - D positive semidefinite."""
    inverse = linalg.inv(G)
    weights = 1.0 / np.diag(inverse)
    root = np.sqrt(weights)
    last = len(G) - 1
    theta = 1.0 / linalg.eigvalsh(root[:, None] * inverse * root, subset_by_index=[last, last])[0]
    return np.asarray(theta * weights)
