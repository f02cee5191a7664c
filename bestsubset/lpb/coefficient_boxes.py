"""Intervals for the coefficients that follow from an incumbent's value, each proved by a dual vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from bestsubset.lpb.dual_point import DualPoint
from bestsubset.lpb.log import Log
from bestsubset.lpb.rows import ULP, KinkedRows
from bestsubset.lpb.smoothing import Smoothed
from formulations._types import IntVector, Matrix, Vector

_WIDE, _MIDDLE, _NARROW = 1.0, 0.6, 0.2  # of the mean distance from the kinks: how far kinks are rounded off
_STEPS = 30
_AT_ONCE = 64  # columns


@dataclass(eq=False)
class CoefficientBoxes:
    r"""Intervals around zero that hold every point with an objective of at most a ceiling.

    For any s > 0 and any dual vector u, with :math:`v = X^\top u`, weak duality gives for all points with
    :math:`f \le U` that lie in intervals already proved

    .. math:: s\,\beta_j \le U + \kappa^\top u + \sum_i h_i(v - s e_j),\qquad
        h_i(v) = \max_{l_i\le t\le h_i} -v_i t - \lambda_i|t|,

    and likewise :math:`-s\,\beta_j`. Every bound is thus (U + constant) / s and falls with the ceiling.

    Attributes
    ----------
    lower, upper : shape (m,)
    """

    lower: Vector
    upper: Vector
    constants: Matrix  # (2, m): of -β and of β
    rates: Matrix  # s, infinite where there is no proof yet
    log: Log | None = None

    @classmethod
    def of_user(cls, rows: KinkedRows) -> CoefficientBoxes:
        """The user's bounds, and what λ1 says."""
        price = np.where(rows.price > 0, rows.price, 1.0)
        rates = np.where(rows.price > 0, price, np.inf)
        constants = np.where(rows.price > 0, 0.0, np.inf)
        both = np.vstack([rates, rates]), np.vstack([constants, constants])
        return cls(rows.lower.copy(), rows.upper.copy(), both[1], both[0])

    def lower_ceiling(self, ceiling: float) -> None:
        """Draw the intervals in to those of points with at most this objective."""
        with np.errstate(invalid="ignore"):
            ends = (ceiling + self.constants) / self.rates
        ends = np.where(np.isfinite(ends), ends + 8 * ULP * np.abs(ends), np.inf)
        self.upper = np.minimum(self.upper, np.maximum(ends[1], 0.0))
        self.lower = np.maximum(self.lower, np.minimum(-ends[0], 0.0))

    def add(self, side: int, column: int, dual: DualPoint, constant: float, rate: float, ceiling: float) -> None:
        """Remember a proof, by a dual vector, that is better than the one known."""
        is_known = np.isfinite(self.rates[side, column])
        known = (ceiling + self.constants[side, column]) / self.rates[side, column] if is_known else np.inf
        if (ceiling + constant) / rate < known:
            self.constants[side, column], self.rates[side, column] = constant, rate
            if self.log is not None:
                self.log.add_box(side, column, dual)


def derive(
    rows: KinkedRows, boxes: CoefficientBoxes, ceiling: float, is_out_of_time: Callable[[], bool] = lambda: False
) -> None:
    """Prove intervals for all columns and draw the boxes in, where the data allow it.

    First the slopes of a minimiser, moved along the columns of the pseudo-inverse as far as their domain allows: crude
    intervals, which need nothing but full rank, and for a one-sided loss classes that overlap. Then the minimisers of
    the smoothed loss less a pull along each coefficient, which come within some per cent of the best linear programme.
    """
    derivation = _Derivation.of(rows, boxes, ceiling)
    if derivation is not None and derivation.crude():
        derivation.refined(is_out_of_time)


class _Derivation:
    def __init__(
        self, rows: KinkedRows, boxes: CoefficientBoxes, ceiling: float, design: Matrix, inverse: Matrix, theta: Vector,
        centre: Vector,
    ) -> None:  # fmt: skip
        self.rows, self.boxes, self.ceiling = rows, boxes, ceiling
        self.design, self.inverse = design, inverse  # X and X (X'X)⁻¹, the intercept first
        self.theta, self.centre = theta, centre  # a minimiser of the smoothed loss, and its slopes

    @classmethod
    def of(cls, rows: KinkedRows, boxes: CoefficientBoxes, ceiling: float) -> _Derivation | None:
        design = np.column_stack([np.ones(rows.n), rows.X]) if rows.has_intercept else rows.X
        if design.shape[1] >= rows.n:
            return None
        moments = design.T @ design
        lower, info = lapack.dpotrf(moments, lower=1)
        diagonal = np.diag(lower) if info == 0 else np.zeros(1)
        if info or diagonal.min() < 1e-7 * np.sqrt(rows.n):
            return None
        inverse = lapack.dpotrs(lower, design.T, lower=1)[0].T
        size = float(np.abs(rows.kink).mean())
        smoothed = Smoothed(rows, design, _WIDE * size)
        theta = smoothed.minimiser(inverse.T @ rows.kink)
        if theta is None:
            return None
        return cls(rows, boxes, ceiling, design, inverse, theta, smoothed.slopes(theta[:, None])[:, 0])

    def crude(self) -> bool:
        r"""Intervals from nothing: with β finite and :math:`B = \|\beta\|_\infty`, each
        :math:`|\beta_j| \le a_j + \Delta B`.

        Δ is what rounding leaves of X'u beside the unit vector, and a that of U + κ'u, both over s. Hence
        :math:`B \le \max a / (1 - \Delta)`.
        """
        rows, p = self.rows, self.rows.p
        room_up, room_down = rows.up - self.centre, rows.down + self.centre
        if min(room_up.min(), room_down.min()) < 0:
            return False
        first = int(rows.has_intercept)
        worst, left = 0.0, 0.0
        found = []
        for j in range(p):
            direction = self.inverse[:, first + j]
            for side, sign in ((1, 1.0), (0, -1.0)):
                along = sign * direction
                with np.errstate(divide="ignore", invalid="ignore"):
                    walls = np.where(along > 0, room_up / along, np.where(along < 0, -room_down / along, np.inf))
                rate = 0.9999 * float(walls.min())
                if not 0 < rate < np.inf:
                    return False
                dual = DualPoint.of(rows, self.centre + rate * along)
                residual = np.abs(dual.slopes - sign * rate * _unit(p, j)) + dual.error
                slack = 1e-12 * (abs(self.ceiling) + abs(dual.constant))
                worst = max(worst, (self.ceiling - dual.constant + slack) / rate)
                left = max(left, float(residual.sum()) / rate * (1 + 1e-12))
                found.append((side, j, dual, rate))
        if left >= 0.5 or not np.isfinite(worst):
            return False
        ball = max(worst, 0.0) / (1 - left) * (1 + 1e-12)
        self.boxes.upper = np.minimum(self.boxes.upper, ball)
        self.boxes.lower = np.maximum(self.boxes.lower, -ball)
        log = self.boxes.log
        if log is not None and not log.together:  # all of them at once; then none needs to be told again
            for side, j, dual, _ in found:
                log.add_box(side, j, dual)
            log.together = len(found)
        self.boxes.log = None
        for side, j, dual, rate in found:
            self.prove(side, j, dual, rate)
        self.boxes.log = log
        self.boxes.lower_ceiling(self.ceiling)
        return True

    def prove(self, side: int, j: int, dual: DualPoint, rate: float) -> None:
        """Take the bound that a dual vector gives on one coefficient, inside the intervals known."""
        sign = 1.0 if side else -1.0
        moved = DualPoint(
            dual.u, dual.constant, dual.slopes - sign * rate * _unit(self.rows.p, j), dual.error + 4 * ULP * rate
        )
        gains = moved.gains(self.rows.price, self.boxes.lower, self.boxes.upper)
        constant = float(gains.sum()) - dual.constant
        constant += 1e-12 * (float(np.abs(gains).sum()) + abs(dual.constant))
        if np.isfinite(constant):
            self.boxes.add(side, j, dual, constant, rate, self.ceiling)

    def refined(self, is_out_of_time: Callable[[], bool]) -> None:
        """The smoothed loss less a pull along each coefficient, each way, some columns at a time."""
        rows, first = self.rows, int(self.rows.has_intercept)
        size = float(np.abs(self.design @ self.theta - rows.kink).mean())
        smoothed = Smoothed(rows, self.design, _NARROW * size)
        # At the minimiser many rows lie on their kinks: the curvature further out, which counts, is that of wider ones.
        wider = Smoothed(rows, self.design, _MIDDLE * size)
        theta, middle = smoothed.minimiser(self.theta), wider.minimiser(self.theta)
        factor = None if middle is None else wider.factor(middle)
        if theta is None or factor is None:
            return
        least = float(smoothed.values(theta[:, None], np.zeros((len(theta), 1)))[0])
        inverse = lapack.dpotrs(factor, np.eye(len(theta)), lower=1)[0]
        radius = np.sqrt(2 * max(self.ceiling - least, 1e-3 * abs(self.ceiling)))
        rates = radius / np.sqrt(np.diag(inverse)[first:])
        for start in range(0, rows.p, _AT_ONCE):
            if is_out_of_time():
                break
            columns = np.arange(start, min(start + _AT_ONCE, rows.p))
            units = np.eye(len(theta))[:, first + columns] * rates[columns]
            for side, pull in ((1, units), (0, -units)):
                slopes = smoothed.slopes(smoothed.tilted(theta[:, None] + inverse @ pull, pull, factor, _STEPS))
                self.prove_all(side, columns, slopes, pull, rates[columns])
        self.boxes.lower_ceiling(self.ceiling)

    def prove_all(self, side: int, columns: IntVector, slopes: Matrix, pull: Matrix, rates: Vector) -> None:
        """Turn slopes that nearly balance a pull into proofs.

        What is left of X'u - s e_j is taken away along the pseudo-inverse, and s shrinks with u into the domain.
        """
        rows = self.rows
        slopes = slopes - self.inverse @ (self.design.T @ slopes - pull)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = np.maximum(slopes / rows.up[:, None], -slopes / rows.down[:, None])
        shrink = 1.0 / np.maximum(1.0, np.where(np.isfinite(excess), excess, 1.0).max(axis=0))
        for number, j in enumerate(columns.tolist()):
            self.prove(
                side, j, DualPoint.of(rows, slopes[:, number] * shrink[number]), float(rates[number] * shrink[number])
            )


def _unit(p: int, j: int) -> Vector:
    unit = np.zeros(p)
    unit[j] = 1.0
    return unit


def columns_without(boxes: CoefficientBoxes) -> IntVector:
    """Columns of which one side has no bound."""
    return np.flatnonzero(~np.isfinite(boxes.lower) | ~np.isfinite(boxes.upper))
