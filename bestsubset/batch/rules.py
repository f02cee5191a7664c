"""The constraints of a specification, in the order of its fields, as those of a problem."""

from __future__ import annotations

from bestsubset.batch.columns import ColumnNames
from bestsubset.batch.complaints import Complain, FieldPath, dotted
from bestsubset.batch.spec import Constraints, Costs
from formulations import (
    AtLeast,
    AtMost,
    Bounds,
    Budget,
    Constraint,
    Exclude,
    ExcludePairs,
    Group,
    Implies,
    Include,
    ProblemError,
    Sign,
)


def constraints(spec: Constraints, names: ColumnNames, complain: Complain) -> tuple[Constraint, ...]:
    """Return the constraints on the columns by index; every column that is not there is complained of.

    The levels of a categorical column are a group of their own, behind those that are written.
    """
    return _Reader(spec, names, complain).read()


class _Reader:
    def __init__(self, spec: Constraints, names: ColumnNames, complain: Complain) -> None:
        self.spec, self.names, self.complain = spec, names, complain
        self.found: list[Constraint] = []

    def read(self) -> tuple[Constraint, ...]:
        self._membership()
        self._groups()
        self._counts()
        self._heredity()
        if self.spec.budget is not None:
            self._budget(self.spec.budget)
        self._coefficients()
        if self.spec.exclude_pairs is not None:
            self.found.append(ExcludePairs(self.spec.exclude_pairs))
        return tuple(self.found)

    def _columns(self, written: list[str], *path: str | int) -> dict[str, int]:
        return self.names.expand(written, ("constraints", *path), self.complain)

    def _count(self, kind: type[AtMost] | type[AtLeast], columns: tuple[int, ...], count: int, path: FieldPath) -> None:
        try:
            self.found.append(kind(columns, count))
        except ProblemError as error:
            self.complain(path, f"{dotted(path)}: {error}")

    def _membership(self) -> None:
        included = self._columns(self.spec.include, "include")
        excluded = self._columns(self.spec.exclude, "exclude")
        for column in included:
            if column in excluded:
                number = excluded[column]
                self.complain(
                    ("constraints", "exclude", number),
                    f"constraints.exclude[{number}] is {self.spec.exclude[number]!r} and {column!r} is included too;"
                    " expected one of the two. Drop one.",
                )
        if included:
            self.found.append(Include(self.names.places(included)))
        if excluded:
            self.found.append(Exclude(self.names.places(excluded)))

    def _groups(self) -> None:
        for number, group in enumerate(self.spec.groups):
            columns = self.names.places(self._columns(group.columns, "groups", number, "columns"))
            if len(columns) == 1:
                self.complain(
                    ("constraints", "groups", number),
                    f"constraints.groups[{number}] has the column"
                    f" {self.names.names[columns[0]]!r} alone; expected two or more. Add some.",
                )
            elif columns:
                self.found.append(Group(columns, group.counts))
        factors = self.names.factors.values()
        self.found.extend(Group(self.names.places(levels)) for levels in factors if len(levels) > 1)

    def _counts(self) -> None:
        kinds: tuple[tuple[str, type[AtMost] | type[AtLeast]], ...] = (("at_most", AtMost), ("at_least", AtLeast))
        for field, kind in kinds:
            for number, rule in enumerate(getattr(self.spec, field)):
                columns = self.names.places(self._columns(rule.columns, field, number, "columns"))
                if columns:
                    self._count(kind, columns, rule.count, ("constraints", field, number, "count"))

    def _heredity(self) -> None:
        for number, rule in enumerate(self.spec.implies):
            children = self.names.meant(rule.child)
            if not children:
                path = ("constraints", "implies", number, "child")
                self.complain(path, self.names.unknown(rule.child, dotted(path)))
            parents = self.names.places(self._columns(rule.parents, "implies", number, "parents"))
            if parents:
                self.found.extend(Implies(child, parents, rule.rule) for child in self.names.places(children))

    def _budget(self, budget: Costs) -> None:
        """Price the columns: a column's own name goes before a pattern, and a later pattern before an earlier one."""
        costs = dict.fromkeys(self.names.names, budget.other)
        own = {text: cost for text, cost in budget.costs.items() if text in costs}
        for text, cost in budget.costs.items():
            columns = self.names.meant(text)
            if not columns:
                path = ("constraints", "budget", "costs", text)
                self.complain(path, self.names.unknown(text, "a name in constraints.budget.costs"), at_key=True)
            costs.update(dict.fromkeys(columns, cost))
        self.found.append(Budget(tuple((costs | own).values()), budget.limit))

    def _coefficients(self) -> None:
        for field, sign in (("nonnegative", 1), ("nonpositive", -1)):
            columns = self.names.places(self._columns(getattr(self.spec.signs, field), "signs", field))
            if columns:
                self.found.append(Sign(columns, 1 if sign > 0 else -1))
        for number, bounds in enumerate(self.spec.bounds):
            columns = self.names.places(self._columns(bounds.columns, "bounds", number, "columns"))
            if columns:
                self.found.append(Bounds(columns, bounds.lower, bounds.upper))
