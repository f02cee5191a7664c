"""The best models of several sizes: one warm start for all, and a search for each, with a cutoff where one is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import lapack

from bestsubset.blas import blas_threads
from bestsubset.events import Listener
from bestsubset.result import Result
from bestsubset.run import Run
from bestsubset.solve import carry_out, solve
from bestsubset.solvers import BranchAndBound, Solver, by_name, default_for
from bestsubset.status import Termination
from formulations import Problem, ProblemError, ScaledProblem
from formulations._types import IntVector
from warmstarts.interface import Heuristic
from warmstarts.refit import refit
from warmstarts.restarts import Restarts


@dataclass(eq=False)
class Sizes:
    """Searches of one problem, a size at a time.

    Parameters
    ----------
    largest : Problem
        With k at the largest size that may be asked for.
    solver : Solver or str, optional
    time_limit : float, optional
        Seconds for all searches; what one leaves, the next may use.
    others
        As in `solve`.
    """

    largest: Problem
    solver: Solver | str | None = None
    time_limit: float | None = None
    gap: float = 1e-6
    start: Any = None
    threads: int | None = None
    progress: Listener | None = None
    random_state: int = 0
    certificate: bool = True
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit >= 0:
            raise ProblemError(f"time_limit is {self.time_limit}; expected seconds >= 0. Drop it for no limit.")
        self._solver = default_for(self.largest) if self.solver is None else by_name(self.solver)
        self.proposals: dict[int, IntVector] = {}

    @property
    def sizes(self) -> range:
        """Sizes that the constraints allow."""
        return range(max(1, self.largest.selection.least_size), self.largest.max_cardinality + 1)

    def warm_up(self, heuristic: Heuristic, sizes: Sequence[int]) -> dict[int, float]:
        """Find good models of some sizes at once, where one heuristic does that.

        Returns what their residual sums of squares are, but for rounding.
        """
        problem = self.largest
        shares = isinstance(self._solver, BranchAndBound) and self._solver.refuses(problem) is None
        if not sizes or not shares or self.start is not None or problem.selection.has_rules or self.time_limit == 0:
            return {}
        with blas_threads(1):
            scaled = ScaledProblem.of(problem, self.threads)
            found = heuristic.supports(scaled, sizes, np.random.default_rng(self.random_state))
            self.proposals |= {size: scaled.columns[support] for size, support in found.items()}
            return {size: scaled.unit * _residual(scaled, support) for size, support in found.items()}

    def search(self, k: int, cutoff: float = np.inf, searches_left: int = 1) -> Result:
        """Find the best model of size k, or prove that none has an objective below the cutoff."""
        problem = self.largest.with_k(k)
        limit = None
        if self.time_limit is not None:
            limit = max(0.0, self.time_limit - (time.perf_counter() - self.began)) / searches_left
        settings: dict[str, Any] = {
            "gap": self.gap, "time_limit": limit, "threads": self.threads, "random_state": self.random_state,
            "certificate": self.certificate,
        }  # fmt: skip
        if k not in self.proposals and cutoff == np.inf:
            return solve(problem, self._solver, start=self.start, progress=self.progress, **settings)
        start = np.zeros(problem.p)
        start[self.proposals.get(k, [])] = 1.0
        run = Run(
            problem, start=start, listener=self.progress, cutoff=cutoff, start_is_good=k in self.proposals, **settings
        )
        return carry_out(problem, self._solver, run)

    def path(self) -> dict[int, Result]:
        """Search all sizes, from the smallest; after an interruption the larger ones are left out."""
        self.warm_up(Restarts(), self.sizes)
        results: dict[int, Result] = {}
        for k in self.sizes:
            results[k] = self.search(k, searches_left=self.largest.max_cardinality - k + 1)
            if results[k].termination is Termination.INTERRUPTED:
                break
        return results


def _residual(scaled: ScaledProblem, support: IntVector) -> float:
    """What a support leaves of the response, whose norm is one."""
    gram, c = scaled.gram_rows(support)[:, support], scaled.correlation[support]
    factor, info = lapack.dpotrf(gram, lower=1)
    if info:  # dependent columns
        fitted = scaled.X[:, support] @ refit(scaled, support)
        return float(np.sum((scaled.y - fitted) ** 2))
    half = lapack.dtrtrs(factor, c, lower=1)[0]
    return max(0.0, 1.0 - float(half @ half))
