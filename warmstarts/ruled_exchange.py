"""Forward selection and exchanges of blocks under rules: each wish is completed to a model, and judged by `refit`."""

from __future__ import annotations

import time
from functools import cached_property

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector
from formulations.rules import IN, OUT, Status
from warmstarts.block_rules import BlockRules
from warmstarts.refit import compressed, refit

_TRIES = 8  # blocks tried in each opening, by their slope
_KICKS = 12
_RELATIVE_GAIN = 1e-10


def ruled_support(
    scaled: ScaledProblem, rng: np.random.Generator, start: IntVector | None = None, seconds: float = 2.0
) -> IntVector:
    """Return a good model that obeys all constraints, as sorted local columns.

    Forward selection from the least model, descent over additions, removals and exchanges of single blocks, then
    kicks: half of the blocks are replaced by random ones, and what is better after the descent is kept.
    """
    search = _Search(scaled, seconds)
    least = scaled.selection.completion(())
    assert least is not None  # a problem whose rules contradict each other is not made
    best = search.descended(np.array(least, dtype=np.int64))
    if start is not None and len(start):
        begun = search.completed(search.block_of[start])
        if begun is not None:
            best = min(best, search.descended(begun), key=search.value)
    for _ in range(_KICKS):
        if time.perf_counter() >= search.until:
            break
        kicked = search.kicked(best, rng)
        if kicked is not None:
            best = min(best, search.descended(kicked), key=search.value)
    return best


class _Search:
    """Values of models, remembered, and the moves from one."""

    def __init__(self, scaled: ScaledProblem, seconds: float) -> None:
        self.scaled = compressed(scaled)
        self.rules = BlockRules(scaled)
        self.block_of = np.empty(scaled.m, dtype=np.int64)
        for b, block in enumerate(self.rules.blocks):
            self.block_of[block] = b
        self.known: dict[bytes, float] = {}
        self.completed(self.strongest[:0])  # the first call may have to compile: that is not the search's time
        self.until = time.perf_counter() + seconds

    def value(self, support: IntVector) -> float:
        """The value of the best fit on a model; infinite for what is none."""
        key = support.tobytes()
        if key not in self.known:
            allowed = self.scaled.allows(support)
            self.known[key] = self.scaled.value(support, refit(self.scaled, support)) if allowed else np.inf
        return self.known[key]

    def descended(self, support: IntVector) -> IntVector:
        """Take the best move until none is better."""
        while time.perf_counter() < self.until:
            reached = min(self.moves(support), key=self.value, default=support)
            value = self.value(support)
            if not self.value(reached) < value - _RELATIVE_GAIN * abs(value):
                break
            support = reached
        return support

    def moves(self, support: IntVector) -> list[IntVector]:
        """Models with one block more, one fewer, or another in its place, and what comes along or has to go."""
        inside = np.unique(self.block_of[support])
        found = self.extended(inside, None, support)
        for b in inside.tolist():
            if self.rules.root[b] == IN:
                continue
            rest = inside[inside != b]
            shorter = self.completed(rest, without=b)
            if shorter is not None:
                found += [shorter, *self.extended(rest, b, shorter)]
            if time.perf_counter() >= self.until:
                break
        return found

    def extended(self, inside: IntVector, without: int | None, support: IntVector) -> list[IntVector]:
        """Models with a steep block put in first, then those that were inside."""
        score = self.slopes(support)
        score[inside] = -1.0
        if without is not None:
            score[without] = -1.0
        steepest = np.argsort(-score, kind="stable")[:_TRIES]
        tried = (self.completed(np.concatenate([[b], inside]), without) for b in steepest if score[b] >= 0)
        return [model for model in tried if model is not None]

    def completed(self, wishes: IntVector, without: int | None = None) -> IntVector | None:
        """A model of the blocks wished for, as far as rules allow."""
        status: Status = self.rules.root.copy()
        if without is not None:
            status[without] = OUT
        # What rules ask for beside the wishes: the blocks that explain most alone come first.
        blocks = self.rules.completed(status, np.concatenate([wishes, self.strongest]), len(wishes))
        return None if blocks is None else self.rules.columns(blocks)

    @cached_property
    def strongest(self) -> IntVector:
        alone = np.bincount(self.block_of, self.scaled.correlation**2, minlength=len(self.rules.blocks))
        return np.argsort(-alone, kind="stable")

    def kicked(self, support: IntVector, rng: np.random.Generator) -> IntVector | None:
        inside = np.unique(self.block_of[support])
        kept = inside[rng.random(len(inside)) < 0.5]
        others = rng.permutation(len(self.rules.blocks))[: max(1, len(inside) - len(kept))]
        return self.completed(np.concatenate([kept, others]))

    def slopes(self, support: IntVector) -> Vector:
        """How steeply the objective falls along each block."""
        scaled = self.scaled
        residual = scaled.y - scaled.design.columns(support) @ refit(scaled, support)
        gradient = scaled.design.correlate(residual[:, None])[0]
        gradient = np.where(np.where(gradient > 0.0, scaled.upper > 0.0, scaled.lower < 0.0), gradient, 0.0)
        steep = np.maximum(np.abs(gradient) - scaled.lambda1, 0.0)
        return np.bincount(self.block_of, steep**2, minlength=len(self.rules.blocks)).astype(np.float64)
