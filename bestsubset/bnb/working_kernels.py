"""Compiled coordinate descent on the perspective relaxation, within the working set of columns."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_state import (
    IN,
    OUT,
    PRIMAL,
    REACH,
    SHARES,
    WORKING_DUAL,
    Node,
    Terms,
    Working,
)
from bestsubset.bnb.relaxation_kernels import conjugate, keep_largest, minimiser, share
from formulations._types import Vector
from warmstarts.compilation import lean_kernel, lean_part

ADMITTED, ROW_MISSING, CROWD = 0, 1, 2


@lean_part
def admit(terms: Terms, work: Working, j: int, status: int, gamma: float) -> None:
    """Add a column whose row is known."""
    rows, columns, gram, coefficients, w = terms.rows, work.columns, work.gram, work.gamma, work.w
    slot, a = terms.slot[j], work.size[0]
    rest = terms.c[j]
    for b in range(a):
        entry = rows[slot, columns[b]]
        gram[a, b] = entry
        gram[b, a] = entry
        rest -= entry * coefficients[b]
    if gamma != 0.0:
        for b in range(a):
            w[b] -= gamma * gram[a, b]
    gram[a, a] = terms.diagonal[j]
    w[a] = rest - terms.diagonal[j] * gamma
    columns[a], work.position[j], work.kind[a] = j, a, status
    coefficients[a], work.c[a], work.l1[a] = gamma, terms.c[j], terms.l1[j]
    work.rho[a], work.root[a], work.lo[a], work.hi[a] = terms.rho[j], np.sqrt(terms.rho[j]), terms.lo[j], terms.hi[j]
    work.size[0] = a + 1


@lean_part
def assemble(terms: Terms, node: Node, work: Working) -> int:
    """Make the working set that of the node: its included columns and its coefficients."""
    columns, position, gamma, status, slot = work.columns, work.position, node.gamma, node.status, terms.slot
    for a in range(work.size[0]):
        position[columns[a]] = -1
    work.size[0] = 0
    for j in range(len(gamma)):
        if status[j] == OUT:
            gamma[j] = 0.0
        elif status[j] == IN or gamma[j] != 0.0:
            if slot[j] < 0:
                return ROW_MISSING
            if work.size[0] >= len(columns):
                return CROWD
            admit(terms, work, j, status[j], gamma[j])
    return ADMITTED


@lean_part
def admit_movable(terms: Terms, node: Node, work: Working, mu: float) -> int:
    """Add the columns outside that coordinate descent would move, by the look just taken.

    It moves those whose conjugate exceeds their price. Those whose rows are known enter in any case.
    """
    gain, status, position, slot = node.gain, node.status, work.position, terms.slot
    outcome = ADMITTED
    for j in range(len(gain)):
        if status[j] == OUT or position[j] >= 0 or gain[j] + terms.lam0 <= (0.0 if status[j] == IN else mu):
            continue
        if slot[j] < 0:
            outcome = ROW_MISSING
        elif work.size[0] >= len(work.columns):
            return CROWD
        else:
            admit(terms, work, j, status[j], 0.0)
    return outcome


@lean_part
def sweep(work: Working, mu: float) -> float:
    """One pass of coordinate descent over the working set; return the largest change."""
    # Fields are taken out of the tuple once, and rows are indexed, not sliced: in a loop, the counting of references
    # that the compiler would do for them takes longer than the arithmetic.
    kind, gram, w, gamma = work.kind, work.gram, work.w, work.gamma
    l1, rho, roots, lo, hi = work.l1, work.rho, work.root, work.lo, work.hi
    count = work.size[0]
    root_mu = np.sqrt(mu)
    largest = 0.0
    for a in range(count):
        if kind[a] == OUT:
            continue
        old = gamma[a]
        q = gram[a, a]
        price, root = (0.0, 0.0) if kind[a] == IN else (mu, root_mu)
        new = minimiser(w[a] + q * old, q, price, root, l1[a], rho[a], roots[a], lo[a], hi[a])
        if new != old:
            step = old - new
            for b in range(count):
                w[b] += step * gram[a, b]
            gamma[a] = new
            largest = max(largest, abs(step))
    return largest


@lean_part
def evaluate(terms: Terms, node: Node, work: Working, mu: float, kk: int, free: int) -> None:
    """Fill ``node.values`` from the working set: the relaxation's value, Σz, and what a look can find at best.

    The value is of z scaled down to Σz <= kk. WORKING_DUAL bounds the dual bound of this γ from above, and REACH that
    of the side of a column that fixing would rule out.
    """
    kinds, gammas, ws, cs = work.kind, work.gamma, work.w, work.c
    l1s, rhos, los, his = work.l1, work.rho, work.lo, work.hi
    top, values = node.top, node.values
    lam0 = terms.lam0
    primal = dual = terms.half_yy
    shares = spread = total = largest = 0.0
    filled = 0
    for a in range(work.size[0]):
        kind = kinds[a]
        if kind == OUT:
            continue
        b, w, rho, l1 = gammas[a], ws[a], rhos[a], l1s[a]
        dual -= 0.5 * b * (cs[a] - w)
        primal -= 0.5 * b * (cs[a] + w)
        g = conjugate(w, l1, rho, los[a], his[a]) - lam0
        if kind == IN:
            dual -= g
            primal += lam0 + rho * b * b + l1 * abs(b)
            continue
        if b != 0.0:
            z = share(b, mu, rho, los[a], his[a])
            shares += z
            spread += rho * b * b / z
            primal += l1 * abs(b)
        if g > 0.0:
            total += g
            largest = max(largest, g)
            if kk < free:
                filled = keep_largest(top, g, filled, kk + 1)
    if filled > kk:
        total = 0.0
        for i in range(kk):
            total += top[i]
    crowd = max(1.0, shares / kk)
    values[PRIMAL] = primal + spread * crowd + lam0 * shares / crowd
    values[SHARES] = shares
    values[WORKING_DUAL] = dual - total
    kth = top[kk - 1] if filled >= kk else 0.0
    following = top[kk] if filled > kk else 0.0
    values[REACH] = values[WORKING_DUAL] + max(kth + lam0, largest - following)


@lean_part
def scatter(node: Node, work: Working) -> None:
    """Write the coefficients of the working set back to the node's."""
    columns, gamma, target = work.columns, work.gamma, node.gamma
    for a in range(work.size[0]):
        target[columns[a]] = gamma[a]


@lean_kernel
def relax(terms: Terms, node: Node, work: Working, mu: float, sweeps: int, shares: Vector) -> float:
    """Improve the coefficients of a root relaxation, all columns in the working set; return μ, fill the z."""
    for _ in range(sweeps):
        sweep(work, mu)
        evaluate(terms, node, work, mu, terms.k, len(shares))
        mu = max(mu * min(max(node.values[SHARES] / terms.k, 0.5), 2.0), 1e-14)
    for a in range(len(shares)):
        shares[a] = share(work.gamma[a], mu, work.rho[a], work.lo[a], work.hi[a])
    return mu
