"""Compiled propagation of linear rules over blocks of columns, and the completion of wishes to a model.

A block is 0 undecided, 1 in, 2 out. Rules are the rows of A z <= b in compressed form; ``ceiling`` is b with slack for
the rounding of sums. Whatever is decided here follows from one row, which is named, or from the room left: blocks that
count more than that are out without further words.
"""

from __future__ import annotations

import numpy as np

from formulations._types import IntVector, Vector
from formulations.rules import Status
from warmstarts.compilation import kernel, part

_FREE, _IN, _OUT = 0, 1, 2
NOTHING_BROKEN, NO_ROOM = -1, -2


@part
def _make_room(sizes: Vector, k: float, status: Status) -> float:
    """Put out what does not fit any more; return the room left."""
    room = k
    for b in range(len(sizes)):
        if status[b] == _IN:
            room -= sizes[b]
    for b in range(len(sizes)):
        if status[b] == _FREE and sizes[b] > room:
            status[b] = _OUT
    return room


@part
def _activity(first: int, last: int, blocks: IntVector, coefs: Vector, status: Status, free_too: bool) -> float:
    """The least a row can come to; or what it comes to with the blocks that are in alone."""
    total = 0.0
    for e in range(first, last):
        s = status[blocks[e]]
        if s == _IN or (free_too and s == _FREE and coefs[e] < 0.0):
            total += coefs[e]
    return total


@part
def _propagate(
    starts: IntVector, blocks: IntVector, coefs: Vector, ceiling: Vector, sizes: Vector, k: float, status: Status,
    decided: IntVector, by: IntVector,
) -> tuple[int, int]:  # fmt: skip
    n = 0
    if _make_room(sizes, k, status) < 0.0:
        return n, NO_ROOM
    changed = True
    while changed:
        changed = False
        r = 0
        while r < len(ceiling):
            first, last = starts[r], starts[r + 1]
            least = _activity(first, last, blocks, coefs, status, True)
            if least > ceiling[r]:
                return n, r
            again = False
            for e in range(first, last):
                b = blocks[e]
                if status[b] != _FREE or least + abs(coefs[e]) <= ceiling[r]:
                    continue
                is_in = coefs[e] < 0.0
                status[b] = _IN if is_in else _OUT
                decided[n], by[n] = b if is_in else -1 - b, r
                n += 1
                changed = True
                if is_in:  # others may have to leave for want of room: the row is looked at anew
                    if _make_room(sizes, k, status) < 0.0:
                        return n, NO_ROOM
                    again = True
                    break
            if not again:
                r += 1
    return n, NOTHING_BROKEN


@kernel
def propagate(
    starts: IntVector, blocks: IntVector, coefs: Vector, ceiling: Vector, sizes: Vector, k: float, status: Status,
    decided: IntVector, by: IntVector,
) -> tuple[int, int]:  # fmt: skip
    """Decide in place what follows; return how many blocks were decided and the row that is broken.

    ``decided[i]`` is b for a block that goes in and -1 - b for one that goes out, because of row ``by[i]``, in the
    order in which they follow from what is before.
    """
    return _propagate(starts, blocks, coefs, ceiling, sizes, k, status, decided, by)


@part
def _wanted(
    starts: IntVector, blocks: IntVector, coefs: Vector, ceiling: Vector, status: Status, order: IntVector
) -> int:
    """The first undecided block in order that helps the first rule that the blocks in alone break."""
    for r in range(len(ceiling)):
        first, last = starts[r], starts[r + 1]
        if _activity(first, last, blocks, coefs, status, False) <= ceiling[r]:
            continue
        for b in order:
            if status[b] == _FREE:
                for e in range(first, last):
                    if blocks[e] == b and coefs[e] < 0.0:
                        return int(b)
        return NO_ROOM
    return NOTHING_BROKEN


@kernel
def complete(
    starts: IntVector, blocks: IntVector, coefs: Vector, ceiling: Vector, sizes: Vector, k: float, status: Status,
    order: IntVector, wishes: int,
) -> bool:  # fmt: skip
    """Put in the first ``wishes`` of the blocks in order, as far as rules allow, then what rules ask for beside.

    The status ends without undecided blocks where that succeeds. Nothing is taken back: it may fail where there is a
    model.
    """
    decided, by = np.empty(len(sizes), dtype=np.int64), np.empty(len(sizes), dtype=np.int64)
    before = status.copy()
    tried, wish = -1, 0
    while True:
        _, broken = _propagate(starts, blocks, coefs, ceiling, sizes, k, status, decided, by)
        if broken != NOTHING_BROKEN:
            if tried < 0:
                return False
            status[:] = before
            status[tried] = _OUT
            tried = -1
            continue
        while wish < wishes and status[order[wish]] != _FREE:
            wish += 1
        if wish < wishes:
            tried = order[wish]
        else:
            tried = _wanted(starts, blocks, coefs, ceiling, status, order)
            if tried == NOTHING_BROKEN:
                for b in range(len(status)):
                    if status[b] == _FREE:
                        status[b] = _OUT
                return True
            if tried < 0:
                return False
        before[:] = status
        status[tried] = _IN
