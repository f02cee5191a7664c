"""Compiled parts of the perspective relaxation over all columns: conjugates, envelopes, the dual bound, fixing."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log_kernels import log_event, log_fixing, log_multiplier
from bestsubset.bnb.perspective_state import (
    BOUND,
    DUAL,
    FIX,
    FOLLOWING,
    FREE,
    FRESH,
    IN,
    KTH,
    MULTIPLIER,
    OUT,
    PRUNE_AT,
    Log,
    Node,
    Search,
    Terms,
    Working,
)
from formulations._types import Vector
from warmstarts.compilation import lean_part


@lean_part
def conjugate(v: float, l1: float, rho: float, lo: float, hi: float) -> float:
    r"""Return :math:`\max_{lo\le b\le hi} v b - \lambda_1|b| - \rho b^2`, at least 0."""
    slope = abs(v) - l1
    if slope <= 0.0:
        return 0.0
    bound = hi if v > 0 else -lo
    if bound == 0.0:
        return 0.0
    if rho == 0.0 and bound == np.inf:
        return np.inf
    b = bound
    if rho > 0.0 and slope < 2.0 * rho * bound:
        b = slope / (2.0 * rho)
    return b * slope - rho * b * b


@lean_part
def minimiser(
    a: float, q: float, mu: float, root_mu: float, l1: float, rho: float, root_rho: float, lo: float, hi: float
) -> float:
    r"""Return the b that minimises :math:`\tfrac12 q b^2 - a b` plus the convex envelope of the penalty.

    The envelope of :math:`\mu 1[b\ne0] + \lambda_1|b| + \rho b^2` on the box has slope
    :math:`2\sqrt{\rho\mu}` up to :math:`|b| = \sqrt{\mu/\rho}`, or :math:`\mu/M + \rho M` where that lies outside
    (Hazimeh, Mazumder and Saab 2022, theorem 1). The square roots of μ and ρ are handed in.
    """
    bound = hi if a > 0 else -lo
    slope = abs(a) - l1
    if bound == 0.0 or slope <= 0.0:
        return 0.0
    if rho > 0.0 and mu <= rho * bound * bound:
        chord = 2.0 * root_rho * root_mu
        if slope <= chord:
            return 0.0
        knee = root_mu / root_rho
    elif bound < np.inf:
        chord = mu / bound + rho * bound
        knee = bound
    else:
        return 0.0  # no ridge and no bound: the envelope is zero, and the dual bound minus infinity
    if slope <= chord:
        return 0.0
    b = (slope - chord) / q
    if b > knee:
        b = max(knee, slope / (q + 2.0 * rho))
    size: float = min(b, bound)
    return size if a > 0 else -size


@lean_part
def share(b: float, mu: float, rho: float, lo: float, hi: float) -> float:
    """The relaxed indicator z that the envelope gives to coefficient b."""
    size = abs(b)
    z = size * np.sqrt(rho / mu) if mu > 0.0 else 1.0
    z = max(z, size / (hi if b > 0 else -lo))
    return min(z, 1.0)


@lean_part
def keep_largest(top: Vector, g: float, filled: int, room: int) -> int:
    """Insert into a list of at most ``room``, kept in descending order; return its length."""
    if filled >= room and g <= top[filled - 1]:
        return filled
    i = filled if filled < room else room - 1
    while i > 0 and top[i - 1] < g:
        top[i] = top[i - 1]
        i -= 1
    top[i] = g
    return min(filled + 1, room)


@lean_part
def see(terms: Terms, node: Node, work: Working) -> None:
    """Compute w = c - Qγ on all columns afresh: nothing drifts from node to node."""
    w, target, c, rows, slot = node.w, node.gamma, terms.c, terms.rows, terms.slot
    columns, gamma, near = work.columns, work.gamma, work.w
    for j in range(len(w)):
        w[j] = c[j]
    for a in range(work.size[0]):
        factor = gamma[a]
        target[columns[a]] = factor
        if factor != 0.0:
            row = slot[columns[a]]
            for j in range(len(w)):
                w[j] -= factor * rows[row, j]
    for a in range(work.size[0]):
        near[a] = w[columns[a]]


@lean_part
def look(terms: Terms, node: Node, work: Working, kk: int, free: int) -> None:
    """Compute the dual bound over all columns, of the γ just seen.

    ``gain[j]`` becomes h*(w_j) - λ0; ``node.values`` get the bound, and the kk-th and the next largest of the free
    positive gains.
    """
    w, status, gain, top, values = node.w, node.status, node.gain, node.top, node.values
    c, l1, rho, lo, hi, lam0 = terms.c, terms.l1, terms.rho, terms.lo, terms.hi, terms.lam0
    columns, gamma = work.columns, work.gamma
    dual = terms.half_yy
    for a in range(work.size[0]):
        j = columns[a]
        dual -= 0.5 * gamma[a] * (c[j] - w[j])
    total = 0.0
    filled = 0
    for j in range(len(w)):
        if status[j] == OUT:
            continue
        g = conjugate(w[j], l1[j], rho[j], lo[j], hi[j]) - lam0
        gain[j] = g
        if status[j] == IN:
            dual -= g
        elif g > 0.0:
            total += g
            if kk < free:  # else all of them have a place
                filled = keep_largest(top, g, filled, kk + 1)
    if filled > kk:
        total = 0.0
        for i in range(kk):
            total += top[i]
    values[DUAL] = dual - total
    values[KTH] = top[kk - 1] if filled >= kk else 0.0
    values[FOLLOWING] = top[kk] if filled > kk else 0.0


@lean_part
def fix(terms: Terms, node: Node, work: Working, search: Search, log: Log) -> int:
    """Fix free columns whose other side cannot beat the incumbent, by the look just taken; return how many.

    Forcing column j in displaces the kk-th gain; leaving out one of the kk largest lets the next one in (Atamtürk and
    Gómez 2020, in cardinality form).
    """
    status, gamma, gain = node.status, node.gamma, node.gain
    prune_at = search.scalars[PRUNE_AT]
    bound, kth, following = node.values[DUAL], node.values[KTH], node.values[FOLLOWING]
    fixed = 0
    multiplier = -1
    for j in range(len(gamma)):
        if status[j] != FREE:
            continue
        g = gain[j]
        is_in = g > following and g >= kth and g > 0.0
        if bound + (g - following if is_in else kth - g) < prune_at:
            continue
        if fixed == 0:
            multiplier = log_multiplier(log, gamma)  # as it is now: dropping columns changes it
        log_fixing(log, j if is_in else -1 - j, fixed)
        fixed += 1
        decide(terms, node, work, j, IN if is_in else OUT)
    if fixed:
        log_event(log, search, FIX, multiplier, fixed)
        if search.counts[FRESH] and bound >= search.scalars[BOUND]:  # the node's best bound is by the same multiplier
            search.counts[MULTIPLIER] = multiplier
            search.counts[FRESH] = 0
    return fixed


@lean_part
def decide(terms: Terms, node: Node, work: Working, j: int, status: int) -> None:
    """Put column j in or out, in the working set too where it stands there; w follows."""
    node.status[j] = status
    a = work.position[j]
    if a < 0:
        return
    work.kind[a] = status
    step = work.gamma[a]
    if status == OUT and step != 0.0:
        near, gram, w, rows, row = work.w, work.gram, node.w, terms.rows, terms.slot[j]
        for b in range(work.size[0]):
            near[b] += step * gram[a, b]
        for i in range(len(w)):
            w[i] += step * rows[row, i]
        work.gamma[a] = 0.0
        node.gamma[j] = 0.0
