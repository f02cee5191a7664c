"""All constraints on the support, merged into blocks of columns and linear rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from formulations._types import IntVector
from formulations.constraints import AtLeast, AtMost, Budget, Constraint, Exclude, ExcludePairs, Group, Implies, Include
from formulations.errors import ProblemError
from formulations.rules import Rule, RuleSystem


@dataclass(frozen=True)
class Selection:
    """What the constraints say about the support together.

    ``groups`` are disjoint sets of two or more columns that enter whole or not at all; those also in ``single`` count
    as one column. ``included`` and ``excluded`` are sorted columns, whole groups each. ``rules`` are the other
    constraints, linear in the indicators z of the columns.
    """

    n_columns: int
    groups: tuple[tuple[int, ...], ...] = ()
    included: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    single: tuple[tuple[int, ...], ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def has_groups(self) -> bool:
        return bool(self.groups)

    @property
    def has_rules(self) -> bool:
        """Tell whether there is more than columns and blocks of columns to decide, each counted by its size."""
        return bool(self.rules or self.single)

    @property
    def least_size(self) -> int:
        """Size of the least allowed model, k left aside."""
        least = self.completion(())
        return self.size(self.included if least is None else least)

    def size(self, support: Iterable[int]) -> int:
        """How much whole blocks of columns count towards k, and towards the price λ0."""
        chosen = set(support)
        return len(chosen) - sum(len(group) - 1 for group in self.single if chosen.intersection(group))

    def charged(self, nonzero: IntVector) -> int:
        """Size of the least model that holds the nonzero columns: with the included ones, whole groups, parents."""
        if not self.included and not self.has_groups and not self.has_rules:
            return len(nonzero)
        if self.allows(nonzero.tolist()):
            return self.size(nonzero.tolist())
        least = self.completion(nonzero.tolist())
        return self.size(nonzero.tolist() if least is None else least)

    def completion(self, nonzero: Iterable[int]) -> tuple[int, ...] | None:
        """Return the least allowed model that holds these columns, whatever its size; None if there is none."""
        chosen = set(self.included).union(nonzero)
        chosen = chosen.union(*(group for group in self.groups if chosen.intersection(group)))
        if chosen.intersection(self.excluded):
            return None
        if not self.rules:
            return tuple(sorted(chosen))
        return self._unbounded.least(chosen)

    @cached_property
    def _unbounded(self) -> RuleSystem:
        return self.system(self.n_columns)

    def allows(self, support: Iterable[int]) -> bool:
        """Tell whether a model of exactly these columns obeys all but the bound on its size."""
        chosen = set(support)
        if not chosen.issuperset(self.included) or chosen.intersection(self.excluded):
            return False
        if not all(len(chosen.intersection(group)) in (0, len(group)) for group in self.groups):
            return False
        return all(rule.allows(chosen) for rule in self.rules)

    def restricted_to(self, columns: Sequence[int]) -> Selection:
        """The same for some of the columns, numbered anew in this order; the others are in no model.

        Groups and included columns are kept whole: excluded columns alone may be missing.
        """
        if not (self.groups or self.included or self.rules):
            return Selection(len(columns))
        place = {int(j): i for i, j in enumerate(columns)}

        def local(groups: Iterable[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
            return tuple(tuple(place[j] for j in group) for group in groups if group[0] in place)

        included, excluded = (
            tuple(sorted(place[j] for j in side if j in place)) for side in (self.included, self.excluded)
        )
        rules = tuple(rule.restricted_to(place) for rule in self.rules)
        return Selection(len(place), local(self.groups), included, excluded, local(self.single), rules)

    def system(self, k: int) -> RuleSystem:
        """All rules with the bound k on the size, as arrays."""
        return RuleSystem.of(self, k)


def select(
    constraints: Sequence[Constraint], n_columns: int, pairs: dict[float, list[tuple[int, int]]] | None = None
) -> Selection:
    """Merge overlapping groups, spread `Include` and `Exclude` over them, and state the rest as rules.

    ``pairs`` holds, for each threshold of an `ExcludePairs`, the pairs of columns above it.

    Raises
    ------
    ProblemError
        If a column is both included and excluded, directly or through a group.
    """
    if not constraints:
        return Selection(n_columns)
    blocks = _merged([_columns(c) for c in constraints if isinstance(c, Group)], n_columns)
    included = {j for c in constraints if isinstance(c, Include) for j in _columns(c)}
    excluded = {j for c in constraints if isinstance(c, Exclude) for j in _columns(c)}
    all_in = {j for block in blocks if included.intersection(block) for j in block}
    all_out = {j for block in blocks if excluded.intersection(block) for j in block}
    if all_in & all_out:
        raise ProblemError(
            f"Column {min(all_in & all_out)} is both included and excluded; expected one of the two."
            " Look at Include, Exclude and the Groups that join them."
        )
    groups = tuple(block for block in blocks if len(block) > 1)
    each = {j for c in constraints if isinstance(c, Group) and c.counts == "columns" for j in _columns(c)}
    single = tuple(group for group in groups if not each.intersection(group))
    rules = tuple(rule for c in constraints for rule in _rules(c, pairs or {}))
    return Selection(n_columns, groups, tuple(sorted(all_in)), tuple(sorted(all_out)), single, rules)


def _columns(constraint: Constraint) -> tuple[int, ...]:
    return tuple(int(j) for j in constraint.columns)  # type: ignore[attr-defined]  # resolved, see Constraint


def _merged(groups: Sequence[tuple[int, ...]], n_columns: int) -> tuple[tuple[int, ...], ...]:
    """Blocks of columns that enter together: a partition of all of them."""
    block_of = list(range(n_columns))
    for columns in groups:
        merged = {block_of[j] for j in columns}
        block_of = [min(merged) if b in merged else b for b in block_of]
    members: dict[int, list[int]] = {}
    for column, block in enumerate(block_of):
        members.setdefault(block, []).append(column)
    return tuple(tuple(block) for block in members.values())


def _rules(constraint: Constraint, pairs: dict[float, list[tuple[int, int]]]) -> list[Rule]:
    """Σ a_j z_j ≤ b, one or more for each constraint that is no block."""
    match constraint:
        case AtMost():
            columns = _columns(constraint)
            return [Rule.of("at_most", columns, 1.0, constraint.count)]
        case AtLeast():
            columns = _columns(constraint)
            return [Rule.of("at_least", columns, -1.0, -constraint.count)]
        case Implies():
            child, parents = int(constraint.child), tuple(int(j) for j in constraint.parents)  # type: ignore[union-attr]
            parents = tuple(j for j in parents if j != child)
            if constraint.rule == "all":
                return [Rule("implies", (child, j), (1.0, -1.0), 0.0) for j in parents]
            return [Rule("implies", (child, *parents), (1.0, *[-1.0] * len(parents)), 0.0)]
        case Budget():
            dear = [j for j, cost in enumerate(constraint.costs) if cost > 0]
            return [Rule("budget", tuple(dear), tuple(constraint.costs[j] for j in dear), float(constraint.limit))]
        case ExcludePairs():
            return [Rule.of("pair", pair, 1.0, 1) for pair in pairs.get(constraint.threshold, [])]
    return []
