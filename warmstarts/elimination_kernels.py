"""Compiled backward elimination: columns leave one by one, the inverse is downdated."""

from __future__ import annotations

import numpy as np

from formulations._types import BoolVector, IntVector, Matrix, Vector
from warmstarts.compilation import kernel


@kernel
def eliminate(inverse: Matrix, coef: Vector, locked: BoolVector, smallest: int) -> IntVector:
    r"""Return the columns in the order in which they leave, until ``smallest`` or only locked ones are left.

    With V the inverse on the columns that are left, the one of least :math:`b_i^2 / V_{ii}` leaves, and
    :math:`V \leftarrow V - V_{\cdot i} V_{i\cdot} / V_{ii}`,
    :math:`b \leftarrow b - V_{\cdot i} b_i / V_{ii}`. ``inverse`` and ``coef`` are overwritten.
    """
    m = len(coef)
    order = np.empty(m - smallest, np.int64)
    at = np.arange(m)
    left = m
    for turn in range(m - smallest):
        out, least = -1, np.inf
        for i in range(left):
            price = coef[i] * coef[i] / inverse[i, i]
            if not locked[at[i]] and price < least:
                out, least = i, price
        if out < 0:
            return order[:turn]
        order[turn] = at[out]
        left -= 1
        for t in range(left + 1):  # the last one takes the place of the one that leaves
            inverse[out, t], inverse[left, t] = inverse[left, t], inverse[out, t]
        for t in range(left + 1):
            inverse[t, out], inverse[t, left] = inverse[t, left], inverse[t, out]
        coef[out], coef[left] = coef[left], coef[out]
        at[out] = at[left]
        gone = inverse[left]
        for i in range(left):
            factor = gone[i] / gone[left]
            coef[i] -= factor * coef[left]
            row = inverse[i]
            for t in range(left):
                row[t] -= factor * gone[t]
    return order
