r"""Rules on the places (FORMAT.md, section 9): sizes by what blocks count, and when a rule cannot be obeyed.

A rule r is :math:`\sum_j a_j z_j \le b`, the sum rounded once to float64. Its coefficients are kept as integers over a
power of two, so that sums are exact, and Python's division of integers rounds correctly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bestsubset.certificates.reading import Array
from bestsubset.certificates.sets import mask_of


class _Row:
    """One rule: sets of columns that enter together with their coefficients times 2^exponent."""

    def __init__(self, rule: dict[str, Any], blocks: list[int]) -> None:
        ratios = [float(a).as_integer_ratio() for a in rule["coefs"]]
        self.exponent = max((d.bit_length() - 1 for _, d in ratios), default=0)
        self.limit = float(rule["limit"])
        sums: dict[int, int] = {}
        for j, (n, d) in zip(rule["columns"], ratios, strict=True):
            block = next((block for block in blocks if block >> j & 1), 1 << j)
            sums[block] = sums.get(block, 0) + (n << self.exponent - d.bit_length() + 1)
        self.terms = list(sums.items())

    def is_broken(self, inside: int, allowed: int) -> bool:
        """Whether the least that the rule comes to exceeds its limit."""
        least = sum(a for block, a in self.terms if block & inside or (a < 0 and block & allowed))
        return least / (1 << self.exponent) > self.limit


class Rules:
    """The rules of a certificate's settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        blocks = [mask_of(group) for group in settings["groups"]]
        self._single = [(mask_of(group), len(group) - 1) for group in settings.get("single", [])]
        self._rows = [_Row(rule, blocks) for rule in settings.get("rules", [])]
        self._blocks = blocks

    @property
    def count(self) -> int:
        return len(self._rows)

    def size(self, columns: int) -> int:
        """What a set of whole blocks counts: its columns, but a group that counts as one once."""
        return columns.bit_count() - sum(surplus for group, surplus in self._single if group & columns)

    def block_of(self, column: int) -> int:
        """The column with those that enter together with it."""
        return next((block for block in self._blocks if block >> column & 1), 1 << column)

    def is_broken(self, rule: int, inside: int, allowed: int) -> bool:
        """Whether no z with ``inside`` ⊆ z ⊆ ``allowed`` obeys."""
        return self._rows[rule].is_broken(inside, allowed)

    def first_broken(self, places: int) -> int | None:
        """The first rule that exactly these places break."""
        return next((r for r in range(self.count) if self.is_broken(r, places, places)), None)

    def price_terms(self, blocks: list[int]) -> tuple[Array, Array, Array, Array]:
        """All coefficients on blocks: their rules, their blocks, their values; and limits that no sum exceeds."""
        place = {block: b for b, block in enumerate(blocks)}
        terms = [
            (r, place[block], a / (1 << row.exponent)) for r, row in enumerate(self._rows) for block, a in row.terms
        ]
        rule, block, coef = (np.array(part) for part in zip(*terms, strict=True)) if terms else np.zeros((3, 0))
        limits = np.array([math.nextafter(row.limit, math.inf) for row in self._rows])
        return rule.astype(np.int64), block.astype(np.int64), coef.astype(np.float64), limits
