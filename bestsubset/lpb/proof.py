"""From what the search wrote down to the arrays of a certificate (its FORMAT.md, section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.certificates.write import INFEASIBLE, SOLVE, SPLIT, LoggedTree
from bestsubset.lpb.dual_point import DualPoint
from bestsubset.lpb.log import NOTHING, Log, LoggedNode, Reason
from bestsubset.lpb.node_bound import node_bound
from bestsubset.lpb.rows import ULP
from formulations._types import Vector
from formulations.rules import FREE, IN, OUT, Status

if TYPE_CHECKING:
    from bestsubset.lpb.search import Search

_BOUND = 1  # token
_LARGER = 1e-11  # a limit than the search's own arithmetic says: the checkers' rounding is not the same
_ROUNDS = 4
_WORTH = 1e-6  # of a limit: what a tighter one must gain


def logged_tree(search: Search, log: Log, dual_bound: float) -> LoggedTree:
    """Return the tree and the boxes of a search for a bound in the user's units."""
    boxes = _Boxes(search, log, dual_bound / search.rows.unit)
    vectors = np.concatenate([log.proofs[boxes.kept], log.multipliers, np.zeros((1, search.rows.n))])
    row, position = np.nonzero(vectors)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(vectors)))])
    tokens = np.fromiter(_Tokens(search, len(boxes.kept), len(log.multipliers)).of(log.root), dtype=np.int32)
    is_short = max(len(vectors), search.rows.p) < 2**15
    return LoggedTree(
        tokens.astype(np.int16) if is_short else tokens,
        offsets.astype(np.int64),
        search.used_rows[position].astype(np.int32),
        vectors[row, position] * search.rows.weight_unit,
        np.zeros(0),
        np.array(boxes.signed, dtype=np.int32),
        np.array(boxes.limits, dtype=np.float64),
        boxes.together,
    )


class _Boxes:
    """The limits of boxes for the bound claimed, each from its dual vector and the boxes before it."""

    def __init__(self, search: Search, log: Log, bound: float) -> None:
        self._search, self._bound = search, bound
        rows = search.rows
        start = type(search.boxes).of_user(rows)
        start.lower_ceiling(search.ceiling)
        self._lower, self._upper = start.lower, start.upper
        self.kept: list[int] = []
        self.signed: list[int] = []
        self.limits: list[float] = []
        self._status: Status = search.system.start.copy()
        self.together = log.together
        self._prove_together(log)
        for number in range(log.together, len(log.boxes)):
            side, column = log.boxes[number]
            self._prove(number, side, column, log.proofs[number])

    def _prove_together(self, log: Log) -> None:
        """The limits at which each dual vector proves its own, all others being in theirs."""
        rows = self._search.rows
        duals = [DualPoint.of(rows, log.proofs[number]) for number in range(log.together)]
        sides = np.array([log.boxes[number].side for number in range(log.together)], dtype=np.int64)
        columns = np.array([log.boxes[number].column for number in range(log.together)], dtype=np.int64)
        slopes = np.array(
            [(d.slopes[j] if side else -d.slopes[j]) for d, side, j in zip(duals, sides, columns, strict=True)]
        )
        slopes += rows.price[columns] - np.array([dual.error for dual in duals])
        rest = np.zeros(log.together)
        for _ in range(_ROUNDS):  # what the others take is next to nothing
            limits = (np.maximum(0.0, self._bound - np.array([dual.constant for dual in duals])) + rest) / slopes
            limits = limits * (1 + _LARGER) + limits.max(initial=0.0) * _LARGER
            ends = np.full((2, rows.p), np.inf)
            ends[sides, columns] = limits
            lower, upper = np.maximum(self._lower, -ends[0]), np.minimum(self._upper, ends[1])
            for number, dual in enumerate(duals):
                gains = dual.gains(rows.price, lower, upper)
                gains[columns[number]] = 0.0
                rest[number] = float(gains.sum()) * (1 + _LARGER)
        for number in range(log.together):
            self._keep(number, int(sides[number]), int(columns[number]), float(limits[number]) * (1 + _LARGER))

    def _prove(self, number: int, side: int, column: int, u: Vector) -> None:
        """Keep a box if it is tighter than what holds."""
        search, rows = self._search, self._search.rows
        if self._status[column] == OUT:
            return
        dual = DualPoint.of(rows, u)
        slope = (dual.slopes[column] if side else -dual.slopes[column]) - dual.error + rows.price[column]
        gains = dual.gains(rows.price, self._lower, self._upper)
        gains[column] = 0.0
        if slope <= 0 or not np.isfinite(gains).all():
            return
        status = self._status.copy()
        block = np.flatnonzero(search.blocks.of == search.blocks.of[column])
        status[block] = IN
        room = float(search.problem.max_cardinality - search.system.weights[status == IN].sum())
        if room < 0:
            return
        rest = node_bound(dual.constant, gains, status, search.blocks, room, rows.lambda0)
        wrong = 64 * ULP * (abs(rest.value) + abs(dual.constant) + float(gains.sum()))
        known = self._upper[column] if side else -self._lower[column]
        limit = (self._bound - rest.value + wrong) / slope * (1 + _LARGER)
        limit = max(limit, _LARGER * min(known, 1.0))  # a box holds zero inside
        if limit < known * (1 - _WORTH):
            self._keep(number, side, column, limit)

    def _keep(self, number: int, side: int, column: int, limit: float) -> None:
        if side:
            self._upper[column] = min(self._upper[column], limit)
        else:
            self._lower[column] = max(self._lower[column], -limit)
        self.kept.append(number)
        self.signed.append(column if side else -1 - column)
        self.limits.append(limit * float(self._search.rows.column_units[column]))


class _Tokens:
    """The tokens of a tree in preorder, what a checker knows of each node being known here too."""

    def __init__(self, search: Search, n_boxes: int, n_multipliers: int) -> None:
        self._system, self._blocks = search.system, search.blocks
        self._k = float(search.problem.max_cardinality)
        self._first = n_boxes
        self._nothing = n_boxes + n_multipliers  # the number of the multiplier that is zero

    def of(self, root: LoggedNode) -> Iterator[int]:
        """Yield them."""
        waiting: list[tuple[LoggedNode, Status, int] | Reason] = [(root, self._system.start.copy(), 0)]
        while waiting:
            top = waiting.pop()
            if isinstance(top, Reason):
                yield from self._reason(top)
                continue
            node, status, number = top
            if not self._closed(status):
                yield SOLVE
            elif number < len(node.steps):
                column, is_in, otherwise = node.steps[number]
                if status[column] != FREE:
                    is_same = (status[column] == IN) == is_in
                    waiting.append((node, status, number + 1) if is_same else otherwise)
                    continue
                yield from (SPLIT, column)
                following = (node, self._decided(status, column, is_in), number + 1)
                waiting += [otherwise, following] if is_in else [following, otherwise]
            elif node.branched is None:
                yield from self._reason(node.end)
            else:
                column, with_it, without = node.branched
                if status[column] != FREE:
                    waiting.append((with_it if status[column] == IN else without, status, 0))
                    continue
                yield from (SPLIT, column)
                waiting += [
                    (without, self._decided(status, column, False), 0),
                    (with_it, self._decided(status, column, True), 0),
                ]

    def _reason(self, reason: Reason) -> tuple[int, int]:
        if reason.rule is not None:
            return INFEASIBLE, reason.rule
        return _BOUND, self._nothing if reason.multiplier == NOTHING else self._first + reason.multiplier

    def _decided(self, status: Status, column: int, is_in: bool) -> Status:
        """With the whole block of a column in, or out."""
        status = status.copy()
        status[self._blocks.of == self._blocks.of[column]] = IN if is_in else OUT
        return status

    def _closed(self, status: Status) -> bool:
        """Leave out, in place, what is larger than the room left, as every node begins; False if nothing is left."""
        room = self._k - float(self._system.weights[status == IN].sum())
        sizes = self._blocks.sizes[self._blocks.of]
        status[(status == FREE) & (sizes > room)] = OUT
        if room == 0:
            status[status == FREE] = OUT
        return room >= 0
