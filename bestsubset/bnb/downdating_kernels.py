"""Compiled search of the downdating tree. The mathematics stands in `downdating`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.downdating_state import (
    DRAINED,
    EXHAUSTED,
    GIVEN,
    LEVEL,
    LOGGED,
    NODES,
    NOT_OPENED,
    PRUNE_AT,
    PRUNED,
    SWEPT_FOR,
    WANTED,
    Search,
    Stack,
    Swept,
    padded,
)
from bestsubset.bnb.tail_kernels import close_tail, closes_triples, judge, renew, sweep
from formulations._types import Matrix
from warmstarts.compilation import lean_kernel, lean_part

_LEAST_BURST = 20  # nodes opened even where others wait for some
_SOLVE, _CHAIN, _END = 0, 2, 7  # tokens of the certificate

_padded = lean_part(padded)


@lean_kernel
def grow(search: Search, stack: Stack, swept: Swept, budget: int) -> bool:
    """Open up to ``budget`` nodes, depth first, while there is room in the log; True where it ran out."""
    counts = search.counts
    stop_at = counts[NODES] + budget
    may_stop_at = counts[NODES] + _LEAST_BURST
    level = counts[LEVEL]
    while level >= 0:
        if len(search.tokens) and len(search.tokens) - (counts[LOGGED] - counts[DRAINED]) < search.k + 4 * len(
            search.moments
        ):
            counts[LEVEL] = level
            return True
        if stack.next_child[level] == NOT_OPENED:
            if counts[NODES] >= stop_at or (counts[WANTED] > 0 and counts[NODES] >= may_stop_at):
                counts[LEVEL] = level
                return False
            counts[NODES] += 1
            _open(search, stack, swept, level)
        t = stack.next_child[level]
        if t < stack.first_child[level] or _bound_without(stack, level, t) >= search.scalars[PRUNE_AT]:
            if stack.next_child[level] == GIVEN:
                _log(search, -1 - level)
            elif stack.next_child[level] != PRUNED:
                _log(search, _END)
            level -= 1  # children still to come are dearer yet
            continue
        stack.next_child[level] = t - 1
        _exclude(stack, level, t)
        level += 1
        stack.next_child[level] = NOT_OPENED
    counts[LEVEL] = level
    return False


@lean_part
def _log(search: Search, token: int) -> None:
    if len(search.tokens):
        search.tokens[search.counts[LOGGED] - search.counts[DRAINED]] = token
        search.counts[LOGGED] += 1


@lean_part
def _log_chain(search: Search, stack: Stack, level: int, chain: int) -> None:
    """Log the node: its children follow as they are opened."""
    _log(search, _CHAIN)
    _log(search, chain)
    for t in range(chain):
        _log(search, search.names[stack.free[level, t]])


@lean_part
def _log_tail(search: Search, stack: Stack, level: int, chain: int) -> None:
    """Log a node whose triples are closed as what a checker can redo: pairs with the dearest column in, then out, …"""
    nf, k = stack.n_free[level], search.k
    if k - stack.n_in[level] - chain == 2:
        _log_chain(search, stack, level, chain)
        return
    free, beta_of_node, names, tokens = stack.free[level], stack.beta[level], search.names, search.tokens
    stride = _padded(stack.n_free[level])  # a lean part cannot return a view, so the block is made where it is used
    start = stack.offsets[level]
    block = stack.H[start : start + stack.n_free[level] * stride].reshape((stack.n_free[level], stride))
    rows, h, beta = search.scratch.rows, search.scratch.diagonal, search.scratch.beta
    for i in range(chain, nf):
        h[i] = block[i, i]
        beta[i] = beta_of_node[i]
    at = search.counts[LOGGED] - search.counts[DRAINED]
    tokens[at] = _CHAIN
    tokens[at + 1] = chain + 1
    for t in range(chain):
        tokens[at + 2 + t] = names[free[t]]
    at += chain + 2
    rss = stack.rss[level]
    depth = 0
    while True:
        dearest, best = chain, -1.0
        for i in range(chain, nf):
            increase = beta[i] * beta[i] / h[i]
            if increase > best:
                dearest, best = i, increase
        tokens[at] = names[free[dearest]]
        at += 1
        rss += best
        if rss >= search.scalars[PRUNE_AT] or nf - chain - depth <= 4:
            break
        for i in range(chain, nf):
            rows[depth, i] = block[dearest, i]
        for e in range(depth):
            factor = rows[e, dearest]
            for i in range(chain, nf):
                rows[depth, i] -= factor * rows[e, i]
        scale = 1.0 / np.sqrt(h[dearest])
        step = beta[dearest] * scale
        for i in range(chain, nf):
            rows[depth, i] *= scale
            h[i] -= rows[depth, i] * rows[depth, i]
            beta[i] -= rows[depth, i] * step
        beta[dearest], h[dearest] = 2.0, -1.0  # out: never the dearest again
        depth += 1
        tokens[at] = _CHAIN
        tokens[at + 1] = 1
        at += 2
    for _ in range(depth):
        tokens[at] = _END
        at += 1
    search.counts[LOGGED] = search.counts[DRAINED] + at


@lean_part
def _bound_without(stack: Stack, level: int, t: int) -> float:
    bound: float = stack.rss[level] + stack.increase[level, t]
    return bound


@lean_part
def _open(search: Search, stack: Stack, swept: Swept, level: int) -> None:
    """Order a node's children and close what needs none: the pairs at the end of its chain, or its only exclusion."""
    nf, ni = stack.n_free[level], stack.n_in[level]
    stack.first_child[level] = 0
    stack.next_child[level] = EXHAUSTED
    if stack.rss[level] >= search.scalars[PRUNE_AT]:
        stack.next_child[level] = PRUNED
        _log(search, _SOLVE)
        return
    start, stride = stack.offsets[level], _padded(stack.n_free[level])
    block = stack.H[start : start + stack.n_free[level] * stride].reshape((stack.n_free[level], stride))
    beta, increase = stack.beta[level], stack.increase[level]
    for i in range(nf):
        increase[i] = beta[i] * beta[i] / block[i, i]
    free = stack.free[level]
    if nf - 1 == search.k - ni:
        _log_chain(search, stack, level, search.k - ni - 2)
        _close_last_exclusion(search, stack, level)
        return
    chain = max(search.k - ni - 3, 0)
    for t in range(chain):
        dearest = t
        for i in range(t + 1, nf):
            if increase[i] > increase[dearest]:
                dearest = i
        if dearest != t:
            _swap(block, nf, t, dearest)
            beta[t], beta[dearest] = beta[dearest], beta[t]
            increase[t], increase[dearest] = increase[dearest], increase[t]
            free[t], free[dearest] = free[dearest], free[t]
        if _bound_without(stack, level, t) >= search.scalars[PRUNE_AT]:
            stack.first_child[level] = t + 1  # leaving t out is hopeless: it is in, and costs no child
    stack.next_child[level] = chain - 1
    if len(search.tokens):
        _log_tail(search, stack, level, chain)
    if search.scalars[PRUNE_AT] < search.scalars[SWEPT_FOR]:
        renew(search, stack, swept, level)
    for t in range(chain - 1):
        sweep(swept.K, ni + t, free[t], free, t + 1, nf)
    last = max(chain - 1, 0)  # what is left after the last column is for this node alone, and seldom needed
    column = free[last] if chain > 0 else -1
    if search.k - ni < 3 or not closes_triples(swept, ni + last, column, free, chain, nf):
        if chain > 0:
            sweep(swept.K, ni + last, column, free, chain, nf)
        close_tail(search, stack, swept, level, chain)


@lean_part
def _swap(block: Matrix, nf: int, a: int, b: int) -> None:
    """Swap rows and columns a and b of a symmetric block."""
    for i in range(nf):
        block[a, i], block[b, i] = block[b, i], block[a, i]
    for i in range(nf):
        row = block[i]
        row[a], row[b] = row[b], row[a]


@lean_part
def _exclude(stack: Stack, level: int, t: int) -> None:
    """Make the child that includes the first t free columns and excludes the next: a rank-one downdate."""
    child = level + 1
    nf, ni = stack.n_free[level], stack.n_in[level]
    size = nf - t - 1
    stack.n_free[child] = size
    stack.n_in[child] = ni + t
    stack.rss[child] = _bound_without(stack, level, t)
    for a in range(ni):
        stack.inside[child, a] = stack.inside[level, a]
    for a in range(t):
        stack.inside[child, ni + a] = stack.free[level, a]
    start, stride = stack.offsets[level], _padded(stack.n_free[level])
    old = stack.H[start : start + stack.n_free[level] * stride].reshape((stack.n_free[level], stride))
    start, stride = stack.offsets[child], _padded(stack.n_free[child])
    new = stack.H[start : start + stack.n_free[child] * stride].reshape((stack.n_free[child], stride))
    pivot, width = old[t, t + 1 :], _padded(size)
    scale = 1.0 / old[t, t]
    step = stack.beta[level, t] * scale
    for a in range(size):
        stack.free[child, a] = stack.free[level, t + 1 + a]
        stack.beta[child, a] = stack.beta[level, t + 1 + a] - pivot[a] * step
        factor = pivot[a] * scale
        source, target = old[t + 1 + a, t + 1 :], new[a]
        for b in range(width):  # whole vectors: what stands behind a row is read, and never used
            target[b] = source[b] - factor * pivot[b]


@lean_part
def _close_last_exclusion(search: Search, stack: Stack, level: int) -> None:
    """One column too many: leave each out in turn."""
    nf, ni = stack.n_free[level], stack.n_in[level]
    for out in range(nf):
        if _bound_without(stack, level, out) >= search.scalars[PRUNE_AT]:
            continue
        for s in range(ni):
            search.scratch.support[s] = stack.inside[level, s]
        position = ni
        for a in range(nf):
            if a != out:
                search.scratch.support[position] = stack.free[level, a]
                position += 1
        judge(search)
