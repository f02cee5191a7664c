"""The tree of a search that looked at every support (FORMAT.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from bestsubset.certificates.write import LoggedTree

_SOLVE, _CHAIN, _SPLIT, _END, _SIZES = 0, 2, 3, 7, 8
MOST_NODES = 200_000


def nothing_yet() -> LoggedTree:
    """Return the tree that proves what needs no proof: nothing is below zero."""
    return _logged([_SOLVE])


def every_support(free: list[int], k: int, is_penalised: bool) -> LoggedTree | None:
    """Return the tree over all supports of k of the free columns, or of 0 … k of them where each is paid for.

    It has chains whose exclusions are all opened. Returns None where it would have more than 200,000 nodes.
    """
    sizes = range(k + 1) if is_penalised else [k]
    if sum(comb(len(free), max(0, size - 2)) for size in sizes) > MOST_NODES:
        return None
    tokens: list[int] = [_SIZES, k + 1] if is_penalised else []
    for size in sizes:
        tokens.extend(_tokens(free, size))
    if is_penalised:
        tokens.append(_SOLVE)  # more than k: there are none
    return _logged(tokens)


def every_choice(free: list[list[int]], k: int) -> LoggedTree | None:
    """Return the tree over all choices of free blocks with at most k columns: one split after another.

    Returns None where it would have more than 200,000 nodes.
    """
    tokens: list[int] = []
    waiting = [(0, k)]  # the first block that is not decided, and the room left
    while waiting:
        first, room = waiting.pop()
        first = next((i for i in range(first, len(free)) if len(free[i]) <= room), len(free))
        if first == len(free):
            tokens.append(_SOLVE)
        else:
            tokens += [_SPLIT, free[first][0]]
            waiting += [(first + 1, room), (first + 1, room - len(free[first]))]
        if len(tokens) > 2 * MOST_NODES:
            return None
    return _logged(tokens)


def logged_tokens(tokens: list[int] | None) -> LoggedTree | None:
    """The tokens as a tree without multipliers; None stays None."""
    return None if tokens is None else _logged(tokens)


def _logged(tokens: list[int]) -> LoggedTree:
    nothing = np.zeros(0)
    tree = np.array(tokens, dtype=np.int16 if max(tokens) < 2**15 else np.int32)
    return LoggedTree(tree, np.zeros(1, dtype=np.int64), nothing.astype(np.int32), nothing, nothing)


def _tokens(free: list[int], size: int) -> Iterator[int]:
    """A chain of all but two columns to choose, then its exclusions, the last first."""
    waiting: list[tuple[int, int] | None] = [
        (0, size)
    ]  # where the free columns begin, and how many to choose; or an end
    while waiting:
        node = waiting.pop()
        if node is None:
            yield _END
            continue
        first, count = node
        length = max(0, min(count, len(free) - first) - 2)
        yield from (_CHAIN, length, *free[first : first + length])
        waiting.append(None)
        # Without column t, and without any before it, too few may be left.
        waiting += [(first + t, count - t + 1) for t in range(1, length + 1) if len(free) - first - t > count - t]
