"""How far floating point can be trusted with a problem's columns."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from bestsubset.bnb.reduction import unit_diagonal
from formulations import ScaledProblem

SMALLEST_EIGENVALUE = 1e-9  # of unit-diagonal moments: below it, trees on moments lose too many digits
DENSE = 1500  # columns up to which a look at the eigenvalues of the moments takes little time
_LARGEST_RIDGE = 1e8  # of a unit column: beyond it, fits with the ridge as extra rows lose the digits of the data


def has_definite_moments(scaled: ScaledProblem) -> bool:
    """Tell whether the ridge-augmented moments, scaled to a unit diagonal, are safely positive definite."""
    has_ridge = bool(scaled.ridge.all())
    if not scaled.has_gram or (has_ridge and scaled.m > DENSE) or (not has_ridge and scaled.n < scaled.m):
        return False
    if scaled.n < scaled.m:  # the Gram matrix is singular: what definiteness there is comes from the ridge
        return bool(np.min(2 * scaled.ridge / (1 + 2 * scaled.ridge)) >= SMALLEST_EIGENVALUE)
    G, _ = unit_diagonal(scaled.gram + 2 * np.diag(scaled.ridge), scaled.correlation)
    return bool(linalg.eigvalsh(G, subset_by_index=[0, 0])[0] >= SMALLEST_EIGENVALUE)


def is_nearly_dependent(scaled: ScaledProblem, is_definite: bool) -> bool:
    """Tell whether fits may depend on digits that floating point does not have."""
    if is_definite:
        return bool(np.any(scaled.ridge > _LARGEST_RIDGE))
    is_held = (scaled.ridge >= SMALLEST_EIGENVALUE) & (scaled.ridge <= _LARGEST_RIDGE)
    is_held |= np.isfinite(scaled.lower) & np.isfinite(scaled.upper)
    return not is_held.all()
