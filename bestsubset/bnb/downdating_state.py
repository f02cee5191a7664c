"""The arrays that the kernels of the downdating tree work on, in named tuples that they can read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulations._types import IntMatrix, IntVector, Matrix, Vector

Cube = NDArray[np.float64]
SingleMatrix = NDArray[np.float32]

# Positions in `Search.scalars`.
UPPER, PRUNE_AT, REJECTED, SWEPT_FOR, BEST = 0, 1, 2, 3, 4
# Positions in `Search.counts`.
LEVEL, NODES, FOUND, LOGGED, DRAINED, WANTED, LISTED = 0, 1, 2, 3, 4, 5, 6

# In `Stack.next_child`.
EXHAUSTED = -1
NOT_OPENED = -2
PRUNED = -3
GIVEN = -4  # the children still to come are another worker's


def padded(size: int) -> int:
    """Room for a row of so many numbers, in whole vectors."""
    return (size + 15) // 16 * 16


class Scratch(NamedTuple):
    """Room for what a kernel works out and forgets: a support and its factor, and a few steps of downdating."""

    support: IntVector
    factor: Matrix
    rows: Matrix
    diagonal: Vector
    beta: Vector

    @classmethod
    def of(cls, p: int, k: int) -> Scratch:
        return cls(
            np.zeros(k, dtype=np.int64),
            np.empty((k, k + 1)),
            np.empty((max(p - k, 1), p)),
            np.empty(p),
            np.empty(p),
        )


class Search(NamedTuple):
    """What a search carries from one burst to the next.

    ``moments`` is G with c as a last row and column and y'y in the corner. ``tokens`` holds what is logged for the
    certificate from token ``counts[DRAINED]`` to ``counts[LOGGED]``, nothing where it is empty; ``names`` are the
    columns as the certificate names them. ``counts[WANTED]`` is above zero where others wait for a part of the tree.
    ``listed`` has room for the best supports, one a row, with their ``values``, where not only the best one is wanted.

    Workers share none of the arrays: references to one from two threads are counted atomically, which is slow.
    """

    moments: Matrix
    k: int
    slack: float
    allowance: float
    scalars: Vector
    counts: IntVector
    best: IntVector
    scratch: Scratch
    names: IntVector
    tokens: IntVector
    listed: IntMatrix
    values: Vector


class Stack(NamedTuple):
    """The nodes from the root to the one in hand, a level each: depth first needs no more.

    Level l has ``n_free[l]`` free columns ``free[l]`` and ``n_in[l]`` included ones ``inside[l]``, in the order of
    their inclusion; its block of H starts at ``H[offsets[l]]``. Children still to come: ``next_child[l]`` down to
    ``first_child[l]``.
    """

    free: IntMatrix
    inside: IntMatrix
    n_free: IntVector
    n_in: IntVector
    next_child: IntVector
    first_child: IntVector
    rss: Vector
    beta: Matrix
    increase: Matrix
    offsets: IntVector
    H: Vector

    @classmethod
    def of(cls, p: int, k: int) -> Stack:
        """Room for p - k + 2 levels, each a column smaller than the one before."""
        levels = p - k + 2
        sizes = np.arange(p, p - levels, -1, dtype=np.int64)
        rooms = np.array(
            [size * padded(size) + padded(p) for size in sizes.tolist()]
        )  # no row that is read reaches into the next block
        return cls(
            free=np.zeros((levels, p), dtype=np.int64),
            inside=np.zeros((levels, k), dtype=np.int64),
            n_free=np.zeros(levels, dtype=np.int64),
            n_in=np.zeros(levels, dtype=np.int64),
            next_child=np.full(levels, NOT_OPENED, dtype=np.int64),
            first_child=np.zeros(levels, dtype=np.int64),
            rss=np.zeros(levels),
            beta=np.zeros((levels, p)),
            increase=np.zeros((levels, p)),
            offsets=np.concatenate([[0], np.cumsum(rooms[:-1])]).astype(np.int64),
            H=np.zeros(int(np.sum(rooms))),  # pages are touched only as deep as the search goes
        )


class Swept(NamedTuple):
    r"""Schur complements of :math:`G - cc'/(y'y - RSS^*)` by growing sets of included columns, for closing tails.

    A support beats RSS* only where its part of the matrix is not positive semidefinite. ``K[s]`` is what is left
    after s columns, in the rows that the node in hand and those below it need. ``suspects`` is room for a list of them.
    """

    K: Cube
    correlation: SingleMatrix
    scale: Vector
    suspects: IntVector

    @classmethod
    def of(cls, p: int, k: int) -> Swept:
        """Room for k - 2 steps."""
        width = padded(p)
        return cls(
            K=np.zeros((max(k - 1, 1), p, width)),
            correlation=np.zeros((p, width), dtype=np.float32),
            scale=np.zeros(width),
            suspects=np.zeros(p + 1, dtype=np.int64),
        )
