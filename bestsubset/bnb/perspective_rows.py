"""Rows of the matrix Q of a `Quadratic`, formed as columns enter the relaxation."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from bestsubset.bnb.tree import MemoryLimitReached
from formulations._types import IntVector, Matrix

RowsOf = Callable[[IntVector], Matrix]

_FIRST_BYTES = 2**30  # of room for rows at once


class Rows:
    """Rows that are formed once and kept; several threads may ask.

    ``rows[slot[j]]`` is that of column j, ``slot[j]`` is -1 where there is none yet. Whoever holds these arrays may go
    on with them: what is added goes into room that they do not point at, or into new arrays.

    Parameters
    ----------
    rows_of : callable
        Rows for some of the columns, shape (len, m).
    m : int
    memory_limit : float
        Bytes.
    """

    def __init__(self, rows_of: RowsOf, m: int, memory_limit: float) -> None:
        self._rows_of = rows_of
        self._columns = np.arange(m)
        self._memory_limit = memory_limit
        self._turn = threading.Lock()
        self._count = 0
        self.rows: Matrix = np.empty((0, m))
        self.slot: IntVector = np.full(m, -1, dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Memory that is used."""
        return self._count * len(self.slot) * 8

    def fetch(self, columns: IntVector) -> None:
        """Form the rows of columns that have none.

        Raises
        ------
        MemoryLimitReached
        """
        with self._turn:
            wanted = columns[self.slot[columns] < 0]
            if not len(wanted):
                return
            m, needed = len(self.slot), self._count + len(wanted)
            if needed > len(self.rows):
                # Room is asked for generously where it is much: it is used only as far as it is written to, and
                # moving the rows would take as long as forming some.
                capacity = max(needed, 2 * len(self.rows), _FIRST_BYTES // (8 * self._room()), 64)
                capacity = min(capacity, self._most(), int(self._memory_limit) // (8 * m))
                if capacity < needed:
                    raise MemoryLimitReached
                self._move(capacity)
            rows = self._rows_of(self._columns[wanted])
            self.rows[self._count : needed, :m] = rows if rows.shape[1] == m else rows[:, self._columns]
            slot = self.slot.copy()
            slot[wanted] = np.arange(self._count, needed)
            self.slot, self._count = slot, needed

    def _move(self, capacity: int) -> None:
        """Go on with room for so many rows."""
        m = min(len(self.slot), self.rows.shape[1])
        larger = np.empty((capacity, self._room()))
        larger[: self._count, :m] = self.rows[: self._count, :m]
        self.rows = larger

    def _most(self) -> int:
        """Rows that there may ever be."""
        return len(self.slot)

    def _room(self) -> int:
        """Entries for which a row has room."""
        return len(self.slot)

    def restrict_to(self, keep: IntVector) -> None:
        """Forget all other columns."""
        has_row = np.flatnonzero(self.slot[keep] >= 0)
        self.rows = np.ascontiguousarray(self.rows[np.ix_(self.slot[keep[has_row]], keep)])
        self._count = len(has_row)
        self.slot = np.full(len(keep), -1, dtype=np.int64)
        self.slot[has_row] = np.arange(len(has_row))
        self._columns = self._columns[keep]
