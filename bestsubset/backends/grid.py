"""A linear model in integers that no point of it is lost to: a bound on the integer model holds for the real one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from formulations._types import BoolVector, IntVector, Vector

_LARGEST_ACTIVITY = 2.0**50  # of a row, in integers: sums stay far from the end of int64, and doubles hold them
_LARGEST_SIDE = 2.0**52  # no activity gets there: a side beyond says as much as this one
_GIVEN_BACK = 1 + 1e-9  # for the rounding of sums of non-negative numbers


@dataclass(frozen=True, eq=False)
class IntegerRow:
    """``lower <= Σ coefs t[columns] <= upper``; an absent side is None. ``scale`` takes row units to integers."""

    columns: IntVector
    coefs: IntVector
    lower: int | None
    upper: int | None
    scale: float
    error: float


@dataclass(frozen=True, eq=False)
class Grid:
    r"""Where the columns may lie: x_j = unit_j t_j with t_j an integer between ``low`` and ``high``.

    Units are powers of two, so that :math:`v = a\,u\,S` is exact for an entry a, a unit u and a scale S, and so is what
    rounding it to an integer c leaves, :math:`e = c - v`. A feasible point x has the grid point t next to it, with
    :math:`|x_j - u_j t_j| \le u_j / 2`, and from :math:`\sum a_j x_j \le b` follows

    .. math:: \sum_j c_j t_j \le S b + \tfrac12 \sum_{j\,\text{continuous}} |v_j| + \sum_j \max_t (e_j t)_+.

    Attributes
    ----------
    units, low, high : shape (N,)
    is_whole : shape (N,)
        Columns that take integer values themselves.
    """

    units: Vector
    low: IntVector
    high: IntVector
    is_whole: BoolVector

    @classmethod
    def of(cls, lower: Vector, upper: Vector, is_whole: BoolVector, bits: int) -> Grid:
        """Continuous columns get a unit of about 2^-bits of their largest absolute value; all bounds must be finite."""
        reach = np.maximum(np.abs(lower), np.abs(upper))
        units = np.exp2(np.ceil(np.log2(np.where(reach > 0, reach, 1.0))) - bits)
        units = np.where(is_whole, 1.0, units)
        low = np.where(is_whole, np.ceil(lower), np.rint(lower / units))
        high = np.where(is_whole, np.floor(upper), np.rint(upper / units))
        return cls(units, low.astype(np.int64), high.astype(np.int64), is_whole)

    def values(self, t: Sequence[int] | IntVector) -> Vector:
        return np.asarray(self.units * np.asarray(t, dtype=np.float64))

    def nearest(self, values: Vector) -> IntVector:
        """The grid point next to values, shape (N,), within the bounds."""
        return np.clip(np.rint(values / self.units), self.low, self.high).astype(np.int64)

    def row(self, columns: IntVector, entries: Vector, lower: float, upper: float) -> IntegerRow:
        """Return a row that every grid point next to a feasible point obeys."""
        scale = self._scale(columns, entries)
        coefs, left, off_grid = self._rounded(columns, entries, scale)
        above = off_grid + self._at_most(columns, left)
        below = off_grid + self._at_most(columns, -left)
        return IntegerRow(
            columns,
            coefs,
            None if math.isinf(lower) else _above(lower * scale) - math.ceil(below),
            None if math.isinf(upper) else _below(upper * scale) + math.ceil(above),
            scale,
            max(above, below) / scale,
        )

    def objective(self, columns: IntVector, cost: Vector) -> Objective:
        scale = self._scale(columns, cost)
        coefs, left, off_grid = self._rounded(columns, cost, scale)
        return Objective(columns, coefs, scale, math.ceil(off_grid + self._at_most(columns, left)))

    def _reach(self, columns: IntVector) -> Vector:
        return np.asarray(np.maximum(np.abs(self.low[columns]), np.abs(self.high[columns])), dtype=np.float64)

    def _scale(self, columns: IntVector, entries: Vector) -> float:
        """A power of two: 1 where all is whole already, else as large as the row's activity allows."""
        activity = float(np.abs(entries * self.units[columns]) @ self._reach(columns))
        if activity == 0:
            return 1.0
        if self.is_whole[columns].all() and np.all(entries == np.rint(entries)) and activity <= _LARGEST_ACTIVITY:
            return 1.0
        return float(np.exp2(np.floor(np.log2(_LARGEST_ACTIVITY / activity))))

    def _rounded(self, columns: IntVector, entries: Vector, scale: float) -> tuple[IntVector, Vector, float]:
        """Integer coefficients, what rounding added to each, and half a unit of each continuous column."""
        exact = entries * self.units[columns] * scale
        rounded = np.rint(exact)
        off_grid = 0.5 * float(np.abs(exact[~self.is_whole[columns]]).sum()) * _GIVEN_BACK
        return rounded.astype(np.int64), rounded - exact, off_grid

    def _at_most(self, columns: IntVector, left: Vector) -> float:
        largest = np.maximum(left * self.low[columns], left * self.high[columns])
        return float(np.maximum(largest, 0.0).sum()) * _GIVEN_BACK


@dataclass(frozen=True, eq=False)
class Objective:
    """``Σ coefs t[columns]``, at most ``allowance`` above ``scale`` times the real objective without its constant."""

    columns: IntVector
    coefs: IntVector
    scale: float
    allowance: int

    def bound(self, least: int, constant: float) -> float:
        """Return what a bound on the integer objective proves of the real one, rounded down."""
        exact = Fraction(least - self.allowance) / Fraction(self.scale) + Fraction(constant)
        nearest = float(exact)
        return nearest if Fraction(nearest) <= exact else math.nextafter(nearest, -math.inf)


def _below(side: float) -> int:
    return math.floor(max(-_LARGEST_SIDE, min(side, _LARGEST_SIDE)))


def _above(side: float) -> int:
    return math.ceil(max(-_LARGEST_SIDE, min(side, _LARGEST_SIDE)))
