"""Iterative hard thresholding: with a constant, a normalised or an accelerated step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.interface import SizeBySize
from warmstarts.objective import Objective
from warmstarts.refit import forced_columns
from warmstarts.thresholding import keep, largest

_ENOUGH = 1e-7  # relative decrease of the value below which the iterations end
_ROUNDING = 1e-14  # of the first value: decreases below it are none


class Step(StrEnum):
    """How long gradient steps are: 1/L; exact along the gradient on the support; the same with over-relaxation."""

    CONSTANT = "constant"
    NORMALISED = "normalised"
    ACCELERATED = "accelerated"


@dataclass(frozen=True)
class IterativeHardThresholding(SizeBySize):
    r"""Gradient steps, each followed by keeping the best k columns.

    .. math::
        \gamma \leftarrow P_k\left(\mathrm{prox}_{\mu}(\gamma - \mu\nabla f(\gamma))\right)

    where prox shrinks by :math:`\mu\lambda_1` and clips to the bounds, and :math:`P_k` keeps the included
    columns and those blocks whose loss would cost the step's quadratic model most. The step μ is halved
    until the value falls, so the values decrease. Begins at ``start`` if given. Any smooth loss.

    Attributes
    ----------
    max_iterations : int
        Gradient steps, at most.
    step : Step or str
        ``"constant"``: 1/L, L the largest eigenvalue of the second derivatives. ``"normalised"``: exact along the
        gradient on the present support. ``"accelerated"``: normalised, then on from the last point through the new
        one by the exact step on the support, where that lowers the value.

    Source
    ------
    Blumensath and Davies (2008), Iterative thresholding for sparse approximations; Blumensath and Davies (2010),
    Normalized iterative hard thresholding; Blumensath (2012), Accelerated iterative hard thresholding.
    """

    name: ClassVar[str] = "hard_thresholding"
    takes_smooth_losses: ClassVar[bool] = True

    max_iterations: int = 100
    step: Step | str = Step.NORMALISED

    def support(self, objective: Objective, size: int, rng: np.random.Generator, start: IntVector | None) -> IntVector:
        return self.threshold(objective, size, start)

    def threshold(self, objective: Objective, size: int, start: IntVector | None = None) -> IntVector:
        """Return the support where the iterations for one size end, sorted."""
        scaled = objective.scaled
        gamma = np.zeros(objective.m)
        support = np.zeros(0, dtype=np.int64)
        if start is not None:
            support = start
            slope = objective.at(support[:0], gamma[:0])[1][support]
            alone = slope / objective.diagonal[support] / len(support)
            gamma[support] = np.clip(alone, objective.lower[support], objective.upper[support])
        value, slope = _value_and_slope(objective, support, gamma)
        rounding = _ROUNDING * value
        for _ in range(self.max_iterations):
            step = self._length(objective, support if len(support) else _top(scaled, slope, size), gamma, slope)
            for _ in range(30):
                point = gamma + step * slope
                trial = _proximal(objective, point, step)
                chosen = _keep(objective, trial, point, step, size)
                trial = _restricted(trial, chosen)
                reached, falls = _value_and_slope(objective, chosen, trial)
                if reached < value:
                    break
                step *= 0.5
            if not value - reached > _ENOUGH * value + rounding:
                break
            if self.step == Step.ACCELERATED:
                trial, chosen, reached, falls = _relaxed(objective, size, gamma, (trial, chosen, reached, falls))
            gamma, support, value, slope = trial, chosen, reached, falls
        return np.sort(support if len(support) else chosen)

    def _length(self, objective: Objective, support: IntVector, gamma: Vector, slope: Vector) -> float:
        if self.step == Step.CONSTANT:
            return 1.0 / objective.largest_curvature
        return normalised_step(objective, support, gamma[support], slope[support])


def normalised_step(objective: Objective, support: IntVector, gamma: Vector, slope: Vector) -> float:
    """Return the length that minimises the second-order model along the gradient on a support."""
    curvature = objective.curvature(support, gamma, slope)
    return float(slope @ slope) / curvature if curvature > 0.0 else 1.0


_Point = tuple[Vector, IntVector, float, Vector]


def _relaxed(objective: Objective, size: int, before: Vector, now: _Point) -> _Point:
    """Go on in the direction of the step just made, as far as the second-order model falls; keep what is better."""
    gamma, _, value, slope = now
    direction = gamma - before
    moving = np.flatnonzero(direction)
    curvature = objective.curvature(moving, gamma[moving], direction[moving])
    if not curvature > 0.0:
        return now
    further = _proximal(objective, gamma + float(slope @ direction) / curvature * direction, 0.0)
    chosen = keep(objective.scaled, np.abs(further), size)
    further = _restricted(further, chosen)
    reached, falls = _value_and_slope(objective, chosen, further)
    return (further, chosen, reached, falls) if reached < value else now


def _restricted(gamma: Vector, support: IntVector) -> Vector:
    kept = np.zeros_like(gamma)
    kept[support] = gamma[support]
    return kept


def _value_and_slope(objective: Objective, support: IntVector, gamma: Vector) -> tuple[float, Vector]:
    """Return the value with λ1, and minus the gradient without."""
    value, slope = objective.at(support, gamma[support])
    return value + float(objective.lambda1[support] @ np.abs(gamma[support])), slope


def _top(scaled: ScaledProblem, slope: Vector, size: int) -> IntVector:
    return np.union1d(largest(np.abs(slope), size), forced_columns(scaled))


def _proximal(objective: Objective, point: Vector, step: float) -> Vector:
    shrunk = np.sign(point) * np.maximum(np.abs(point) - step * objective.lambda1, 0.0)
    return np.asarray(np.clip(shrunk, objective.lower, objective.upper))


def _keep(objective: Objective, gamma: Vector, point: Vector, step: float, size: int) -> IntVector:
    """Return the included columns and the blocks worth most in the quadratic model, at most ``size``."""
    worth = 0.5 * (point**2 - (point - gamma) ** 2) - step * objective.lambda1 * np.abs(gamma)
    return keep(objective.scaled, worth, size)
