"""Add, drop and exchange of whole blocks, judged by `refit`: for groups, λ1 and bounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector, Vector
from warmstarts.refit import compressed, forced_columns, refit

_TRIES = 5  # blocks tried in each opening, by their slope
_MAX_STEPS = 100
_RELATIVE_GAIN = 1e-10
_WORK = 1.5e9  # multiplications that the fits of one search may take, about: a second


def forward_blocks(scaled: ScaledProblem, size: int) -> list[IntVector]:
    """Return the supports that forward selection by blocks passes through, the forced columns first."""
    search = _Blocks(compressed(scaled))
    support = search.forced
    path = [support] if len(support) <= size else []
    while path:
        moves = [np.concatenate([support, block]) for block in search.entering(support, size)]
        if not moves:
            break
        support = np.sort(min(moves, key=search.value))
        path.append(support)
    return path


def exchange(
    scaled: ScaledProblem, support: IntVector, size: int, rng: np.random.Generator, kicks: int = 0
) -> IntVector:
    """Return where the best of all adds, drops and exchanges of blocks leads, step by step.

    A block may be entered if the columns are then at most ``size``; of the blocks that may, those of
    the steepest slope are tried. A kick replaces half of the blocks, more or less, by random ones that
    fit in, and descends again; what is better is kept.
    """
    search = _Blocks(compressed(scaled))
    best = search.descend(support, size)
    for _ in range(kicks):
        reached = search.descend(search.kicked(best, size, rng), size)
        best = min(best, reached, key=search.value)
    return best


class _Blocks:
    """Values of supports, remembered, and the moves from one."""

    def __init__(self, scaled: ScaledProblem) -> None:
        self.scaled = scaled
        self.forced = forced_columns(scaled)
        self.blocks = [np.array(block, dtype=np.int64) for block in scaled.blocks]
        self.block_of = np.empty(scaled.m, dtype=np.int64)
        for b, block in enumerate(self.blocks):
            self.block_of[block] = b
        self.lengths = np.array([len(block) for block in self.blocks])
        self.known: dict[bytes, float] = {}
        self.work = _WORK

    def value(self, support: IntVector) -> float:
        """The value of the best fit; infinite where it is not known and the work is used up."""
        ordered = np.sort(support)
        key = ordered.tobytes()
        if key not in self.known:
            if self.work <= 0.0:
                return np.inf
            self.work -= self.scaled.n * (len(ordered) + 1.0) ** 2
            self.known[key] = self.scaled.value(ordered, refit(self.scaled, ordered))
        return self.known[key]

    def descend(self, support: IntVector, size: int) -> IntVector:
        support, value = np.sort(support), self.value(support)
        for _ in range(_MAX_STEPS):
            best = min(self.moves(support, size), key=self.value, default=support)
            reached = self.value(best)
            if not reached < value - _RELATIVE_GAIN * abs(value):
                break
            support, value = np.sort(best), reached
        return support

    def kicked(self, support: IntVector, size: int, rng: np.random.Generator) -> IntVector:
        inside = {int(b) for b in self.block_of[support]}
        fixed = {int(b) for b in self.block_of[self.forced]}
        kept = fixed | {b for b in sorted(inside - fixed) if rng.random() < 0.5}
        room = size - int(self.lengths[list(kept)].sum())
        for b in rng.permutation(len(self.blocks)).tolist():
            if b not in inside and self.lengths[b] <= room:
                kept.add(b)
                room -= int(self.lengths[b])
        return np.concatenate([self.blocks[b] for b in sorted(kept)]) if kept else self.forced

    def moves(self, support: IntVector, size: int) -> Iterator[IntVector]:
        for block in self.entering(support, size):
            yield np.concatenate([support, block])
        for b in np.unique(self.block_of[support]):
            if self.scaled.included[self.blocks[b]].any():
                continue
            rest = support[self.block_of[support] != b]
            yield rest
            for block in self.entering(rest, size):
                if self.block_of[block[0]] != b:
                    yield np.concatenate([rest, block])

    def entering(self, support: IntVector, size: int) -> list[IntVector]:
        """Return the few blocks outside, of those that fit in, with the steepest slopes."""
        scores = np.bincount(self.block_of, weights=self._slopes(support) ** 2, minlength=len(self.blocks))
        scores[self.lengths > size - len(support)] = -1.0
        scores[self.block_of[support]] = -1.0
        order = np.argsort(-scores, kind="stable")[:_TRIES]
        return [self.blocks[b] for b in order if scores[b] >= 0.0]

    def _slopes(self, support: IntVector) -> Vector:
        scaled = self.scaled
        gamma = refit(scaled, support)
        residual = scaled.y - scaled.design.columns(support) @ gamma
        gradient = scaled.design.correlate(residual[:, None])[0]
        gradient = np.where(np.where(gradient > 0.0, scaled.upper > 0.0, scaled.lower < 0.0), gradient, 0.0)
        return np.asarray(np.maximum(np.abs(gradient) - scaled.lambda1, 0.0))
