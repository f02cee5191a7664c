"""Compiled parts of the perspective relaxation: conjugates, coordinate descent, the dual bound, fixing."""

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
    N_FREE,
    OUT,
    PRIMAL,
    PRUNE_AT,
    SHARES,
    Log,
    Node,
    Search,
    Terms,
)
from formulations._types import Vector
from warmstarts.compilation import kernel, part


@part
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


@part
def minimiser(a: float, q: float, mu: float, l1: float, rho: float, lo: float, hi: float) -> float:
    r"""Return the b that minimises :math:`\tfrac12 q b^2 - a b` plus the convex envelope of the penalty.

    The envelope of :math:`\mu 1[b\ne0] + \lambda_1|b| + \rho b^2` on the box has slope
    :math:`2\sqrt{\rho\mu}` up to :math:`|b| = \sqrt{\mu/\rho}`, or :math:`\mu/M + \rho M` where that lies outside
    (Hazimeh, Mazumder and Saab 2022, theorem 1).
    """
    bound = hi if a > 0 else -lo
    slope = abs(a) - l1
    if bound == 0.0 or slope <= 0.0:
        return 0.0
    if rho > 0.0 and mu <= rho * bound * bound:
        chord = 2.0 * np.sqrt(rho * mu)
        knee = np.sqrt(mu / rho)
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


@part
def share(b: float, mu: float, rho: float, lo: float, hi: float) -> float:
    """The relaxed indicator z that the envelope gives to coefficient b."""
    size = abs(b)
    z = size * np.sqrt(rho / mu) if mu > 0.0 else 1.0
    z = max(z, size / (hi if b > 0 else -lo))
    return min(z, 1.0)


@part
def add_row(w: Vector, factor: float, row: Vector) -> None:
    """w += factor * row."""
    for i in range(len(w)):
        w[i] += factor * row[i]


@part
def refresh(terms: Terms, node: Node) -> None:
    """Compute w = c - Q gamma afresh: nothing drifts from node to node."""
    w, gamma = node.w, node.gamma
    for j in range(len(w)):
        w[j] = terms.c[j]
    for j in range(len(w)):
        if gamma[j] != 0.0:
            add_row(w, -gamma[j], terms.rows[terms.slot[j]])


@part
def sweep(terms: Terms, node: Node, mu: float) -> float:
    """One pass of coordinate descent over the columns whose rows are known; return the largest change."""
    w, gamma, status = node.w, node.gamma, node.status
    largest = 0.0
    for j in range(len(w)):
        if status[j] == OUT or terms.slot[j] < 0:
            continue
        old = gamma[j]
        q = terms.diagonal[j]
        price = 0.0 if status[j] == IN else mu
        new = minimiser(w[j] + q * old, q, price, terms.l1[j], terms.rho[j], terms.lo[j], terms.hi[j])
        if new != old:
            add_row(w, old - new, terms.rows[terms.slot[j]])
            gamma[j] = new
            largest = max(largest, abs(new - old))
    return largest


@part
def evaluate(terms: Terms, node: Node, mu: float, kk: int) -> None:
    """Fill ``node.values``: the dual bound, the relaxation's value, Σz, the kk-th and next largest gains.

    ``gain[j]`` becomes h*(w_j) - lambda0 and ``top`` the kk + 1 largest of the free ones. The value is of z scaled
    down to Σz <= kk.
    """
    c, w, gamma, status, gain, top = terms.c, node.w, node.gamma, node.status, node.gain, node.top
    dual = terms.half_yy
    primal = terms.half_yy
    shares = 0.0
    spread = 0.0
    total = 0.0
    filled = 0
    free = 0
    for j in range(len(w)):
        if status[j] == OUT:
            continue
        b = gamma[j]
        dual -= 0.5 * b * (c[j] - w[j])
        primal -= 0.5 * b * (c[j] + w[j])
        g = conjugate(w[j], terms.l1[j], terms.rho[j], terms.lo[j], terms.hi[j]) - terms.lam0
        gain[j] = g
        if status[j] == IN:
            dual -= g
            primal += terms.lam0 + terms.rho[j] * b * b + terms.l1[j] * abs(b)
            continue
        free += 1
        if b != 0.0:
            z = share(b, mu, terms.rho[j], terms.lo[j], terms.hi[j])
            shares += z
            spread += terms.rho[j] * b * b / z
            primal += terms.l1[j] * abs(b)
        if g > 0.0:
            total += g
            if filled <= kk or g > top[filled - 1]:
                _insert(top, g, filled, kk + 1)
                filled = min(filled + 1, kk + 1)
    if filled > kk:
        total = 0.0
        for i in range(kk):
            total += top[i]
    crowd = max(1.0, shares / kk)
    values = node.values
    values[DUAL] = dual - total
    values[PRIMAL] = primal + spread * crowd + terms.lam0 * shares / crowd
    values[SHARES] = shares
    values[KTH] = top[kk - 1] if filled >= kk else 0.0
    values[FOLLOWING] = top[kk] if filled > kk else 0.0
    values[N_FREE] = free


@part
def _insert(top: Vector, g: float, filled: int, room: int) -> None:
    """Insert into a list kept in descending order, dropping the last where there is no room."""
    i = filled if filled < room else room - 1
    while i > 0 and top[i - 1] < g:
        top[i] = top[i - 1]
        i -= 1
    top[i] = g


@part
def fix(terms: Terms, node: Node, search: Search, log: Log) -> int:
    """Fix free columns whose other side cannot beat the incumbent; return how many.

    Forcing column j in displaces the kk-th gain; leaving out one of the kk largest lets the next one in (Atamtürk and
    Gómez 2020, in cardinality form).
    """
    status, gamma = node.status, node.gamma
    prune_at = search.scalars[PRUNE_AT]
    bound, kth, following = node.values[DUAL], node.values[KTH], node.values[FOLLOWING]
    fixed = 0
    multiplier = -1
    for j in range(len(status)):
        if status[j] != FREE:
            continue
        g = node.gain[j]
        is_in = g > following and g >= kth and g > 0.0
        if bound + (g - following if is_in else kth - g) < prune_at:
            continue
        if fixed == 0:
            multiplier = log_multiplier(log, gamma)  # as it is now: dropping columns changes it
        log_fixing(log, j if is_in else -1 - j, fixed)
        fixed += 1
        if is_in:
            status[j] = IN
        else:
            status[j] = OUT
            if gamma[j] != 0.0:
                add_row(node.w, gamma[j], terms.rows[terms.slot[j]])
                gamma[j] = 0.0
    if fixed:
        log_event(log, search, FIX, multiplier, fixed)
        if search.counts[FRESH] and bound >= search.scalars[BOUND]:  # the node's best bound is by the same multiplier
            search.counts[MULTIPLIER] = multiplier
            search.counts[FRESH] = 0
    return fixed


@part
def lacks_rows(terms: Terms, node: Node, mu: float) -> bool:
    """Tell whether coordinate descent would move a column that has no row yet."""
    for j in range(len(node.w)):
        if terms.slot[j] < 0 and node.status[j] != OUT:
            price = 0.0 if node.status[j] == IN else mu
            q = terms.diagonal[j]
            if minimiser(node.w[j], q, price, terms.l1[j], terms.rho[j], terms.lo[j], terms.hi[j]) != 0.0:
                return True
    return False


@kernel
def relax(terms: Terms, node: Node, mu: float, sweeps: int, shares: Vector) -> float:
    """Improve ``node.gamma`` for the root relaxation; return the multiplier, fill the z and ``node.values``."""
    refresh(terms, node)
    for _ in range(sweeps):
        sweep(terms, node, mu)
        evaluate(terms, node, mu, terms.k)
        mu = max(mu * min(max(node.values[SHARES] / terms.k, 0.5), 2.0), 1e-14)
    for j in range(len(shares)):
        shares[j] = share(node.gamma[j], mu, terms.rho[j], terms.lo[j], terms.hi[j])
    return mu
