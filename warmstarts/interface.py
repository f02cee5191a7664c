"""What a heuristic is: it proposes supports and claims nothing about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from formulations import Problem, ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.refit import best_of, refit


class Heuristic(ABC):
    """A way to find good supports. Members are frozen dataclasses, one file each; fields have defaults."""

    name: ClassVar[str]

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

    def __call__(self, problem: Problem, start: Vector | None = None, rng: np.random.Generator | None = None) -> Vector:
        """Return coefficients, shape (p,), of the best proposal: at most k of them nonzero.

        ``start`` are coefficients to begin from; a heuristic may ignore them.
        """
        scaled = ScaledProblem.of(problem)
        sizes = [scaled.k] if scaled.lambda0 == 0 else list(range(1, scaled.most_useful + 1))
        local = None if start is None else np.flatnonzero(np.asarray(start)[scaled.columns])
        proposals = self.supports(scaled, sizes, rng or np.random.default_rng(0), local)
        support = best_of(scaled, proposals.values())
        return scaled.to_coef(support, refit(scaled, support))
