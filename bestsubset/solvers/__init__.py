"""Solvers: one file each; ``by_name`` finds them."""

from __future__ import annotations

import difflib

from bestsubset.solvers.branch_and_bound import BranchAndBound
from bestsubset.solvers.enumeration import Enumeration
from bestsubset.solvers.interface import Solver
from bestsubset.solvers.lp_branch_and_bound import LPBranchAndBound
from bestsubset.solvers.mio import MIO
from formulations import KinkedLoss, Problem, ProblemError, SquaredLoss

__all__ = ["MIO", "BranchAndBound", "Enumeration", "LPBranchAndBound", "Solver", "by_name", "default_for", "members"]


def members() -> dict[str, type[Solver]]:
    """Every solver by its name."""
    return {cls.name: cls for cls in (BranchAndBound, Enumeration, LPBranchAndBound, MIO)}


def default_for(problem: Problem) -> Solver:
    """The solver that is meant for a problem: by its loss."""
    if isinstance(problem.loss, KinkedLoss):
        return LPBranchAndBound()
    return BranchAndBound() if isinstance(problem.loss, SquaredLoss) else MIO()


def by_name(solver: Solver | str) -> Solver:
    """Return the solver itself, or the one that bears the name.

    Raises
    ------
    ProblemError
        If no solver has that name.
    """
    if isinstance(solver, Solver):
        return solver
    known = members()
    if solver not in known:
        close = difflib.get_close_matches(str(solver), known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Pass one of these, or an instance such as BranchAndBound()."
        raise ProblemError(f"solver is {solver!r}; expected one of {sorted(known)}. {hint}")
    return known[solver]()
