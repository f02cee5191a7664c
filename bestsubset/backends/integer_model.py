"""A model on a grid, as CP-SAT has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bestsubset.backends.grid import Grid, IntegerRow
from formulations._types import BoolVector, IntVector, Vector
from formulations.mio.model import Indicator, Model


def is_used(model: Model) -> BoolVector:
    """Tell which columns have a price or stand in a row, a set or an indicator, shape (N,)."""
    used = model.cost != 0
    used[model.A.indices[model.A.data != 0]] = True
    for sos in model.sos1:
        used[list(sos.columns)] = True
    for indicator in model.indicators:
        used[[indicator.binary, *indicator.columns]] = True
    return np.asarray(used)


class IntegerModel:
    """A model on a grid, as CP-SAT has it."""

    def __init__(self, model: Model, grid: Grid) -> None:
        self.model, self.grid = model, grid
        priced = np.flatnonzero(model.cost)
        self.objective = grid.objective(priced, model.cost[priced])
        self.rows = [self._row(i) for i in range(model.n_rows)]
        self.is_empty = bool(np.any(grid.low > grid.high)) or any(
            row.lower is not None and row.upper is not None and row.lower > row.upper for row in self.rows
        )
        if not self.is_empty:
            self._state()

    def _row(self, i: int) -> IntegerRow:
        A = self.model.A
        inside = slice(A.indptr[i], A.indptr[i + 1])
        return self.grid.row(A.indices[inside], A.data[inside], self.model.row_lower[i], self.model.row_upper[i])

    def _state(self) -> None:
        from ortools.sat.python import cp_model

        self.program = cp_model.CpModel()
        self.columns = [
            self.program.new_int_var(int(low), int(high), f"x{j}")
            for j, (low, high) in enumerate(zip(self.grid.low, self.grid.high, strict=True))
        ]
        for row in self.rows:
            self._add(row)
        for sos in self.model.sos1:
            self.program.add_at_most_one(self._is_nonzero(j) for j in sos.columns)
        for indicator in self.model.indicators:
            self._add_indicator(indicator)
        self.program.minimize(self._sum(self.objective.columns, self.objective.coefs))

    def _sum(self, columns: IntVector, coefs: IntVector) -> Any:
        from ortools.sat.python import cp_model

        return cp_model.LinearExpr.weighted_sum([self.columns[j] for j in columns], [int(c) for c in coefs])

    def _add(self, row: IntegerRow) -> list[Any]:
        total = self._sum(row.columns, row.coefs)
        added = [self.program.add(total >= row.lower)] if row.lower is not None else []
        return [*added, self.program.add(total <= row.upper)] if row.upper is not None else added

    def _is_nonzero(self, j: int) -> Any:
        """A literal that is true wherever the column is nonzero."""
        if self.grid.is_whole[j] and self.grid.low[j] >= 0 and self.grid.high[j] <= 1:
            return self.columns[j]
        literal = self.program.new_bool_var(f"nonzero{j}")
        self.program.add(self.columns[j] == 0).only_enforce_if(~literal)
        return literal

    def _add_indicator(self, indicator: Indicator) -> None:
        binary = self.columns[indicator.binary]
        literal = binary if indicator.value else ~binary
        columns = np.array(indicator.columns, dtype=np.int64)
        row = self.grid.row(columns, np.array(indicator.coefs), indicator.lower, indicator.upper)
        self.rows.append(row)
        for added in self._add(row):
            added.only_enforce_if(literal)

    def worst_loss(self) -> float:
        """About how much a bound may lose: what each row was relaxed by, at the price of its dearest column."""
        price = np.abs(self.model.cost)
        loss = np.zeros(self.model.n_columns)
        for i, row in enumerate(self.rows[: self.model.n_rows]):
            A = self.model.A
            entries = A.data[A.indptr[i] : A.indptr[i + 1]]
            kept = entries != 0
            columns = row.columns[kept]
            # An epigraph column makes good what its rows were relaxed by; a column of whole numbers cannot.
            able = ~self.grid.is_whole[columns]
            columns = columns[able]
            np.maximum.at(loss, columns, price[columns] * row.error / np.abs(entries[kept][able]))
        return float(loss.sum()) + self.objective.allowance / self.objective.scale

    def hint(self, start: Vector) -> None:
        known = ~np.isnan(start)
        nearest = self.grid.nearest(np.where(known, start, 0.0))
        for j in np.flatnonzero(known):
            self.program.add_hint(self.columns[j], int(nearest[j]))

    def values(self, solution: Any) -> Vector:
        return self.grid.values(np.array(list(solution)[: self.model.n_columns], dtype=np.int64))
