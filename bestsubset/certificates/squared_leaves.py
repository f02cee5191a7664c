"""Leaves of squared error: beside multipliers there are fits, chains of them, and exact dependence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.chain_bounds import ChainBounds
from bestsubset.certificates.chains import ChainTree
from bestsubset.certificates.exact import Moments as ExactMoments
from bestsubset.certificates.leaves import NUMBERS, Flags, FloatLeaves, box_of_l1
from bestsubset.certificates.moments import UNIT, Moments, Vector
from bestsubset.certificates.semidefinite import are_semidefinite, share_below
from bestsubset.certificates.sets import columns_of
from bestsubset.certificates.squared_multipliers import SquaredMultipliers
from bestsubset.certificates.tokens import Refusal
from bestsubset.certificates.tree import Node


class SquaredLeaves(FloatLeaves):
    """The leaves of FORMAT.md, sections 4 to 6."""

    def __init__(
        self, certificate: Certificate, claim: Claim, moments: Moments, exact: Callable[[], ExactMoments]
    ) -> None:
        box = box_of_l1(certificate, claim, moments)
        multipliers = SquaredMultipliers(claim, moments, box, certificate.settings["exclude"])
        super().__init__(certificate, claim, moments, multipliers, exact)
        self._moments, self._exact_moments = moments, exact
        self._fits: defaultdict[int, list[Node]] = defaultdict(list)
        self._fit_numbers = 0
        self._shares: dict[int, float] = {}

    def boxes(self, root: Node, first: int = 0) -> None:
        if len(self._claim.boxed) and self._block_leaves is not None:
            raise Refusal("there are boxes where there are groups or rules")
        super().boxes(root, first)

    def solve(self, node: Node) -> None:
        self.leaves += 1
        if self._is_paid_for(node):
            return
        order = node.allowed.bit_count() + 1
        self._fits[order].append(node)
        self._fit_numbers += order * order
        if self._fit_numbers > NUMBERS:
            self._prove_fits()

    def chains(self, node: Node, tokens: Iterator[int]) -> None:
        tree = ChainTree(None if node.is_proved else self._chain_bounds(node), self._moments.p)
        tree.read(tokens)
        self.leaves += 0 if node.is_proved else tree.leaves

    def dependent(self, node: Node, column: int, others: Sequence[int]) -> None:
        if not self._exact_moments().depends(column, list(others)):
            raise Refusal(f"column {column} does not depend on {list(others)}, {node.path}")

    def finish(self) -> None:
        self._prove_fits()
        super().finish()

    def _target(self, places: int) -> float:
        """t: twice what the fit has to reach, rounded up."""
        price = self._moments.lambda0 * places
        return 2 * (self._bound - price) * (1 + 4 * UNIT) + 8 * UNIT * (self._bound + price) * (price > 0)

    def _chain_bounds(self, node: Node) -> ChainBounds:
        def settle_pairs(swept: list[int], rest: list[int]) -> None:
            self.exact_leaves += 1
            left = size - len(swept)
            if not self._exact_moments().closes(swept, rest, left, self._claim.dual_bound, size, self._listed):
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
        if len(columns) == places and tuple(sorted(columns)) in self._listed:
            return
        if not self._are_fits_proved([columns], np.array([self._target(places)]))[0]:
            self._settle_fit_exactly(columns, places)

    def _settle_fit_exactly(self, columns: list[int], places: int) -> None:
        self.exact_leaves += 1
        if not self._exact_moments().solves(columns, self._claim.dual_bound, places):
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
