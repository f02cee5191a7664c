"""Structure on the support: which columns must, may and may not enter together.

Each constraint is a small frozen dataclass over column indices (or feature names, which `Problem`
resolves). Every engine understands a constraint or refuses it with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

from formulations.errors import ProblemError

Column = int | str


class Constraint:
    """A rule on the support, or on the coefficients of some columns."""

    def resolved(self, feature_names: Sequence[str], n_columns: int) -> Self:
        """Return the same constraint with names replaced by indices, every index checked.

        Raises
        ------
        ProblemError
            If a name is unknown or an index lies outside ``0 … p-1``.
        """
        changes: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]  # every member is a dataclass
            value = getattr(self, field.name)
            if field.name in ("columns", "parents"):
                changes[field.name] = tuple(sorted({_index(c, feature_names, n_columns, self) for c in _listed(value)}))
                if not changes[field.name]:
                    raise ProblemError(
                        f"{type(self).__name__} is empty; expected at least one column. Name its columns."
                    )
            elif field.name == "child":
                changes[field.name] = _index(value, feature_names, n_columns, self)
        return replace(self, **changes)  # type: ignore[type-var]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ProblemError(message)


def _check_count(constraint: AtMost | AtLeast) -> None:
    label, count = type(constraint).__name__, constraint.count
    largest = len(set(_listed(constraint.columns)))
    _require(
        isinstance(count, int) and 0 <= count <= largest,
        f"count of {label} is {count}; expected a whole number between 0 and {largest} (its columns). Change it.",
    )


def _listed(columns: Column | Iterable[Column]) -> list[Column]:
    if isinstance(columns, str | int):
        return [columns]
    return list(columns)


def _index(column: Column, names: Sequence[str], n_columns: int, constraint: Constraint) -> int:
    label = type(constraint).__name__
    if isinstance(column, str):
        if column not in names:
            raise ProblemError(f"{label} names column {column!r}; expected a feature name. Check its spelling.")
        return names.index(column)
    index = int(column)
    if not 0 <= index < n_columns:
        raise ProblemError(
            f"{label} names column {index}; expected 0 <= column <= {n_columns - 1} (the columns of X)."
            " Use indices that start at 0, or feature names."
        )
    return index


@dataclass(frozen=True)
class Include(Constraint):
    """These columns are in every model; they count towards k and pay lambda0."""

    columns: Sequence[Column] | Column


@dataclass(frozen=True)
class Exclude(Constraint):
    """These columns are in no model."""

    columns: Sequence[Column] | Column


@dataclass(frozen=True)
class Group(Constraint):
    """These columns enter together or not at all: a factor's dummies.

    Towards k, and at the price lambda0, each of them ``counts``, or the whole group as ``"one"``. Groups that share
    columns are one group, and count as one if each of them does.
    """

    columns: Sequence[Column] | Column
    counts: Literal["columns", "one"] = "columns"

    def __post_init__(self) -> None:
        _require(
            self.counts in ("columns", "one"),
            f"counts of Group is {self.counts!r}; expected 'columns' or 'one'. Leave it at 'columns'.",
        )


@dataclass(frozen=True)
class AtMost(Constraint):
    """At most ``count`` of these columns are in the model."""

    columns: Sequence[Column] | Column
    count: int

    def __post_init__(self) -> None:
        _check_count(self)


@dataclass(frozen=True)
class AtLeast(Constraint):
    """At least ``count`` of these columns are in the model; a column may be in it with the coefficient 0."""

    columns: Sequence[Column] | Column
    count: int

    def __post_init__(self) -> None:
        _check_count(self)


@dataclass(frozen=True)
class Implies(Constraint):
    """The child enters only with all (strong heredity) or any (weak heredity) of its parents."""

    child: Column
    parents: Sequence[Column] | Column
    rule: Literal["all", "any"] = "all"

    def __post_init__(self) -> None:
        _require(
            self.rule in ("all", "any"),
            f"rule of Implies is {self.rule!r}; expected 'all' (strong heredity) or 'any' (weak). Use one of them.",
        )


@dataclass(frozen=True)
class Budget(Constraint):
    """The costs of the chosen columns, one cost a column of X, sum to at most ``limit``."""

    costs: Sequence[float]
    limit: float

    def __post_init__(self) -> None:
        costs = tuple(float(cost) for cost in self.costs)
        _require(
            all(0 <= cost < math.inf for cost in costs) and 0 <= self.limit < math.inf,
            f"Budget has the least cost {min(costs, default=0):g} and the limit {self.limit:g}; expected finite numbers"
            " >= 0. Change them.",
        )
        object.__setattr__(self, "costs", costs)

    def resolved(self, feature_names: Sequence[str], n_columns: int) -> Self:
        _require(
            len(self.costs) == n_columns,
            f"Budget has {len(self.costs)} costs; expected one for each of the {n_columns} columns of X."
            " Use 0 for columns that cost nothing.",
        )
        return self


@dataclass(frozen=True)
class Sign(Constraint):
    """The coefficients of these columns are non-negative (+1) or non-positive (-1)."""

    columns: Sequence[Column] | Column
    sign: Literal[1, -1]

    def __post_init__(self) -> None:
        _require(self.sign in (1, -1), f"sign of Sign is {self.sign!r}; expected 1 or -1. Use one of them.")


@dataclass(frozen=True)
class Bounds(Constraint):
    """The coefficients of these columns lie in ``[lo, hi]``, with ``lo <= 0 <= hi``."""

    columns: Sequence[Column] | Column
    lo: float
    hi: float

    def __post_init__(self) -> None:
        _require(
            self.lo <= 0 <= self.hi,
            f"Bounds are ({self.lo:g}, {self.hi:g}); expected lo <= 0 <= hi, since a column left out has the"
            " coefficient 0. Widen them, or shift the response.",
        )


@dataclass(frozen=True)
class ExcludePairs(Constraint):
    """No two chosen columns have an absolute correlation above ``threshold``.

    The correlation is weighted, and about zero where there is no intercept.
    """

    threshold: float

    def __post_init__(self) -> None:
        _require(
            0 <= self.threshold < 1,
            f"threshold of ExcludePairs is {self.threshold}; expected 0 <= threshold < 1. Use 0.9, say.",
        )
