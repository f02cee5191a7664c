"""The tree of a search that looked at every support: chains whose exclusions are all opened (FORMAT.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from bestsubset.certificates.write import LoggedTree

_SOLVE, _CHAIN, _END, _SIZES = 0, 2, 7, 8
_MOST_NODES = 200_000


def every_support(free: list[int], k: int, is_penalised: bool) -> LoggedTree | None:
    """Return the tree over all supports of k of the free columns, or of 0 … k of them where each is paid for.

    Returns None where it would have more than 200,000 nodes.
    """
    sizes = range(k + 1) if is_penalised else [k]
    if sum(comb(len(free), max(0, size - 2)) for size in sizes) > _MOST_NODES:
        return None
    tokens: list[int] = [_SIZES, k + 1] if is_penalised else []
    for size in sizes:
        tokens.extend(_tokens(free, size))
    if is_penalised:
        tokens.append(_SOLVE)  # more than k: there are none
    tree = np.array(tokens, dtype=np.int16 if max(free, default=0) < 2**15 else np.int32)
    nothing = np.zeros(0)
    return LoggedTree(tree, np.zeros(1, dtype=np.int64), nothing.astype(np.int32), nothing, nothing)


def _tokens(free: list[int], size: int) -> Iterator[int]:
    """A chain of all but two columns to choose, then its exclusions, the last first."""
    length = max(0, min(size, len(free)) - 2)
    yield from (_CHAIN, length, *free[:length])
    for t in range(length, 0, -1):
        rest = free[t:]
        if len(rest) < size - (t - 1):
            break  # too few columns are left without this one, and without any before it
        yield from _tokens(rest, size - (t - 1))
    yield _END
