"""Compiled prices of rules: what shares of blocks cost least, given how much curvature each block needs."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.perspective_state import StatusVector
from formulations._types import IntVector, Vector
from warmstarts.compilation import kernel

_LEAST_SHARE = 1e-4  # a block whose share reached zero could never come back
_STEPS = 40
_CLOSE = 1e-3  # of a share, by which a rule may be overstepped: the bound is valid for any prices


@kernel
def share_out(
    energy: Vector,
    base: Vector,
    starts: IntVector,
    members: IntVector,
    coefs: Vector,
    limits: Vector,
    status: StatusVector,
    sweeps: int,
    prices: Vector,
    shares: Vector,
) -> None:
    r"""Minimise :math:`\sum_b e_b/z_b + q_b z_b` over shares z with A z ≤ b, exactly in one price at a time.

    ``prices`` are those of the rows, ≥ 0, and are updated; a block that costs q in all, the prices of rows included,
    has the share :math:`\min(1, \sqrt{e/q})`.
    """
    n_rows = len(limits)
    cost = base.copy()
    for r in range(n_rows):
        for e in range(starts[r], starts[r + 1]):
            cost[members[e]] += prices[r] * coefs[e]
    for _ in range(sweeps):
        for r in range(n_rows):
            first, last = starts[r], starts[r + 1]
            low, high, price = -1.0, -1.0, prices[r]
            for _ in range(_STEPS):
                used, curvature = -limits[r], 0.0
                for e in range(first, last):
                    b = members[e]
                    if status[b] == 1:
                        used += coefs[e]
                    elif status[b] == 0:
                        q = cost[b] + (price - prices[r]) * coefs[e]
                        z = 1.0
                        if q > 0.0 and energy[b] < q:
                            z = max(np.sqrt(energy[b] / q), _LEAST_SHARE)
                            curvature += coefs[e] * coefs[e] * z / q
                        used += coefs[e] * z
                if used > _CLOSE:
                    low = price
                elif used < -_CLOSE and price > 0.0:
                    high = price
                else:
                    break
                newton = price + 2.0 * used / curvature if curvature > 0.0 else -1.0
                if newton <= 0.0 and used < 0.0:
                    newton = 0.0
                if newton > low and (high < 0.0 or newton < high) and newton >= 0.0:
                    price = newton
                elif high < 0.0:
                    price = max(2.0 * price, 1e-9)
                    if price > 1e3:
                        break
                else:
                    price = 0.5 * (max(low, 0.0) + high)
                    if high <= 1e-14:
                        price = 0.0
                        break
            for e in range(first, last):
                cost[members[e]] += (price - prices[r]) * coefs[e]
            prices[r] = price
    for b in range(len(shares)):
        shares[b] = 1.0
        if status[b] == 0 and cost[b] > 0.0 and energy[b] < cost[b]:
            shares[b] = max(np.sqrt(energy[b] / cost[b]), _LEAST_SHARE)
