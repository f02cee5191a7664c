"""Compiled coordinate descent on the perspective relaxation when columns enter in blocks."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_state import StatusVector
from bestsubset.bnb.relaxation_kernels import conjugate
from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import kernel

_LEAST_SHARE = 1e-4  # a block whose z reached zero could never come back


@kernel
def relax_blocks(
    Q: Matrix,
    c: Vector,
    lam0: float,
    l1: Vector,
    rho: Vector,
    lo: Vector,
    hi: Vector,
    block_of: IntVector,
    sizes: Vector,
    status: StatusVector,
    room: float,
    sweeps: int,
    gamma: Vector,
    shares: Vector,
    mu: float,
    w: Vector,
    gains: Vector,
) -> float:
    """Alternate a sweep over γ given z with the best z given γ; return μ, leave w = c - Qγ and h* summed by block."""
    m = len(c)
    n_blocks = len(sizes)
    for j in range(m):
        total = c[j]
        for i in range(m):
            total -= Q[j, i] * gamma[i]
        w[j] = total
    energy = np.empty(n_blocks)
    reach = np.empty(n_blocks)
    for _ in range(sweeps):
        energy[:] = 0.0
        reach[:] = 0.0
        for j in range(m):
            block = block_of[j]
            if status[block] == 2:
                continue
            z = 1.0 if status[block] == 1 else shares[block]
            old = gamma[j]
            a = w[j] + Q[j, j] * old
            new = 0.0
            if abs(a) > l1[j]:
                new = (abs(a) - l1[j]) / (Q[j, j] + 2.0 * rho[j] / z)
                new = min(new, hi[j] * z) if a > 0 else -min(new, -lo[j] * z)
            if new != old:
                gamma[j] = new
                row = Q[j]
                for i in range(m):
                    w[i] += (old - new) * row[i]
            energy[block] += rho[j] * new * new
            if new != 0.0:
                reach[block] = max(reach[block], abs(new) / (hi[j] if new > 0 else -lo[j]))
        used = 0.0
        for block in range(n_blocks):
            if status[block] == 0:
                z = np.sqrt(energy[block] / (mu * sizes[block])) if mu > 0.0 else 1.0
                shares[block] = min(1.0, max(z, reach[block], _LEAST_SHARE))
                used += shares[block] * sizes[block]
        if room > 0.0:
            mu = max(mu * min(max(used / room, 0.5), 2.0), max(lam0, 1e-14))
    gains[:] = 0.0
    for j in range(m):
        if status[block_of[j]] != 2:
            gains[block_of[j]] += conjugate(w[j], l1[j], rho[j], lo[j], hi[j])
    return mu
