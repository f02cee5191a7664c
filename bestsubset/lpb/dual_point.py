"""Any dual vector as a rigorous lower bound: rounded to a grid so that it sums to zero, every error added."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bestsubset.lpb.rows import ULP, KinkedRows
from formulations._types import Vector


@dataclass(frozen=True, eq=False)
class DualPoint:
    r"""A vector u with :math:`-d \le u \le u_+`, and :math:`1^\top u = 0` exactly where there is an intercept.

    Weak duality: :math:`L(\eta) \ge u^\top(\eta - \kappa)` for all η, so that for all β and b

    .. math:: L(b + X\beta) \ge -\kappa^\top u + \sum_j v_j\beta_j,\qquad v = X^\top u.

    Attributes
    ----------
    u : shape (n,)
    constant : float
        No more than :math:`-\kappa^\top u` of the exact data.
    slopes, error : shape (p,), float
        v as rounded, and a bound on the error of each entry.
    """

    u: Vector
    constant: float
    slopes: Vector
    error: float

    @classmethod
    def of(cls, rows: KinkedRows, u: Vector) -> DualPoint:
        """Round a vector into the domain and evaluate it; any vector will do."""
        u = balanced(u, -rows.down, rows.up, rows.has_intercept)
        gamma = (rows.n + 8) * ULP
        products = u * rows.kink
        constant = -float(products.sum()) - 2 * gamma * float(np.abs(products).sum())
        # |error of v_j| ≤ γ Σ|x_ij||u_i| ≤ γ |x_j| |u|, and columns have a mean square of at most two.
        error = 2 * gamma * math.sqrt(2.0 * rows.n) * float(np.linalg.norm(u)) * 1.01
        return cls(u, constant, rows.X.T @ u, error)

    def gains(self, price: Vector, lower: Vector, upper: Vector) -> Vector:
        r"""Return :math:`h_j = \max_{l_j \le t \le h_j} -v_jt - \lambda_j|t|`, rounded up; shape (p,).

        The function is concave and has its kink at zero: an end of the interval, or zero, is best.
        """
        steepest = np.abs(self.slopes) + self.error
        at_upper = _end(-self.slopes + np.copysign(self.error, upper), price, upper)
        at_lower = _end(-self.slopes + np.copysign(self.error, lower), price, lower)
        best = np.maximum(at_lower, at_upper)
        best = np.where((lower <= 0) & (upper >= 0), np.maximum(best, 0.0), best)
        return np.where(steepest > 0, best + 4 * ULP * np.abs(best), best)


def _end(slope: Vector, price: Vector, end: Vector) -> Vector:
    """slope·t - price·|t| at t = end; an infinite end is worth nothing where the price outweighs the slope."""
    rate = np.where(end >= 0, slope, -slope) - price
    with np.errstate(invalid="ignore"):
        value = rate * np.abs(end)
    return np.where(np.isfinite(end), value, np.where(rate > 0, np.inf, -np.inf))


def balanced(u: Vector, least: Vector, most: Vector, must_sum_to_zero: bool) -> Vector:
    """Clip a vector into a box around zero; on a grid, with the sum mended, where it has to sum to zero exactly.

    Multiples of a power of two below 2⁶² of it in sum are added without error, so that the sum is zero in exact
    arithmetic. The ends of the box are drawn in by the rounding of their making.
    """
    least, most = least * (1 - 8 * ULP), most * (1 - 8 * ULP)
    u = np.clip(np.nan_to_num(u), least, most)
    if not must_sum_to_zero:
        return u
    largest = max(float(np.abs(least).max()), float(np.abs(most).max()))
    bits = min(50, 61 - math.ceil(math.log2(len(u) + 1)))
    grid = 2.0 ** (math.frexp(largest)[1] - bits)
    low, high = np.ceil(least / grid).astype(np.int64), np.floor(most / grid).astype(np.int64)
    steps = np.clip(np.rint(u / grid).astype(np.int64), low, high)
    surplus = int(steps.sum())
    if surplus:
        room = steps - low if surplus > 0 else high - steps
        order = np.argsort(-room, kind="stable")
        before = np.cumsum(room[order]) - room[order]
        moved = np.clip(abs(surplus) - before, 0, room[order])
        steps[order] -= moved if surplus > 0 else -moved
    return np.asarray(steps * grid)
