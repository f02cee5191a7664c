"""Multipliers, many at a time: the separable terms of FORMAT.md, section 4, with their rounding (section 7)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.certificate import Claim
from bestsubset.certificates.moments import UNIT, Matrix, Vector

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

OUTSIDE = -1e30  # gain of a column that is not free: a sum that needs it belongs to no place at all


class Scale(Protocol):
    """What the numbers of a problem must say of themselves, whatever its loss; see `Moments`."""

    p: int
    width: int  # a multiplier names so many columns, or rows; behind them, rules
    nu: Vector
    l1: Vector
    lower: Vector
    upper: Vector
    lambda0: float

    def of_objective(self, value: float) -> float:
        """An objective of the user's on this scale."""

    def of_limits(self, columns: Integers, limits: Vector) -> Vector:
        """Bounds on coefficients on this scale."""


class Gains(NamedTuple):
    """What a batch of multipliers gives: f >= ``base`` - Σ ``gain`` over the places, one row a multiplier."""

    base: Vector
    gain: Matrix


class Multipliers(ABC):
    """The multipliers of a claim on some scale, and the separable terms that go with them.

    Parameters
    ----------
    claim, scale
    box : float
        What λ1 s_j bounds coefficients to: no better point has a larger objective; infinite without λ1.
    d : shape (p,)
        Of -ρ t², ρ = d/2; wrong by the factor 1 ± ``d_error``.
    """

    def __init__(self, claim: Claim, scale: Scale, box: float, d: Vector, d_error: float = 0.0) -> None:
        self._claim, self._scale = claim, scale
        self._d = d * (1 - d_error - 4 * UNIT)
        lower, upper = scale.lower.copy(), scale.upper.copy()
        if box < np.inf:  # |β_j| <= box / (λ1 s_j) wherever the objective is at most that
            derived = box / scale.l1 * (1 + 4 * UNIT)
            lower, upper = np.maximum(lower, -derived), np.minimum(upper, derived)
        self._bounds = (upper, -lower)

    @abstractmethod
    def _evaluated(self, numbers: Integers) -> tuple[Vector, Matrix, Vector]:
        """The constants of some multipliers, w, and δ: w_j is wrong by at most δ ν_j."""

    def gains(self, numbers: Integers) -> Gains:
        """Evaluate some multipliers."""
        base, w, delta = self._evaluated(numbers)
        return Gains(base, self._conjugates(w, delta) - self._scale.lambda0)

    def beyond(self, numbers: Integers, signed: Integers, limits: Vector) -> Iterator[tuple[Gains, bool]]:
        """Evaluate the multipliers of boxes, one after another: each box holds for all behind it.

        The gain of the column itself is over what lies beyond its box; the flag says whether anything does.
        """
        m, d = self._scale, self._d
        bases, all_w, deltas = self._evaluated(numbers)
        for i, (s, v) in enumerate(zip(signed.tolist(), limits.tolist(), strict=True)):
            j, side = (s, self._bounds[0]) if s >= 0 else (-1 - s, self._bounds[1])
            w, delta = all_w[i : i + 1], deltas[i : i + 1]
            gain = self._conjugates(w, delta)
            pull = float(w[0, j]) if s >= 0 else -float(w[0, j])
            wrong = float(delta[0] * m.nu[j]) * (1 + 8 * UNIT)
            slope = pull + wrong - float(m.l1[j]) + 4 * UNIT * (abs(pull) + wrong + float(m.l1[j]))
            if slope <= d[j] * v * (1 - 4 * UNIT):  # what lies beyond is best at its edge
                square = 0.5 * float(d[j]) * v * v
                gain[0, j] = slope * v - square + 8 * UNIT * (abs(slope) * v + square)
            yield Gains(bases[i : i + 1], gain - m.lambda0), v <= side[j]
            side[j] = min(side[j], v)

    def _entries(self, numbers: Integers) -> tuple[Integers, Integers, Vector, Integers]:
        """Row, what is named there, value; and the length of each row. What names rules is left out."""
        starts, ends = self._claim.offsets[numbers], self._claim.offsets[numbers + 1]
        counts = (ends - starts).astype(np.int64)
        row = np.repeat(np.arange(len(numbers)), counts)
        position = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(starts, counts)
        is_named = self._claim.columns[position] < self._scale.width
        row, position = row[is_named], position[is_named]
        return row, self._claim.columns[position].astype(np.int64), self._claim.values[position], counts

    def _conjugates(self, w: Matrix, delta: Vector) -> Matrix:
        """Upper bounds on h_j(w_j) for all w within the rounding."""
        m, d = self._scale, self._d
        slack = delta[:, None] * m.nu[:-1] * (1 + 8 * UNIT) - m.l1
        above, below = self._bounds
        if np.isinf(above).all() and np.isinf(below).all():
            return _conjugate(np.abs(w) + slack, above, d)
        return np.maximum(_conjugate(w + slack, above, d), _conjugate(slack - w, below, d))


def _conjugate(slope: Matrix, bound: Vector, d: Vector) -> Matrix:
    """An upper bound on max over 0 <= t <= bound of slope t - d t²/2."""
    slope = np.maximum(slope * np.where(slope > 0, 1 + 4 * UNIT, 1.0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(slope > 0, 0.5 * slope * (slope / d), 0.0)  # infinite where d is 0, however small the slope
        if np.isinf(bound).all():
            return np.asarray(free * (1 + 8 * UNIT))
        at_bound = slope * bound - 0.5 * d * bound * bound
        size = slope * bound + 0.5 * d * bound * bound
        limited = (d == 0) | (slope > d * bound)
        held = np.where(bound == 0, 0.0, at_bound + 8 * UNIT * size)
        value = np.where((slope > 0) & limited & (bound < np.inf), held, free)
    return np.asarray(value * (1 + 8 * UNIT))


class Sorted(NamedTuple):
    """Free gains in descending order, the leading ones, and their running sums: as they are, and the positive ones."""

    top: Matrix
    plain: Matrix
    positive: Matrix

    @classmethod
    def of(cls, free_gains: Matrix, count: int) -> Sorted:
        """Sort the ``count`` largest of each row."""
        count = min(count, free_gains.shape[1])
        if count < free_gains.shape[1]:
            free_gains = -np.partition(-free_gains, count - 1, axis=1)[:, :count] if count else free_gains[:, :0]
        top = -np.sort(-free_gains, axis=1)
        zero = np.zeros((len(top), 1))
        sums = [np.hstack([zero, np.cumsum(part, axis=1)]) for part in (top, np.maximum(top, 0.0))]
        return cls(top, *sums)

    def best(self, room: Integers, needed: Integers) -> Vector:
        """The most that ``needed`` to ``room`` of the columns add."""
        row = np.arange(len(self.top))
        room, needed = (np.minimum(count, self.top.shape[1]) for count in (room, needed))
        return np.asarray(self.plain[row, needed] + (self.positive[row, room] - self.positive[row, needed]))

    def best_without(self, gain: Vector, row: Integers, room: Integers, needed: Integers) -> Vector:
        """The same without one column of that gain: those behind it move up by one."""
        last = self.top.shape[1]
        rank = self._rank(gain, row)
        early, late = rank < needed, rank < room
        needed_end = np.minimum(needed + early, last)
        room_end = np.minimum(room + late, last)
        total = self.plain[row, needed_end] - np.where(early, gain, 0.0)
        between = self.positive[row, room_end] - self.positive[row, needed_end]
        return np.asarray(total + between - np.where(late & ~early, np.maximum(gain, 0.0), 0.0))

    def _rank(self, gain: Vector, row: Integers) -> Integers:
        """How many of the sorted gains in a row are larger, a bounded number of them at a time."""
        rank = np.zeros(len(gain), dtype=np.int64)
        step = max(1, 2**22 // max(1, self.top.shape[1]))
        for start in range(0, len(gain), step):
            part = slice(start, start + step)
            rank[part] = np.sum(self.top[row[part]] > gain[part, None], axis=1)
        return rank
