"""The relaxation at a node: from what is decided to a linear programme, and from its duals to a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.lpb.coefficient_boxes import CoefficientBoxes, derive
from bestsubset.lpb.dual_point import DualPoint
from bestsubset.lpb.exact_span import independent
from bestsubset.lpb.interior_point import NodeProgramme, Point, solve
from bestsubset.lpb.node_bound import NodeBound, node_bound
from bestsubset.lpb.rows import ULP, KinkedRows
from formulations._types import IntVector, Vector
from formulations.rules import FREE, IN, OUT, Status

if TYPE_CHECKING:
    from bestsubset.lpb.search import Search

_FIRST_LOOK = 3  # iterations before the first bound
_CLOSE = 0.05  # of the way to the cutoff: a bound that can rise by no more ends a node that will be branched
_EXACT = 1e-10


@dataclass(frozen=True, eq=False)
class Solved:
    """What is known of a node: its bound, by which dual vector, and β, the shares of places and scores, shape (p,)."""

    bound: NodeBound
    dual: DualPoint | None
    beta: Vector
    shares: Vector
    score: Vector
    has_intervals: bool


class Relaxation:
    """One node: columns out are left away, columns in are free of price, free ones share the places left."""

    def __init__(self, search: Search, status: Status) -> None:
        self.search, self.status = search, status
        out = status == OUT
        self.active: IntVector = np.flatnonzero(~out)
        if not len(self.active):
            self.active = np.zeros(1, dtype=np.int64)  # its interval is nothing but zero
        self.room = float(search.problem.max_cardinality - search.system.weights[status == IN].sum())
        self.lower, self.upper = search.boxes.lower.copy(), search.boxes.upper.copy()
        self.lower[out] = self.upper[out] = 0.0
        self.best: NodeBound = self.trivial()
        self.dual: DualPoint | None = None
        self.gains: Vector = np.zeros(search.rows.p)
        self.shift: Vector = np.zeros(len(self.active))  # of coefficients that are measured from their lower bound
        self.fixed = search.rows.lambda0 * float(search.system.weights[status == IN].sum())
        self.spans = False  # active columns stand for all in their span, and cost no places
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
        has_intervals = self.has_intervals()
        if has_intervals:
            point = solve(self.programme(), self.is_enough)
            beta[self.active], shares[self.active] = point.beta + self.shift, point.shares
        else:
            shares[self.active] = 0.5
        score = np.minimum(shares, 1 - shares) + 1e-6 * self.gains + 1e-9
        return Solved(self.best, self.dual, beta, shares, score, has_intervals)

    def has_intervals(self) -> bool:
        """Tell whether every active column has bounds, if need be by a proof on the active columns alone."""
        search = self.search
        if self.is_bounded():
            return True
        search.log.is_complete = False  # of what is proved here of a part of the columns
        if self.proves_locally(self.active):
            return True
        # λ1 is zero, or there would be bounds: columns in the span of others add nothing to the loss, and what is
        # left of them costs no places, for a column left away may have stood for several.
        exact = np.asarray(search.problem.X[np.ix_(search.used_rows, self.active)], dtype=np.float64)
        chosen = independent(exact, search.rows.has_intercept)
        if chosen is None or len(chosen) == len(self.active):
            return False
        spanning = self.active[chosen]
        left_away = np.setdiff1d(self.active, spanning)
        if not self.proves_locally(spanning, whole_span=True):
            return False
        self.lower[left_away] = self.upper[left_away] = 0.0
        self.active, self.spans = spanning, True
        return True

    def is_bounded(self) -> bool:
        return bool(np.isfinite(self.lower[self.active]).all() and np.isfinite(self.upper[self.active]).all())

    def proves_locally(self, columns: IntVector, whole_span: bool = False) -> bool:
        """Derive intervals as if there were no other columns; the user's bounds are left aside for a whole span."""
        search, rows = self.search, self.search.rows
        if len(columns) + int(rows.has_intercept) >= rows.n:
            return False
        lower, upper = rows.lower[columns], rows.upper[columns]
        if whole_span:
            lower, upper = np.full(len(columns), -np.inf), np.full(len(columns), np.inf)
        part = KinkedRows(
            rows.part(columns), rows.kink, rows.up, rows.down, rows.price[columns], lower, upper, rows.lambda0,
            rows.has_intercept, rows.unit, rows.weight_unit, rows.column_units[columns],
        )  # fmt: skip
        local = CoefficientBoxes.of_user(part)
        local.lower_ceiling(search.ceiling)
        derive(part, local, search.ceiling)
        if not (np.isfinite(local.lower).all() and np.isfinite(local.upper).all()):
            return False
        if whole_span:
            self.lower[columns], self.upper[columns] = local.lower, local.upper
        else:
            self.lower[columns] = np.maximum(self.lower[columns], local.lower)
            self.upper[columns] = np.minimum(self.upper[columns], local.upper)
        return True

    def programme(self) -> NodeProgramme:
        search, rows, active = self.search, self.search.rows, self.active
        X = rows.part(active)
        lower, upper, price = self.lower[active], self.upper[active], rows.price[active]
        is_free = (self.status[active] == FREE) & (not self.spans)
        # One variable for a column that is in, unless λ1 puts a kink at zero.
        is_single = ~is_free & (price == 0)
        self.shift = np.where(is_single, lower, 0.0)
        kink = rows.kink - X @ self.shift
        sizes = search.blocks.sizes[search.blocks.of[active]]
        members = np.bincount(search.blocks.of, minlength=len(search.blocks.first))[search.blocks.of[active]]
        places = np.where(is_free, sizes / members, 0.0)
        ahead = np.where(is_single, upper - lower, np.maximum(upper, 0.0))
        back = np.where(is_single, 0.0, np.maximum(-lower, 0.0))
        charge = rows.lambda0 * places
        return NodeProgramme(
            X, kink, rows.up, rows.down, ahead, back,
            np.where(is_single, 0.0, charge + price * ahead), np.where(is_single, 1.0, charge + price * back),
            places, self.room if places.any() else 1.0, rows.has_intercept,
        )  # fmt: skip

    def bound_from(self, constant: float, gains: Vector) -> NodeBound:
        """The bound of the node, ``constant`` and the gains h being those of a dual vector."""
        search = self.search
        if not self.spans:
            return node_bound(constant, gains, self.status, search.blocks, self.room, search.rows.lambda0)
        total = float(gains[self.active].sum())
        value = constant + self.fixed - total - (len(gains) + 8) * 8 * ULP * (abs(constant) + total + self.fixed)
        same = np.full(len(search.blocks.first), value)
        return NodeBound(value, same, same, 0.0)

    def is_enough(self, point: Point) -> bool:
        """Look at the bound so far: enough to close the node, or so near the relaxation's value that it cannot rise."""
        if point.iterations < _FIRST_LOOK:
            return False
        search = self.search
        rows = search.rows
        dual = DualPoint.of(rows, point.u)
        gains = dual.gains(rows.price, self.lower, self.upper)
        bound = self.bound_from(dual.constant, gains)
        if bound.value > self.best.value:
            self.best, self.dual, self.gains = bound, dual, gains
        elif point.iterations == _FIRST_LOOK:
            self.gains = gains
        value = point.value + self.fixed
        cutoff = search.cutoff
        if self.best.value >= cutoff or (search.nodes > 1 and search.run.is_out_of_time):
            return True
        left = value - self.best.value
        if self.is_leaf:
            return left <= _EXACT * abs(value)
        return left <= max(_EXACT * abs(value), _CLOSE * (cutoff - self.best.value)) and value < cutoff
