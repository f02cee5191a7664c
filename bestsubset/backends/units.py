"""A linear model in units in which its entries are near one: by powers of two, so that no digit changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.mio.model import Model

_PASSES = 3
_FAR = 2.0**500  # a unit beyond this is not tried: the products would overflow


@dataclass(frozen=True, eq=False)
class InUnits:
    """The arrays of a model with x = columns * x', rows multiplied by ``rows``, the objective by ``objective``.

    Absolute tolerances and the sizes below which a program drops an entry are meant for such entries, whatever the
    units of the data. Integer columns keep theirs. Attributes are those of `Model`.
    """

    cost: Vector
    constant: float
    lower: Vector
    upper: Vector
    A: sparse.csr_matrix
    row_lower: Vector
    row_upper: Vector
    columns: Vector
    objective: float

    @classmethod
    def of(cls, model: Model) -> InUnits:
        A = model.A.tocsr(copy=True)
        A.sum_duplicates()
        A.eliminate_zeros()
        rows, columns = _units(A, model)
        A.data *= np.repeat(rows, np.diff(A.indptr)) * columns[A.indices]
        cost = model.cost * columns
        objective = float(_power(1.0 / np.abs(cost).max(initial=0.0))) if np.any(cost) else 1.0
        return cls(
            cost=cost * objective,
            constant=model.constant * objective,
            lower=model.lower / columns,
            upper=model.upper / columns,
            A=A,
            row_lower=model.row_lower * rows,
            row_upper=model.row_upper * rows,
            columns=columns,
            objective=objective,
        )

    def small_entries(self, threshold: float) -> tuple[IntVector, IntVector]:
        """Return rows and columns of the entries below a threshold whose column has no finite bounds."""
        small = np.abs(self.A.data) < threshold
        where = np.repeat(np.arange(self.A.shape[0]), np.diff(self.A.indptr))[small]
        columns = self.A.indices[small]
        unbounded = np.isinf(self._reach[columns])
        return where[unbounded], columns[unbounded]

    def without_small_entries(self, threshold: float) -> InUnits:
        """Return the arrays without entries below a threshold, each of their rows relaxed by what they can amount to.

        The optimum of what is returned is no worse than that of the model: a bound on it holds for both.
        """
        small = np.abs(self.A.data) < threshold
        if not small.any():
            return self
        where = np.repeat(np.arange(self.A.shape[0]), np.diff(self.A.indptr))[small]
        amounts = np.abs(self.A.data[small]) * self._reach[self.A.indices[small]]
        slack = np.bincount(where, amounts, minlength=self.A.shape[0]) * (1 + 1e-9)
        A = self.A.copy()
        A.data[small] = 0.0
        A.eliminate_zeros()
        return replace(self, A=A, row_lower=self.row_lower - slack, row_upper=self.row_upper + slack)

    @property
    def _reach(self) -> Vector:
        """The largest absolute value that each column can have."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))


def _units(A: sparse.csr_matrix, model: Model) -> tuple[Vector, Vector]:
    """Geometric means of rows and columns made one, by turns; a column with finite bounds takes its bound as unit."""
    where = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    logs = np.log2(np.abs(A.data))
    rows, columns = np.zeros(A.shape[0]), np.zeros(A.shape[1])
    width = np.maximum(np.abs(model.lower), np.abs(model.upper))
    boxed = ~model.is_integer & np.isfinite(width) & (width > 0)
    columns[boxed] = np.log2(width[boxed])
    free = ~model.is_integer & ~boxed
    in_row, in_column = np.bincount(where, minlength=A.shape[0]), np.bincount(A.indices, minlength=A.shape[1])
    for _ in range(_PASSES):
        totals = np.bincount(where, logs + columns[A.indices], minlength=A.shape[0])
        rows = -totals / np.maximum(in_row, 1)
        totals = np.bincount(A.indices, logs + rows[where], minlength=A.shape[1])
        columns[free] = (-totals / np.maximum(in_column, 1))[free]
    totals = np.bincount(where, logs + columns[A.indices], minlength=A.shape[0])
    return _power(2.0 ** (-totals / np.maximum(in_row, 1))), _power(2.0**columns)


def _power(values: Vector | float) -> Vector:
    """The nearest powers of two, none beyond what can be multiplied."""
    return np.asarray(np.exp2(np.round(np.log2(np.clip(values, 1 / _FAR, _FAR)))))
