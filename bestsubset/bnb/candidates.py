"""The few columns of a very wide problem that its search works on: a copy of their data, and rows of Q over them."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_rows import Rows
from formulations._types import IntVector, Matrix
from formulations.design import Design

_FIRST_ROOM = 2**14 + 8  # columns; a multiple of a power of two would fall on the same lines of the cache


class Candidates(Rows):
    """Columns in the order in which they were added, which only grows; rows as in `Rows`, over these columns.

    Parameters
    ----------
    design : Design
    columns : shape (c,)
        The first of them.
    memory_limit : float
        Bytes, for the rows.
    """

    def __init__(self, design: Design, columns: IntVector, memory_limit: float) -> None:
        super().__init__(self._products, len(columns), memory_limit)
        self._design = design
        self.columns = columns.copy()
        self._data: Matrix = np.ascontiguousarray(design.columns(columns).T)  # one after another

    def _products(self, columns: IntVector) -> Matrix:
        return self._data[columns] @ self._data[: len(self.columns)].T

    def _room(self) -> int:
        """Columns for which rows have room: more than there are, as pages that are not written to cost nothing."""
        return max(_FIRST_ROOM, self.rows.shape[1], 2 * len(self.columns) + 8)

    def _most(self) -> int:
        return self._design.m

    def add(self, columns: IntVector) -> None:
        """Add columns that are not among them yet."""
        before, after = len(self.columns), len(self.columns) + len(columns)
        if after > len(self._data):
            larger = np.empty((2 * after, self._design.n))
            larger[:before] = self._data[:before]
            self._data = larger
        self._data[before:after] = self._design.columns(columns).T
        self.columns = np.concatenate([self.columns, columns])
        self._columns = np.arange(after)
        if after > self.rows.shape[1]:
            self._move(len(self.rows))
        with_row = np.flatnonzero(self.slot >= 0)
        self.rows[self.slot[with_row], before:after] = self._data[with_row] @ self._data[before:after].T
        self.slot = np.concatenate([self.slot, np.full(len(columns), -1, dtype=np.int64)])

    def forget_rows_but(self, columns: IntVector) -> None:
        """Drop the rows of all other columns; those kept move together within the room that they have."""
        kept = columns[self.slot[columns] >= 0]
        kept = kept[np.argsort(self.slot[kept])]
        for to, slot in enumerate(self.slot[kept].tolist()):
            self.rows[to, : len(self.slot)] = self.rows[slot, : len(self.slot)]
        self.slot = np.full(len(self.slot), -1, dtype=np.int64)
        self.slot[kept] = np.arange(len(kept))
        self._count = len(kept)

    def fitted(self, columns: IntVector, gamma: Matrix) -> Matrix:
        """Xγ for coefficients of some of them."""
        return np.asarray(self._data[columns].T @ gamma)

    def products(self, left: Matrix, first: int = 0) -> Matrix:
        """Return ``Z.T @ left`` for the candidates from some on, shape (c - first, s)."""
        return np.asarray(self._data[first : len(self.columns)] @ left)
