"""What a tree over some columns of a problem has concluded, seen again with all columns.

The tree logs its nodes, and a multiplier for every conclusion. A multiplier proves its bound for all columns if no
column outside has a positive gain; the columns that have one become candidates, and with them the bound is evaluated
again. Conclusions that still hold are kept; where the first of a node does not, the node is open again, as it was
before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bestsubset.bnb.perspective_state import BRANCHED, FIX, FREE, IN, LEAF, OUT, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from formulations._types import BoolVector, IntMatrix, IntVector, Matrix, Vector


@dataclass(frozen=True)
class OpenNode:
    """A node to search on: its state, the bound known to hold for it with the multiplier behind, where to start."""

    node: int
    status: StatusVector
    bound: float
    multiplier: int
    columns: IntVector
    gamma: Vector
    mu: float

    def extended_to(self, m: int) -> OpenNode:
        """The same with further columns, all free."""
        status = np.concatenate([self.status, np.full(m - len(self.status), FREE, dtype=np.int8)])
        return OpenNode(self.node, status, self.bound, self.multiplier, self.columns, self.gamma, self.mu)


@dataclass(frozen=True)
class Look:
    """The dual bound of one multiplier: its value without columns, and the gain of every candidate (see `perspective`).

    ``beyond`` is at least the sum of the positive gains of all other columns.
    """

    base: float
    gain: Vector
    beyond: float
    k: int

    def bound(self, status: StatusVector) -> float:
        """The bound at a node."""
        return self._bound(status)[0]

    def _bound(self, status: StatusVector) -> tuple[float, float, float]:
        """The bound, and the gains of the last column with a place and of the first without."""
        is_in = status == IN
        places = self.k - int(np.count_nonzero(is_in))
        gains = self.gain[(status == FREE) & (self.gain > 0)]
        kth = following = 0.0
        if len(gains) > places:
            gains = -np.sort(-gains)
            following = float(gains[places])
            gains = gains[:places]
        if len(gains) == places and places:
            kth = float(gains.min())
        return self.base - self.beyond - float(self.gain[is_in].sum()) - float(gains.sum()), kth, following

    def rules_out(self, status: StatusVector, columns: IntVector, sides: StatusVector, prune_at: float) -> BoolVector:
        """Tell for which free columns the side that is not given cannot beat the incumbent."""
        bound, kth, following = self._bound(status)
        g = self.gain[columns]
        is_counted = (g > following) & (g >= kth) & (g > 0)
        # A column with a place is missed at its gain less the next one's; one without displaces the last.
        loss = np.where(sides == IN, np.where(is_counted, g - following, 0.0), np.where(is_counted, 0.0, kth - g))
        return np.asarray(bound + loss >= prune_at)


def gains(quadratic: Quadratic, w: Matrix) -> Matrix:
    """The gains of all columns for vectors w, shape (m, s): see `perspective`."""
    q = quadratic
    slope = np.abs(w) - q.lambda1[:, None]
    limit = np.where(w > 0, q.upper[:, None], -q.lower[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        b = np.minimum(np.where(q.rho[:, None] > 0, slope / (2 * q.rho[:, None]), np.inf), limit)
        h = np.where((slope > 0) & (limit > 0), b * (slope - q.rho[:, None] * b), 0.0)
    return np.asarray(h - q.lambda0)


def thresholds(quadratic: Quadratic) -> Vector:
    """The largest |w_j| at which columns have no gain, shape (m,)."""
    q = quadratic
    limit = np.maximum(q.upper, -q.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        knee = np.where(q.rho > 0, np.sqrt(q.lambda0 / q.rho), np.inf)
        slope = np.where(knee <= limit, 2 * np.sqrt(q.rho * q.lambda0), q.lambda0 / limit + q.rho * limit)
    return np.asarray(q.lambda1 + np.where(limit > 0, slope, np.inf))


@dataclass
class Audit:
    """The nodes of a part of the search once more, those that began it first.

    Parameters
    ----------
    events, fixed
        As logged, of that part: see `Log`; columns are local.
    looks : dict
        Of the multipliers that are worth less than was thought; all others stand.
    left_open : dict
        Nodes that the search has left, by their number.
    starts : dict
        Coefficients of multipliers, where nodes that open again start.
    prune_at : float
    """

    events: IntMatrix
    fixed: IntVector
    looks: dict[int, Look]
    left_open: dict[int, OpenNode]
    starts: dict[int, tuple[IntVector, Vector]]
    prune_at: float
    kept: list[list[int]] = field(default_factory=list)
    kept_fixed: list[IntVector] = field(default_factory=list)
    open: list[OpenNode] = field(default_factory=list)

    def follow(self, roots: list[OpenNode]) -> None:
        """Go through the nodes; fill what is kept and what is open."""
        counts = np.where(self.events[:, 1] == FIX, self.events[:, 3], 0)
        self._begin = (np.cumsum(counts) - counts).tolist()
        self._events_of: dict[int, list[int]] = {}
        for i, node in enumerate(self.events[:, 0].tolist()):
            self._events_of.setdefault(node, []).append(i)
        pending = list(roots)
        while pending:
            pending += self._follow(pending.pop())

    def _follow(self, at: OpenNode) -> list[OpenNode]:
        """Go through one node, known to be in a state with a bound; return its children, if it still has some."""
        status = at.status.copy()
        for i in self._events_of.get(at.node, ()):
            _, what, argument, last = event = self.events[i].tolist()
            look = self.looks.get(argument) if what in (FIX, LEAF) else None
            if what == FIX:
                if not self._fix(event, self.fixed[self._begin[i] : self._begin[i] + last], status, look):
                    self._reopen(at, status, argument)
                    return []
            elif what == LEAF and look is not None and look.bound(status) < self.prune_at:
                self._reopen(at, status, argument)
                return []
            else:
                self.kept.append(event)
                return self._children(at, status, argument, last) if what == BRANCHED else []
        self._leave_open(at, status)
        return []

    def _fix(self, event: list[int], signed: IntVector, status: StatusVector, look: Look | None) -> bool:
        """Decide the columns of a FIX event for which it holds; tell whether those are all."""
        columns = np.where(signed >= 0, signed, -1 - signed)
        sides = np.where(signed >= 0, IN, OUT).astype(np.int8)
        holds = np.ones(len(signed), dtype=bool)
        if look is not None:
            holds = look.rules_out(status, columns, sides, self.prune_at)
        if holds.any():
            self.kept.append([*event[:3], int(np.count_nonzero(holds))])
            self.kept_fixed.append(signed[holds])
            status[columns[holds]] = sides[holds]
        return bool(holds.all())

    @staticmethod
    def _children(at: OpenNode, status: StatusVector, column: int, first: int) -> list[OpenNode]:
        other = status.copy()
        status[column], other[column] = IN, OUT
        return [
            OpenNode(number, state, at.bound, at.multiplier, at.columns, at.gamma, at.mu)
            for number, state in ((first, status), (first + 1, other))
        ]

    def _reopen(self, at: OpenNode, status: StatusVector, multiplier: int) -> None:
        """Open a node again whose multiplier does not prove what was concluded from it."""
        bound = self.looks[multiplier].bound(status)
        known = (bound, multiplier) if bound > at.bound else (at.bound, at.multiplier)
        self.open.append(OpenNode(at.node, status, *known, *self.starts[multiplier], at.mu))

    def _leave_open(self, at: OpenNode, status: StatusVector) -> None:
        left = self.left_open[at.node]
        look = self.looks.get(left.multiplier)
        bound = left.bound if look is None else look.bound(status)
        known = (bound, left.multiplier) if bound > at.bound else (at.bound, at.multiplier)
        self.open.append(OpenNode(at.node, status, *known, left.columns, left.gamma, left.mu))
