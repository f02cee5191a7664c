"""Blocks of columns and rows, one after another, into a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from formulations._types import BoolVector, IntVector, Vector
from formulations.mio.model import Block, Indicator, Model, RotatedCone, SOS1Set


class ModelBuilder:
    """Collects blocks; `build` makes the arrays once.

    Matrices are handed over whole, so that a dense model of a few hundred thousand entries takes milliseconds.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.constant = 0.0
        self.notes: list[str] = []
        self.imposed: list[str] = []
        self.sos1: list[SOS1Set] = []
        self.memory: object = None
        self.indicators: list[Indicator] = []
        self.cones: list[RotatedCone] = []
        self._columns: list[tuple[Block, Sequence[str], Vector, Vector, Vector, BoolVector]] = []
        self._rows: list[tuple[Block, Sequence[str], Vector, Vector]] = []
        self._costs: list[tuple[IntVector, Vector]] = []
        self._entries: list[tuple[IntVector, IntVector, Vector]] = []
        self._quadratic: list[tuple[IntVector, IntVector, Vector]] = []
        self._n_columns = 0
        self._n_rows = 0

    def add_columns(
        self,
        name: str,
        names: Sequence[str],
        *,
        meaning: str,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        integer: bool = False,
    ) -> IntVector:
        """Add a block of columns, one for each of ``names``; return their indices."""
        n = len(names)
        block = Block(name, self._n_columns, self._n_columns + n, meaning)
        arrays = [np.array(np.broadcast_to(np.asarray(a, dtype=np.float64), (n,))) for a in (cost, lower, upper)]
        self._columns.append((block, names, *arrays, np.full(n, integer)))  # type: ignore[arg-type]
        self._n_columns += n
        return block.indices

    def add_rows(
        self,
        name: str,
        names: Sequence[str],
        parts: Sequence[tuple[IntVector, ArrayLike | sparse.spmatrix]],
        *,
        meaning: str,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
    ) -> IntVector:
        """Add a block of rows Σ part · x[columns]; return their indices.

        Each of ``parts`` is some columns with a matrix of shape (rows, columns), dense or sparse, or with a scalar for
        a multiple of the identity.
        """
        n = len(names)
        for columns, given in parts:
            matrix = sparse.coo_matrix(sparse.identity(n) * given if np.isscalar(given) else given)
            self._entries.append(
                (matrix.row.astype(np.int64) + self._n_rows, np.asarray(columns)[matrix.col], matrix.data)
            )
        bounds = [np.array(np.broadcast_to(np.asarray(a, dtype=np.float64), (n,))) for a in (lower, upper)]
        block = Block(name, self._n_rows, self._n_rows + n, meaning)
        self._rows.append((block, names, *bounds))  # type: ignore[arg-type]
        self._n_rows += n
        return block.indices

    def add_cost(self, columns: IntVector, cost: Vector) -> None:
        """Add to the costs of columns that are there."""
        self._costs.append((np.asarray(columns), np.asarray(cost, dtype=np.float64)))

    def bounds(self, columns: IntVector) -> tuple[Vector, Vector]:
        """Return the bounds of columns that are there."""
        return tuple(np.concatenate([part[side] for part in self._columns])[columns] for side in (3, 4))  # type: ignore[return-value]

    def add_quadratic(self, rows: IntVector, columns: IntVector, matrix: ArrayLike | sparse.spmatrix) -> None:
        """Add ½ x[rows]' matrix x[columns] to the objective; both halves of a symmetric Q must be given."""
        entries = sparse.coo_matrix(matrix)
        self._quadratic.append((np.asarray(rows)[entries.row], np.asarray(columns)[entries.col], entries.data))

    def build(self) -> Model:
        """Make the arrays."""
        shape = (self._n_rows, self._n_columns)
        columns = [np.concatenate([np.zeros(0), *part]) for part in list(zip(*self._columns, strict=True))[2:5]]
        for indices, cost in self._costs:
            np.add.at(columns[0], indices, cost)
        return Model(
            name=self.name,
            column_names=tuple(name for _, names, *_ in self._columns for name in names),
            row_names=tuple(name for _, names, *_ in self._rows for name in names),
            cost=columns[0],
            lower=columns[1],
            upper=columns[2],
            is_integer=np.concatenate([np.zeros(0, dtype=bool), *(part[-1] for part in self._columns)]),
            A=_assembled(self._entries, shape).tocsr(),
            row_lower=np.concatenate([np.zeros(0), *(part[2] for part in self._rows)]),
            row_upper=np.concatenate([np.zeros(0), *(part[3] for part in self._rows)]),
            constant=self.constant,
            Q=_assembled(self._quadratic, (shape[1], shape[1])).tocsc() if self._quadratic else None,
            sos1=tuple(self.sos1),
            indicators=tuple(self.indicators),
            cones=tuple(self.cones),
            column_blocks=tuple(part[0] for part in self._columns),
            row_blocks=tuple(part[0] for part in self._rows),
            notes=tuple(self.notes),
            imposed=tuple(self.imposed),
            memory=self.memory,
        )


def _assembled(entries: list[tuple[IntVector, IntVector, Vector]], shape: tuple[int, int]) -> sparse.coo_matrix:
    if not entries:
        return sparse.coo_matrix(shape)
    rows, columns, data = (np.concatenate(part) for part in zip(*entries, strict=True))
    return sparse.coo_matrix((data, (rows, columns)), shape=shape)
