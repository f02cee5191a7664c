"""Open nodes of the perspective tree: a heap with the lowest bound on top, and a stack once there are too many."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    BOUND,
    FRESH,
    HEAP_LIMIT,
    ID,
    MU,
    MULTIPLIER,
    OPEN,
    SEEN,
    STACKED,
    Node,
    Pool,
    Search,
    Working,
)
from warmstarts.compilation import lean_part


@lean_part
def is_full(pool: Pool, search: Search) -> bool:
    """Tell whether no slot is vacant."""
    full: bool = search.counts[OPEN] + search.counts[STACKED] >= len(pool.bound)
    return full


@lean_part
def push(pool: Pool, node: Node, work: Working, search: Search) -> None:
    """Copy the node in hand into a vacant slot."""
    counts = search.counts
    slot = pool.vacant[len(pool.vacant) - 1 - counts[OPEN] - counts[STACKED]]
    pool.bound[slot] = search.scalars[BOUND]
    pool.mu[slot] = search.scalars[MU]
    pool.node[slot] = counts[ID]
    pool.multiplier[slot] = counts[MULTIPLIER]
    _store(pool, slot, node, work)
    if counts[HEAP_LIMIT] > 0 and (counts[STACKED] > 0 or counts[OPEN] >= counts[HEAP_LIMIT]):
        pool.stack[counts[STACKED]] = slot
        counts[STACKED] += 1
        return
    position = counts[OPEN]
    counts[OPEN] += 1
    heap, bound = pool.heap, pool.bound
    heap[position] = slot
    while position > 0:
        parent = (position - 1) // 2
        if bound[heap[parent]] <= bound[heap[position]]:
            break
        heap[parent], heap[position] = heap[position], heap[parent]
        position = parent


@lean_part
def _store(pool: Pool, slot: int, node: Node, work: Working) -> None:
    status, packed, kept, values = node.status, pool.status, pool.columns, pool.gamma
    columns, gamma = work.columns, work.gamma
    for b in range(packed.shape[1]):
        i = 4 * b
        packed[slot, b] = status[i] | status[i + 1] << 2 | status[i + 2] << 4 | status[i + 3] << 6
    count = 0
    for a in range(work.size[0]):
        if gamma[a] != 0.0 and count < kept.shape[1]:
            kept[slot, count] = columns[a]
            values[slot, count] = gamma[a]
            count += 1
    pool.kept[slot] = count


@lean_part
def pop(pool: Pool, node: Node, search: Search) -> None:
    """Take the top of the stack in hand, or else the node with the lowest bound."""
    counts = search.counts
    used = counts[OPEN] + counts[STACKED]
    if counts[STACKED] > 0:
        counts[STACKED] -= 1
        slot = pool.stack[counts[STACKED]]
    else:
        slot = pool.heap[0]
        _remove_top(pool, search)
    pool.vacant[len(pool.vacant) - used] = slot
    search.scalars[BOUND] = pool.bound[slot]
    search.scalars[MU] = pool.mu[slot]
    counts[ID] = pool.node[slot]
    counts[MULTIPLIER] = pool.multiplier[slot]
    counts[FRESH] = 0
    counts[ASSEMBLED] = counts[SEEN] = 0
    status, gamma, packed, kept, values = node.status, node.gamma, pool.status, pool.columns, pool.gamma
    for b in range(packed.shape[1]):
        i, four = 4 * b, packed[slot, b]
        status[i] = four & 3
        status[i + 1] = four >> 2 & 3
        status[i + 2] = four >> 4 & 3
        status[i + 3] = four >> 6
    for j in range(len(gamma)):
        gamma[j] = 0.0
    for i in range(pool.kept[slot]):
        gamma[kept[slot, i]] = np.float64(values[slot, i])


@lean_part
def _remove_top(pool: Pool, search: Search) -> None:
    heap, bound = pool.heap, pool.bound
    search.counts[OPEN] -= 1
    count = search.counts[OPEN]
    heap[0] = heap[count]
    position = 0
    while True:
        child = 2 * position + 1
        if child >= count:
            break
        if child + 1 < count and bound[heap[child + 1]] < bound[heap[child]]:
            child += 1
        if bound[heap[position]] <= bound[heap[child]]:
            break
        heap[position], heap[child] = heap[child], heap[position]
        position = child
