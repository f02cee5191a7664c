"""What a tree over some columns of a problem has concluded, seen again with all columns.

The tree logs its nodes, and a multiplier for every conclusion. A multiplier proves its bound for all columns if no
column outside has a positive gain; the columns that have one become candidates, and with them the bound is evaluated
again. Conclusions that still hold are kept; where the first of a node does not, the node is open again, as it was
before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    BOUND,
    BRANCHED,
    CURRENT,
    FIX,
    FREE,
    ID,
    IN,
    LEAF,
    MU,
    MULTIPLIER,
    NO_NODE,
    OUT,
    StatusVector,
)
from bestsubset.bnb.perspective_worker import Worker
from bestsubset.bnb.wide_looks import Look, Start
from formulations._types import IntMatrix, IntVector, Vector


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

    @property
    def nbytes(self) -> int:
        """Memory, about."""
        return self.status.nbytes + self.columns.nbytes + self.gamma.nbytes + 500

    def extended_to(self, m: int) -> OpenNode:
        """The same with further columns, all free."""
        status = np.concatenate([self.status, np.full(m - len(self.status), FREE, dtype=np.int8)])
        return OpenNode(self.node, status, self.bound, self.multiplier, self.columns, self.gamma, self.mu)


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
    starts: dict[int, Start]
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


def left_open(worker: Worker) -> list[OpenNode]:
    """The nodes that a worker has not closed."""
    pool, search, slots = worker.pool, worker.search, worker.open_slots()
    nodes = []
    for slot, status in zip(slots.tolist(), pool.statuses(slots, len(worker.columns)), strict=True):
        kept = slice(0, int(pool.kept[slot]))
        start = pool.columns[slot, kept].astype(np.int64), pool.gamma[slot, kept].astype(np.float64)
        number, multiplier = int(pool.node[slot]), int(pool.multiplier[slot])
        nodes.append(OpenNode(number, status, float(pool.bound[slot]), multiplier, *start, float(pool.mu[slot])))
    if search.counts[CURRENT] != NO_NODE:
        status = worker.node.status[: len(worker.columns)].copy()
        number, multiplier = int(search.counts[ID]), int(search.counts[MULTIPLIER])
        bound, mu = float(search.scalars[BOUND]), float(search.scalars[MU])
        nodes.append(OpenNode(number, status, bound, multiplier, *_coefficients(worker), mu))
    return nodes


def _coefficients(worker: Worker) -> Start:
    """Of the node in hand."""
    work = worker.working
    if worker.search.counts[ASSEMBLED]:
        size = int(work.size[0])
        return work.columns[:size].copy(), work.gamma[:size].copy()
    columns = np.flatnonzero(worker.node.gamma)
    return columns, worker.node.gamma[columns]
