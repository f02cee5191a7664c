"""Linear rules on the indicators of columns, and what follows from the columns that are in or out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from formulations._types import BoolVector, IntVector, Vector

if TYPE_CHECKING:
    from formulations.selection import Selection

FREE, IN, OUT = 0, 1, 2  # what is decided of a column
Status = NDArray[np.int8]


@dataclass(frozen=True)
class Rule:
    r""":math:`\sum_j a_j z_j \le b` with :math:`z_j = 1` where column j is in the model; ``kind`` names its origin."""

    kind: str
    columns: tuple[int, ...]
    coefs: tuple[float, ...]
    limit: float

    @classmethod
    def of(cls, kind: str, columns: Iterable[int], coef: float, limit: float) -> Rule:
        """A rule with equal coefficients."""
        listed = tuple(columns)
        return cls(kind, listed, (coef,) * len(listed), float(limit))

    def allows(self, chosen: set[int]) -> bool:
        """Tell whether a model of exactly these columns obeys; the sum is correctly rounded."""
        return math.fsum(a for j, a in zip(self.columns, self.coefs, strict=True) if j in chosen) <= self.limit

    def restricted_to(self, place: Mapping[int, int]) -> Rule:
        """The rule on columns that have a place, under the number of their place; the others are in no model."""
        kept = [(place[j], a) for j, a in zip(self.columns, self.coefs, strict=True) if j in place]
        return Rule(self.kind, tuple(j for j, _ in kept), tuple(a for _, a in kept), self.limit)


class Consequence(NamedTuple):
    """A column that a rule decides; or no column, -1, where the rule cannot be obeyed."""

    column: int
    side: int
    rule: int


@dataclass(frozen=True, eq=False)
class RuleSystem:
    r"""Every rule of a selection as a row of :math:`Az \le b`: its rules, its groups, and the bound k on the size.

    Attributes
    ----------
    A : sparse matrix, shape (r, p)
    b : shape (r,)
    names : tuple of str
        One a row.
    start : shape (p,)
        What is decided from the start: `FREE`, `IN`, `OUT`.
    weights : shape (p,)
        What each column counts towards k.
    first_rule : int
        The row of the selection's first rule.
    """

    A: sparse.csr_matrix
    b: Vector
    names: tuple[str, ...]
    start: Status
    weights: Vector
    first_rule: int

    @classmethod
    def of(cls, selection: Selection, k: int) -> RuleSystem:
        """State a selection and a bound on the size as rows."""
        p = selection.n_columns
        weights = np.ones(p)
        for group in selection.single:
            weights[list(group[1:])] = 0.0
        counted = np.flatnonzero(weights)
        rows = [("cardinality", counted, weights[counted], float(k))]
        for group in selection.groups:  # round in a circle: each is in only if the next is
            for j, following in zip(group, (*group[1:], group[0]), strict=True):
                rows.append(("group", np.array([j, following]), np.array([1.0, -1.0]), 0.0))
        first_rule = len(rows)
        rows += [(r.kind, np.array(r.columns, dtype=np.int64), np.array(r.coefs), r.limit) for r in selection.rules]
        start = np.zeros(p, dtype=np.int8)
        start[list(selection.included)] = IN
        start[list(selection.excluded)] = OUT
        lengths = [len(columns) for _, columns, _, _ in rows]
        A = sparse.csr_matrix(
            (
                np.concatenate([coefs for _, _, coefs, _ in rows]),
                np.concatenate([columns for _, columns, _, _ in rows]),
                np.concatenate([[0], np.cumsum(lengths)]),
            ),
            shape=(len(rows), p),
        )
        return cls(A, np.array([b for *_, b in rows]), tuple(name for name, *_ in rows), start, weights, first_rule)

    def propagate(self, status: Status, because: list[Consequence] | None = None) -> bool:
        """Decide in place what follows from what is decided; False where a rule can no longer be obeyed.

        What is decided by a rule, and which one can no longer be obeyed, is written behind ``because``.

        A row's least activity has the columns that are in, and of the free ones those of negative coefficient. Where it
        exceeds the limit nothing is feasible; where a single free column would make it exceed, that column is decided.
        """
        A, b = self.A, self.b
        slack = 1e-9 * (1.0 + np.abs(b))  # rounding of the sums decides nothing: `Rule.allows` has the last word
        rows = np.repeat(np.arange(len(b)), np.diff(A.indptr))
        while True:
            least = np.where(status == IN, 1.0, 0.0)[A.indices] * A.data
            least += np.where(status == FREE, 1.0, 0.0)[A.indices] * np.minimum(A.data, 0.0)
            activity = np.bincount(rows, least, len(b))
            if np.any(activity > b + slack):
                if because is not None:
                    self._explain(because, -1, FREE, int(np.argmax(activity > b + slack)))
                return False
            tight = activity[rows] + np.abs(A.data) > (b + slack)[rows]
            forced = tight & (status[A.indices] == FREE) & (A.data != 0)
            if not forced.any():
                return True
            going_in = A.indices[forced & (A.data < 0)]
            going_out = A.indices[forced & (A.data > 0)]
            if because is not None:
                for entry in np.flatnonzero(forced).tolist():
                    self._explain(because, int(A.indices[entry]), IN if A.data[entry] < 0 else OUT, int(rows[entry]))
            status[going_out] = OUT
            if np.any(status[going_in] == OUT):
                return False
            status[going_in] = IN

    def _explain(self, because: list[Consequence], column: int, side: int, row: int) -> None:
        rule = row - self.first_rule
        if rule >= 0:
            because.append(Consequence(column, side, rule))

    def least(self, chosen: Iterable[int]) -> tuple[int, ...] | None:
        """Return the model of least size that holds the columns; None if there is none. Ties: the first found."""
        status = self.start.copy()
        columns = np.fromiter(chosen, dtype=np.int64)
        if np.any(status[columns] == OUT):
            return None
        status[columns] = IN
        best: list[IntVector] = []
        self._search(status, best)
        return tuple(int(j) for j in best[0]) if best else None

    def _search(self, status: Status, best: list[IntVector]) -> None:
        """Depth first: repair the first rule that a model of the columns in alone would break."""
        if not self.propagate(status):
            return
        is_in = status == IN
        if best and self.weights[is_in].sum() >= self.weights[best[0]].sum():
            return
        broken = np.flatnonzero(self.A @ is_in > self.b + 1e-9 * (1.0 + np.abs(self.b)))
        if not len(broken):
            if self._obeys(is_in):
                best[:] = [np.flatnonzero(is_in)]
            return
        row = slice(self.A.indptr[broken[0]], self.A.indptr[broken[0] + 1])
        helpful = [j for j, a in zip(self.A.indices[row], self.A.data[row], strict=True) if a < 0 and status[j] == FREE]
        for tried, column in enumerate(helpful):
            child = status.copy()
            child[helpful[:tried]] = OUT
            child[column] = IN
            self._search(child, best)

    def _obeys(self, is_in: BoolVector) -> bool:
        """As `Rule.allows`, for every row: no slack, and sums that are correctly rounded."""
        starts, chosen = self.A.indptr, is_in[self.A.indices]
        terms = [self.A.data[a:b][chosen[a:b]].tolist() for a, b in pairwise(starts)]
        return all(math.fsum(row) <= limit for row, limit in zip(terms, self.b.tolist(), strict=True))
