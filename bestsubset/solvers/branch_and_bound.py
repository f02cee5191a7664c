"""The native branch and bound for squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bestsubset.run import Run
from bestsubset.solvers.enumeration import Enumeration
from bestsubset.solvers.interface import Answer, Solver
from formulations import Problem, ProblemError, ScaledProblem, SquaredLoss

_TREES = ("race", "downdating", "perspective")


@dataclass(frozen=True)
class BranchAndBound(Solver):
    """Our own trees for squared error; no M is ever guessed.

    With more rows than columns, or a ridge: the downdating tree on residual sums of squares, the perspective
    tree with an optimised diagonal, or a race of the two. Wide data with a ridge, bounds or λ1: the
    perspective tree with Gram rows formed as columns enter. Groups, rules and nearly dependent columns: a slower
    tree over blocks. Wide data with none of these: enumeration, where it is practical.

    Parameters
    ----------
    tree : {"race", "downdating", "perspective"}
        Which tree searches where both can.
    node_limit : int, optional
    memory_limit : float
        Bytes for open nodes and Gram rows; the search stops with its gap when they are used up.
    """

    name: ClassVar[str] = "branch_and_bound"

    tree: Literal["race", "downdating", "perspective"] = "race"
    node_limit: int | None = None
    memory_limit: float = 4e9

    def __post_init__(self) -> None:
        if self.tree not in _TREES:
            raise ProblemError(f"tree is {self.tree!r}; expected one of {_TREES}. Leave it at 'race'.")

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.loss, SquaredLoss):
            return f"branch_and_bound takes no loss {problem.loss.name!r} yet; expected 'squared'. Use squared error."
        if _needs_enumeration(problem):
            too_many = Enumeration().refuses(problem)
            if too_many is not None:
                return (
                    f"X has {problem.n} rows and {problem.p} columns, with neither a ridge nor bounds; expected"
                    " lambda2 > 0 or finite bounds, since nothing else bounds the coefficients and there are"
                    f" {Enumeration().count(problem):.3g} supports to enumerate."
                    " Add lambda2, give bounds=(lo, hi), or lower k."
                )
        if self.tree == "downdating" and not _is_plain(problem):
            return (
                "tree is 'downdating' and the problem has lambda1, bounds, groups or rules; expected plain or ridge"
                " least squares. Use tree='perspective', or leave it at 'race'."
            )
        return None

    def solve(self, problem: Problem, run: Run) -> Answer:
        # The kernels' compiler is imported here, not with the package: it takes as long as all else together.
        from bestsubset.bnb.engine import Engine
        from bestsubset.bnb.nursery import Settings

        if _needs_enumeration(problem):
            return Enumeration().solve(problem, run)
        scaled = ScaledProblem.of(problem, run.threads)
        engine = Engine(scaled, run, Settings(self.tree, self.node_limit, self.memory_limit))
        termination = engine.search()
        return Answer(
            coef=engine.incumbent.coef(),
            dual_bound=engine.dual_bound,
            termination=termination,
            nodes=engine.race.nodes,
            threads=engine.race.threads,
            logged=engine.logged(),
            is_doubtful=engine.is_doubtful,
        )


def _needs_enumeration(problem: Problem) -> bool:
    """Wide, and nothing bounds the coefficients."""
    bounded = np.isfinite(problem.lower) & np.isfinite(problem.upper)
    priced = problem.lambda2 > 0 or problem.lambda1 > 0
    free = problem.p - len(problem.selection.excluded)
    rows = problem.n - int(problem.fit_intercept)
    return not priced and not bounded.all() and rows < free


def _is_plain(problem: Problem) -> bool:
    bounded = np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any()
    selection = problem.selection
    return not (bounded or problem.lambda1 > 0 or selection.has_groups or selection.has_rules)
