"""Every support: the judge of the tests, and the only proof there is for wide data without ridge or bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb
from typing import ClassVar

import numpy as np

from bestsubset.bnb.conditioning import has_definite_moments, is_nearly_dependent
from bestsubset.bnb.reduction import project_out
from bestsubset.certificates.enumerated import MOST_NODES, every_choice, every_support, logged_tokens, nothing_yet
from bestsubset.certificates.write import LoggedTree
from bestsubset.incumbent import Incumbent
from bestsubset.run import Run
from bestsubset.solvers.enumerated_models import enumerate_models
from bestsubset.solvers.interface import Answer, Solver
from bestsubset.solvers.models import ModelSearch
from bestsubset.status import Termination
from formulations import KinkedLoss, Problem, ScaledProblem, SquaredLoss
from formulations._types import IntMatrix, IntVector, Matrix, Vector

_ROUNDING = 1e-10  # of the least objective
_ROUNDING_OF_NULL = 1e-13  # in units of the response's squared norm
_DIRECT = 20_000  # up to here each support is refitted by itself: the plainest code there is
_DEPENDENT = (
    1e-8  # a unit column of which less than this is left (squared) is refitted, not judged from the Gram matrix
)
_BURST = 50_000_000  # operations between looks at the clock
_DOUBTFUL_ROOM = 20_000  # doubtful supports remembered for each first column


@dataclass(frozen=True)
class Enumeration(Solver):
    """Fit every support that the constraints allow and keep the best: any loss, any constraints.

    Few supports, and any with bounds, λ1, groups or rules, are refitted one by one from the data. Otherwise the
    last column is found in closed form for all candidates at once, O(k p) a prefix, so that k ≤ 3 is
    practical with thousands of columns. Losses other than squared error are fitted to a tolerance, by which the bound
    is lowered; see the notes of the result.

    Parameters
    ----------
    max_supports : int
        Refuse problems with more supports than this (a ten-thousandth of it where each must be refitted, and a
        tenth of that for losses other than squared error).
    """

    name: ClassVar[str] = "enumeration"
    max_supports: int = 50_000_000_000

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.loss, KinkedLoss) and problem.lambda2 > 0:
            return (
                f"lambda2 is {problem.lambda2} with the loss {problem.loss.name!r}; expected 0, since enumeration fits"
                " by linear programmes. Use lambda1, or bounds."
            )
        count = self.count(problem)
        share = 1 if self._is_closed_form(problem) else 10_000 if _is_squared(problem) else 100_000
        limit = self.max_supports // share
        if count > limit:
            return (
                f"enumeration would visit {count:.3g} supports; expected at most {limit:.3g}."
                " Lower k, or add lambda2 > 0 or bounds and use branch_and_bound."
            )
        return None

    def count(self, problem: Problem) -> int:
        """Number of supports to visit; where there are rules that leave some out, at most so many."""
        selection = problem.selection
        free = problem.p - len(selection.included) - len(selection.excluded)
        k = problem.max_cardinality - selection.size(selection.included)
        if selection.has_groups or selection.has_rules:
            search = ModelSearch(selection, problem.max_cardinality)
            return _sets_of_weight(search.weights, search.room)
        if problem.lambda0 > 0 or problem.lambda1 > 0 or not _is_squared(problem):
            return sum(comb(free, size) for size in range(min(k, free) + 1))
        return comb(free, min(k, free))

    @staticmethod
    def _is_closed_form(problem: Problem) -> bool:
        bounded = np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any()
        selection = problem.selection
        is_plain = not (bounded or problem.lambda1 > 0 or selection.has_groups or selection.has_rules)
        return is_plain and _is_squared(problem)

    def solve(self, problem: Problem, run: Run) -> Answer:
        if not _is_squared(problem):
            return enumerate_models(problem, run)
        scaled = ScaledProblem.of(problem)
        incumbent = Incumbent(scaled)
        threads = run.cores
        search = _Search(scaled, incumbent, run, threads)
        try:
            if self._is_closed_form(problem) and self.count(problem) > _DIRECT:
                finished = search.in_closed_form()
            else:
                threads = 1
                finished = search.one_by_one()
            termination = Termination.GAP_CLOSED if finished else Termination.TIME_LIMIT
        except KeyboardInterrupt:
            finished, termination = False, Termination.INTERRUPTED
        # Every term of the objective is non-negative; what rounding may have cost a support is taken off.
        bound = max(0.0, incumbent.value * (1 - _ROUNDING) - _ROUNDING_OF_NULL) if finished else 0.0
        return Answer(
            coef=incumbent.coef(),
            dual_bound=bound * scaled.unit,
            termination=termination,
            nodes=search.visited,
            threads=threads,
            logged=self._logged(scaled, finished) if run.certificate else None,
            is_doubtful=search.met_dependence and is_nearly_dependent(scaled, has_definite_moments(scaled)),
        )

    @staticmethod
    def _logged(scaled: ScaledProblem, finished: bool) -> LoggedTree | None:
        if not finished:
            return nothing_yet()
        if not scaled.is_plain:
            return None
        if scaled.has_rules:
            return logged_tokens(ModelSearch(scaled.selection, scaled.k).tokens(scaled.columns.tolist(), MOST_NODES))
        room = scaled.k - int(scaled.included.sum())
        if scaled.has_groups:
            blocks = [block for block in scaled.blocks if not scaled.included[block[0]]]
            return every_choice([scaled.columns[list(block)].tolist() for block in blocks], room)
        free = scaled.columns[~scaled.included].tolist()
        return every_support(free, min(room, len(free)), scaled.lambda0 > 0)


class _Search:
    """One pass over all supports."""

    def __init__(self, scaled: ScaledProblem, incumbent: Incumbent, run: Run, threads: int) -> None:
        self.scaled = scaled
        self.incumbent = incumbent
        self.run = run
        self.threads = threads
        self.visited = 0
        self.stopped = False
        self.met_dependence = False  # some supports may be: those that are refitted

    def one_by_one(self) -> bool:
        """Refit every support; True when all were visited."""
        self.met_dependence = True
        for support in _supports(self.scaled):
            self.incumbent.offer(support)
            self.visited += 1
            if self.visited % 256 == 0 and not self._go_on():
                return False
        return True

    def in_closed_form(self) -> bool:
        """Scan size by size; True when all were visited."""
        included = np.flatnonzero(self.scaled.included)
        free = np.flatnonzero(~self.scaled.included)
        G, c, _ = project_out(self.scaled, included, free)
        if len(included):
            self.incumbent.offer(included)
        k = min(self.scaled.k - len(included), len(free))
        sizes = range(1, k + 1) if self.scaled.lambda0 > 0 else [k]
        return all(self._scan_size(G, c, size, included, free) for size in sizes)

    def _scan_size(self, G: Matrix, c: Vector, size: int, included: IntVector, free: IntVector) -> bool:
        if size == 1:
            for j in free:
                self.incumbent.offer(np.append(included, j))
            self.visited += len(free)
            return self._go_on()
        best_of_size = -1.0
        with ThreadPoolExecutor(self.threads) as pool:
            firsts = range(len(free) - size + 1)
            for start in range(0, len(firsts), self.threads):
                scan = partial(self._scan, G, c, size, best_of_size)
                try:
                    scans = list(pool.map(scan, firsts[start : start + self.threads]))
                except KeyboardInterrupt:
                    self.stopped = True
                    raise
                for explained, support, doubtful, prefixes in scans:
                    self.visited += prefixes
                    self.met_dependence |= len(doubtful) > 0
                    for rows in doubtful:
                        self.incumbent.offer(np.union1d(included, free[rows]))
                    if explained > best_of_size:
                        best_of_size = explained
                        self.incumbent.offer(np.union1d(included, free[support]))
                if not self._go_on() or self.stopped:
                    return False
        return True

    def _scan(
        self, G: Matrix, c: Vector, size: int, explained: float, first: int
    ) -> tuple[float, IntVector, IntMatrix, int]:
        """Scan the supports that begin with one column, in bursts; stop where the clock says so."""
        from bestsubset.bnb.support_scan import scan_supports

        best = np.array([explained])
        support = np.zeros(size, dtype=np.int64)
        doubtful = np.zeros((_DOUBTFUL_ROOM, size), dtype=np.int64)
        n_doubtful = np.zeros(1, dtype=np.int64)
        chosen = np.arange(first, first + size, dtype=np.int64)
        budget = max(1, _BURST // (len(c) * size))
        prefixes = 0
        while chosen[0] >= 0 and not self.stopped:
            prefixes += int(scan_supports(G, c, chosen, _DEPENDENT, best, support, doubtful, n_doubtful, budget))
            self.stopped = self.stopped or self.run.is_out_of_time
        if n_doubtful[0] > len(doubtful):
            raise ArithmeticError(
                f"{n_doubtful[0]} supports are too nearly dependent to judge in double precision; expected at most"
                f" {len(doubtful)}. Drop near-duplicate columns or add lambda2 > 0."
            )
        return float(best[0]), support, doubtful[: n_doubtful[0]], prefixes

    def _go_on(self) -> bool:
        self.run.report(self.incumbent.value * self.scaled.unit, 0.0, self.visited)
        return not self.run.is_out_of_time


def _is_squared(problem: Problem) -> bool:
    return isinstance(problem.loss, SquaredLoss)


def _sets_of_weight(weights: Sequence[int], room: int) -> int:
    """How many sets of blocks weigh at most so much, by the weight of the blocks looked at so far."""
    counts = [1] + [0] * room
    for weight in weights:
        for total in range(room, weight - 1, -1):
            counts[total] += counts[total - weight]
    return sum(counts)


def _supports(scaled: ScaledProblem) -> Iterator[IntVector]:
    """Every support that the constraints allow, whole blocks only; all sizes where a smaller one can win."""
    if scaled.has_rules or scaled.has_groups or scaled.lambda0 > 0 or scaled.lambda1.any():
        for model in ModelSearch(scaled.selection, scaled.k).models():
            yield np.array(model, dtype=np.int64)
        return
    forced = np.flatnonzero(scaled.included)
    free = np.flatnonzero(~scaled.included)
    for chosen in combinations(free.tolist(), min(scaled.k - len(forced), len(free))):
        yield np.sort(np.concatenate([forced, np.array(chosen, dtype=np.int64)]))
