"""Structure on the support: which columns must, may and may not enter together.

Each constraint is a small frozen dataclass over column indices (or feature names, which `Problem`
resolves). Every engine understands a constraint or refuses it with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

from formulations._types import IntVector
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
    """These columns enter together or not at all: a factor's dummies. Each counts towards k."""

    columns: Sequence[Column] | Column


@dataclass(frozen=True)
class AtMost(Constraint):
    """At most ``count`` of these columns are in the model."""

    columns: Sequence[Column] | Column
    count: int


@dataclass(frozen=True)
class AtLeast(Constraint):
    """At least ``count`` of these columns are in the model."""

    columns: Sequence[Column] | Column
    count: int


@dataclass(frozen=True)
class Implies(Constraint):
    """The child enters only with all (strong heredity) or any (weak heredity) of its parents."""

    child: Column
    parents: Sequence[Column] | Column
    rule: Literal["all", "any"] = "all"


@dataclass(frozen=True)
class Budget(Constraint):
    """The costs of the chosen columns, one cost a column of X, sum to at most ``limit``."""

    costs: tuple[float, ...]
    limit: float


@dataclass(frozen=True)
class Sign(Constraint):
    """The coefficients of these columns are non-negative (+1) or non-positive (-1)."""

    columns: Sequence[Column] | Column
    sign: Literal[1, -1]


@dataclass(frozen=True)
class Bounds(Constraint):
    """The coefficients of these columns lie in ``[lo, hi]``."""

    columns: Sequence[Column] | Column
    lo: float
    hi: float


@dataclass(frozen=True)
class ExcludePairs(Constraint):
    """No two chosen columns have an absolute correlation above ``threshold``."""

    threshold: float


@dataclass(frozen=True)
class Selection:
    """What `Include`, `Exclude` and `Group` say together.

    ``groups`` are disjoint sets of two or more columns that enter whole or not at all. ``included`` and
    ``excluded`` are sorted columns, whole groups each.
    """

    groups: tuple[tuple[int, ...], ...] = ()
    included: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def has_groups(self) -> bool:
        return bool(self.groups)

    def charged(self, nonzero: IntVector) -> int:
        """Number of columns in the model: the nonzero ones, the included ones, and the rest of their groups."""
        if not self.included and not self.has_groups:
            return len(nonzero)
        chosen = set(self.included).union(nonzero.tolist())
        return len(chosen.union(*(group for group in self.groups if chosen.intersection(group))))

    def allows(self, support: Iterable[int]) -> bool:
        """Tell whether a support obeys all three kinds of constraint."""
        chosen = set(support)
        if not chosen.issuperset(self.included) or chosen.intersection(self.excluded):
            return False
        return all(len(chosen.intersection(group)) in (0, len(group)) for group in self.groups)


def select(constraints: Sequence[Constraint], n_columns: int) -> Selection:
    """Merge overlapping groups and spread `Include` and `Exclude` over them.

    Raises
    ------
    ProblemError
        If a column is both included and excluded, directly or through a group.
    """
    if not any(isinstance(c, Include | Exclude | Group) for c in constraints):
        return Selection()
    block_of = list(range(n_columns))
    included: set[int] = set()
    excluded: set[int] = set()
    for constraint in constraints:
        columns = [int(c) for c in getattr(constraint, "columns", ())]
        if isinstance(constraint, Group):
            merged = {block_of[c] for c in columns}
            block_of = [min(merged) if b in merged else b for b in block_of]
        elif isinstance(constraint, Include):
            included.update(columns)
        elif isinstance(constraint, Exclude):
            excluded.update(columns)
    members: dict[int, list[int]] = {}
    for column, block in enumerate(block_of):
        members.setdefault(block, []).append(column)
    blocks = tuple(tuple(block) for block in members.values())
    all_in = {c for block in blocks if included.intersection(block) for c in block}
    all_out = {c for block in blocks if excluded.intersection(block) for c in block}
    if all_in & all_out:
        raise ProblemError(
            f"Column {min(all_in & all_out)} is both included and excluded; expected one of the two."
            " Look at Include, Exclude and the Groups that join them."
        )
    groups = tuple(block for block in blocks if len(block) > 1)
    return Selection(groups, tuple(sorted(all_in)), tuple(sorted(all_out)))
