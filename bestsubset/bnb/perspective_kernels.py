"""Compiled search of the perspective tree. The mathematics stands in `perspective`."""

from __future__ import annotations

from bestsubset.bnb.log_kernels import has_room, keep_proof, log_event, proving_multiplier
from bestsubset.bnb.node_heap import pop_lowest, push
from bestsubset.bnb.perspective_state import (
    BEING_BOUNDED,
    BOUND,
    BRANCH,
    BRANCHED,
    BUDGET_SPENT,
    CURRENT,
    DONE,
    DUAL,
    FINISHED,
    FREE,
    ID,
    IDS,
    IN,
    JUST_MADE,
    LEAF,
    LOG_FULL,
    MISSING,
    MU,
    MULTIPLIER,
    N_FREE,
    NO_NODE,
    NO_ROOM,
    NODES,
    OPEN,
    OUT,
    POOL_FULL,
    PRIMAL,
    PRUNE_AT,
    ROWS_MISSING,
    SHARES,
    Log,
    Node,
    Pool,
    Search,
    Terms,
)
from bestsubset.bnb.relaxation_kernels import evaluate, fix, lacks_rows, refresh, sweep
from bestsubset.bnb.support_kernels import close_leaf, list_included
from warmstarts.compilation import kernel, part

_FIXING = 3  # sweeps from one look at what can be fixed to the next: each costs the certificate a multiplier
_MOST_SWEEPS = 200  # of coordinate descent in one node, before it is branched on regardless


@kernel
def grow(terms: Terms, node: Node, search: Search, pool: Pool, log: Log, root_sweeps: int, budget: int) -> int:
    """Open up to ``budget`` nodes, best bound first with dives."""
    scalars, counts = search.scalars, search.counts
    stop_at = counts[NODES] + budget
    while True:
        if counts[CURRENT] != BEING_BOUNDED:
            if counts[CURRENT] == NO_NODE and counts[OPEN] == 0:
                return FINISHED
            if counts[NODES] >= stop_at:
                return BUDGET_SPENT
            if counts[CURRENT] == NO_NODE:
                pop_lowest(pool, node, search)
            counts[CURRENT] = BEING_BOUNDED
            counts[NODES] += 1
        decision = DONE
        if scalars[BOUND] < scalars[PRUNE_AT]:
            refresh(terms, node)
            decision = _bound_node(terms, node, search, log, root_sweeps if counts[NODES] == 1 else 1)
        elif has_room(log, len(node.status)):
            log_event(log, search, LEAF, counts[MULTIPLIER], 0)
        else:
            decision = NO_ROOM
        if decision == NO_ROOM:
            return LOG_FULL
        if decision == MISSING:
            return ROWS_MISSING
        if decision == DONE:
            counts[CURRENT] = NO_NODE
        elif counts[OPEN] >= len(pool.bound):
            return POOL_FULL
        else:
            _branch(terms, node, search, pool, log)


@part
def _bound_node(terms: Terms, node: Node, search: Search, log: Log, min_sweeps: int) -> int:
    """Raise the bound of the node in hand until it is pruned, decided, or known not to be prunable."""
    scalars = search.scalars
    size = list_included(node)
    sweeps = 0
    while True:
        if not has_room(log, len(node.status)):
            return NO_ROOM
        kk = terms.k - size
        if kk == 0:
            return close_leaf(terms, node, kk, search, log)
        evaluate(terms, node, scalars[MU], kk)
        free = node.values[N_FREE]
        if free == 0 or (terms.lam0 == 0.0 and free <= kk):
            return close_leaf(terms, node, kk, search, log)
        if node.values[DUAL] > scalars[BOUND]:
            scalars[BOUND] = node.values[DUAL]
            keep_proof(log, node, search)
        if scalars[BOUND] >= scalars[PRUNE_AT]:
            log_event(log, search, LEAF, proving_multiplier(log, node, search), 0)
            return DONE
        if sweeps % _FIXING == 0 and fix(terms, node, search, log) > 0:
            size = list_included(node)
            if size >= terms.k:
                continue
        elif sweeps >= min_sweeps and (node.values[PRIMAL] < scalars[PRUNE_AT] or sweeps >= _MOST_SWEEPS):
            # The relaxation's value is below the incumbent: no multiplier can prune this node.
            return BRANCH
        change = sweep(terms, node, scalars[MU])
        sweeps += 1
        if (sweeps % 4 == 0 or change < 1e-7) and lacks_rows(terms, node, scalars[MU]):
            return MISSING
        if change < 1e-13 and sweeps > min_sweeps:
            sweeps = max(sweeps, _MOST_SWEEPS)
        scalars[MU] = max(scalars[MU] * min(max(node.values[SHARES] / kk, 0.5), 2.0), terms.lam0, 1e-14)


@part
def _branch(terms: Terms, node: Node, search: Search, pool: Pool, log: Log) -> None:
    """Branch on the largest coefficient of the relaxation; dive into the likelier child, store the other."""
    gamma, status = node.gamma, node.status
    j = -1
    for i in range(len(gamma)):
        if status[i] == FREE and gamma[i] != 0.0 and (j < 0 or abs(gamma[i]) > abs(gamma[j])):
            j = i
    if j < 0:
        for i in range(len(gamma)):
            if status[i] == FREE and (j < 0 or node.gain[i] > node.gain[j]):
                j = i
    b = gamma[j]
    include = 4.0 * terms.rho[j] * b * b >= search.scalars[MU]  # a relaxed indicator of at least a half
    proving_multiplier(log, node, search)
    log_event(log, search, BRANCHED, j, 0)
    counts = search.counts
    first = counts[IDS]  # the node with j in; the next one has j out
    counts[IDS] += 2
    status[j] = OUT if include else IN
    gamma[j] = 0.0 if include else b
    counts[ID] = first + 1 if include else first
    push(pool, node, search)
    counts[ID] = first if include else first + 1
    status[j] = IN if include else OUT
    gamma[j] = b if include else 0.0
    counts[CURRENT] = JUST_MADE
