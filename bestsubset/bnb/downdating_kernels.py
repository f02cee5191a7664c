"""Compiled search of the downdating tree. The mathematics stands in `downdating`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.downdating_state import (
    DRAINED,
    EXHAUSTED,
    FOUND,
    LEVEL,
    LOGGED,
    NODES,
    NOT_OPENED,
    PRUNE_AT,
    PRUNED,
    REJECTED,
    SWEPT,
    UPPER,
    Search,
    Stack,
    Swept,
)
from formulations._types import Matrix
from warmstarts.compilation import kernel, part

_MARGIN = 4e-14  # rounding of one closed-pairs test, relative to its terms
_SOLVE, _CHAIN, _END = 0, 2, 7  # tokens of the certificate


@kernel
def grow(search: Search, stack: Stack, swept: Swept, budget: int) -> bool:
    """Open up to ``budget`` nodes, depth first, while there is room in the log; True when nothing is left."""
    counts = search.counts
    stop_at = counts[NODES] + budget
    level = counts[LEVEL]
    while level >= 0:
        if len(search.tokens) and len(search.tokens) - (counts[LOGGED] - counts[DRAINED]) < search.k + 4:
            counts[LEVEL] = level
            return False
        if stack.next_child[level] == NOT_OPENED:
            if counts[NODES] >= stop_at:
                counts[LEVEL] = level
                return False
            counts[NODES] += 1
            _open(search, stack, swept, level)
        t = stack.next_child[level]
        if t < stack.first_child[level] or _bound_without(stack, level, t) >= search.scalars[PRUNE_AT]:
            if stack.next_child[level] != PRUNED:
                _log(search, _END)
            level -= 1  # children still to come are dearer yet
            continue
        stack.next_child[level] = t - 1
        _exclude(stack, level, t)
        level += 1
        stack.next_child[level] = NOT_OPENED
    counts[LEVEL] = level
    return True


@part
def _log(search: Search, token: int) -> None:
    if len(search.tokens):
        search.tokens[search.counts[LOGGED] - search.counts[DRAINED]] = token
        search.counts[LOGGED] += 1


@part
def _log_chain(search: Search, stack: Stack, level: int, chain: int) -> None:
    """Log the node: its children follow as they are opened."""
    _log(search, _CHAIN)
    _log(search, chain)
    for t in range(chain):
        _log(search, search.names[stack.free[level, t]])


@part
def _bound_without(stack: Stack, level: int, t: int) -> float:
    bound: float = stack.rss[level] + stack.increase[level, t]
    return bound


@part
def _block(stack: Stack, level: int) -> Matrix:
    nf = stack.n_free[level]
    start = stack.offsets[level]
    return stack.H[start : start + nf * nf].reshape((nf, nf))


@part
def _open(search: Search, stack: Stack, swept: Swept, level: int) -> None:
    """Order a node's children and close what needs none: the pairs at the end of its chain, or its only exclusion."""
    nf, ni = stack.n_free[level], stack.n_in[level]
    stack.first_child[level] = 0
    stack.next_child[level] = EXHAUSTED
    if stack.rss[level] >= search.scalars[PRUNE_AT]:
        stack.next_child[level] = PRUNED
        _log(search, _SOLVE)
        return
    block, beta, increase = _block(stack, level), stack.beta[level], stack.increase[level]
    for i in range(nf):
        increase[i] = beta[i] * beta[i] / block[i, i]
    chain = search.k - ni - 2
    free = stack.free[level]
    if nf - 1 == search.k - ni:
        _log_chain(search, stack, level, chain)
        _close_last_exclusion(search, stack, level)
        return
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
    _log_chain(search, stack, level, chain)
    _sweep_chain(search, stack, swept, level, chain)
    _close_pairs(search, stack, swept, level, chain)


@part
def _swap(block: Matrix, nf: int, a: int, b: int) -> None:
    """Swap rows and columns a and b of a symmetric block."""
    for i in range(nf):
        block[a, i], block[b, i] = block[b, i], block[a, i]
    for i in range(nf):
        row = block[i]
        row[a], row[b] = row[b], row[a]


@part
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
    old, new = _block(stack, level), _block(stack, child)
    pivot = old[t, t + 1 :]
    scale = 1.0 / old[t, t]
    step = stack.beta[level, t] * scale
    for a in range(size):
        stack.free[child, a] = stack.free[level, t + 1 + a]
        stack.beta[child, a] = stack.beta[level, t + 1 + a] - pivot[a] * step
        factor = pivot[a] * scale
        source, target = old[t + 1 + a, t + 1 :], new[a]
        for b in range(size):
            target[b] = source[b] - factor * pivot[b]


@part
def _sweep_chain(search: Search, stack: Stack, swept: Swept, level: int, chain: int) -> None:
    """Sweep the node's columns and its chain into T, reusing the prefix that the last node had too."""
    m = len(search.moments) - 1
    ni = stack.n_in[level]
    pivot = np.empty(m)
    same = True
    for s in range(ni + chain):
        column = stack.inside[level, s] if s < ni else stack.free[level, s - ni]
        if same and s < search.counts[SWEPT] and swept.order[s] == column:
            continue
        same = False
        old, new = swept.T[s], swept.T[s + 1]
        scale = 1.0 / old[column, column]
        for i in range(column):
            pivot[i] = old[i, column]
        for i in range(column, m):
            pivot[i] = old[column, i]
        step = swept.w[s, column] * scale
        for i in range(m):
            swept.w[s + 1, i] = swept.w[s, i] - pivot[i] * step
            factor = pivot[i] * scale
            source, target = old[i], new[i]
            for j in range(i, m):
                target[j] = source[j] - factor * pivot[j]
        swept.rss[s + 1] = swept.rss[s] - swept.w[s, column] * step
        swept.order[s] = column
    search.counts[SWEPT] = ni + chain


@part
def _close_pairs(search: Search, stack: Stack, swept: Swept, level: int, chain: int) -> None:
    """Rule out every pair of the columns behind the chain at once, or look at those that may win."""
    m = len(search.moments) - 1
    done = stack.n_in[level] + chain
    T, w = swept.T[done], swept.w[done]
    needed = swept.rss[done] - search.scalars[PRUNE_AT]
    free, nf = stack.free[level], stack.n_free[level]
    ruled_out = np.empty(m)
    diagonal = np.empty(m)
    squares = np.empty(m)
    for i in range(m):
        ruled_out[i] = -np.inf
        diagonal[i] = T[i, i]
        squares[i] = w[i] * w[i]
    for a in range(chain, nf):
        ruled_out[free[a]] = 0.0
    for a in range(chain, nf):
        i = free[a]
        row = T[i]
        on_diagonal = squares[i] * (1.0 + _MARGIN) - needed * diagonal[i] * (1.0 - _MARGIN)
        on_square = diagonal[i] * (1.0 + _MARGIN)
        twice = 2.0 * w[i]
        hits = 0
        for j in range(i + 1, m):
            t = row[j]
            excess = diagonal[j] * on_diagonal + squares[j] * on_square + t * (needed * t - twice * w[j])
            hits += excess + ruled_out[j] > 0.0
        if hits == 0:
            continue
        for j in range(i + 1, m):
            t = row[j]
            excess = diagonal[j] * on_diagonal + squares[j] * on_square + t * (needed * t - twice * w[j])
            if excess + ruled_out[j] > 0.0:
                for s in range(done):
                    search.support[s] = swept.order[s]
                search.support[done] = i
                search.support[done + 1] = j
                _judge(search)


@part
def _close_last_exclusion(search: Search, stack: Stack, level: int) -> None:
    """One column too many: leave each out in turn."""
    nf, ni = stack.n_free[level], stack.n_in[level]
    for out in range(nf):
        if _bound_without(stack, level, out) >= search.scalars[PRUNE_AT]:
            continue
        for s in range(ni):
            search.support[s] = stack.inside[level, s]
        position = ni
        for a in range(nf):
            if a != out:
                search.support[position] = stack.free[level, a]
                position += 1
        _judge(search)


@part
def _judge(search: Search) -> None:
    """Value the complete support afresh (Cholesky on its moments); adopt it or record what it was worth."""
    moments, support, work, k = search.moments, search.support, search.work, search.k
    scalars = search.scalars
    m = len(moments) - 1
    value = moments[m, m]
    for a in range(k):
        i = support[a]
        for b in range(a + 1):
            total = moments[i, support[b]]
            for s in range(b):
                total -= work[a, s] * work[b, s]
            if a > b:
                work[a, b] = total / work[b, b]
            elif total > 0.0:
                work[a, a] = np.sqrt(total)
            else:  # numerically dependent: nothing is proved about it
                scalars[REJECTED] = -np.inf
                return
        total = moments[m, i]
        for s in range(a):
            total -= work[a, s] * work[s, k]
        work[a, k] = total / work[a, a]
        value -= work[a, k] * work[a, k]
    if value < scalars[UPPER]:
        scalars[UPPER] = value
        scalars[PRUNE_AT] = value * (1.0 - search.slack) + search.allowance
        search.counts[FOUND] += 1
        for s in range(k):
            search.best[s] = support[s]
    else:
        scalars[REJECTED] = min(scalars[REJECTED], value)
