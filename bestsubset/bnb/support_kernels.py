"""Compiled valuation of complete supports in the perspective tree."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log_kernels import log_event, log_multiplier
from bestsubset.bnb.perspective_state import (
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
)
from bestsubset.bnb.relaxation_kernels import add_row, conjugate, sweep
from warmstarts.compilation import part

_SWEEPS = 20_000  # of coordinate descent on one support, where λ1 or a box forbids a closed form


@part
def list_included(node: Node) -> int:
    """List the included columns in ``node.chosen``; return how many."""
    size = 0
    for j in range(len(node.status)):
        if node.status[j] == IN:
            node.chosen[size] = j
            size += 1
    return size


@part
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


@part
def cholesky_value(terms: Terms, node: Node, size: int) -> float:
    """The objective of the first ``size`` chosen columns without λ1 and box; minus infinity if they are dependent."""
    work = np.empty((size, size + 1))
    value = terms.half_yy + terms.lam0 * size
    for a in range(size):
        i = node.chosen[a]
        row = terms.rows[terms.slot[i]]
        for b in range(a + 1):
            total = row[node.chosen[b]]
            if a == b:
                total += 2.0 * terms.rho[i]
            for s in range(b):
                total -= work[a, s] * work[b, s]
            if a > b:
                work[a, b] = total / work[b, b]
            elif total > 0.0:
                work[a, a] = np.sqrt(total)
            else:
                return -np.inf
        total = terms.c[i]
        for s in range(a):
            total -= work[a, s] * work[s, size]
        work[a, size] = total / work[a, a]
        value -= 0.5 * work[a, size] * work[a, size]
    return value


@part
def close_leaf(terms: Terms, node: Node, kk: int, search: Search, log: Log) -> int:
    """Value a node whose support is decided: all free columns enter, or none where no place is left."""
    for j in range(len(node.status)):
        if node.status[j] == FREE:
            node.status[j] = OUT if kk == 0 else IN
            if kk == 0 and node.gamma[j] != 0.0:
                add_row(node.w, node.gamma[j], terms.rows[terms.slot[j]])
                node.gamma[j] = 0.0
    size = list_included(node)
    for i in range(size):
        if terms.slot[node.chosen[i]] < 0:
            return MISSING
    if terms.is_plain:
        value = cholesky_value(terms, node, size)
        if value == -np.inf or not adopt(value, terms, node, size, search):
            search.scalars[REJECTED] = min(search.scalars[REJECTED], value)
        log_event(log, search, SUPPORT, 0, 0)
    else:
        _descend(terms, node, size, search)
        log_event(log, search, LEAF, log_multiplier(log, node.gamma), 0)
    return DONE


@part
def _descend(terms: Terms, node: Node, size: int, search: Search) -> None:
    """Close the gap of one support by coordinate descent, as far as the incumbent needs it closed."""
    for turn in range(_SWEEPS):
        change = sweep(terms, node, 0.0)
        if turn % 10 != 9 and change >= 1e-14:
            continue
        dual = primal = terms.half_yy
        for i in range(size):
            j = node.chosen[i]
            b, w, c = node.gamma[j], node.w[j], terms.c[j]
            gain = conjugate(w, terms.l1[j], terms.rho[j], terms.lo[j], terms.hi[j])
            dual -= 0.5 * b * (c - w) + gain - terms.lam0
            primal += terms.lam0 + terms.rho[j] * b * b + terms.l1[j] * abs(b) - 0.5 * b * (c + w)
        if dual >= search.scalars[PRUNE_AT]:
            return
        if primal - dual <= 1e-3 * terms.slack * abs(primal) or change < 1e-15 or turn >= _SWEEPS - 10:
            break
    adopt(primal, terms, node, size, search)
    if dual < search.scalars[PRUNE_AT]:
        search.scalars[REJECTED] = min(search.scalars[REJECTED], dual)
