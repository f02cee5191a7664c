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
# ID is that of the node in hand, IDS the number of them given out; MULTIPLIER proves the bound of the node in hand (-1:
# none logged), unless FRESH says that ``Node.proof`` does, not logged yet.
NODES, FOUND, OPEN, CURRENT, ID, IDS, MULTIPLIER, FRESH = 0, 1, 2, 3, 4, 5, 6, 7
# What `Search.counts[CURRENT]` says of the node in hand.
NO_NODE, BEING_BOUNDED, JUST_MADE = 0, 1, 2

# What a burst returns.
FINISHED, BUDGET_SPENT, ROWS_MISSING, POOL_FULL, LOG_FULL = 0, 1, 2, 3, 4
# What bounding a node decides.
DONE, BRANCH, MISSING, NO_ROOM = 0, 1, 2, 3

# Positions in `Node.values`.
DUAL, PRIMAL, SHARES, KTH, FOLLOWING, N_FREE = 0, 1, 2, 3, 4, 5


class Terms(NamedTuple):
    """The problem: see `Quadratic`. Column j has row ``rows[slot[j]]`` of Q, or none yet where ``slot[j] < 0``."""

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
    slack: float
    allowance: float


class Node(NamedTuple):
    """The node in hand: its state (``status``, ``gamma``) and what is computed of it, ``w = c - Q gamma`` first."""

    status: StatusVector
    gamma: Vector
    w: Vector
    gain: Vector
    top: Vector
    values: Vector
    chosen: IntVector
    proof: Vector


class Log(NamedTuple):
    """What was logged for the certificate since it was last drained; all empty where nothing is to be logged.

    ``events`` has a row (node, what, argument, number of columns) each, ``fixed`` the columns of the FIX events,
    ``ends`` where in ``columns`` and ``values`` each multiplier ends. The counts are named below.
    """

    events: IntMatrix
    fixed: IntVector
    ends: IntVector
    columns: IntVector
    values: Vector
    counts: IntVector

    @classmethod
    def of(cls, m: int, is_kept: bool) -> Log:
        """An empty log with room for some nodes on m columns."""
        events, numbers = (2**12, max(2**16, 4 * m)) if is_kept else (0, 0)
        return cls(
            np.empty((events, 4), dtype=np.int64),
            np.empty(numbers, dtype=np.int64),
            np.empty(events, dtype=np.int64),
            np.empty(numbers, dtype=np.int64),
            np.empty(numbers),
            np.zeros(8, dtype=np.int64),
        )


# Positions in `Log.counts`: how many are there, and from BEFORE on, in the same order, how many were drained before.
EVENTS, FIXED, MULTIPLIERS, NUMBERS, BEFORE = 0, 1, 2, 3, 4
# What an event says of its node.
LEAF, SUPPORT, BRANCHED, FIX = 0, 1, 2, 3


class Search(NamedTuple):
    """What a search carries from one burst to the next; the positions are named above."""

    scalars: Vector
    counts: IntVector
    best: IntVector


class Pool(NamedTuple):
    """Open nodes in dense slots, a binary heap of the slots by bound, and the vacant slots."""

    status: StatusMatrix
    gamma: Matrix
    bound: Vector
    mu: Vector
    node: IntVector
    multiplier: IntVector
    heap: IntVector
    vacant: IntVector

    @classmethod
    def of(cls, capacity: int, m: int) -> Pool:
        """An empty pool."""
        return cls(
            np.empty((capacity, m), dtype=np.int8),
            np.empty((capacity, m)),
            np.empty(capacity),
            np.empty(capacity),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=np.int64),
            np.arange(capacity, dtype=np.int64),
        )

    def doubled(self) -> Pool:
        """The same nodes, all slots taken, in a pool of twice the capacity."""
        old = len(self.bound)
        new = Pool.of(2 * old, self.status.shape[1])
        pairs: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(new[:7], self[:7], strict=True))
        for target, source in pairs:
            target[:old] = source
        new.vacant[:old] = np.arange(old, 2 * old)  # only the new half is vacant
        return new


def node_of(status: StatusVector, gamma: Vector, k: int) -> Node:
    """The node in hand, with room for what is computed of it."""
    m = len(gamma)
    return Node(
        status, gamma, np.empty(m), np.empty(m), np.empty(k + 2), np.empty(6), np.empty(m, dtype=np.int64), np.empty(m)
    )  # fmt: skip
