"""The arrays that the kernels of the downdating tree work on, in named tuples that they can read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulations._types import IntMatrix, IntVector, Matrix, Vector

Cube = NDArray[np.float64]

# Positions in `Search.scalars`.
UPPER, PRUNE_AT, REJECTED = 0, 1, 2
# Positions in `Search.counts`.
LEVEL, NODES, FOUND, SWEPT, LOGGED, DRAINED = 0, 1, 2, 3, 4, 5

# In `Stack.next_child`.
EXHAUSTED = -1
NOT_OPENED = -2
PRUNED = -3


class Search(NamedTuple):
    """What a search carries from one burst to the next.

    ``moments`` is G with c as a last row and column and y'y in the corner. ``tokens`` holds what is logged for the
    certificate from token ``counts[DRAINED]`` to ``counts[LOGGED]``, nothing where it is empty; ``names`` are the
    columns as the certificate names them.
    """

    moments: Matrix
    k: int
    slack: float
    allowance: float
    scalars: Vector
    counts: IntVector
    best: IntVector
    support: IntVector
    work: Matrix
    names: IntVector
    tokens: IntVector


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
            offsets=np.concatenate([[0], np.cumsum(sizes[:-1] ** 2)]).astype(np.int64),
            H=np.empty(int(np.sum(sizes**2))),  # pages are touched only as deep as the search goes
        )


class Swept(NamedTuple):
    """Schur complements of G by growing sets of included columns, upper triangles only, for closing pairs.

    After s steps ``T[s]`` and ``w[s]`` are what is left of G and c, ``rss[s]`` of y'y, and ``order[:s]`` the columns.
    """

    T: Cube
    w: Matrix
    rss: Vector
    order: IntVector

    @classmethod
    def of(cls, p: int, k: int) -> Swept:
        """Room for k - 2 steps."""
        steps = max(k - 1, 1)
        return cls(np.empty((steps, p, p)), np.zeros((steps, p)), np.zeros(steps), np.zeros(k, dtype=np.int64))
