"""Compiled search of the perspective tree. The mathematics stands in `perspective`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.node_heap import pop_lowest, push
from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import kernel

# Positions in the vector of scalars that a search carries from one burst to the next.
UPPER, PRUNE_AT, REJECTED, CURRENT_BOUND, CURRENT_MU = 0, 1, 2, 3, 4
# Positions in the vector of counters.
NODES, FOUND, OPEN, HAS_CURRENT, N_MISSING = 0, 1, 2, 3, 4
# What a burst returns.
FINISHED, BUDGET_SPENT, ROWS_MISSING, POOL_FULL = 0, 1, 2, 3

FREE, IN, OUT = 0, 1, 2

_SWEEPS = 200  # of coordinate descent in one node, before it is branched on regardless
_LEAF_SWEEPS = 20_000


@kernel
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


@kernel
def minimiser(a: float, q: float, mu: float, l1: float, rho: float, lo: float, hi: float) -> float:
    r"""Return the b that minimises :math:`\tfrac12 q b^2 - a b` plus the convex envelope of the penalty.

    The envelope of :math:`\mu 1[b\ne0] + \lambda_1|b| + \rho b^2` on the box has slope
    :math:`2\sqrt{\rho\mu}` up to :math:`|b| = \sqrt{\mu/\rho}`, or :math:`\mu/M + \rho M` where that lies outside.
    """
    bound = hi if a > 0 else -lo
    if bound == 0.0:
        return 0.0
    slope = abs(a) - l1
    if rho > 0.0 and mu <= rho * bound * bound:
        chord = 2.0 * np.sqrt(rho * mu)
        knee = np.sqrt(mu / rho)
    elif bound < np.inf:
        chord = mu / bound + rho * bound
        knee = bound
    else:
        return 0.0  # no ridge and no bound: the envelope is zero, and so is the bound
    if slope <= chord:
        return 0.0
    b = (slope - chord) / q
    if b > knee:
        b = max(knee, slope / (q + 2.0 * rho))
    b = min(b, bound)
    return b if a > 0 else -b


@kernel
def _share(b: float, mu: float, rho: float, lo: float, hi: float) -> float:
    """The relaxed indicator z that the envelope gives to coefficient b."""
    size = abs(b)
    z = size * np.sqrt(rho / mu) if mu > 0.0 else 1.0
    z = max(z, size / (hi if b > 0 else -lo))
    return min(z, 1.0)


@kernel
def _residual(rows: Matrix, slot: IntVector, c: Vector, gamma: Vector, w: Vector) -> None:
    """w = c - Q gamma."""
    m = len(c)
    for j in range(m):
        w[j] = c[j]
    for j in range(m):
        if gamma[j] != 0.0:
            _add(w, -gamma[j], rows[slot[j]])


@kernel
def _add(w: Vector, factor: float, row: Vector) -> None:
    for i in range(len(w)):
        w[i] += factor * row[i]


@kernel
def sweep(
    rows: Matrix, slot: IntVector, diagonal: Vector, w: Vector, status: IntVector, gamma: Vector, mu: float, l1: Vector,
    rho: Vector, lo: Vector, hi: Vector,
) -> float:
    """One pass of coordinate descent over the columns whose rows are known; return the largest change."""
    largest = 0.0
    for j in range(len(w)):
        if status[j] == OUT or slot[j] < 0:
            continue
        old = gamma[j]
        a = w[j] + diagonal[j] * old
        new = minimiser(a, diagonal[j], 0.0 if status[j] == IN else mu, l1[j], rho[j], lo[j], hi[j])
        if new != old:
            _add(w, old - new, rows[slot[j]])
            gamma[j] = new
            largest = max(largest, abs(new - old))
    return largest


@kernel
def evaluate(
    c: Vector, w: Vector, status: IntVector, gamma: Vector, half_yy: float, lam0: float, mu: float, kk: int, l1: Vector,
    rho: Vector, lo: Vector, hi: Vector, top: Vector, gain: Vector, out: Vector,
) -> None:
    """Fill ``out`` with the dual bound, the relaxation's value, Σz, and the kk-th and next largest gains.

    ``gain[j]`` becomes h*(w_j) - lambda0; ``top`` is room for the kk + 1 largest.
    """
    m = len(c)
    dual = half_yy
    primal = half_yy
    shares = 0.0
    spread = 0.0
    total = 0.0
    filled = 0
    free = 0
    for j in range(m):
        if status[j] == OUT:
            continue
        b = gamma[j]
        dual -= 0.5 * b * (c[j] - w[j])
        primal -= 0.5 * b * (c[j] + w[j])
        g = conjugate(w[j], l1[j], rho[j], lo[j], hi[j]) - lam0
        gain[j] = g
        if status[j] == IN:
            dual -= g
            primal += lam0 + rho[j] * b * b + l1[j] * abs(b)
            continue
        free += 1
        if b != 0.0:
            z = _share(b, mu, rho[j], lo[j], hi[j])
            shares += z
            spread += rho[j] * b * b / z
            primal += l1[j] * abs(b)
        if g > 0.0:
            total += g
            if filled <= kk or g > top[filled - 1]:
                _insert(top, g, filled, kk + 1)
                filled = min(filled + 1, kk + 1)
    crowd = max(1.0, shares / kk)
    out[1] = primal + spread * crowd + lam0 * shares / crowd
    out[2] = shares
    out[3] = top[kk - 1] if filled >= kk else 0.0
    out[4] = top[kk] if filled > kk else 0.0
    if filled > kk:
        total = 0.0
        for i in range(kk):
            total += top[i]
    out[0] = dual - total
    out[5] = free


@kernel
def _insert(top: Vector, g: float, filled: int, room: int) -> None:
    """Insert into a list kept in descending order, dropping the last where there is no room."""
    i = filled if filled < room else room - 1
    while i > 0 and top[i - 1] < g:
        top[i] = top[i - 1]
        i -= 1
    top[i] = g


@kernel
def _fix(
    rows: Matrix, slot: IntVector, w: Vector, status: IntVector, gamma: Vector, gain: Vector, bound: float, kth: float,
    following: float, prune_at: float,
) -> int:
    """Fix free columns whose other side cannot beat the incumbent; return how many."""
    fixed = 0
    for j in range(len(w)):
        if status[j] != FREE:
            continue
        g = gain[j]
        if g > following and g >= kth and g > 0.0:
            if bound + g - following >= prune_at:
                status[j] = IN
                fixed += 1
        elif bound + kth - g >= prune_at:
            status[j] = OUT
            fixed += 1
            if gamma[j] != 0.0:
                _add(w, gamma[j], rows[slot[j]])
                gamma[j] = 0.0
    return fixed


@kernel
def _judge(
    rows: Matrix, slot: IntVector, c: Vector, half_yy: float, lam0: float, rho: Vector, chosen: IntVector, size: int,
    slack: float, allowance: float, is_leaf: bool, scalars: Vector, counts: IntVector, best: IntVector,
) -> None:
    """Value a support by Cholesky (no λ1, no box); adopt it, or, at a leaf, record what it was worth."""
    work = np.empty((size, size + 1))
    value = half_yy + lam0 * size
    for a in range(size):
        i = chosen[a]
        row = rows[slot[i]]
        for b in range(a + 1):
            total = row[chosen[b]] + (2.0 * rho[i] if a == b else 0.0)
            for l in range(b):
                total -= work[a, l] * work[b, l]
            if a == b:
                if total <= 0.0:  # numerically dependent: nothing is proved about it
                    if is_leaf:
                        scalars[REJECTED] = -np.inf
                    return
                work[a, a] = np.sqrt(total)
            else:
                work[a, b] = total / work[b, b]
        total = c[i]
        for l in range(a):
            total -= work[a, l] * work[l, size]
        work[a, size] = total / work[a, a]
        value -= 0.5 * work[a, size] * work[a, size]
    _adopt(value, chosen, size, slack, allowance, is_leaf, scalars, counts, best)


@kernel
def _adopt(
    value: float, chosen: IntVector, size: int, slack: float, allowance: float, is_leaf: bool, scalars: Vector,
    counts: IntVector, best: IntVector,
) -> None:
    if value < scalars[UPPER]:
        scalars[UPPER] = value
        scalars[PRUNE_AT] = value * (1.0 - slack) + allowance
        counts[FOUND] += 1
        for i in range(len(best)):
            best[i] = chosen[i] if i < size else -1
    elif is_leaf and value < scalars[REJECTED]:
        scalars[REJECTED] = value


@kernel
def grow(
    rows: Matrix, slot: IntVector, diagonal: Vector, c: Vector, half_yy: float, lam0: float, k: int, l1: Vector,
    rho: Vector, lo: Vector, hi: Vector, is_plain: bool, slack: float, allowance: float, scalars: Vector,
    counts: IntVector, best: IntVector, missing: IntVector, status: IntVector, gamma: Vector, pool_status: Matrix,
    pool_gamma: Matrix, pool_bound: Vector, pool_mu: Vector, heap: IntVector, vacant: IntVector, root_sweeps: int,
    budget: int,
) -> int:
    """Open up to ``budget`` nodes, best bound first with dives. All arrays carry the state; see `PerspectiveTree`."""
    m = len(c)
    w = np.empty(m)
    gain = np.empty(m)
    top = np.empty(k + 2)
    out = np.empty(6)
    chosen = np.empty(m, np.int64)
    stop_at = counts[NODES] + budget
    while True:
        if counts[HAS_CURRENT] == 0:
            if counts[OPEN] == 0:
                return FINISHED
            if counts[NODES] >= stop_at:
                return BUDGET_SPENT
            pop_lowest(
                pool_status, pool_gamma, pool_bound, pool_mu, heap, vacant, counts, OPEN, status, gamma, scalars,
                CURRENT_BOUND,
            )
            counts[HAS_CURRENT] = 1
            counts[NODES] += 1
        elif counts[HAS_CURRENT] == 2:  # the dive went on into a child
            if counts[NODES] >= stop_at:
                return BUDGET_SPENT
            counts[HAS_CURRENT] = 1
            counts[NODES] += 1
        if scalars[CURRENT_BOUND] >= scalars[PRUNE_AT]:
            counts[HAS_CURRENT] = 0
            continue
        _residual(rows, slot, c, gamma, w)
        counts[N_MISSING] = 0
        decision = _bound_node(
            rows, slot, diagonal, c, half_yy, lam0, k, l1, rho, lo, hi, is_plain, slack, allowance, scalars, counts, best,
            missing, status, gamma, w, gain, top, out, chosen, root_sweeps if counts[NODES] == 1 else 1,
        )
        if decision == 2:
            return ROWS_MISSING
        if decision == 0:
            counts[HAS_CURRENT] = 0
            continue
        if counts[OPEN] >= len(pool_bound):
            return POOL_FULL
        _branch(
            status, gamma, gain, w, rho, lo, hi, scalars, counts, pool_status, pool_gamma, pool_bound, pool_mu, heap,
            vacant,
        )


@kernel
def _bound_node(
    rows: Matrix, slot: IntVector, diagonal: Vector, c: Vector, half_yy: float, lam0: float, k: int, l1: Vector,
    rho: Vector, lo: Vector, hi: Vector, is_plain: bool, slack: float, allowance: float, scalars: Vector,
    counts: IntVector, best: IntVector, missing: IntVector, status: IntVector, gamma: Vector, w: Vector, gain: Vector,
    top: Vector, out: Vector, chosen: IntVector, min_sweeps: int,
) -> int:
    """Bound one node: 0 it is done with, 1 branch on it, 2 rows of Q are missing."""
    m = len(c)
    size = 0
    for j in range(m):
        if status[j] == IN:
            chosen[size] = j
            size += 1
    sweeps = 0
    while True:
        kk = k - size
        if kk > 0:
            evaluate(
                c, w, status, gamma, half_yy, lam0, scalars[CURRENT_MU], kk, l1, rho, lo, hi, top, gain, out
            )
        if kk == 0 or out[5] == 0.0 or (lam0 == 0.0 and out[5] <= kk):
            return _leaf(
                rows, slot, diagonal, c, half_yy, lam0, l1, rho, lo, hi, is_plain, slack, allowance, scalars, counts,
                best, missing, status, gamma, w, chosen, kk,
            )
        scalars[CURRENT_BOUND] = max(scalars[CURRENT_BOUND], out[0])
        if scalars[CURRENT_BOUND] >= scalars[PRUNE_AT]:
            return 0
        fixed = _fix(rows, slot, w, status, gamma, gain, out[0], out[3], out[4], scalars[PRUNE_AT])
        if fixed > 0:
            size = 0
            for j in range(m):
                if status[j] == IN:
                    chosen[size] = j
                    size += 1
            if size >= k:
                continue
        if sweeps >= min_sweeps and fixed == 0 and (out[1] < scalars[PRUNE_AT] or sweeps >= _SWEEPS):
            if is_plain:
                _round(
                    rows, slot, c, half_yy, lam0, k, rho, lo, hi, status, gamma, chosen, size, slack, allowance, scalars,
                    counts, best,
                )
            if out[1] < scalars[PRUNE_AT] or sweeps >= _SWEEPS:
                return 1
        change = sweep(rows, slot, diagonal, w, status, gamma, scalars[CURRENT_MU], l1, rho, lo, hi)
        sweeps += 1
        if sweeps % 4 == 0 or change < 1e-7:
            _list_missing(diagonal, slot, w, status, scalars[CURRENT_MU], l1, rho, lo, hi, missing, counts)
            if counts[N_MISSING] > 0:
                return 2
        if change < 1e-13 and sweeps > min_sweeps:
            sweeps = max(sweeps, _SWEEPS)
        if kk > 0:
            ratio = min(max(out[2] / kk, 0.5), 2.0)
            scalars[CURRENT_MU] = max(scalars[CURRENT_MU] * ratio, max(lam0, 1e-14))


@kernel
def _list_missing(
    diagonal: Vector, slot: IntVector, w: Vector, status: IntVector, mu: float, l1: Vector, rho: Vector, lo: Vector,
    hi: Vector, missing: IntVector, counts: IntVector,
) -> None:
    """List the columns without a row that coordinate descent would move most, the largest first."""
    room = len(missing)
    moves = np.empty(room)
    filled = 0
    for j in range(len(w)):
        if slot[j] >= 0 or status[j] == OUT:
            continue
        move = abs(minimiser(w[j], diagonal[j], 0.0 if status[j] == IN else mu, l1[j], rho[j], lo[j], hi[j]))
        if move > 0.0 and (filled < room or move > moves[room - 1]):
            i = filled if filled < room else room - 1
            while i > 0 and moves[i - 1] < move:
                moves[i] = moves[i - 1]
                missing[i] = missing[i - 1]
                i -= 1
            moves[i] = move
            missing[i] = j
            filled = min(filled + 1, room)
    counts[N_MISSING] = filled


@kernel
def _leaf(
    rows: Matrix, slot: IntVector, diagonal: Vector, c: Vector, half_yy: float, lam0: float, l1: Vector, rho: Vector,
    lo: Vector, hi: Vector, is_plain: bool, slack: float, allowance: float, scalars: Vector, counts: IntVector,
    best: IntVector, missing: IntVector, status: IntVector, gamma: Vector, w: Vector, chosen: IntVector, kk: int,
) -> int:
    """Value a node whose support is decided: 0 it is done with, 2 rows of Q are missing."""
    size = 0
    for j in range(len(c)):
        if status[j] == FREE:
            status[j] = OUT if kk == 0 else IN
            if kk == 0 and gamma[j] != 0.0:
                _add(w, gamma[j], rows[slot[j]])
                gamma[j] = 0.0
        if status[j] == IN:
            chosen[size] = j
            size += 1
            if slot[j] < 0 and counts[N_MISSING] < len(missing):
                missing[counts[N_MISSING]] = j
                counts[N_MISSING] += 1
    if counts[N_MISSING] > 0:
        return 2
    if is_plain:
        _judge(rows, slot, c, half_yy, lam0, rho, chosen, size, slack, allowance, True, scalars, counts, best)
        return 0
    dual = primal = half_yy
    for turn in range(_LEAF_SWEEPS):
        change = sweep(rows, slot, diagonal, w, status, gamma, 0.0, l1, rho, lo, hi)
        if turn % 10 == 9 or change < 1e-14:
            dual = primal = half_yy
            for i in range(size):
                j = chosen[i]
                b = gamma[j]
                dual -= 0.5 * b * (c[j] - w[j]) + conjugate(w[j], l1[j], rho[j], lo[j], hi[j]) - lam0
                primal += lam0 + rho[j] * b * b + l1[j] * abs(b) - 0.5 * b * (c[j] + w[j])
            if dual >= scalars[PRUNE_AT]:
                return 0
            if primal - dual <= 1e-3 * slack * abs(primal) or change < 1e-15:
                break
    _adopt(primal, chosen, size, slack, allowance, False, scalars, counts, best)
    if dual < scalars[PRUNE_AT] and dual < scalars[REJECTED]:
        scalars[REJECTED] = dual
    return 0


@kernel
def _round(
    rows: Matrix, slot: IntVector, c: Vector, half_yy: float, lam0: float, k: int, rho: Vector, lo: Vector, hi: Vector,
    status: IntVector, gamma: Vector, chosen: IntVector, size: int, slack: float, allowance: float, scalars: Vector,
    counts: IntVector, best: IntVector,
) -> None:
    """Offer the included columns with the largest free ones: k in all, or those with z of at least a half."""
    total = size
    for _ in range(k - size):
        largest = -1
        for j in range(len(c)):
            if status[j] != FREE or gamma[j] == 0.0 or (largest >= 0 and abs(gamma[j]) <= abs(gamma[largest])):
                continue
            taken = False
            for i in range(size, total):
                taken = taken or chosen[i] == j
            if not taken:
                largest = j
        if largest < 0:
            break
        if lam0 > 0.0 and _share(gamma[largest], scalars[CURRENT_MU], rho[largest], lo[largest], hi[largest]) < 0.5:
            break
        chosen[total] = largest
        total += 1
    for i in range(size):
        if slot[chosen[i]] < 0:
            return
    _judge(rows, slot, c, half_yy, lam0, rho, chosen, total, slack, allowance, False, scalars, counts, best)


@kernel
def _branch(
    status: IntVector, gamma: Vector, gain: Vector, w: Vector, rho: Vector, lo: Vector, hi: Vector, scalars: Vector,
    counts: IntVector, pool_status: Matrix, pool_gamma: Matrix, pool_bound: Vector, pool_mu: Vector, heap: IntVector,
    vacant: IntVector,
) -> None:
    """Branch on the largest coefficient of the relaxation; dive into the likelier child, store the other."""
    j = -1
    for i in range(len(w)):
        if status[i] == FREE and gamma[i] != 0.0 and (j < 0 or abs(gamma[i]) > abs(gamma[j])):
            j = i
    if j < 0:
        for i in range(len(w)):
            if status[i] == FREE and (j < 0 or gain[i] > gain[j]):
                j = i
    coefficient = gamma[j]
    include = coefficient != 0.0 and _share(coefficient, scalars[CURRENT_MU], rho[j], lo[j], hi[j]) >= 0.5
    status[j] = OUT if include else IN
    gamma[j] = coefficient if not include else 0.0
    push(
        pool_status, pool_gamma, pool_bound, pool_mu, heap, vacant, counts, OPEN, status, gamma, scalars, CURRENT_BOUND
    )
    status[j] = IN if include else OUT
    gamma[j] = coefficient if include else 0.0
    counts[HAS_CURRENT] = 2


@kernel
def relax(
    Q: Matrix, c: Vector, half_yy: float, k: int, rho: Vector, gamma: Vector, mu: float, sweeps: int, out: Vector,
    shares: Vector,
) -> float:
    """Improve ``gamma`` for the root relaxation without λ0, λ1 or box; return the multiplier, fill z and ``out``."""
    m = len(c)
    slot = np.arange(m)
    diagonal = np.empty(m)
    for j in range(m):
        diagonal[j] = Q[j, j]
    status = np.zeros(m, np.int8)
    zero = np.zeros(m)
    lo = np.full(m, -np.inf)
    hi = np.full(m, np.inf)
    w = np.empty(m)
    gain = np.empty(m)
    top = np.empty(k + 2)
    _residual(Q, slot, c, gamma, w)
    for _ in range(sweeps):
        sweep(Q, slot, diagonal, w, status, gamma, mu, zero, rho, lo, hi)
        evaluate(c, w, status, gamma, half_yy, 0.0, mu, k, zero, rho, lo, hi, top, gain, out)
        mu = max(mu * min(max(out[2] / k, 0.5), 2.0), 1e-14)
    for j in range(m):
        shares[j] = _share(gamma[j], mu, rho[j], lo[j], hi[j])
    return mu
