"""Open nodes of the perspective tree: dense slots, and a binary heap of slots with the lowest bound on top."""

from __future__ import annotations

from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import kernel


@kernel
def push(
    pool_status: Matrix, pool_gamma: Matrix, pool_bound: Vector, pool_mu: Vector, heap: IntVector, vacant: IntVector,
    counts: IntVector, n_open: int, status: IntVector, gamma: Vector, scalars: Vector, bound_at: int,
) -> None:
    """Copy a node into a vacant slot. Its bound stands at ``scalars[bound_at]``, its multiplier behind it."""
    position = counts[n_open]
    slot = vacant[len(vacant) - 1 - position]
    pool_bound[slot] = scalars[bound_at]
    pool_mu[slot] = scalars[bound_at + 1]
    for j in range(len(status)):
        pool_status[slot, j] = status[j]
        pool_gamma[slot, j] = gamma[j]
    counts[n_open] += 1
    heap[position] = slot
    while position > 0:
        parent = (position - 1) // 2
        if pool_bound[heap[parent]] <= pool_bound[heap[position]]:
            break
        heap[parent], heap[position] = heap[position], heap[parent]
        position = parent


@kernel
def pop_lowest(
    pool_status: Matrix, pool_gamma: Matrix, pool_bound: Vector, pool_mu: Vector, heap: IntVector, vacant: IntVector,
    counts: IntVector, n_open: int, status: IntVector, gamma: Vector, scalars: Vector, bound_at: int,
) -> None:
    """Take the node with the lowest bound out of the pool; the inverse of `push`."""
    slot = heap[0]
    scalars[bound_at] = pool_bound[slot]
    scalars[bound_at + 1] = pool_mu[slot]
    for j in range(len(status)):
        status[j] = pool_status[slot, j]
        gamma[j] = pool_gamma[slot, j]
    counts[n_open] -= 1
    count = counts[n_open]
    vacant[len(vacant) - 1 - count] = slot
    heap[0] = heap[count]
    position = 0
    while True:
        child = 2 * position + 1
        if child >= count:
            break
        if child + 1 < count and pool_bound[heap[child + 1]] < pool_bound[heap[child]]:
            child += 1
        if pool_bound[heap[position]] <= pool_bound[heap[child]]:
            break
        heap[position], heap[child] = heap[child], heap[position]
        position = child
