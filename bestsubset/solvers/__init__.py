"""Solvers: one file each; ``by_name`` finds them."""

from __future__ import annotations

import difflib

from bestsubset.solvers.branch_and_bound import BranchAndBound
from bestsubset.solvers.enumeration import Enumeration
from bestsubset.solvers.interface import Solver
from bestsubset.solvers.mio import MIO
from formulations import ProblemError

__all__ = ["MIO", "BranchAndBound", "Enumeration", "Solver", "by_name", "members"]


def members() -> dict[str, type[Solver]]:
    """Every solver by its name."""
    return {cls.name: cls for cls in (BranchAndBound, Enumeration, MIO)}


def by_name(solver: Solver | str | None) -> Solver:
    """Return the solver itself, the one that bears the name, or branch and bound for None.

    Raises
    ------
    ProblemError
        If no solver has that name.
    """
    if solver is None:
        return BranchAndBound()
    if isinstance(solver, Solver):
        return solver
    known = members()
    if solver not in known:
        close = difflib.get_close_matches(str(solver), known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Pass one of these, or an instance such as BranchAndBound()."
        raise ProblemError(f"solver is {solver!r}; expected one of {sorted(known)}. {hint}")
    return known[solver]()
