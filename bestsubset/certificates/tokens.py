"""The tokens of a tree (FORMAT.md, section 3), and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

from bestsubset.certificates.reading import Array

SOLVE, BOUND, CHAIN, SPLIT, FIX, DEPENDENT, COPY, END, SIZES, SEEN, INFEASIBLE = range(11)
_CHUNK = 2**16  # tokens read at a time


class TokenError(Exception):
    """The tokens are not a tree."""


class Refusal(Exception):  # noqa: N818 - an outcome, not a fault of the program
    """The certificate does not prove what it claims."""


def read(tree: Array) -> Iterator[int]:
    """The tokens one by one, as integers."""
    for start in range(0, len(tree), _CHUNK):
        yield from tree[start : start + _CHUNK].tolist()
