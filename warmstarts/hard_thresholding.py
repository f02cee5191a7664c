"""Iterative hard thresholding with a normalised step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic
from warmstarts.refit import forced_columns


@dataclass(frozen=True)
class IterativeHardThresholding(Heuristic):
    r"""Gradient steps, each followed by keeping the best k columns.

    .. math::
        \gamma \leftarrow P_k\left(\mathrm{prox}_{\mu}(\gamma + \mu\,(c - H\gamma))\right)

    where prox shrinks by :math:`\mu\lambda_1` and clips to the bounds, and :math:`P_k` keeps the included
    columns and those blocks whose loss would cost the step's quadratic model most. The step μ is exact
    along the gradient on the present support and is halved until the value falls, so the values
    decrease. Begins at ``start`` if given.

    Attributes
    ----------
    max_iterations : int
        Gradient steps, at most.

    Source
    ------
    Blumensath and Davies (2008), Iterative thresholding for sparse approximations; the step is that of
    Blumensath and Davies (2010), Normalized iterative hard thresholding.
    """

    name: ClassVar[str] = "hard_thresholding"

    max_iterations: int = 100

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        source = GramRows(scaled)
        allowed = [s for s in sizes if s >= len(forced_columns(scaled))]
        return {s: self.threshold(source, s, start) for s in allowed}

    def threshold(self, source: GramRows, size: int, start: IntVector | None = None) -> IntVector:
        """Return the support where the iterations for one size end, sorted."""
        scaled = source.scaled
        gamma = np.zeros(source.m)
        support = np.zeros(0, dtype=np.int64)
        if start is not None and 0 < len(start) <= size:
            support = np.union1d(start, forced_columns(scaled))
            support = support if len(support) <= size else np.zeros(0, dtype=np.int64)
            gamma[support] = _clipped(source, source.c[support] / len(support), support)
        value, gradient = _value_and_gradient(source, support, gamma)
        for _ in range(self.max_iterations):
            step = _normalised_step(source, support if len(support) else _top(source, gradient, size), gradient)
            for _ in range(30):
                trial = _proximal(scaled, gamma + step * gradient, step)
                chosen = _keep(scaled, trial, gamma + step * gradient, step, size)
                trial = _restricted(trial, chosen)
                reached, slope = _value_and_gradient(source, chosen, trial)
                if reached < value:
                    break
                step *= 0.5
            if not reached < value * (1.0 - 1e-7):
                break
            gamma, support, value, gradient = trial, chosen, reached, slope
        return np.sort(support if len(support) else chosen)


def largest(values: Vector, count: int) -> IntVector:
    """Return the positions of the ``count`` largest values, the largest first."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    top = np.sort(np.argpartition(-values, count)[:count])
    return np.asarray(top[np.argsort(-values[top], kind="stable")])


def _clipped(source: GramRows, gamma: Vector, support: IntVector) -> Vector:
    return np.asarray(np.clip(gamma, source.scaled.lower[support], source.scaled.upper[support]))


def _restricted(gamma: Vector, support: IntVector) -> Vector:
    kept = np.zeros_like(gamma)
    kept[support] = gamma[support]
    return kept


def _value_and_gradient(source: GramRows, support: IntVector, gamma: Vector) -> tuple[float, Vector]:
    """Return ½γ'Hγ - c'γ + ½ + λ1'|γ|, and c - Hγ."""
    held = gamma[support]
    product = held @ source.rows[source.at(support)] if len(support) else np.zeros(source.m)
    smooth = 0.5 + held @ (0.5 * product[support] - source.c[support])
    return float(smooth + source.scaled.lambda1[support] @ np.abs(held)), source.c - product


def _top(source: GramRows, gradient: Vector, size: int) -> IntVector:
    return np.union1d(largest(np.abs(gradient), size), forced_columns(source.scaled))


def _normalised_step(source: GramRows, support: IntVector, gradient: Vector) -> float:
    g = gradient[support]
    curvature = float(g @ (source.rows[source.at(support)][:, support] @ g))
    return float(g @ g) / curvature if curvature > 0.0 else 1.0


def _proximal(scaled: ScaledProblem, point: Vector, step: float) -> Vector:
    shrunk = np.sign(point) * np.maximum(np.abs(point) - step * scaled.lambda1, 0.0)
    return np.asarray(np.clip(shrunk, scaled.lower, scaled.upper))


def _keep(scaled: ScaledProblem, gamma: Vector, point: Vector, step: float, size: int) -> IntVector:
    """Return the included columns and the blocks worth most in the quadratic model, at most ``size``."""
    worth = 0.5 * (point**2 - (point - gamma) ** 2) - step * scaled.lambda1 * np.abs(gamma)
    worth[scaled.included] = np.inf
    if not scaled.has_groups:
        return largest(worth, size)
    chosen: list[int] = []
    for block in sorted(scaled.blocks, key=lambda b: -worth[list(b)].mean()):
        if len(chosen) + len(block) <= size:
            chosen.extend(block)
    return np.array(sorted(chosen), dtype=np.int64)
