r"""The perspective relaxation by accelerated proximal gradient steps: where the first cuts are made.

.. math:: \min_{\gamma,\, 0 \le z \le 1}\; \tfrac12\|R\gamma\|^2 - c^\top\gamma + \sum_j e_j\gamma_j^2/z_j
          + \lambda_0\sum_j z_j \quad\text{s.t.}\quad \sum_j z_j \le k

in the terms of `DiagonalSplit`, λ1 and bounds left out. For a multiplier μ ≥ λ0 of the sum the penalty of one column is
the reverse Huber function: :math:`2\sqrt{e\mu}|t|` up to the knee :math:`\sqrt{\mu/e}`, :math:`e t^2 + \mu` beyond it.
Each step finds the μ at which Σz = k.

Sources: Beck and Teboulle (2009) for the steps, Pilanci, Wainwright and El Ghaoui (2015) and Dong, Chen and Linderoth
(2015) for the penalty.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from formulations._types import Vector
from formulations.mio.diagonal_split import DiagonalSplit

_STEPS = 2000
_LOOK = 20  # steps between two looks at the bound
_BISECTIONS = 50


def relaxed(
    split: DiagonalSplit, k: float, lambda0: float, start: Vector, tolerance: float = 1e-7
) -> tuple[Vector, Vector]:
    """Return γ and the indicators z, shape (m,) each, of nearly the best relaxed point; all e must be positive.

    ``tolerance`` is the gap between the relaxed objective and the bound of the cut at γ, in units of `ScaledProblem`.
    """
    m = len(split.c)
    Q, free = split.R.T @ split.R, np.full(m, np.inf)
    length = max(float(linalg.eigvalsh(Q, subset_by_index=[m - 1, m - 1])[0]), 1e-12)
    gamma = leading = start.copy()
    momentum = 1.0
    best_bound, best = -np.inf, (gamma, np.zeros(m))
    for step in range(_STEPS):
        following, z = _proximal(leading - (Q @ leading - split.c) / length, length, split.e, k, lambda0)
        if (following - gamma) @ (leading - following) > 0:  # the momentum points uphill: begin it anew
            momentum = 1.0
        quicker = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
        leading = following + (momentum - 1) / quicker * (following - gamma)
        gamma, momentum = following, quicker
        if step % _LOOK == _LOOK - 1:
            smooth = split.constant + 0.5 * gamma @ (Q @ gamma) - split.c @ gamma
            value = smooth + _penalty(gamma, z, split.e) + lambda0 * z.sum()
            constant, gains = split.support_cut(gamma, -free, free)
            bound = constant - least_gain(gains, k, lambda0)
            if bound > best_bound:
                best_bound, best = bound, (gamma, z)
            if value - bound <= tolerance:
                break
    return best


def least_gain(gains: Vector, k: float, lambda0: float) -> float:
    """Return max Σ (g_j - λ0) z_j over Σz ≤ k: what a cut can lose at most."""
    net = np.sort(gains - lambda0)[::-1][: int(k)]
    return float(net[net > 0].sum())


def _penalty(gamma: Vector, z: Vector, e: Vector) -> float:
    used = gamma != 0
    return float(np.sum(e[used] * gamma[used] ** 2 / np.maximum(z[used], 1e-300)))


def _proximal(v: Vector, length: float, e: Vector, k: float, lambda0: float) -> tuple[Vector, Vector]:
    """Return the proximal point and its z, with μ = λ0 where the sum of z allows it, else where the sum is k."""
    point, z = _at(v, length, e, lambda0)
    if z.sum() <= k:
        return point, z
    low, high = lambda0, float(np.max((length * v) ** 2 / (4 * e)))
    for _ in range(_BISECTIONS):
        mu = 0.5 * (low + high)
        point, z = _at(v, length, e, mu)
        low, high = (mu, high) if z.sum() > k else (low, mu)
    return _at(v, length, e, high)


def _at(v: Vector, length: float, e: Vector, mu: float) -> tuple[Vector, Vector]:
    """The proximal point of the reverse Huber penalty with multiplier μ, and z = min(1, |t|√(e/μ))."""
    size = np.abs(v)
    slope = 2 * np.sqrt(e * mu)
    knee = np.sqrt(mu / e)
    shrunk = np.maximum(size - slope / length, 0.0)
    t = np.where(shrunk <= knee, shrunk, length * size / (length + 2 * e))
    z = np.where(t > 0, np.minimum(1.0, t / np.maximum(knee, 1e-300)), 0.0)
    return np.sign(v) * t, z
