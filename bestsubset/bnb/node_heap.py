"""Open nodes of the perspective tree: a binary heap with the lowest bound on top."""

from __future__ import annotations

from bestsubset.bnb.perspective_state import BOUND, FRESH, ID, MU, MULTIPLIER, OPEN, Node, Pool, Search
from warmstarts.compilation import part


@part
def push(pool: Pool, node: Node, search: Search) -> None:
    """Copy the node in hand into a vacant slot."""
    position = search.counts[OPEN]
    slot = pool.vacant[len(pool.vacant) - 1 - position]
    pool.bound[slot] = search.scalars[BOUND]
    pool.mu[slot] = search.scalars[MU]
    pool.node[slot] = search.counts[ID]
    pool.multiplier[slot] = search.counts[MULTIPLIER]
    for j in range(len(node.status)):
        pool.status[slot, j] = node.status[j]
        pool.gamma[slot, j] = node.gamma[j]
    search.counts[OPEN] += 1
    heap, bound = pool.heap, pool.bound
    heap[position] = slot
    while position > 0:
        parent = (position - 1) // 2
        if bound[heap[parent]] <= bound[heap[position]]:
            break
        heap[parent], heap[position] = heap[position], heap[parent]
        position = parent


@part
def pop_lowest(pool: Pool, node: Node, search: Search) -> None:
    """Take the node with the lowest bound in hand; the inverse of `push`."""
    heap, bound = pool.heap, pool.bound
    slot = heap[0]
    search.scalars[BOUND] = bound[slot]
    search.scalars[MU] = pool.mu[slot]
    search.counts[ID] = pool.node[slot]
    search.counts[MULTIPLIER] = pool.multiplier[slot]
    search.counts[FRESH] = 0
    for j in range(len(node.status)):
        node.status[j] = pool.status[slot, j]
        node.gamma[j] = pool.gamma[slot, j]
    search.counts[OPEN] -= 1
    count = search.counts[OPEN]
    pool.vacant[len(pool.vacant) - 1 - count] = slot
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
