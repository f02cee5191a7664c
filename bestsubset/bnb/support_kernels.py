"""Compiled valuation of complete supports in the perspective tree."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log_kernels import log_event, log_multiplier
from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    CROWDED,
    DONE,
    FOUND,
    FREE,
    IN,
    LEAF,
    MISSING,
    OUT,
    PRUNE_AT,
    REJECTED,
    SUPPORT,
    UPPER,
    Log,
    Node,
    Search,
    Terms,
    Working,
)
from bestsubset.bnb.relaxation_kernels import conjugate, decide
from bestsubset.bnb.working_kernels import ADMITTED, ROW_MISSING, assemble, scatter, sweep
from warmstarts.compilation import lean_part

_SWEEPS = 20_000  # of coordinate descent on one support, where λ1 or a box forbids a closed form


@lean_part
def list_included(node: Node) -> int:
    """List the included columns in ``node.chosen``; return how many."""
    status, chosen = node.status, node.chosen
    size = 0
    for j in range(len(chosen)):
        if status[j] == IN:
            chosen[size] = j
            size += 1
    return size


@lean_part
def count_free(node: Node) -> int:
    """Return how many columns are undecided."""
    status = node.status
    free = 0
    for j in range(len(status)):
        free += status[j] == FREE
    return free


@lean_part
def adopt(value: float, terms: Terms, node: Node, size: int, search: Search) -> bool:
    """Make the first ``size`` chosen columns the incumbent if their value is better; tell whether it was."""
    if not value < search.scalars[UPPER]:
        return False
    search.scalars[UPPER] = value
    search.scalars[PRUNE_AT] = value * (1.0 - terms.slack) + terms.allowance
    search.counts[FOUND] += 1
    for i in range(len(search.best)):
        search.best[i] = node.chosen[i] if i < size else -1
    return True


@lean_part
def judge(terms: Terms, node: Node, work: Working, size: int, search: Search) -> None:
    """Value the first ``size`` chosen columns; adopt them or record what they were worth."""
    value = cholesky_value(terms, node, work, size)
    search.counts[ASSEMBLED] = 0
    if value == -np.inf or not adopt(value, terms, node, size, search):
        search.scalars[REJECTED] = min(search.scalars[REJECTED], value)


@lean_part
def cholesky_value(terms: Terms, node: Node, work: Working, size: int) -> float:
    """The objective of the first ``size`` chosen columns without λ1 and box; minus infinity if they are dependent.

    The working set, which held them all, is overwritten.
    """
    rows, slot, chosen, rho = terms.rows, terms.slot, node.chosen, terms.rho
    factor, solved = work.gram, work.w
    value = terms.half_yy + terms.lam0 * size
    for a in range(size):
        i = chosen[a]
        for b in range(a + 1):
            total = rows[slot[i], chosen[b]]
            if a == b:
                total += 2.0 * rho[i]
            for s in range(b):
                total -= factor[a, s] * factor[b, s]
            if a > b:
                factor[a, b] = total / factor[b, b]
            elif total > 0.0:
                factor[a, a] = np.sqrt(total)
            else:
                return -np.inf
        total = terms.c[i]
        for s in range(a):
            total -= factor[a, s] * solved[s]
        solved[a] = total / factor[a, a]
        value -= 0.5 * solved[a] * solved[a]
    return value


@lean_part
def close_leaf(terms: Terms, node: Node, work: Working, kk: int, search: Search, log: Log) -> int:
    """Value a node whose support is decided: all free columns enter, or none where no place is left."""
    for j in range(len(node.gamma)):
        if node.status[j] == FREE:
            if terms.slot[j] < 0 and kk > 0:
                return MISSING
            decide(terms, node, work, j, OUT if kk == 0 else IN)
    size = list_included(node)
    for i in range(size):
        if terms.slot[node.chosen[i]] < 0:
            return MISSING
    if terms.is_plain:
        judge(terms, node, work, size, search)
        log_event(log, search, SUPPORT, 0, 0)
        return DONE
    scatter(node, work)
    search.counts[ASSEMBLED] = 0  # the next node has another
    outcome = assemble(terms, node, work)
    if outcome != ADMITTED:
        return MISSING if outcome == ROW_MISSING else CROWDED
    _descend(terms, node, work, size, search)
    scatter(node, work)
    log_event(log, search, LEAF, log_multiplier(log, node.gamma), 0)
    return DONE


@lean_part
def _descend(terms: Terms, node: Node, work: Working, size: int, search: Search) -> None:
    """Close the gap of one support by coordinate descent, as far as the incumbent needs it closed."""
    for turn in range(_SWEEPS):
        change = sweep(work, 0.0)
        if turn % 10 != 9 and change >= 1e-14:
            continue
        dual = primal = terms.half_yy
        for a in range(work.size[0]):
            b, w, c = work.gamma[a], work.w[a], work.c[a]
            gain = conjugate(w, work.l1[a], work.rho[a], work.lo[a], work.hi[a])
            dual -= 0.5 * b * (c - w) + gain - terms.lam0
            primal += terms.lam0 + work.rho[a] * b * b + work.l1[a] * abs(b) - 0.5 * b * (c + w)
        if dual >= search.scalars[PRUNE_AT]:
            return
        if primal - dual <= 1e-3 * terms.slack * abs(primal) or change < 1e-15 or turn >= _SWEEPS - 10:
            break
    adopt(primal, terms, node, size, search)
    if dual < search.scalars[PRUNE_AT]:
        search.scalars[REJECTED] = min(search.scalars[REJECTED], dual)
