"""Leaves with a multiplier where columns enter in groups or under rules (FORMAT.md, sections 4 and 9)."""

from __future__ import annotations

import numpy as np

from bestsubset.certificates.certificate import Claim
from bestsubset.certificates.moments import UNIT, Vector, gamma
from bestsubset.certificates.multiplier_leaves import Gains, Integers, Scale
from bestsubset.certificates.rules import Rules
from bestsubset.certificates.sets import mask_of
from bestsubset.certificates.tree import Node


class BlockLeaves:
    """The bound of a leaf from the gains of its columns: those of whole blocks, less the prices of rules."""

    def __init__(self, groups: list[list[int]], rules: Rules, claim: Claim, scale: Scale) -> None:
        self._rules, self._claim, self._scale = rules, claim, scale
        grouped = {j for group in groups for j in group}
        self._blocks = [*groups, *([j] for j in range(scale.p) if j not in grouped)]
        self._block_of = np.empty(scale.p, dtype=np.int64)
        for b, block in enumerate(self._blocks):
            self._block_of[block] = b
        self._masks = [mask_of(block) for block in self._blocks]
        self._sizes = np.array([rules.size(mask) for mask in self._masks])
        self._surplus = np.array([len(block) for block in self._blocks]) - self._sizes  # columns that pay no λ0
        self._rule, self._block, self._coef, self._limits = rules.price_terms(self._masks)

    def bound(self, gains: Gains, number: int, node: Node, multiplier: int) -> float:
        """A lower bound of the objective in the node, on the scale of the moments."""
        gain = gains.gain[number]
        totals: Vector = np.bincount(self._block_of, gain, minlength=len(self._blocks)).astype(np.float64)
        totals += self._scale.lambda0 * self._surplus
        size, paid = float(np.abs(gain[np.isfinite(gain)]).sum()), 0.0
        prices = self._prices(multiplier)
        if prices.any():
            charged = self._coef * prices[self._rule]
            totals -= np.bincount(self._block, charged, minlength=len(totals)).astype(np.float64)
            paid = float(prices @ self._limits)
            size += float(np.abs(charged).sum() + prices @ np.abs(self._limits))
        inside = np.array([mask & node.inside != 0 for mask in self._masks])
        free = np.array([mask & node.allowed & ~node.inside != 0 for mask in self._masks])
        best = knapsack(totals[free], self._sizes[free], node.most - self._rules.size(node.inside))
        size += self._scale.lambda0 * float(self._surplus.sum())
        slack = gamma(4 * (self._scale.p + len(prices))) * size * (1 + len(self._blocks))
        base = gains.base[number]
        return float(base - totals[inside].sum() - best - paid - slack - 8 * UNIT * abs(base))

    def _prices(self, multiplier: int) -> Vector:
        """The prices of rules that go with a multiplier."""
        claim = self._claim
        part = slice(int(claim.offsets[multiplier]), int(claim.offsets[multiplier + 1]))
        prices = np.zeros(self._rules.count)
        rows = claim.columns[part].astype(np.int64) - self._scale.width
        is_row = rows >= 0
        prices[rows[is_row]] = [self._scale.of_objective(a) for a in claim.values[part][is_row].tolist()]
        return prices


def knapsack(gain: Vector, sizes: Integers, room: int) -> float:
    """The fractional knapsack of blocks: an upper bound on the gain of any that fit."""
    positive = gain > 0
    gain, sizes = gain[positive], sizes[positive]
    order = np.argsort(-gain / sizes)
    total, left = 0.0, float(room)
    for value, size in zip(gain[order].tolist(), sizes[order].tolist(), strict=True):
        if left <= 0:
            break
        total += value * min(1.0, left / size)
        left -= size
    return total
