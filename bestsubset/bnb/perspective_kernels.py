"""Compiled search of the perspective tree. The mathematics stands in `perspective`."""

from __future__ import annotations

from bestsubset.bnb.log_kernels import has_room, keep_proof, log_branching, log_event, proving_multiplier
from bestsubset.bnb.node_pool import is_full, pop, push
from bestsubset.bnb.pair_kernels import close_pairs
from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    BEING_BOUNDED,
    BOUND,
    BRANCH,
    BUDGET_SPENT,
    CROWDED,
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
    NO_NODE,
    NO_ROOM,
    NODES,
    OPEN,
    OUT,
    POOL_FULL,
    PRIMAL,
    PRUNE_AT,
    REACH,
    ROWS_MISSING,
    SEEN,
    SHARES,
    STACKED,
    STRIDE,
    WANTED,
    WORKING_DUAL,
    WORKING_FULL,
    Log,
    Node,
    Pool,
    Search,
    Terms,
    Working,
)
from bestsubset.bnb.relaxation_kernels import decide, fix, look, see
from bestsubset.bnb.support_kernels import close_leaf, count_free, list_included
from bestsubset.bnb.working_kernels import ADMITTED, ROW_MISSING, admit_movable, assemble, evaluate, scatter, sweep
from warmstarts.compilation import lean_kernel, lean_part

_MOST_SWEEPS = 200  # of coordinate descent in one node, before it is branched on regardless
_BETWEEN_LOOKS = 3  # sweeps of the working set from one look at all columns to the next
_STALE = 0.2  # of what is missing to the incumbent, by which a bound may lag behind


@lean_kernel
def grow(
    terms: Terms, node: Node, work: Working, search: Search, pool: Pool, log: Log, root_sweeps: int, budget: int
) -> int:
    """Open up to ``budget`` nodes, best bound first with dives."""
    scalars, counts = search.scalars, search.counts
    stop_at, may_stop_at = counts[NODES] + budget, counts[NODES] + min(budget, 8)
    while True:
        is_resumed = counts[CURRENT] == BEING_BOUNDED
        if not is_resumed:
            if counts[CURRENT] == NO_NODE and counts[OPEN] + counts[STACKED] == 0:
                return FINISHED
            if counts[NODES] >= stop_at or (counts[WANTED] > 0 and counts[NODES] >= may_stop_at):
                return BUDGET_SPENT
            if counts[CURRENT] == NO_NODE:
                pop(pool, node, search)
            counts[CURRENT] = BEING_BOUNDED
            counts[NODES] += 1
        decision = DONE
        if not has_room(log, len(node.gamma)):
            decision = NO_ROOM
        elif scalars[BOUND] >= scalars[PRUNE_AT]:
            log_event(log, search, LEAF, counts[MULTIPLIER], 0)
        else:
            decision = _bound_node(terms, node, work, search, log, root_sweeps if counts[NODES] == 1 else 1, is_resumed)
        if decision == BRANCH and not is_full(pool, search):
            _branch(terms, node, work, search, pool, log)
        elif decision == DONE:
            counts[CURRENT] = NO_NODE
        if decision == BRANCH and counts[CURRENT] == JUST_MADE:
            continue
        if decision != DONE:
            scatter(node, work)
            return _reason(decision)


@lean_part
def _reason(decision: int) -> int:
    """Why a burst ends in the middle of a node."""
    if decision == NO_ROOM:
        return LOG_FULL
    if decision == MISSING:
        return ROWS_MISSING
    return WORKING_FULL if decision == CROWDED else POOL_FULL


@lean_part
def _bound_node(
    terms: Terms, node: Node, work: Working, search: Search, log: Log, min_sweeps: int, is_resumed: bool
) -> int:
    """Raise the bound of the node in hand until it is pruned, decided, or known not to be prunable.

    Most sweeps and tests are those of the working set, and cost little; a look at all columns costs most, and is taken
    where it may prune the node or fix columns, or where the bound that the node inherited has become a bad one.
    """
    scalars, counts, values = search.scalars, search.counts, node.values
    if counts[ASSEMBLED] == 0:
        outcome = assemble(terms, node, work)
        if outcome != ADMITTED:
            return MISSING if outcome == ROW_MISSING else CROWDED
        counts[ASSEMBLED] = 1
    if is_resumed:
        admit_movable(terms, node, work, scalars[MU])  # those whose rows were missing
    size, free = list_included(node), count_free(node)
    sweeps = 0
    next_look = _BETWEEN_LOOKS if is_resumed else 0
    is_stuck = False
    while True:
        kk = terms.k - size
        if kk == 0 or free == 0 or (terms.lam0 == 0.0 and free <= kk):
            return close_leaf(terms, node, work, kk, search, log)
        evaluate(terms, node, work, scalars[MU], kk, free)
        prune_at = scalars[PRUNE_AT]
        # With a value of the relaxation below the incumbent no multiplier can prune this node.
        is_hopeless = sweeps >= min_sweeps and (values[PRIMAL] < prune_at or sweeps >= _MOST_SWEEPS)
        is_stale = values[WORKING_DUAL] - scalars[BOUND] > _STALE * (prune_at - scalars[BOUND])
        is_due = sweeps >= next_look and (values[WORKING_DUAL] >= prune_at or sweeps < min_sweeps - 1)
        if is_stuck or is_due or (is_hopeless and (is_stale or values[REACH] >= prune_at)):
            next_look = sweeps + _BETWEEN_LOOKS
            if counts[SEEN] == 0:
                see(terms, node, work)
                counts[SEEN] = 1
            look(terms, node, work, kk, free)
            if values[DUAL] > scalars[BOUND]:
                scalars[BOUND] = values[DUAL]
                keep_proof(log, node, search)
            if scalars[BOUND] >= prune_at:
                log_event(log, search, LEAF, proving_multiplier(log, node, search), 0)
                return DONE
            fixed = 0 if terms.fixes_late and not is_hopeless else fix(terms, node, work, search, log)
            if fixed > 0:
                if not has_room(log, len(node.gamma)):
                    return NO_ROOM
                size, free = list_included(node), count_free(node)
                if size >= terms.k or free == 0:
                    continue
                kk = terms.k - size
            before = work.size[0]
            outcome = admit_movable(terms, node, work, scalars[MU])
            if outcome != ADMITTED and work.size[0] == before:
                return MISSING if outcome == ROW_MISSING else CROWDED
            is_settled = work.size[0] == before
            is_hopeless = (is_hopeless and (min_sweeps == 1 or is_settled)) or (is_stuck and is_settled)
        if is_hopeless:
            if kk == 2 and terms.closes_pairs:
                close_pairs(terms, node, work, free, search, log)
                return DONE
            return BRANCH
        change = sweep(work, scalars[MU])
        counts[SEEN] = 0
        sweeps += 1
        is_stuck = change < 1e-13
        scalars[MU] = max(scalars[MU] * min(max(values[SHARES] / kk, 0.5), 2.0), terms.lam0, 1e-14)


@lean_part
def _branch(terms: Terms, node: Node, work: Working, search: Search, pool: Pool, log: Log) -> None:
    """Branch on the largest coefficient of the relaxation; dive into the likelier child, store the other."""
    best = -1
    for a in range(work.size[0]):
        if work.kind[a] == FREE and work.gamma[a] != 0.0 and (best < 0 or abs(work.gamma[a]) > abs(work.gamma[best])):
            best = a
    j = -1
    if best >= 0:
        j = work.columns[best]
    else:
        for i in range(len(node.gamma)):
            if node.status[i] == FREE and (j < 0 or abs(terms.c[i]) > abs(terms.c[j])):
                j = i
    b = work.gamma[best] if best >= 0 else 0.0
    include = 4.0 * terms.rho[j] * b * b >= search.scalars[MU]  # a relaxed indicator of at least a half
    proving_multiplier(log, node, search)
    counts = search.counts
    first = counts[IDS]  # the node with j in; the next one has j out
    counts[IDS] += counts[STRIDE]
    log_branching(log, search, j, first)
    # The sibling that is stored has j's coefficient whatever it decides: `assemble` drops what is out.
    node.status[j] = OUT if include else IN
    counts[ID] = first + 1 if include else first
    push(pool, node, work, search)
    counts[ID] = first if include else first + 1
    decide(terms, node, work, j, IN if include else OUT)
    zeros = 0
    for a in range(work.size[0]):
        zeros += work.gamma[a] == 0.0
    if (include and best < 0) or 2 * zeros > work.size[0] + 32:  # j belongs to the working set; idle columns do not
        scatter(node, work)
        counts[ASSEMBLED] = counts[SEEN] = 0
    counts[CURRENT] = JUST_MADE
