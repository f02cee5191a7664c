"""Constraints: columns by name or index, and what Include, Exclude and Group say together."""

from __future__ import annotations

import pytest

from formulations import AtMost, Constraint, Exclude, Group, Implies, Include, ProblemError
from formulations.selection import select

NAMES = ("a", "b", "c", "d", "e")


def resolved(constraint: Constraint) -> Constraint:
    return constraint.resolved(NAMES, len(NAMES))


def test_names_become_sorted_indices() -> None:
    assert resolved(Group(["d", 1, "b"])) == Group((1, 3))
    assert resolved(Include("c")) == Include((2,))
    assert resolved(Exclude(4)) == Exclude((4,))
    assert resolved(AtMost(["e", "a"], 1)) == AtMost((0, 4), 1)
    assert resolved(Implies("e", ["b", "a"])) == Implies(4, (0, 1))


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (Include("z"), "Include names column 'z'; expected"),
        (Exclude([0, 5]), "Exclude names column 5; expected 0 <= column <= 4"),
        (Group([-1, 2]), "Group names column -1; expected"),
        (Implies("z", ["a"]), "Implies names column 'z'"),
        (Group([]), "Group is empty; expected at least one column"),
    ],
)
def test_columns_that_are_not_there_are_refused(constraint: Constraint, words: str) -> None:
    with pytest.raises(ProblemError) as caught:
        resolved(constraint)

    assert words in str(caught.value)


def test_without_constraints_every_column_is_a_block() -> None:
    selection = select([], 3)

    assert selection.groups == ()
    assert (selection.included, selection.excluded, selection.has_groups) == ((), (), False)


def test_groups_that_overlap_are_one() -> None:
    selection = select([Group([0, 2]), Group([4, 5]), Group([2, 4])], 7)

    assert selection.groups == ((0, 2, 4, 5),)
    assert selection.has_groups


def test_include_and_exclude_spread_over_groups() -> None:
    selection = select([Include([0]), Group([0, 2]), Exclude([3]), Group([3, 4])], 5)

    assert selection.included == (0, 2)
    assert selection.excluded == (3, 4)


def test_a_contradiction_through_a_group_is_refused() -> None:
    with pytest.raises(ProblemError, match="both included and excluded"):
        select([Include([0]), Group([0, 2]), Exclude([2])], 3)


@pytest.mark.parametrize(
    ("support", "is_allowed"),
    [((0,), True), ((0, 1, 2), True), ((0, 1), False), ((1, 2), False), ((0, 4), False), ((), False)],
)
def test_allows_says_which_supports_obey(support: tuple[int, ...], is_allowed: bool) -> None:
    selection = select([Include([0]), Group([1, 2]), Exclude([4])], 5)

    assert selection.allows(support) is is_allowed
