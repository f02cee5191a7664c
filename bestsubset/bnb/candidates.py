"""The few columns of a very wide problem that its search works on: a copy of their data, and rows of Q over them."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_rows import Rows
from formulations._types import IntVector, Matrix, Vector
from formulations.design import Design

_FIRST_NUMBERS = 2**27  # room for rows at once: memory only where it is written to
_AT_ONCE = 256  # columns that are copied or multiplied at once


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
        self._flat: Vector = np.empty(0)  # the rows, one after another
        self._data: Matrix = np.ascontiguousarray(design.columns(columns).T)  # one after another

    def _products(self, columns: IntVector) -> Matrix:
        return self._data[columns] @ self._data[: len(self.columns)].T

    @property
    def n(self) -> int:
        return int(self._design.n)

    def _room(self) -> int:
        return len(self.columns) // 8 * 8 + 8

    def _move(self, capacity: int) -> None:
        """Go on with room for so many rows; rows become longer where they are, as two copies would be much memory."""
        room, width = self._room(), min(len(self.slot), self.rows.shape[1])
        if capacity * room > len(self._flat):
            larger = np.empty(max(capacity * room, _FIRST_NUMBERS))
            used = self._count * self.rows.shape[1]
            larger[:used] = self._flat[:used]
            self._flat = larger
        old = self._flat[: self._count * self.rows.shape[1]].reshape(self._count, -1) if self._count else self.rows
        self.rows = self._flat[: len(self._flat) // room * room].reshape(-1, room)
        for row in range(self._count - 1, 0, -1):  # the last first: each goes to where later ones were
            self.rows[row, :width] = old[row, :width].copy()

    def _most(self) -> int:
        return int(self._design.m)

    def add(self, columns: IntVector) -> None:
        """Add columns that are not among them yet; rows lack their entries until `renew_rows`."""
        before, after = len(self.columns), len(self.columns) + len(columns)
        if after > len(self._data):
            larger = np.empty((5 * after // 4, self._design.n))
            larger[:before] = self._data[:before]
            self._data = larger
        for first in range(before, after, _AT_ONCE):
            some = slice(first, min(first + _AT_ONCE, after))
            self._data[some] = self._design.columns(columns[first - before : some.stop - before]).T
        self.columns = np.concatenate([self.columns, columns])

    def renew_rows(self, wanted: IntVector) -> None:
        """Keep the rows of some columns only, moved together, and complete them."""
        before, after = len(self.slot), len(self.columns)
        wanted = wanted[wanted < before]
        kept = wanted[self.slot[wanted] >= 0]
        kept = kept[np.argsort(self.slot[kept])]
        for to, slot in enumerate(self.slot[kept].tolist()):
            self.rows[to, :before] = self.rows[slot, :before]
        self._count = len(kept)
        if after > self.rows.shape[1]:
            self._move(self._count)
        for first in range(0, len(kept), _AT_ONCE):
            some = kept[first : first + _AT_ONCE]
            self.rows[first : first + len(some), before:after] = self._data[some] @ self._data[before:after].T
        self._columns = np.arange(after)
        self.slot = np.full(after, -1, dtype=np.int64)
        self.slot[kept] = np.arange(len(kept))

    def fitted(self, columns: IntVector, gamma: Matrix) -> Matrix:
        """Xγ for coefficients of some of them."""
        return np.asarray(self._data[columns].T @ gamma)

    def products(self, left: Matrix, first: int = 0) -> Matrix:
        """Return ``Z.T @ left`` for the candidates from some on, shape (c - first, s)."""
        return np.asarray(self._data[first : len(self.columns)] @ left)
