"""The arrays that the kernels of the perspective tree work on, in named tuples that they can read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulations._types import IntMatrix, IntVector, Matrix, Vector

StatusVector = NDArray[np.int8]
StatusMatrix = NDArray[np.int8]

# What a column may be at a node.
FREE, IN, OUT = 0, 1, 2

# Positions in `Search.scalars`.
UPPER, PRUNE_AT, REJECTED, BOUND, MU = 0, 1, 2, 3, 4
# Positions in `Search.counts`.
# OPEN counts the nodes on the heap, STACKED those on the stack; from HEAP_LIMIT open nodes on (0: never) the search
# goes depth first. ID is that of the node in hand, IDS the next number to be given out, a STRIDE apart; MULTIPLIER
# proves the bound of the node in hand (-1: none logged), unless FRESH says that ``Node.proof`` does, not logged yet.
# ASSEMBLED says that the working set is that of the node in hand, and SEEN that so is ``Node.w``; WANTED
# is above zero where others wait for a part of the tree.
NODES, FOUND, OPEN, CURRENT, ID, IDS, MULTIPLIER, FRESH = 0, 1, 2, 3, 4, 5, 6, 7
STACKED, HEAP_LIMIT, ASSEMBLED, SEEN, STRIDE, WANTED = 8, 9, 10, 11, 12, 13
# What `Search.counts[CURRENT]` says of the node in hand.
NO_NODE, BEING_BOUNDED, JUST_MADE = 0, 1, 2

# What a burst returns.
FINISHED, BUDGET_SPENT, ROWS_MISSING, POOL_FULL, LOG_FULL, WORKING_FULL = 0, 1, 2, 3, 4, 5
# What bounding a node decides.
DONE, BRANCH, MISSING, NO_ROOM, CROWDED = 0, 1, 2, 3, 4

# Positions in `Node.values`: over all columns, and over those of the working set.
DUAL, KTH, FOLLOWING = 0, 1, 2
PRIMAL, SHARES, WORKING_DUAL, REACH = 3, 4, 5, 6

_PER_BYTE = 4  # columns of a status in a byte
_KEPT = 192  # coefficients of an open node that are kept as its warm start


class Terms(NamedTuple):
    """The problem: see `Quadratic`. Column j has row ``rows[slot[j]]`` of Q, or none yet where ``slot[j] < 0``.

    ``fixes_late`` says that columns are fixed only in nodes about to be branched on: every fixing has a multiplier.
    """

    rows: Matrix
    slot: IntVector
    diagonal: Vector
    c: Vector
    l1: Vector
    rho: Vector
    lo: Vector
    hi: Vector
    half_yy: float
    lam0: float
    k: int
    is_plain: bool
    closes_pairs: bool
    fixes_late: bool
    slack: float
    allowance: float


class Node(NamedTuple):
    """The node in hand: its state (``status``, ``gamma``) and what is computed of it, ``w = c - Q gamma`` first.

    ``status`` is padded with OUT to whole bytes of the pool. ``factor`` is room for closing pairs, empty where that is
    not done.
    """

    status: StatusVector
    gamma: Vector
    w: Vector
    gain: Vector
    top: Vector
    values: Vector
    chosen: IntVector
    proof: Vector
    factor: Matrix

    @classmethod
    def of(cls, status: StatusVector, gamma: Vector, k: int, closes_pairs: bool = False) -> Node:
        """The node in hand, with room for what is computed of it."""
        m = len(gamma)
        padded = np.full(-(-m // _PER_BYTE) * _PER_BYTE, OUT, dtype=np.int8)
        padded[:m] = status
        return cls(
            padded, gamma, np.empty(m), np.empty(m), np.empty(k + 2), np.empty(7), np.empty(m, dtype=np.int64),
            np.empty(m), np.empty((m, max(1, k - 2)) if closes_pairs else (0, 1)),
        )  # fmt: skip


class Working(NamedTuple):
    """The columns that coordinate descent moves, with their part of the problem in contiguous memory.

    ``columns[:size[0]]`` are they, and ``position`` says where each column of the problem stands, -1 outside. ``w``
    is c - Qγ on them.
    """

    columns: IntVector
    position: IntVector
    size: IntVector
    kind: StatusVector
    gram: Matrix
    w: Vector
    gamma: Vector
    c: Vector
    l1: Vector
    rho: Vector
    root: Vector
    lo: Vector
    hi: Vector

    @classmethod
    def of(cls, room: int, m: int) -> Working:
        """An empty working set."""
        w, gamma, c, l1, rho, root, lo, hi = np.empty((8, room))
        return cls(
            np.empty(room, dtype=np.int64), np.full(m, -1, dtype=np.int64), np.zeros(1, dtype=np.int64),
            np.empty(room, dtype=np.int8), np.empty((room, room)), w, gamma, c, l1,
            rho, root, lo, hi,
        )  # fmt: skip

    @classmethod
    def whole(cls, terms: Terms, gamma: Vector) -> Working:
        """All columns of a problem whose rows stand in order."""
        m = len(terms.c)
        order, free = np.arange(m), np.zeros(m, dtype=np.int8)
        w, root = terms.c - terms.rows @ gamma, np.sqrt(terms.rho)
        return cls(
            order, order.copy(), np.array([m]), free, terms.rows, w, gamma, terms.c, terms.l1, terms.rho, root,
            terms.lo, terms.hi,
        )  # fmt: skip


class Log(NamedTuple):
    """What was logged for the certificate since it was last drained; all empty where nothing is to be logged.

    ``events`` has a row (node, what, argument, and a fourth number) each: the number of columns of a FIX event, which
    are in ``fixed``, or the first child of a branching, whose other child has the next number. ``ends`` says where in
    ``columns`` and ``values`` each multiplier ends. The counts are named below.
    """

    events: IntMatrix
    fixed: IntVector
    ends: IntVector
    columns: IntVector
    values: Vector
    counts: IntVector

    @classmethod
    def of(cls, m: int, worker: int, is_kept: bool) -> Log:
        """An empty log with room for some nodes on m columns."""
        events, numbers = (2**12, max(2**16, 4 * m)) if is_kept else (0, 0)
        counts = np.zeros(9, dtype=np.int64)
        counts[WORKER] = worker
        return cls(
            np.empty((events, 4), dtype=np.int64),
            np.empty(numbers, dtype=np.int64),
            np.empty(events, dtype=np.int64),
            np.empty(numbers, dtype=np.int64),
            np.empty(numbers),
            counts,
        )


# Positions in `Log.counts`: how many are there, and from BEFORE on, in the same order, how many were drained before;
# and which worker it is.
EVENTS, FIXED, MULTIPLIERS, NUMBERS, BEFORE, WORKER = 0, 1, 2, 3, 4, 8
WORKERS = 64  # at most: a multiplier is named by WORKERS times its number in its worker's log, plus that worker
# What an event says of its node.
LEAF, SUPPORT, BRANCHED, FIX, PAIRS = 0, 1, 2, 3, 4


class Search(NamedTuple):
    """What a search carries from one burst to the next; the positions are named above."""

    scalars: Vector
    counts: IntVector
    best: IntVector


class Pool(NamedTuple):
    """Open nodes in slots: a binary heap of slots by bound, a stack of slots, and the vacant slots.

    A node is four statuses a byte and its largest coefficients, in single precision: they are where its relaxation
    starts, and prove nothing.
    """

    status: NDArray[np.uint8]
    columns: NDArray[np.int32]
    gamma: NDArray[np.float32]
    kept: IntVector
    bound: Vector
    mu: Vector
    node: IntVector
    multiplier: IntVector
    heap: IntVector
    stack: IntVector
    vacant: IntVector

    @classmethod
    def of(cls, capacity: int, m: int) -> Pool:
        """An empty pool for nodes on m columns."""
        kept = min(m, _KEPT)
        return cls(
            np.empty((capacity, -(-m // _PER_BYTE)), dtype=np.uint8),
            np.empty((capacity, kept), dtype=np.int32),
            np.empty((capacity, kept), dtype=np.float32),
            np.zeros(capacity, dtype=np.int64),
            np.empty(capacity),
            np.empty(capacity),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=np.int64),
            np.arange(capacity, dtype=np.int64),
        )

    @property
    def capacity(self) -> int:
        return len(self.bound)

    @staticmethod
    def bytes_of(m: int) -> int:
        """Memory of one node on m columns."""
        return -(-m // _PER_BYTE) + 8 * min(m, _KEPT) + 8 * 8

    def grown(self, capacity: int, m: int) -> Pool:
        """The same nodes, all slots taken, in a larger pool."""
        old = self.capacity
        new = Pool.of(capacity, m)
        pairs: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(new[:10], self[:10], strict=True))
        for target, source in pairs:
            target[:old] = source
        new.vacant[: capacity - old] = np.arange(old, capacity)  # only the new slots are vacant
        return new

    def taken(self, slots: IntVector, m: int) -> Pool:
        """A pool with copies of some nodes, sorted by their bounds: that is a heap."""
        count = len(slots)
        new = Pool.of(max(64, 2 * count), m)
        for name in ("status", "columns", "gamma", "kept", "bound", "mu", "node", "multiplier"):
            getattr(new, name)[:count] = getattr(self, name)[slots]
        new.keep(np.arange(count))
        return new

    def put(self, slot: int, status: StatusVector, columns: IntVector, gamma: Vector, bound: float, mu: float) -> None:
        """Write a node to a slot, but for its number and its multiplier."""
        self.status[slot] = _packed(status[np.newaxis])[0]
        largest = np.argsort(-np.abs(gamma))[: self.columns.shape[1]]
        self.kept[slot] = len(largest)
        self.columns[slot, : len(largest)], self.gamma[slot, : len(largest)] = columns[largest], gamma[largest]
        self.bound[slot], self.mu[slot] = bound, mu

    def keep(self, slots: IntVector) -> None:
        """Put these nodes, sorted by their bounds, on the heap, and vacate all other slots."""
        self.heap[: len(slots)] = slots
        is_vacant = np.ones(self.capacity, dtype=bool)
        is_vacant[slots] = False
        self.vacant[: self.capacity - len(slots)] = np.flatnonzero(is_vacant)

    def restricted_to(self, keep: IntVector, slots: IntVector, m: int) -> Pool:
        """The same nodes on some of their columns; all others are out in every one of them."""
        position = np.full(m, -1, dtype=np.int32)
        position[keep] = np.arange(len(keep))
        new = Pool.of(self.capacity, len(keep))
        for name in ("bound", "mu", "node", "multiplier", "heap", "stack", "vacant"):
            getattr(new, name)[:] = getattr(self, name)
        new.status[slots] = _packed(self.statuses(slots, m)[:, keep])
        for slot in slots:
            at = position[self.columns[slot, : self.kept[slot]]]
            kept = at >= 0
            count = min(np.count_nonzero(kept), new.columns.shape[1])
            new.kept[slot] = count
            new.columns[slot, :count] = at[kept][:count]
            new.gamma[slot, :count] = self.gamma[slot, : self.kept[slot]][kept][:count]
        return new

    def statuses(self, slots: IntVector, m: int) -> StatusMatrix:
        """The statuses of nodes, shape (len(slots), m)."""
        packed = self.status[slots]
        four = np.stack([(packed >> (2 * i)) & 3 for i in range(_PER_BYTE)], axis=-1)
        return four.reshape(len(slots), _PER_BYTE * packed.shape[1])[:, :m].astype(np.int8)


def _packed(statuses: StatusMatrix) -> NDArray[np.uint8]:
    """The statuses of nodes, four columns a byte."""
    nodes, m = statuses.shape
    padded = np.full((nodes, -(-m // _PER_BYTE) * _PER_BYTE), OUT, dtype=np.uint8)
    padded[:, :m] = statuses
    packed = np.zeros((nodes, padded.shape[1] // _PER_BYTE), dtype=np.uint8)
    for i in range(_PER_BYTE):
        packed |= padded[:, i::_PER_BYTE] << (2 * i)
    return packed
