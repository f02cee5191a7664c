"""Finite bounds for columns that have none, from the objective of a known point and from the rows."""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from formulations._types import Vector
from formulations.mio.model import Model

_PASSES = 5
_MARGIN = 1e-9  # relative: what rounding may take from a bound is given back many times over


def finite_bounds(model: Model, upper_bound: float) -> tuple[Vector, Vector]:
    """Return bounds, shape (N,) each, that every feasible point with at most this objective obeys.

    Bounds that are finite already are left as they are; those that cannot be derived stay infinite.
    """
    lower, upper = model.lower.copy(), model.upper.copy()
    A = sparse.csr_matrix(model.A, copy=True)
    A.eliminate_zeros()  # zero times an absent bound is no number
    for _ in range(_PASSES):
        before = np.isinf(lower).sum() + np.isinf(upper).sum()
        if before == 0:
            break
        if math.isfinite(upper_bound):
            budget = upper_bound + _MARGIN * (abs(upper_bound) + abs(model.constant)) - model.constant
            cost = sparse.csr_matrix(model.cost[None, :])
            _tighten(cost, np.array([-np.inf]), np.array([budget]), lower, upper)
        _tighten(A, model.row_lower, model.row_upper, lower, upper)
        if np.isinf(lower).sum() + np.isinf(upper).sum() == before:
            break
    return lower, upper


def _tighten(A: sparse.csr_matrix, row_lower: Vector, row_upper: Vector, lower: Vector, upper: Vector) -> None:
    """Give the columns without a bound the one that each of their rows implies, the others being within theirs."""
    columns, where = A.indices, np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    at_lower, at_upper = A.data * lower[columns], A.data * upper[columns]
    least, most = np.minimum(at_lower, at_upper), np.maximum(at_lower, at_upper)
    for parts, sides, sign in ((least, row_upper, 1.0), (-most, -row_lower, -1.0)):
        # sign a_j x_j <= side - Σ_{i != j} parts_i; one part may be infinite: that of the column itself.
        finite = np.where(np.isinf(parts), 0.0, parts)
        infinite = np.bincount(where, np.isinf(parts), minlength=A.shape[0])
        total = np.bincount(where, finite, minlength=A.shape[0])
        size = np.bincount(where, np.abs(finite), minlength=A.shape[0])
        usable = (infinite[where] - np.isinf(parts) == 0) & np.isfinite(sides[where])
        room = sides[where] - (total[where] - finite)
        room = room + _MARGIN * (size[where] + np.abs(np.where(usable, sides[where], 0.0)))
        limit = room / (sign * A.data)
        limit += _MARGIN * np.abs(limit) * np.sign(sign * A.data)
        above = usable & (sign * A.data > 0) & np.isinf(upper[columns])
        below = usable & (sign * A.data < 0) & np.isinf(lower[columns])
        np.minimum.at(upper, columns[above], limit[above])
        np.maximum.at(lower, columns[below], limit[below])
