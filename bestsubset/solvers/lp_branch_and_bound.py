"""Branch and bound for losses with kinks: absolute error, quantiles, hinge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bestsubset.blas import blas_threads
from bestsubset.run import Run
from bestsubset.solvers.interface import Answer, Solver
from formulations import KinkedLoss, Problem, ProblemError


@dataclass(frozen=True)
class LPBranchAndBound(Solver):
    """Our own tree of linear programmes for losses with kinks, with all constraints on the support.

    Intervals for the coefficients are proved from the incumbent's value by dual vectors, never guessed; where the data
    prove none (more columns than rows, separable classes) free columns have no price until so few columns are left that
    there is a proof. Every node's bound is recomputed from its dual vector alone, all rounding included. Linear
    programmes are solved by an interior-point method, whose work is in the number of columns.

    Parameters
    ----------
    node_limit : int, optional
    """

    name: ClassVar[str] = "lp_branch_and_bound"

    node_limit: int | None = None

    def __post_init__(self) -> None:
        if self.node_limit is not None and self.node_limit < 1:
            raise ProblemError(
                f"node_limit is {self.node_limit}; expected a whole number >= 1, or None for no limit. Raise it."
            )

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.loss, KinkedLoss):
            return (
                f"lp_branch_and_bound takes no loss {problem.loss.name!r}; expected one with kinks: 'absolute',"
                " 'quantile' or 'hinge'. Use branch_and_bound for squared error."
            )
        if problem.lambda2 > 0:
            return (
                f"lambda2 is {problem.lambda2} with the loss {problem.loss.name!r}; expected 0, so that every node is a"
                " linear programme. Use lambda1, or bounds."
            )
        return None

    def solve(self, problem: Problem, run: Run) -> Answer:
        from bestsubset.lpb.search import Search

        with blas_threads(1):
            search = Search(problem, run, self.node_limit)
            termination = search.run_to_end()
        return Answer(
            coef=search.incumbent.coef,
            dual_bound=search.dual_bound,
            termination=termination,
            nodes=search.nodes,
            logged=search.proof(),
            is_doubtful=True,
            notes=search.notes(),
        )
