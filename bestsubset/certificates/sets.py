"""Sets of columns as integers, column j being bit j."""

from __future__ import annotations

from collections.abc import Iterable

from bestsubset.certificates.tokens import TokenError


def columns_of(mask: int) -> list[int]:
    """The columns of a set, ascending."""
    return [j for j, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]


def mask_of(columns: Iterable[int]) -> int:
    """The set of some columns."""
    bits = bytearray()
    for j in columns:
        if j < 0:
            raise TokenError(f"{j} is no column")
        if j >> 3 >= len(bits):
            bits.extend(bytes((j >> 3) + 1 - len(bits)))
        bits[j >> 3] |= 1 << (j & 7)
    return int.from_bytes(bits, "little")
