"""Rows of the matrix H = X'X + 2 diag(ridge), whole for moderate problems and on demand for wide ones."""

from __future__ import annotations

import numpy as np

from formulations import ScaledProblem
from formulations._types import BoolVector, IntVector, Matrix, Vector

_WHOLE = 800  # columns up to which H is formed whole, unless it exists already
_CACHE = 2**25  # doubles held at most (256 MB) unless one support needs more


class GramRows:
    """H by rows. For wide problems a row costs n·m operations, so rows are formed once and kept.

    Attributes
    ----------
    rows : array
        H itself where ``is_whole``; otherwise the rows held, in no order.
    c, diagonal : shape (m,)
        X'y and the diagonal of H.
    locked : shape (m,)
        Columns that may not leave a support.
    """

    def __init__(self, scaled: ScaledProblem) -> None:
        self.scaled = scaled
        self.is_whole = "gram" in scaled.__dict__ or scaled.m <= _WHOLE
        self.c = np.ascontiguousarray(scaled.correlation)
        self.locked: BoolVector = np.ascontiguousarray(scaled.included)
        if self.is_whole:
            self.rows = _with_ridge(scaled.gram, scaled.ridge)
            self.diagonal: Vector = self.rows.diagonal().copy()
            return
        capacity = max(2 * scaled.most_useful + 64, min(1024, _CACHE // scaled.m))
        self.rows = np.empty((min(capacity, scaled.m), scaled.m))
        self.diagonal = 1.0 + 2.0 * scaled.ridge
        self._slot: dict[int, int] = {}

    @property
    def m(self) -> int:
        return len(self.c)

    def at(self, columns: IntVector, guesses: IntVector | None = None) -> IntVector:
        """Return where in ``rows`` these columns' rows stand, forming those that are missing.

        If any is missing, those of ``guesses`` are formed with it: several rows cost little more than
        one, because reading X costs most.
        """
        if self.is_whole:
            return np.asarray(columns, dtype=np.int64)
        missing = [int(j) for j in columns if int(j) not in self._slot]
        if missing and guesses is not None:
            missing += [int(j) for j in guesses if int(j) not in self._slot and int(j) not in missing]
        if len(self._slot) + len(missing) > len(self.rows):
            self._slot = {}
            missing = [int(j) for j in columns]
            if len(missing) > len(self.rows):
                self.rows = np.empty((len(missing), self.m))
        if missing:
            self._form(np.array(missing, dtype=np.int64))
        return np.array([self._slot[int(j)] for j in columns], dtype=np.int64)

    def row(self, column: int, guesses: IntVector | None = None) -> Vector:
        """Return one row of H, shape (m,)."""
        return np.asarray(self.rows[self.at(np.array([column]), guesses)[0]])

    def whole_rows(self, columns: IntVector) -> Matrix:
        """Return some rows of H, shape (len(columns), m), as a copy."""
        at = self.at(columns)  # before ``rows`` is looked at: it may be replaced by a larger array
        return self.rows[at]

    def part(self, columns: IntVector) -> Matrix:
        """Return H on some columns, C-contiguous, without forming rows."""
        if self.is_whole:
            return np.ascontiguousarray(self.rows[np.ix_(columns, columns)])
        X = self.scaled.design.columns(columns)
        return _with_ridge(np.ascontiguousarray(X.T @ X), self.scaled.ridge[columns])

    def _form(self, columns: IntVector) -> None:
        first = len(self._slot)
        slots = np.arange(first, first + len(columns))
        self.rows[slots] = self.scaled.gram_rows(columns)
        self.rows[slots, columns] += 2.0 * self.scaled.ridge[columns]
        self._slot.update(zip(columns.tolist(), slots.tolist(), strict=True))


def _with_ridge(gram: Matrix, ridge: Vector) -> Matrix:
    if not ridge.any():
        return gram
    H = gram.copy()
    H[np.diag_indices_from(H)] += 2.0 * ridge
    return H
