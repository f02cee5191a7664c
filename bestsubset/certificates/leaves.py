"""What a certificate's tree leaves to be proved, collected into batches; the rest is settled in rational arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.block_leaves import BlockLeaves
from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.chain_bounds import ChainBounds
from bestsubset.certificates.chains import ChainTree
from bestsubset.certificates.exact import Moments as ExactMoments
from bestsubset.certificates.moments import UNIT, Columns, Moments, Vector, gamma
from bestsubset.certificates.multiplier_leaves import OUTSIDE, Gains, Multipliers, Sorted
from bestsubset.certificates.rules import Rules
from bestsubset.certificates.semidefinite import are_semidefinite, share_below
from bestsubset.certificates.sets import columns_of
from bestsubset.certificates.tokens import Refusal
from bestsubset.certificates.tree import Node, listed_supports

_NUMBERS = 2**21  # of a batch

Flags = NDArray[np.bool_]


class _Bounded(NamedTuple):
    """A leaf with a multiplier, or the implied leaves of a FIX."""

    node: Node
    multiplier: int
    signed: Sequence[int] = ()


class FloatLeaves:
    """Prove leaves in floating point, rounding included, and what that cannot settle exactly.

    Parameters
    ----------
    certificate, claim
    moments : Moments
    exact : callable
        Returns the exact moments; called when first needed.
    """

    def __init__(
        self, certificate: Certificate, claim: Claim, moments: Moments, exact: Callable[[], ExactMoments]
    ) -> None:
        self._moments, self._claim, self._exact = moments, claim, exact
        self._bound = moments.of_objective(claim.dual_bound)
        value = max(claim.objective, claim.dual_bound)
        box = moments.of_objective(value) if certificate.settings["lambda1"] > 0 else np.inf
        self._multipliers = Multipliers(claim, moments, box, certificate.settings["exclude"])
        self._rules = Rules(certificate.settings)
        groups = [list(group) for group in certificate.settings["groups"]]
        self._block_leaves = BlockLeaves(groups, self._rules, claim, moments) if groups or self._rules.count else None
        self._listed = set(listed_supports(claim))
        self._fits: defaultdict[int, list[Node]] = defaultdict(list)
        self._fit_numbers = 0
        self._bounded: list[_Bounded] = []
        self._fixed = 0
        self._shares: dict[int, float] = {}
        self.leaves = 0
        self.exact_leaves = 0

    def boxes(self, root: Node) -> None:
        """Prove the boxes, in their order, before the tree that uses them."""
        claim, m = self._claim, self._moments
        if len(claim.boxed) and self._block_leaves is not None:
            raise Refusal("there are boxes where there are groups or rules")
        signed = claim.boxed.astype(np.int64)
        columns = np.where(signed < 0, -1 - signed, signed)
        limits = m.of_limits(columns, claim.limits)
        step = max(1, _NUMBERS // (4 * m.p))
        for start in range(0, len(signed), step):
            part = slice(start, start + step)
            numbers = np.arange(len(signed))[part]
            beyond = self._multipliers.beyond(numbers, signed[part], limits[part])
            for number, (gains, is_there) in zip(numbers.tolist(), beyond, strict=True):
                self.leaves += 1
                node = root._replace(inside=root.inside | 1 << int(columns[number]))
                is_out = node.inside & ~root.allowed or node.inside.bit_count() > root.most
                if root.is_proved or is_out or not is_there or self._is_paid_for(node):
                    continue
                inside, allowed = self._flags([node.inside]), self._flags([node.allowed])
                if not _Sums(gains, inside, allowed & ~inside, [node]).bounds()[0] >= self._bound:
                    self._settle_bound(node, number, box=number)

    # What the walk calls.

    def solve(self, node: Node) -> None:
        self.leaves += 1
        if self._is_paid_for(node):
            return
        order = node.allowed.bit_count() + 1
        self._fits[order].append(node)
        self._fit_numbers += order * order
        if self._fit_numbers > _NUMBERS:
            self._prove_fits()

    def bound(self, node: Node, multiplier: int) -> None:
        self.leaves += 1
        if not self._is_paid_for(node):
            self._add(_Bounded(node, multiplier))

    def fix(self, node: Node, multiplier: int, signed: Sequence[int]) -> None:
        self.leaves += len(signed)
        if signed:
            self._add(_Bounded(node, multiplier, signed))

    def chains(self, node: Node, tokens: Iterator[int]) -> None:
        tree = ChainTree(None if node.is_proved else self._chain_bounds(node), self._moments.p)
        tree.read(tokens)
        self.leaves += 0 if node.is_proved else tree.leaves

    def dependent(self, node: Node, column: int, others: Sequence[int]) -> None:
        if not self._exact().depends(column, list(others)):
            raise Refusal(f"column {column} does not depend on {list(others)}, {node.path}")

    def infeasible(self, node: Node, rule: int) -> None:
        self.leaves += 1
        if not self._rules.is_broken(rule, node.inside, node.allowed):
            raise Refusal(f"rule {rule} can be obeyed, {node.path}")

    def finish(self) -> None:
        """Prove what is still waiting."""
        self._prove_fits()
        self._prove_bounded()

    # Least squares fits.

    def _is_paid_for(self, node: Node) -> bool:
        """Tell whether the price of the places alone reaches the bound."""
        return self._moments.lambda0 * self._places(node) * (1 - 2 * UNIT) >= self._bound or self._bound <= 0

    def _places(self, node: Node) -> int:
        """Every z of the node counts at least so much."""
        return max(self._rules.size(node.inside), node.least)

    def _target(self, places: int) -> float:
        """t: twice what the fit has to reach, rounded up."""
        price = self._moments.lambda0 * places
        return 2 * (self._bound - price) * (1 + 4 * UNIT) + 8 * UNIT * (self._bound + price) * (price > 0)

    def _chain_bounds(self, node: Node) -> ChainBounds:
        def settle_pairs(swept: list[int], rest: list[int]) -> None:
            self.exact_leaves += 1
            left = size - len(swept)
            if not self._exact().closes(swept, rest, left, self._claim.dual_bound, size, self._listed):
                raise Refusal(f"the bound is not reached with {sorted(swept)} and {left} of {rest}")

        size = node.most
        allowed = np.array(columns_of(node.allowed), dtype=np.int64)

        def share() -> float:
            if node.allowed not in self._shares:
                self._shares[node.allowed] = share_below(self._moments, allowed)
            return self._shares[node.allowed]

        return ChainBounds(
            self._moments, allowed, np.array(columns_of(node.inside), dtype=np.int64), size, self._target(size),
            share, settle_pairs, lambda columns: self._settle_fit(columns, size),
        )  # fmt: skip

    def _settle_fit(self, columns: list[int], places: int) -> None:
        """A fit on some columns that was not proved yet: by a factorisation of its own, or exactly."""
        if not self._are_fits_proved([columns], np.array([self._target(places)]))[0]:
            self._settle_fit_exactly(columns, places)

    def _settle_fit_exactly(self, columns: list[int], places: int) -> None:
        self.exact_leaves += 1
        if not self._exact().solves(columns, self._claim.dual_bound, places):
            raise Refusal(f"the bound is not reached by the fit on columns {columns}")

    def _prove_fits(self) -> None:
        waiting, self._fits, self._fit_numbers = self._fits, defaultdict(list), 0
        for nodes in waiting.values():
            columns = [columns_of(node.allowed) for node in nodes]
            good = self._are_fits_proved(columns, np.array([self._target(self._places(node)) for node in nodes]))
            for number in np.flatnonzero(~good):
                self._settle_fit_exactly(columns[number], self._places(nodes[number]))

    def _are_fits_proved(self, columns: list[list[int]], targets: Vector) -> Flags:
        """Tell for which sets of columns, all of one size, M with t is positive semidefinite."""
        m = self._moments
        index = np.array([[*row, m.p] for row in columns], dtype=np.int64)
        used, local = np.unique(index, return_inverse=True)
        local = local.reshape(index.shape)
        rows = m.rows(used)[:, used]
        matrices = rows[local[:, :, None], local[:, None, :]]
        matrices[:, -1, -1] -= targets
        return are_semidefinite(matrices, m.nu[index], m.error + UNIT) | (targets <= 0)

    # Multipliers.

    def _add(self, leaf: _Bounded) -> None:
        self._bounded.append(leaf)
        self._fixed += len(leaf.signed)
        if len(self._bounded) * self._moments.p > _NUMBERS or self._fixed > _NUMBERS:
            self._prove_bounded()

    def _prove_bounded(self) -> None:
        leaves, self._bounded, self._fixed = self._bounded, [], 0
        if not leaves:
            return
        gains = self._multipliers.gains(np.array([leaf.multiplier for leaf in leaves], dtype=np.int64))
        inside, allowed = (self._flags([getattr(leaf.node, name) for leaf in leaves]) for name in ("inside", "allowed"))
        sums = _Sums(gains, inside, allowed & ~inside, [leaf.node for leaf in leaves])
        is_fix = np.array([bool(leaf.signed) for leaf in leaves])
        if self._block_leaves is not None:
            for number, leaf in enumerate(leaves):
                value = self._block_leaves.bound(gains, number, leaf.node, leaf.multiplier)
                if not (leaf.signed or value >= self._bound):
                    self._settle_bound(leaf.node, leaf.multiplier)
            return
        good = sums.bounds() >= self._bound
        for number in np.flatnonzero(~good & ~is_fix).tolist():
            self._settle_bound(leaves[number].node, leaves[number].multiplier)
        numbers = np.repeat(np.arange(len(leaves)), [len(leaf.signed) for leaf in leaves])
        signed = np.array([s for leaf in leaves for s in leaf.signed], dtype=np.int64)
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
        p = self._moments.p
        length = (p + 7) // 8
        packed = np.frombuffer(b"".join(mask.to_bytes(length, "little") for mask in masks), dtype=np.uint8)
        return np.unpackbits(packed.reshape(len(masks), length), axis=1, count=p, bitorder="little").astype(bool)

    def _settle_bound(self, node: Node, multiplier: int, box: int | None = None) -> None:
        self.exact_leaves += 1
        claim = self._claim
        part = slice(int(claim.offsets[multiplier]), int(claim.offsets[multiplier + 1]))
        holds = self._exact().bound_holds(
            claim.columns[part].tolist(), claim.values[part].tolist(), claim.diagonal.tolist() or None,
            columns_of(node.inside), columns_of(node.allowed), node.least, node.most, claim.dual_bound, claim.objective,
            claim.boxed.tolist(), claim.limits.tolist(), box,
        )  # fmt: skip
        if not holds:
            what = "" if box is None else f"box {box} is not proved: "
            raise Refusal(what + f"the bound is not reached by multiplier {multiplier}, {node.path}")


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
