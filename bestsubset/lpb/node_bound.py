"""The bound of a node from a dual vector alone, and what it says of each free column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bestsubset.lpb.rows import ULP
from formulations._types import IntVector, Vector
from formulations.rules import FREE, IN, Status

_ROUNDING = 8 * ULP


@dataclass(frozen=True, eq=False)
class Blocks:
    """Columns that enter together, and what each block counts towards k and pays λ0 for.

    Attributes
    ----------
    of : shape (p,)
        The block of each column.
    first : shape (number of blocks,)
        A column of each block: its status is that of the block.
    sizes : shape (number of blocks,)
    """

    of: IntVector
    first: IntVector
    sizes: Vector

    @classmethod
    def joined(cls, groups: Sequence[Sequence[int]], weights: Vector) -> Blocks:
        """Blocks from disjoint groups; every other column is a block of its own."""
        leader = np.arange(len(weights))
        for group in groups:
            leader[list(group)] = min(group)
        first, of = np.unique(leader, return_inverse=True)
        sizes = np.bincount(of, weights, len(first)).astype(np.float64)
        return cls(of.astype(np.int64), first, sizes)


@dataclass(frozen=True, eq=False)
class NodeBound:
    r"""With :math:`g_b = \sum_{j\in b} h_j - \lambda_0 |b|` and what is decided,

    .. math:: f \ge \text{constant} - \sum_{b\text{ in}} g_b - \max\Big\{\sum_b g_b : b\text{ free},\;
        \sum |b| \le r\Big\},

    the maximum being that of the fractional knapsack.

    Attributes
    ----------
    value : float
    if_in, if_out : shape (number of blocks,)
        The same with one free block decided; ``value`` where that changes nothing.
    price : float
        What a place is worth: zero where there is room for all that gain.
    """

    value: float
    if_in: Vector
    if_out: Vector
    price: float


def node_bound(
    constant: float, gains: Vector, status: Status, blocks: Blocks, room: float, lambda0: float
) -> NodeBound:
    """Bound a node; ``gains`` are the h_j, and ``room`` is what k leaves beside the columns that are in."""
    total = np.bincount(blocks.of, gains, len(blocks.first)) - lambda0 * blocks.sizes
    state = status[blocks.first]
    is_free = state == FREE
    inside = total[state == IN]
    scale = abs(constant) + float(np.abs(inside).sum()) + float(np.maximum(total[is_free], 0.0).sum())
    if not np.isfinite(scale):
        return NodeBound(-np.inf, np.full(len(total), -np.inf), np.full(len(total), -np.inf), 0.0)
    base = constant - float(inside.sum()) - (len(total) + 8) * _ROUNDING * (scale + lambda0 * float(blocks.sizes.sum()))
    price = _critical_rate(total[is_free], blocks.sizes[is_free], room)
    excess = np.where(is_free, total - price * blocks.sizes, 0.0)
    paid = np.maximum(excess, 0.0)
    value = base - price * room - float(paid.sum())
    # Lagrange: at any price of a place the bound with one block decided is the same but for its own term.
    return NodeBound(value, value + paid - excess, value + paid, price)


def _critical_rate(gains: Vector, sizes: Vector, room: float) -> float:
    """The gain per place of the block at which the fractional knapsack is full; zero where all that gain fit."""
    useful = gains > 0
    gains, sizes = gains[useful], sizes[useful]
    if sizes.sum() <= room:
        return 0.0
    rate = gains / sizes
    order = np.argsort(-rate, kind="stable")
    filled = np.cumsum(sizes[order])
    return float(rate[order[int(np.searchsorted(filled, room, side="right"))]])
