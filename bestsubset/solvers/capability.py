"""Which constraints the native engines take today."""

from __future__ import annotations

from formulations import Bounds, Exclude, Group, Include, Problem, Sign

_TAKEN = (Include, Exclude, Group, Sign, Bounds)


def unsupported_constraints(problem: Problem, solver: str) -> str | None:
    """Return why a constraint of the problem is refused, or None."""
    if problem.selection.single:
        return f"{solver} takes no Group that counts as one yet; expected counts='columns'. Raise k instead."
    for constraint in problem.constraints:
        if not isinstance(constraint, _TAKEN):
            return (
                f"{solver} takes no {type(constraint).__name__} yet; expected Include, Exclude or Group."
                " Drop it, or restate it with these and with bounds=(lo, hi)."
            )
    return None
