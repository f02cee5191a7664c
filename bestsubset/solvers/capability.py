"""Which constraints the native engines take today."""

from __future__ import annotations

from formulations import Exclude, Group, Include, Problem

_TAKEN = (Include, Exclude, Group)


def unsupported_constraints(problem: Problem, solver: str) -> str | None:
    """Return why a constraint of the problem is refused, or None."""
    for constraint in problem.constraints:
        if not isinstance(constraint, _TAKEN):
            return (
                f"{solver} takes no {type(constraint).__name__} yet; expected Include, Exclude or Group."
                " Drop it, or restate it with these and with bounds=(lo, hi)."
            )
    return None
