"""A mixed-integer model as arrays, before any solver sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from formulations._types import BoolVector, IntVector, Vector


@dataclass(frozen=True)
class Block:
    """What a run of columns or rows is, for readers of the model: ``start <= index < stop``."""

    name: str
    start: int
    stop: int
    meaning: str

    @property
    def indices(self) -> IntVector:
        return np.arange(self.start, self.stop)


@dataclass(frozen=True)
class SOS1Set:
    """At most one of these columns is nonzero; ``weights`` order them."""

    name: str
    columns: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Indicator:
    r"""If the binary column equals ``value`` then :math:`lower \le \sum_j a_j x_j \le upper`."""

    name: str
    binary: int
    value: int
    columns: tuple[int, ...]
    coefs: tuple[float, ...]
    lower: float
    upper: float


@dataclass(frozen=True)
class RotatedCone:
    r""":math:`\sum_{j \in squares} x_j^2 \le x_{left}\, x_{right}` with both factors non-negative."""

    name: str
    left: int
    right: int
    squares: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Model:
    r"""A model as arrays.

    .. math::
        \min_x\; c_0 + c^\top x + \tfrac12 x^\top Q x
        \quad\text{s.t.}\quad r^{lo} \le Ax \le r^{up},\; lo \le x \le up,\; x_j \in Z \text{ for some } j,

    with sets of special order, indicator rows and rotated cones where a formulation needs them. Infinite entries are
    absent bounds.

    Attributes
    ----------
    name : str
    column_names, row_names : sequences of str
    cost, lower, upper : shape (N,)
    is_integer : shape (N,)
    A : sparse matrix by rows, shape (R, N)
    row_lower, row_upper : shape (R,)
    constant : float
        c₀ of the objective.
    Q : sparse matrix, shape (N, N), optional
        Symmetric, both triangles; None for a linear objective.
    sos1, indicators, cones : tuples
    column_blocks, row_blocks : tuple of Block
        What stands where.
    notes : tuple of str
        What the model assumes, such as where its bounds come from.
    imposed : tuple of str
        What the user imposed on top of the problem, as in ``"|β_j| ≤ 5 (imposed as big_m)"``: a bound holds given it.
    memory : object
        What the formulation keeps in mind to refine the model.
    """

    name: str
    column_names: Sequence[str]
    row_names: Sequence[str]
    cost: Vector
    lower: Vector
    upper: Vector
    is_integer: BoolVector
    A: sparse.csr_matrix
    row_lower: Vector
    row_upper: Vector
    constant: float = 0.0
    Q: sparse.csc_matrix | None = None
    sos1: tuple[SOS1Set, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    cones: tuple[RotatedCone, ...] = ()
    column_blocks: tuple[Block, ...] = ()
    row_blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    imposed: tuple[str, ...] = ()
    memory: object = None

    @property
    def n_columns(self) -> int:
        return len(self.cost)

    @property
    def n_rows(self) -> int:
        return len(self.row_lower)

    def block(self, name: str) -> IntVector:
        """Return the indices of a block of columns.

        Raises
        ------
        KeyError
            If the model has no such block.
        """
        for block in self.column_blocks:
            if block.name == name:
                return block.indices
        raise KeyError(f"the model {self.name!r} has no columns {name!r}: {[b.name for b in self.column_blocks]}")

    def has_block(self, name: str) -> bool:
        return any(block.name == name for block in self.column_blocks)

    def objective(self, values: Vector) -> float:
        """Return the objective at a point, shape (N,)."""
        quadratic = 0.0 if self.Q is None else 0.5 * float(values @ (self.Q @ values))
        return self.constant + float(self.cost @ values) + quadratic

    def violation(self, values: Vector) -> float:
        """Return by how much a point breaks its worst row, bound, integrality, set, indicator or cone."""
        activity = self.A @ values
        worst = [0.0, *_excess(values, self.lower, self.upper), *_excess(activity, self.row_lower, self.row_upper)]
        whole = values[self.is_integer]
        worst.append(float(np.abs(whole - np.round(whole)).max(initial=0.0)))
        for sos in self.sos1:
            worst.append(float(np.sort(np.abs(values[list(sos.columns)]))[:-1].max(initial=0.0)))
        for row in self.indicators:
            if round(float(values[row.binary])) == row.value:
                total = np.array([float(np.dot(row.coefs, values[list(row.columns)]))])
                worst.extend(_excess(total, np.array([row.lower]), np.array([row.upper])))
        for cone in self.cones:
            squares = values[list(cone.squares)]
            worst.append(float(squares @ squares - values[cone.left] * values[cone.right]))
        return max(worst)

    def write(self, path: str | Path) -> None:
        """Write the model to a file: ``.lp`` or ``.mps``.

        Raises
        ------
        ProblemError
            If the suffix is another, or the format has no words for a part of the model.
        """
        from formulations.mio.export import write

        write(self, path)

    def with_rows(self, A: sparse.csr_matrix, row_lower: Vector, row_upper: Vector, names: Sequence[str]) -> Model:
        """Return the model with more rows: cuts."""
        return replace(
            self,
            A=sparse.vstack([self.A, A], format="csr"),
            row_lower=np.concatenate([self.row_lower, row_lower]),
            row_upper=np.concatenate([self.row_upper, row_upper]),
            row_names=(*self.row_names, *names),
        )


def _excess(values: Vector, lower: Vector, upper: Vector) -> tuple[float, float]:
    return float((lower - values).max(initial=0.0)), float((values - upper).max(initial=0.0))
