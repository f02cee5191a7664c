"""What a heuristic is: it proposes supports and claims nothing about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from formulations import KinkedLoss, Problem, ProblemError, ScaledProblem, SquaredLoss
from formulations._types import IntVector, Vector
from warmstarts.gram_rows import GramRows
from warmstarts.objective import LossObjective, Objective, SquaredObjective
from warmstarts.refit import best_of, forced_columns, refit
from warmstarts.support_fit import fit_support


class Heuristic(ABC):
    """A way to find good supports. Members are frozen dataclasses, one file each; fields have defaults.

    A search may leave λ1 and bounds aside: the coefficients on what it proposes are fitted with them. It is
    limited by its number of steps, never by a clock, so that the same seed gives the same supports.
    """

    name: ClassVar[str]
    takes_groups: ClassVar[bool] = True
    takes_smooth_losses: ClassVar[bool] = False

    @abstractmethod
    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        """Propose, for each size that can be had, a sorted support of at most that many local columns.

        Every proposal holds ``scaled.included`` and whole ``scaled.blocks`` only.
        """

    def refuses(self, scaled: ScaledProblem) -> str | None:
        """Return why the heuristic does not take such a problem, as a sentence of an error, or None."""
        if scaled.has_rules:
            return (
                f"constraints bind the support by rules; expected Include, Exclude and Group alone with the heuristic"
                f" {self.name!r}. Drop it: the warm start of the solvers obeys all of them."
            )
        if scaled.has_groups and not self.takes_groups:
            return (
                f"constraints hold a Group; expected none with the heuristic {self.name!r}, which chooses column by"
                " column. Use 'restarts', 'swaps' or 'hard_thresholding'."
            )
        return None

    def __call__(self, problem: Problem, start: Vector | None = None, rng: np.random.Generator | None = None) -> Vector:
        """Return coefficients, shape (p,), of the best proposal: at most k of them nonzero.

        ``start`` are coefficients to begin from; a heuristic may ignore them, but what it returns is never worse than
        the best fit on their support, where that is a model of the problem. With λ0, all sizes that can pay are tried.

        Raises
        ------
        ProblemError
            If the heuristic does not take the problem's constraints or its loss; the message says which would do.
        """
        scaled = ScaledProblem.of(problem)
        reason = self.refuses(scaled)
        if reason is not None:
            raise ProblemError(reason)
        begun = None if start is None else np.flatnonzero(np.asarray(start)[scaled.columns])
        generator = rng or np.random.default_rng(0)
        if not isinstance(problem.loss, SquaredLoss):
            return self._with_loss(problem, scaled, generator, begun)
        sizes = [scaled.k] if scaled.lambda0 == 0 else list(range(1, scaled.most_useful + 1))
        support = best_of(scaled, _with_start(scaled, self.supports(scaled, sizes, generator, begun), begun))
        return scaled.to_coef(support, refit(scaled, support))

    def _with_loss(
        self, problem: Problem, scaled: ScaledProblem, rng: np.random.Generator, start: IntVector | None
    ) -> Vector:
        raise ProblemError(
            f"loss is {problem.loss.name!r}; expected 'squared' with the heuristic {self.name!r}."
            " Use 'hard_thresholding' or 'gradient_support_pursuit', or drop it."
        )


class SizeBySize(Heuristic):
    """A heuristic that looks for each size by itself, by values and gradients: some take any smooth loss."""

    @abstractmethod
    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        """Propose a support of at most ``size`` columns, in any order; ``start``, if given, is such a support."""

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        return self._supports(SquaredObjective(GramRows(scaled)), sizes, rng, start)

    def _supports(
        self, objective: Objective, sizes: Sequence[int], rng: np.random.Generator, start: IntVector | None
    ) -> dict[int, IntVector]:
        forced = forced_columns(objective.scaled)
        found: dict[int, IntVector] = {}
        for size in sizes:
            if size > len(forced):
                begun = _usable(objective.scaled, start, size)
                found[size] = np.sort(self.support(objective, min(size, objective.m), rng, begun))
            elif size == len(forced):
                found[size] = forced
        return found

    def _with_loss(
        self, problem: Problem, scaled: ScaledProblem, rng: np.random.Generator, start: IntVector | None
    ) -> Vector:
        if not self.takes_smooth_losses or isinstance(problem.loss, KinkedLoss):
            return super()._with_loss(problem, scaled, rng, start)
        most = problem.max_cardinality
        if problem.lambda0 > 0:  # no loss is below zero
            most = int(min(most, scaled.selection.least_size + problem.null_objective // problem.lambda0))
        sizes = [scaled.k] if problem.lambda0 == 0 else list(range(1, most + 1))
        proposals = self._supports(LossObjective(problem, scaled), sizes, rng, start)
        candidates = [forced_columns(scaled), *_with_start(scaled, proposals, start)]
        return min((fit_support(problem, scaled.columns[s]) for s in candidates), key=problem.objective)


def _with_start(scaled: ScaledProblem, proposals: dict[int, IntVector], start: IntVector | None) -> list[IntVector]:
    """Return the proposals and, where it is a model of the problem, the start."""
    return [*proposals.values(), *([start] if start is not None and scaled.allows(start) else [])]


def _usable(scaled: ScaledProblem, start: IntVector | None, size: int) -> IntVector | None:
    """Return the start with the included columns, if its blocks are whole and it is small enough; otherwise None."""
    if start is None or not len(start):
        return None
    begun = np.union1d(start, forced_columns(scaled)).astype(np.int64)
    chosen = set(begun.tolist())
    whole = all(chosen.issuperset(group) or chosen.isdisjoint(group) for group in scaled.groups)
    return begun if whole and len(begun) <= size else None
