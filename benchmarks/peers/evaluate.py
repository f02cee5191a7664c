"""Every objective anew, from the support alone, in the common objective of ``instances.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from benchmarks.peers.instances import Setting
from formulations._types import Matrix, Vector

ZERO = 1e-7  # coefficients below this part of the largest do not count
OUTSIDE = 1e-9  # relative: how far a refit may exceed M


def support_of(answer: dict[str, Any]) -> list[int] | None:
    """The support an adapter returned, or that of the coefficients it returned; None without either."""
    if answer.get("support") is not None:
        return sorted(int(j) for j in answer["support"])
    if answer.get("coefficients") is None:
        return None
    coefficients = np.abs(np.asarray(answer["coefficients"], dtype=float))
    return [int(j) for j in np.flatnonzero(coefficients > ZERO * coefficients.max())]


def refit(A: Matrix, y: Vector, lambda2: float, M: float | None = None) -> tuple[Vector, float]:
    """The best coefficients of the columns of A, within |b| ≤ M if that is given, and F there."""
    count = A.shape[1]
    rows = np.vstack([A, np.sqrt(2 * lambda2) * np.eye(count)])
    target = np.r_[y, np.zeros(count)]
    coef = np.linalg.lstsq(rows, target, rcond=None)[0] if count else np.zeros(0)
    if M is not None and count and np.abs(coef).max() > M * (1 + OUTSIDE):
        coef = lsq_linear(rows, target, bounds=(-M, M), tol=1e-14).x
    return coef, 0.5 * float(np.sum((target - rows @ coef) ** 2))


def evaluated(answer: dict[str, Any], X: Matrix, y: Vector, setting: Setting) -> dict[str, Any]:
    """What the support is worth: {"support", "F", "P", "size"}, F without the box; nothing without a support.

    P is within the box where the box is part of the problem.
    """
    support = support_of(answer)
    if support is None:
        return {"support": None}
    A = X[:, support]
    coef, F = refit(A, y, setting.lambda2)
    within = F
    if setting.boxed:
        coef, within = refit(A, y, setting.lambda2, setting.M)
    P = within + setting.lambda0 * len(support)
    largest = float(np.abs(coef).max()) if support else 0.0
    return {"support": support, "size": len(support), "F": F, "P": P, "largest": largest}
