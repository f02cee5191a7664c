"""What a certificate's tree leaves to be proved, in batches; what they cannot settle, in rational arithmetic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.block_leaves import BlockLeaves
from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.exact import Statement
from bestsubset.certificates.moments import UNIT, Columns, Vector, gamma
from bestsubset.certificates.multiplier_leaves import OUTSIDE, Gains, Multipliers, Scale, Sorted
from bestsubset.certificates.rules import Rules
from bestsubset.certificates.sets import columns_of
from bestsubset.certificates.tokens import Refusal
from bestsubset.certificates.tree import Node, listed_supports

NUMBERS = 2**21  # of a batch

Flags = NDArray[np.bool_]


class _Bounded(NamedTuple):
    """A leaf with a multiplier, or the implied leaves of a FIX."""

    node: Node
    multiplier: int
    signed: Sequence[int] = ()


class FloatLeaves(ABC):
    """Prove leaves in floating point, rounding included, and what that cannot settle exactly.

    Parameters
    ----------
    certificate, claim
    scale : Scale
        The numbers of the problem, brought to a size that floating point bears.
    multipliers : Multipliers
    exact : callable
        Returns the problem in rational numbers; called when first needed.
    """

    def __init__(
        self, certificate: Certificate, claim: Claim, scale: Scale, multipliers: Multipliers,
        exact: Callable[[], Statement],
    ) -> None:  # fmt: skip
        self._scale, self._claim, self._exact = scale, claim, exact
        self._bound = scale.of_objective(claim.dual_bound)
        self._multipliers = multipliers
        self._rules = Rules(certificate.settings)
        groups = [list(group) for group in certificate.settings["groups"]]
        self._block_leaves = BlockLeaves(groups, self._rules, claim, scale) if groups or self._rules.count else None
        self._listed = set(listed_supports(claim))
        self._bounded: list[_Bounded] = []
        self._fixed = 0
        self.leaves = 0
        self.exact_leaves = 0

    def boxes(self, root: Node, first: int = 0) -> None:
        """Prove the boxes, in their order, before the tree that uses them."""
        claim = self._claim
        signed = claim.boxed.astype(np.int64)
        columns = np.where(signed < 0, -1 - signed, signed)
        limits = self._scale.of_limits(columns, claim.limits)
        step = max(1, NUMBERS // (4 * self._scale.width))
        for start in range(first, len(signed), step):
            part = slice(start, start + step)
            numbers = np.arange(len(signed))[part]
            beyond = self._multipliers.beyond(numbers, signed[part], limits[part])
            for number, (gains, is_there) in zip(numbers.tolist(), beyond, strict=True):
                self.leaves += 1
                node = root._replace(inside=root.inside | self._rules.block_of(int(columns[number])))
                is_out = node.inside & ~root.allowed or self._rules.size(node.inside) > root.most
                if root.is_proved or is_out or not is_there or self._is_paid_for(node):
                    continue
                if not self._bounds(gains, [node], [number])[0] >= self._bound:
                    self._settle_bound(node, number, box=number)

    # What the walk calls.

    @abstractmethod
    def solve(self, node: Node) -> None:
        """A leaf without a multiplier."""

    @abstractmethod
    def chains(self, node: Node, tokens: Iterator[int]) -> None:
        """A chain and all chains below it, to be read from the tokens."""

    @abstractmethod
    def dependent(self, node: Node, column: int, others: Sequence[int]) -> None:
        """A column that is to be a combination of others."""

    def bound(self, node: Node, multiplier: int) -> None:
        self.leaves += 1
        if not self._is_paid_for(node):
            self._add(_Bounded(node, multiplier))

    def fix(self, node: Node, multiplier: int, signed: Sequence[int]) -> None:
        self.leaves += len(signed)
        if signed:
            self._add(_Bounded(node, multiplier, signed))

    def infeasible(self, node: Node, rule: int) -> None:
        self.leaves += 1
        if not self._rules.is_broken(rule, node.inside, node.allowed):
            raise Refusal(f"rule {rule} can be obeyed, {node.path}")

    def finish(self) -> None:
        """Prove what is still waiting."""
        self._prove_bounded()

    def _is_paid_for(self, node: Node) -> bool:
        """Tell whether the price of the places alone reaches the bound."""
        return self._scale.lambda0 * self._places(node) * (1 - 2 * UNIT) >= self._bound or self._bound <= 0

    def _places(self, node: Node) -> int:
        """Every z of the node counts at least so much."""
        return max(self._rules.size(node.inside), node.least)

    # Multipliers.

    def _add(self, leaf: _Bounded) -> None:
        self._bounded.append(leaf)
        self._fixed += len(leaf.signed)
        if len(self._bounded) * self._scale.width > NUMBERS or self._fixed > NUMBERS:
            self._prove_bounded()

    def _prove_bounded(self) -> None:
        leaves, self._bounded, self._fixed = self._bounded, [], 0
        if not leaves:
            return
        numbers, row = np.unique([leaf.multiplier for leaf in leaves], return_inverse=True)
        base, gain = self._multipliers.gains(numbers.astype(np.int64))
        gains = Gains(base[row], gain[row])
        is_fix = np.array([bool(leaf.signed) for leaf in leaves])
        good = self._bounds(gains, [leaf.node for leaf in leaves], [leaf.multiplier for leaf in leaves]) >= self._bound
        for number in np.flatnonzero(~good & ~is_fix).tolist():
            self._settle_bound(leaves[number].node, leaves[number].multiplier)
        if is_fix.any():
            self._prove_fixed(gains, leaves)

    def _bounds(self, gains: Gains, nodes: list[Node], multipliers: list[int]) -> Vector:
        """The bounds of nodes from the gains of their multipliers."""
        if self._block_leaves is None:
            return self._sums(gains, nodes).bounds()
        pairs = enumerate(zip(nodes, multipliers, strict=True))
        return np.array([self._block_leaves.bound(gains, number, *pair) for number, pair in pairs])

    def _sums(self, gains: Gains, nodes: list[Node]) -> _Sums:
        inside, allowed = self._flags([node.inside for node in nodes]), self._flags([node.allowed for node in nodes])
        return _Sums(gains, inside, allowed & ~inside, nodes)

    def _prove_fixed(self, gains: Gains, leaves: list[_Bounded]) -> None:
        """The implied leaves of every FIX; there are no groups."""
        numbers = np.repeat(np.arange(len(leaves)), [len(leaf.signed) for leaf in leaves])
        signed = np.array([s for leaf in leaves for s in leaf.signed], dtype=np.int64)
        sums = self._sums(gains, [leaf.node for leaf in leaves])
        good = sums.bounds_of_other_sides(numbers, signed) >= self._bound
        for number, s in zip(numbers[~good].tolist(), signed[~good].tolist(), strict=True):
            leaf = leaves[number]
            node = leaf.node
            if s >= 0:
                other = node._replace(allowed=node.allowed & ~(1 << s))
            else:
                other = node._replace(inside=node.inside | 1 << (-1 - s))
            if other.allowed.bit_count() >= other.least and not self._is_paid_for(other):
                self._settle_bound(other, leaf.multiplier)

    def _flags(self, masks: list[int]) -> Flags:
        p = self._scale.p
        length = (p + 7) // 8
        packed = np.frombuffer(b"".join(mask.to_bytes(length, "little") for mask in masks), dtype=np.uint8)
        return np.unpackbits(packed.reshape(len(masks), length), axis=1, count=p, bitorder="little").astype(bool)

    def _settle_bound(self, node: Node, multiplier: int, box: int | None = None) -> None:
        self.exact_leaves += 1
        claim = self._claim
        holds = self._exact().bound_holds(
            *self._vector(multiplier), claim.diagonal.tolist() or None,
            columns_of(node.inside), columns_of(node.allowed), node.least, node.most, claim.dual_bound, claim.objective,
            claim.boxed.tolist(), claim.limits.tolist(), box,
        )  # fmt: skip
        if not holds:
            what = "" if box is None else f"box {box} is not proved: "
            raise Refusal(what + f"the bound is not reached by multiplier {multiplier}, {node.path}")

    def _vector(self, multiplier: int) -> tuple[list[int], list[float]]:
        """What a multiplier names, and its values."""
        claim = self._claim
        part = slice(int(claim.offsets[multiplier]), int(claim.offsets[multiplier + 1]))
        return claim.columns[part].tolist(), claim.values[part].tolist()


def box_of_l1(certificate: Certificate, claim: Claim, scale: Scale) -> float:
    """What λ1 s_j |β_j| is at most at points below the bound; infinite without λ1."""
    value = max(claim.objective, claim.dual_bound)
    return scale.of_objective(value) if certificate.settings["lambda1"] > 0 else np.inf


class _Sums:
    """Bounds of a batch of leaves from their gains: those of the included columns and the best of the free ones."""

    def __init__(self, gains: Gains, inside: Flags, free: Flags, nodes: list[Node]) -> None:
        included = inside.sum(axis=1)
        self._gains, self._free = gains, free
        self._room = np.array([node.most for node in nodes]) - included
        self._needed = np.maximum(np.array([node.least for node in nodes]) - included, 0)
        free_gain = np.where(free, gains.gain, OUTSIDE)
        # Beyond those that must enter, only positive gains count.
        useful = np.minimum(self._room, np.maximum(np.sum(free_gain > 0, axis=1), self._needed))
        count = int(useful.max()) + 1
        self._best = Sorted.of(free_gain, count)
        inner = np.where(inside, gains.gain, 0.0)
        size = np.abs(inner).sum(axis=1) + self._best.positive[:, -1]
        size += np.abs(self._best.plain[np.arange(len(nodes)), np.minimum(self._needed, self._best.top.shape[1])])
        operations = 4 * (count + int(included.max())) + 16
        self._base = gains.base - inner.sum(axis=1) - gamma(operations) * size - 8 * UNIT * np.abs(gains.base)

    def bounds(self) -> Vector:
        """The bounds of the leaves."""
        return np.asarray(self._base - self._best.best(self._room, self._needed))

    def bounds_of_other_sides(self, row: Columns, signed: Columns) -> Vector:
        """The bounds of leaves ``row`` with column s out (where s >= 0 puts it in), or in."""
        is_in = signed >= 0
        gain = self._gains.gain[row, np.where(is_in, signed, -1 - signed)]
        forced = np.where(is_in, 0.0, gain)
        room = self._room[row] - ~is_in
        needed = np.maximum(self._needed[row] - ~is_in, 0)
        slack = 8 * UNIT * (np.abs(gain) + np.abs(self._base[row]))
        return np.asarray(self._base[row] - forced - self._best.best_without(gain, row, room, needed) - slack)
