r"""How much of a diagonal can be taken out of a Gram matrix, and which one gives the best bound.

With D diagonal and G - D positive semidefinite,

.. math:: \gamma^\top G\gamma = \gamma^\top(G-D)\gamma + \sum_j d_j\gamma_j^2,

and the separable part takes the perspective :math:`d_j\gamma_j^2/z_j`: no ridge is needed where n > p.

Sources: Frangioni and Gentile (2007); Zheng, Sun and Li (2014) and Dong, Chen and Linderoth (2015) for the optimal D
as a semidefinite programme, which is solved here approximately by a log barrier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bestsubset.bnb.perspective_state import WORKING_DUAL, Node, Terms, Working
from formulations._types import Matrix, Vector
from warmstarts.compilation import compiling

_OUTER = 10  # rounds of relaxation and barrier step
_SWEEPS = 30  # of coordinate descent a round
_DECREASE = 0.6  # of the barrier parameter a round
_SINGULAR = 1e-9  # smallest eigenvalue below which there is no diagonal worth taking out
_MEMORY = 0.5  # of the supergradient's running average: without it the steps oscillate


@dataclass(frozen=True, eq=False)
class Diagonal:
    """A diagonal ``d`` with G - diag(d) positive semidefinite, and what the relaxation reached with it.

    ``gamma`` and ``mu`` are where the relaxation stood (a warm start for the tree); ``bound`` is a valid
    lower bound, in units of half the residual sum of squares.
    """

    d: Vector
    gamma: Vector
    mu: float
    bound: float


def scaled_diagonal(G: Matrix) -> Vector:
    r"""Return :math:`d_j = \theta / (G^{-1})_{jj}` with the largest θ that keeps G - D positive semidefinite."""
    inverse = linalg.inv(G)
    weights = 1.0 / np.diag(inverse)
    root = np.sqrt(weights)
    # theta is the smallest eigenvalue of W^-1/2 G W^-1/2, that is of the inverse of W^1/2 G^-1 W^1/2.
    theta = 1.0 / linalg.eigvalsh(root[:, None] * inverse * root, subset_by_index=[len(G) - 1, len(G) - 1])[0]
    return np.asarray(theta * weights)


def optimise_diagonal(G: Matrix, c: Vector, yy: float, k: int, ridge: Vector) -> Diagonal | None:
    r"""Return a diagonal whose perspective bound is nearly the best, or None where G is too near singular.

    Alternates coordinate descent on the relaxation with one Newton step on the barrier
    :math:`g^\top d + \varepsilon\log\det(G - D) + \varepsilon\sum\log d_j`, where
    :math:`g_j = \tfrac12\gamma_j^2(1/z_j - 1)` is the averaged supergradient of the bound.
    """
    from bestsubset.bnb.working_kernels import relax

    p = len(c)
    if linalg.eigvalsh(G, subset_by_index=[0, 0])[0] < _SINGULAR:
        return None
    d = 0.95 * scaled_diagonal(G)
    shares = np.zeros(p)
    gamma = np.zeros(p)
    node = Node.of(np.zeros(p, dtype=np.int8), gamma, k)
    rho = 0.5 * d + ridge
    mu = float(np.sort(c**2 / (4 * rho))[max(0, p - k)])
    best = Diagonal(d, gamma, mu, -np.inf)
    average = np.zeros(p)
    barrier = 0.0
    for turn in range(_OUTER):
        Q = G - np.diag(d)
        rho = 0.5 * d + ridge
        terms = _root_terms(Q, c, 0.5 * yy, k, rho)
        with compiling(relax):
            mu = relax(terms, node, Working.whole(terms, gamma), mu, _SWEEPS, shares)
        if node.values[WORKING_DUAL] > best.bound:
            best = Diagonal(d.copy(), gamma.copy(), mu, float(node.values[WORKING_DUAL]))
        gradient = 0.5 * gamma**2 * (1.0 / np.maximum(shares, 1e-9) - 1.0)
        average = gradient if turn == 0 else _MEMORY * average + (1 - _MEMORY) * gradient
        barrier = max(float(average @ d) / p, 1e-12) if turn == 0 else barrier * _DECREASE
        d = _newton_step(G, d, average, barrier)
    return Diagonal(_safely_below(G, best.d), best.gamma, best.mu, best.bound)


def _root_terms(Q: Matrix, c: Vector, half_yy: float, k: int, rho: Vector) -> Terms:
    """The root relaxation without λ0, λ1 and box, all rows of Q at hand."""
    p = len(c)
    free = np.full(p, np.inf)
    return Terms(
        Q, np.arange(p), np.diag(Q).copy(), c, np.zeros(p), rho, -free, free, half_yy, 0.0, k, True, False, False,
        0.0, 0.0,
    )  # fmt: skip


def _newton_step(G: Matrix, d: Vector, gradient: Vector, barrier: float) -> Vector:
    Z = linalg.inv(G - np.diag(d))
    slope = gradient - barrier * np.diag(Z) + barrier / d
    hessian = barrier * (Z * Z + np.diag(1.0 / d**2))
    scale = 1.0 / np.sqrt(np.diag(hessian))  # d spans many orders of magnitude where G is near singular
    factor = linalg.cho_factor(scale[:, None] * hessian * scale)
    step = scale * linalg.cho_solve(factor, scale * slope)
    length = 1.0
    while length > 1e-6:
        trial = d + length * step
        if np.all(trial > 0) and _is_definite(G - np.diag(trial)):
            # Stay off the boundary, where the next barrier step would be short.
            return np.asarray(d + 0.95 * length * step)
        length *= 0.5
    return d


def _is_definite(matrix: Matrix) -> bool:
    try:
        linalg.cholesky(matrix)
    except linalg.LinAlgError:
        return False
    return True


def _safely_below(G: Matrix, d: Vector) -> Vector:
    """Shrink d until G - D is positive definite beyond what a verified Cholesky factorisation can lose on it.

    That loses m(ε + 2γ) (section 7 of the certificates' format), with ε = 40 units and γ = m units of rounding.
    """
    m = len(d)
    floor = 2 * m * (40 + 2 * (m + 2)) * 2.0**-53 * float(np.max(np.diag(G)))
    while linalg.eigvalsh(G - np.diag(d), subset_by_index=[0, 0])[0] < floor:
        d = 0.999 * d
    return d
