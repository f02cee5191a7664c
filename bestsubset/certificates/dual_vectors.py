r"""The multipliers of losses with kinks: dual vectors u, and the bound of FORMAT.md, section 10.

The computed :math:`v = X^\top u` is wrong by at most :math:`\gamma_{n+8}\,\nu_j\,\|u\|`, the rounding of the shift
included.
"""

from __future__ import annotations

import math

import numpy as np

from bestsubset.certificates.certificate import Claim
from bestsubset.certificates.kinked_rows import LEAST, KinkedRows
from bestsubset.certificates.moments import UNIT, Matrix, Vector, gamma
from bestsubset.certificates.multiplier_leaves import Flags, Integers, Multipliers
from bestsubset.certificates.tokens import TokenError

_UNDERFLOW = 1e-280


class DualVectors(Multipliers):
    r"""Slopes u of the rows: :math:`L \ge u^\top(\\eta - \\kappa)`."""

    def __init__(self, claim: Claim, rows: KinkedRows, box: float) -> None:
        super().__init__(claim, rows, box, np.zeros(rows.p))
        self._rows = rows

    def draw_in(self, signed: Integers, limits: Vector) -> None:
        """Have boxes hold from now on."""
        is_above = signed >= 0
        np.minimum.at(self._bounds[0], signed[is_above], limits[is_above])
        np.minimum.at(self._bounds[1], -1 - signed[~is_above], limits[~is_above])

    def hold_together(self, numbers: Integers, signed: Integers, limits: Vector, allowed: Flags, bound: float) -> Flags:
        """Tell which of the boxes are proved, those in force being so many that are proved together."""
        is_above = signed >= 0
        columns = np.where(is_above, signed, -1 - signed)
        base, w, delta = self._evaluated(numbers)
        heights = np.where(allowed, self._conjugates(w, delta), 0.0)
        row = np.arange(len(numbers))
        heights[row, columns] = 0.0
        pull = np.where(is_above, -w[row, columns], w[row, columns])
        slope = (
            pull + self._rows.l1[columns] - delta * self._rows.nu[columns] * (1 + 8 * UNIT) - 8 * UNIT * np.abs(pull)
        )
        rise = slope * limits - heights.sum(axis=1) * (1 + gamma(self._rows.p + 8)) - 8 * UNIT * np.abs(slope) * limits
        total = base + rise - 8 * UNIT * (np.abs(base) + np.abs(rise))
        return np.asarray((rise >= 0) & (total >= bound))

    def _evaluated(self, numbers: Integers) -> tuple[Vector, Matrix, Vector]:
        rows = self._rows
        row, index, values, _ = self._entries(numbers)
        dense, named = np.zeros((len(numbers), rows.width)), np.zeros((len(numbers), rows.width), dtype=bool)
        dense[row, index], named[row, index] = values, True
        if np.count_nonzero(named) != len(row):
            raise TokenError("a multiplier names a row twice")
        w = -(dense @ rows.X)
        size = np.linalg.norm(dense, axis=1) * (1 + gamma(rows.width + 8))
        rounding = 2 * gamma(rows.width + 8)
        delta = rounding * size + _UNDERFLOW
        products = dense * rows.kink
        base = -products.sum(axis=1) - rounding * np.abs(products).sum(axis=1) - _UNDERFLOW
        is_held = (dense == 0) | (np.abs(dense) > LEAST)  # smaller ones are lost in products
        is_inside = np.all((dense <= rows.up) & (-dense <= rows.down) & is_held, axis=1)
        if rows.has_intercept:  # a sum that fsum rounds to zero is zero
            is_inside[is_inside] = [math.fsum(u) == 0.0 for u in dense[is_inside]]
        return np.where(is_inside, base, -np.inf), w, delta
