"""Leaves of losses with kinks: dual vectors alone prove anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.dual_vectors import DualVectors
from bestsubset.certificates.exact import Kinked
from bestsubset.certificates.kinked_rows import KinkedRows
from bestsubset.certificates.leaves import NUMBERS, FloatLeaves, box_of_l1
from bestsubset.certificates.tokens import Refusal
from bestsubset.certificates.tree import Node


class KinkedLeaves(FloatLeaves):
    """The leaves of FORMAT.md, section 10."""

    def __init__(self, certificate: Certificate, claim: Claim, rows: KinkedRows, exact: Callable[[], Kinked]) -> None:
        self._vectors = DualVectors(claim, rows, box_of_l1(certificate, claim, rows))
        super().__init__(certificate, claim, rows, self._vectors, exact)
        self._is_allowed = np.ones(rows.p, dtype=bool)
        self._is_allowed[certificate.settings["exclude"]] = False

    def boxes(self, root: Node, first: int = 0) -> None:
        """Those that are proved together, then the others in their order."""
        first = self._claim.together
        self._prove_together(root)
        super().boxes(root, first)

    def _prove_together(self, root: Node) -> None:
        claim, count = self._claim, self._claim.together
        signed, limits = claim.boxed[:count].astype(np.int64), claim.limits[:count]
        self._vectors.draw_in(signed, limits)
        step = max(1, NUMBERS // self._scale.width)
        for start in range(0, count, step):
            part = slice(start, start + step)
            numbers = np.arange(count)[part]
            good = self._vectors.hold_together(numbers, signed[part], limits[part], self._is_allowed, self._bound)
            self.leaves += len(numbers)
            for number in numbers[~good].tolist():
                if not root.is_proved:
                    self._settle_box(number)

    def _settle_box(self, number: int) -> None:
        self.exact_leaves += 1
        claim = self._claim
        boxed, limits = claim.boxed[: claim.together].tolist(), claim.limits[: claim.together].tolist()
        numbers = claim.dual_bound, claim.objective
        if not self._exact().box_holds_with_others(*self._vector(number), *numbers, boxed, limits, number):
            raise Refusal(f"box {number} is not proved with the others")

    def solve(self, node: Node) -> None:
        self.leaves += 1
        if not self._is_paid_for(node) and not self._exact().solves([], self._claim.dual_bound, self._places(node)):
            raise Refusal(f"the bound is not reached by the price of places, {node.path}")

    def chains(self, node: Node, tokens: Iterator[int]) -> None:
        raise Refusal(f"a chain stands where there is no squared error, {node.path}")

    def dependent(self, node: Node, column: int, others: Sequence[int]) -> None:
        raise Refusal(f"columns are left out as dependent where there is no squared error, {node.path}")
