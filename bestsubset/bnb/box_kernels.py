"""Compiled derivation of bounds on coefficients. The mathematics stands in `derived_boxes`."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_state import DUAL, FREE, OUT, SHARES, Node, Terms, Working
from bestsubset.bnb.relaxation_kernels import look, see
from bestsubset.bnb.support_kernels import count_free, list_included
from bestsubset.bnb.working_kernels import admit, admit_movable, assemble, evaluate, sweep
from formulations._types import Matrix, Vector
from warmstarts.compilation import lean_kernel, lean_part

_NEAR = 0.03  # a pinned value is not worth a correction by less
_SHRINKS, _SHRINK = 3, 0.015  # how often, and by how much, w is shrunk on trial
_STRIDE = 1.2  # by which a correction may raise it at most


@lean_part
def _descend(terms: Terms, node: Node, work: Working, mu: float, sweeps: int, kk: int, free: int) -> float:
    """Some passes of coordinate descent; return μ, which λ0 fixes unless the cardinality binds."""
    for _ in range(sweeps):
        sweep(work, mu)
        if terms.lam0 == 0.0 or kk < work.size[0]:  # else it cannot bind
            evaluate(terms, node, work, mu, kk, free)
            mu = max(mu * min(max(node.values[SHARES] / kk, 0.5), 2.0), terms.lam0, 1e-14)
    return mu


@lean_kernel
def settle(terms: Terms, node: Node, work: Working, mu: float, rounds: int, sweeps: int) -> float:
    """Solve the root's relaxation, and leave its columns in the working set; return μ."""
    assemble(terms, node, work)
    kk, free = terms.k - list_included(node), count_free(node)
    for _ in range(rounds):
        see(terms, node, work)
        look(terms, node, work, kk, free)
        admit_movable(terms, node, work, mu)
        mu = _descend(terms, node, work, mu, sweeps, kk, free)
    see(terms, node, work)
    assemble(terms, node, work)
    return mu


@lean_part
def _pin(work: Working, a: int, value: float) -> None:
    """Give a column of the working set a coefficient."""
    step = work.gamma[a] - value
    w, gram = work.w, work.gram
    for b in range(work.size[0]):
        w[b] += step * gram[a, b]
    work.gamma[a] = value


@lean_part
def _crossing(missing: float, slope: float, rho: float) -> float:
    """The least v >= 0 from which slope v + rho v² >= missing; infinite where there is none."""
    if missing <= 0.0 and slope >= 0.0:
        return 0.0
    root = slope * slope + 4.0 * rho * missing
    if root <= 0.0:
        return max(0.0, -slope / rho) if rho > 0.0 else np.inf
    if slope > 0.0:
        first: float = 2.0 * missing / (slope + np.sqrt(root))
        return first
    crossing: float = (np.sqrt(root) - slope) / (2.0 * rho) if rho > 0.0 else np.inf
    return crossing


@lean_part
def _best_crossing(
    terms: Terms, node: Node, work: Working, target: float, kk: int, free: int, j: int, sign: float, fit: Vector,
    best: float,
) -> float:  # fmt: skip
    """The v that the γ just seen proves, or one shrunk towards the perfect fit; keep the best γ in ``node.proof``.

    Coordinate descent leaves many w_i a little above what is free, and a weak ridge makes that dear. The γ between
    sγ + (1-s) fit has w scaled by s, for Q fit = c, which costs far less.
    """
    w, gamma, proof = node.w, node.gamma, node.proof
    linear = crossed = perfect = 0.0
    for a in range(work.size[0]):
        linear += work.gamma[a] * work.c[a]
        crossed += work.gamma[a] * work.w[a]
    for i in range(len(fit)):
        perfect += fit[i] * terms.c[i]
    before = 1.0
    for step in range(_SHRINKS if perfect > 0.0 else 0, -1, -1):
        s = 1.0 - _SHRINK * step
        for i in range(len(w)):
            w[i] *= s / before
        before = s
        look(terms, node, work, kk, free)
        square = s * s * (linear - crossed) + 2.0 * s * (1.0 - s) * linear + (1.0 - s) * (1.0 - s) * perfect
        bound = node.values[DUAL] + 0.5 * (linear - s * crossed - square) + terms.lam0
        found = _crossing(target - bound, terms.l1[j] - sign * w[j], terms.rho[j])
        if found < best:
            best = found
            for i in range(len(gamma)):
                proof[i] = s * gamma[i] + (1.0 - s) * fit[i]
    return best


@lean_kernel
def derive(
    terms: Terms, node: Node, work: Working, base: Matrix, fit: Vector, mu: float, target: float,
    j: int, sign: float, guess: float, turns: int, sweeps: int,
) -> float:  # fmt: skip
    """A v such that ``sign`` γ_j >= v has no objective below ``target``; the multiplier goes to ``node.proof``.

    Column j is pinned near v, and all others follow by coordinate descent; ``base`` holds coefficients and w of the
    root's relaxation, where every column starts anew, and ``fit`` solves Q fit = c, or is zero.
    """
    core = work.size[0]
    if work.position[j] < 0:
        admit(terms, work, j, FREE, 0.0)
    a = work.position[j]
    own = node.status[j]
    node.status[j], work.kind[a] = OUT, OUT  # neither moved nor counted
    kk, free = terms.k - 1 - list_included(node), count_free(node)
    v, best = guess, np.inf
    _pin(work, a, sign * v)
    for turn in range(turns + 1):
        see(terms, node, work)
        if turn == 0:
            look(terms, node, work, kk, free)
        else:
            best = _best_crossing(terms, node, work, target, kk, free, j, sign, fit, best)
            if turn == turns:
                break
            if abs(best - v) > _NEAR * v:
                v = min(best, _STRIDE * v)
                _pin(work, a, sign * v)
        admit_movable(terms, node, work, mu)
        if kk > 0:
            mu = _descend(terms, node, work, mu, sweeps, kk, free)
    node.status[j], work.kind[a] = own, own
    for b in range(core, work.size[0]):
        node.gamma[work.columns[b]] = 0.0
        work.position[work.columns[b]] = -1
    work.size[0] = core
    for b in range(core):
        work.gamma[b], work.w[b] = base[0, b], base[1, b]
        node.gamma[work.columns[b]] = base[0, b]
    return best
