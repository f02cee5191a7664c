"""The choice of the columns worth most: k of them, the included ones first, groups whole."""

from __future__ import annotations

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector


def largest(values: Vector, count: int) -> IntVector:
    """Return the positions of the ``count`` largest values, the largest first."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    top = np.sort(np.argpartition(-values, count)[:count])
    return np.asarray(top[np.argsort(-values[top], kind="stable")])


def keep(scaled: ScaledProblem, worth: Vector, size: int) -> IntVector:
    """Return the included columns and the blocks worth most a column, at most ``size`` columns in all."""
    worth = np.where(scaled.included, np.inf, worth)
    if not scaled.has_groups:
        return largest(worth, size)
    chosen: list[int] = []
    for block in sorted(scaled.blocks, key=lambda b: -worth[list(b)].mean()):
        if len(chosen) + len(block) <= size:
            chosen.extend(block)
    return np.array(sorted(chosen), dtype=np.int64)
