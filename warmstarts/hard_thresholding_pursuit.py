"""Hard thresholding pursuit: the support of a gradient step, and the best fit on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import IntVector
from warmstarts.hard_thresholding import Step, normalised_step
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.thresholding import keep


@dataclass(frozen=True)
class HardThresholdingPursuit(SizeBySize):
    r"""Keep the best k columns after a gradient step, fit on them, until a support comes back.

    .. math::
        S \leftarrow \mathrm{supp}\,P_k(\gamma - \mu\nabla f(\gamma)),\qquad
        \gamma \leftarrow \arg\min_{\mathrm{supp}\,\gamma \subseteq S} f(\gamma)

    The values need not fall, so the best support on the way is proposed. Begins at ``start`` if given. Any smooth loss.

    Attributes
    ----------
    max_iterations : int
    step : Step or str
        ``"constant"``: μ = 1, for columns of norm one, as in the paper's main algorithm. ``"normalised"``: exact along
        the gradient on the support that it proposes, for correlated columns.

    Source
    ------
    Foucart (2011), Hard thresholding pursuit: an algorithm for compressive sensing.
    """

    name: ClassVar[str] = "hard_thresholding_pursuit"
    takes_smooth_losses: ClassVar[bool] = True

    max_iterations: int = 100
    step: Step | str = Step.NORMALISED

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        scaled, m = objective.scaled, objective.m
        support = keep(scaled, np.abs(objective.at(np.arange(0), np.zeros(0))[1]), size) if start is None else start
        best, least = support, np.inf
        seen: set[bytes] = set()
        for _ in range(self.max_iterations):
            support = np.sort(support)
            if support.tobytes() in seen:
                break
            seen.add(support.tobytes())
            held, value, slope = objective.fitted(support)
            if value < least:
                best, least = support, value
            gamma = np.zeros(m)
            gamma[support] = held
            length = 1.0
            if self.step != Step.CONSTANT:
                steep = np.union1d(support, keep(scaled, np.abs(slope), size))
                length = normalised_step(objective, steep, gamma[steep], slope[steep])
            support = keep(scaled, np.abs(gamma + length * slope), size)
        return best
