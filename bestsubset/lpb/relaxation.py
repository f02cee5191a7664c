"""The relaxation at a node: from what is decided to a linear programme, and from its duals to a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.lpb.coefficient_boxes import CoefficientBoxes, derive
from bestsubset.lpb.dual_point import DualPoint
from bestsubset.lpb.interior_point import NodeProgramme, Point, solve
from bestsubset.lpb.node_bound import NodeBound, node_bound
from bestsubset.lpb.rows import KinkedRows
from formulations._types import IntVector, Vector
from formulations.rules import FREE, IN, OUT, Status

if TYPE_CHECKING:
    from bestsubset.lpb.search import Search

_FIRST_LOOK = 3  # iterations before the first bound
_CLOSE = 0.05  # of the way to the cutoff: a bound that can rise by no more ends a node that will be branched
_EXACT = 1e-10


@dataclass(frozen=True, eq=False)
class Solved:
    """What is known of a node: its bound, and β, the shares of places and scores for branching, shape (p,)."""

    bound: NodeBound
    beta: Vector
    shares: Vector
    score: Vector


class Relaxation:
    """One node: columns out are left away, columns in are free of price, free ones share the places left."""

    def __init__(self, search: Search, status: Status) -> None:
        self.search, self.status = search, status
        self.active: IntVector = np.flatnonzero(status != OUT)
        self.room = float(search.problem.max_cardinality - search.system.weights[status == IN].sum())
        self.lower, self.upper = search.boxes.lower.copy(), search.boxes.upper.copy()
        self.best: NodeBound = self.trivial()
        self.gains: Vector = np.zeros(search.rows.p)
        self.is_leaf = not np.any(status == FREE)

    def trivial(self) -> NodeBound:
        """No loss is negative."""
        search = self.search
        zero = np.zeros(search.rows.p)
        return node_bound(0.0, zero, self.status, search.blocks, self.room, search.rows.lambda0)

    def solve(self) -> Solved:
        """Bound the node."""
        search = self.search
        p = search.rows.p
        beta, shares = np.zeros(p), np.zeros(p)
        if self.has_intervals():
            point = solve(self.programme(), self.is_enough)
            beta[self.active], shares[self.active] = point.beta, point.shares
        else:
            shares[self.active] = 0.5
        score = np.minimum(shares, 1 - shares) + 1e-6 * self.gains + 1e-9
        return Solved(self.best, beta, shares, score)

    def has_intervals(self) -> bool:
        """Tell whether every active column has bounds, if need be by a proof on the active columns alone."""
        search, active = self.search, self.active
        if np.isfinite(self.lower[active]).all() and np.isfinite(self.upper[active]).all():
            return True
        rows = search.rows
        if len(active) + 1 >= rows.n:
            return False
        part = KinkedRows(
            rows.part(active), rows.kink, rows.up, rows.down, rows.price[active], rows.lower[active],
            rows.upper[active], rows.lambda0, rows.has_intercept, rows.unit, rows.column_units[active],
        )  # fmt: skip
        local = CoefficientBoxes.of_user(part)
        local.lower_ceiling(search.ceiling)
        derive(part, local, search.ceiling)
        self.lower[active] = np.maximum(self.lower[active], local.lower)
        self.upper[active] = np.minimum(self.upper[active], local.upper)
        return bool(np.isfinite(self.lower[active]).all() and np.isfinite(self.upper[active]).all())

    def programme(self) -> NodeProgramme:
        search, rows, active = self.search, self.search.rows, self.active
        X = rows.part(active)
        lower, upper, price = self.lower[active], self.upper[active], rows.price[active]
        is_free = self.status[active] == FREE
        # One variable for a column that is in, unless λ1 puts a kink at zero.
        is_single = ~is_free & (price == 0)
        kink = rows.kink - X @ np.where(is_single, lower, 0.0)
        sizes = search.blocks.sizes[search.blocks.of[active]]
        members = np.bincount(search.blocks.of, minlength=len(search.blocks.first))[search.blocks.of[active]]
        places = np.where(is_free, sizes / members, 0.0)
        ahead = np.where(is_single, upper - lower, np.maximum(upper, 0.0))
        back = np.where(is_single, 0.0, np.maximum(-lower, 0.0))
        charge = rows.lambda0 * places
        return NodeProgramme(
            X, kink, rows.up, rows.down, ahead, back,
            np.where(is_single, 0.0, charge + price * ahead), np.where(is_single, 0.0, charge + price * back),
            places, self.room, rows.has_intercept,
        )  # fmt: skip

    def is_enough(self, point: Point) -> bool:
        """Look at the bound so far: enough to close the node, or too close to the relaxation's value to rise further."""
        if point.iterations < _FIRST_LOOK:
            return False
        search = self.search
        rows = search.rows
        dual = DualPoint.of(rows, point.u)
        # Columns that are out have the coefficient 0, whatever their slope.
        out = self.status == OUT
        gains = dual.gains(rows.price, np.where(out, 0.0, self.lower), np.where(out, 0.0, self.upper))
        fixed = rows.lambda0 * float(search.system.weights[self.status == IN].sum())
        bound = node_bound(dual.constant, gains, self.status, search.blocks, self.room, rows.lambda0)
        if bound.value > self.best.value:
            self.best, self.gains = bound, gains
        elif point.iterations == _FIRST_LOOK:
            self.gains = gains
        value = point.value + fixed
        cutoff = search.cutoff
        if self.best.value >= cutoff or search.run.is_out_of_time:
            return True
        left = value - self.best.value
        if self.is_leaf:
            return left <= _EXACT * abs(value)
        return left <= max(_EXACT * abs(value), _CLOSE * (cutoff - self.best.value)) and value < cutoff
