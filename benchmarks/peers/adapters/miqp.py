"""The mixed-integer programs that the general solvers are given: the data of the formulations, not the formulations.

With G = X'X + 2λ2·I and c = X'y the objective is ½b'Gb − c'b + ½y'y, plus λ0 for each column or with at most k of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from common import Instance, RefusedError

LARGEST = 5000  # columns: beyond, the p × p matrix and its inverse take longer than any limit here


@dataclass(frozen=True)
class Program:
    """G, c, ½y'y and bounds on each coefficient."""

    G: np.ndarray
    c: np.ndarray
    constant: float
    lower: np.ndarray
    upper: np.ndarray

    @cached_property
    def extracted(self) -> float:
        """A δ with G − δ·I positive semidefinite."""
        return max(0.0, 0.999 * float(np.linalg.eigvalsh(self.G)[0]))


def program(instance: Instance) -> Program:
    """Prepare an instance, with bounds that hold: imposed ones, or those of an ellipsoid."""
    if instance.p > LARGEST:
        raise RefusedError(f"the p × p matrix of the objective is not built beyond {LARGEST} columns")
    X, y = instance.X, instance.y
    G = X.T @ X + 2 * instance.lambda2 * np.eye(instance.p)
    c = X.T @ y
    if instance.boxed:
        lower, upper = np.full(instance.p, -instance.M), np.full(instance.p, instance.M)
    else:
        lower, upper = _ellipsoid_bounds(instance, G, c)
    return Program(G, c, instance.half_square, lower, upper)


def _ellipsoid_bounds(instance: Instance, G: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The box around all b with F(b) no worse than the heuristic's objective: it holds for every optimum."""
    if instance.lambda2 == 0 and instance.n <= instance.p:
        raise RefusedError("neither ridge nor bounds, and n ≤ p: no bound on the coefficients holds")
    objective = instance.F + (instance.lambda0 * len(instance.support) if instance.penalised else 0.0)
    inverse = np.linalg.inv(G)
    centre = inverse @ c
    least = instance.half_square - 0.5 * float(c @ centre)
    radius = np.sqrt(2 * max(0.0, objective * (1 + 1e-9) - least) * np.diag(inverse))
    return np.minimum(centre - radius, 0), np.maximum(centre + radius, 0)
