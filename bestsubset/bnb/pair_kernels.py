r"""Compiled closing of all pairs at once, where two columns are left to choose in the perspective tree.

With T the Schur complement of the included columns in G + 2 diag(ρ), w what is left of c, and Δ what a pair must gain,
no pair (i, j) of the free columns improves on the incumbent if

.. math:: w_i^2 T_{jj} + w_j^2 T_{ii} - 2 w_i w_j T_{ij} \le \Delta\,(T_{ii}T_{jj} - T_{ij}^2);

see `downdating`, whose chains end in the same test.
"""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log_kernels import log_event
from bestsubset.bnb.perspective_state import FREE, PAIRS, PRUNE_AT, Log, Node, Search, Terms, Working
from bestsubset.bnb.support_kernels import judge, list_included
from warmstarts.compilation import lean_part

_MARGIN = 4e-14  # rounding of one test, relative to its terms


@lean_part
def close_pairs(terms: Terms, node: Node, work: Working, free: int, search: Search, log: Log) -> None:
    """Judge every pair of free columns that may beat the incumbent: the node is then done.

    The included columns are factored once; ``Node.factor`` gets their solutions for the free ones, ``w`` what is left
    of c, ``gain`` what is left of the diagonal.
    """
    rows, slot, rho, c = terms.rows, terms.slot, terms.rho, terms.c
    status, chosen, factor, left, w = node.status, node.chosen, node.factor, node.gain, node.w
    size = list_included(node)
    total = size
    for j in range(len(chosen)):
        if status[j] == FREE:
            chosen[total] = j
            total += 1
    needed = 2.0 * (terms.half_yy - search.scalars[PRUNE_AT])
    for a in range(total):
        row = slot[chosen[a]]
        left[a] = rows[row, chosen[a]] + 2.0 * rho[chosen[a]]
        w[a] = c[chosen[a]]
        for b in range(min(a, size)):
            entry = rows[row, chosen[b]]
            for s in range(b):
                entry -= factor[a, s] * factor[b, s]
            factor[a, b] = entry / factor[b, b]
            left[a] -= factor[a, b] * factor[a, b]
            w[a] -= factor[a, b] * w[b]
        if a < size:
            factor[a, a] = np.sqrt(left[a])
            w[a] /= factor[a, a]
            needed -= w[a] * w[a]
            continue
        on_diagonal = w[a] * w[a] * (1.0 + _MARGIN) - needed * left[a] * (1.0 - _MARGIN)
        on_square = left[a] * (1.0 + _MARGIN)
        for b in range(size, a):
            t = rows[row, chosen[b]]
            for s in range(size):
                t -= factor[a, s] * factor[b, s]
            if left[b] * on_diagonal + w[b] * w[b] * on_square + t * (needed * t - 2.0 * w[a] * w[b]) > 0.0:
                i, j = chosen[size], chosen[size + 1]
                first, second = chosen[b], chosen[a]
                chosen[size], chosen[size + 1] = first, second
                judge(terms, node, work, size + 2, search)
                chosen[size], chosen[size + 1] = i, j
    log_event(log, search, PAIRS, 0, 0)
