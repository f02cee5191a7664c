"""The relative gap, and what rounding alone may do to a bound: one statement of each."""

from __future__ import annotations

import math

GAP_FLOOR = 1e-12  # of the null objective: below this an objective counts as zero

# A bound may exceed the objective by this much of it, and of the null objective, through rounding alone.
ROUNDING_OF_OBJECTIVE = 1e-9
ROUNDING_OF_NULL = 1e-13


def relative_gap(objective: float, dual_bound: float, null_objective: float) -> float:
    r"""Return :math:`(f - \ell) / \max(|f|, 10^{-12} f_0)`, with 0/0 = 0.

    ``null_objective`` :math:`f_0` is the objective of the empty model, so that the gap does not depend on the
    units of the response.
    """
    difference = objective - dual_bound
    if difference == 0:
        return 0.0
    scale = max(abs(objective), GAP_FLOOR * abs(null_objective))
    return difference / scale if scale > 0 else math.inf
