"""Bounds for the nodes of a tree over blocks of columns.

Each relaxation bounds a node from its parent's state, any array it likes, and says what proves the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from scipy import linalg

from bestsubset.bnb.perspective_state import FREE, IN, OUT, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector

_UNITS = 16 * 2.0**-53  # of rounding, in the data and in the fit
_SWEEPS = 12  # of coordinate descent between two evaluations of a node's bound
_EVALUATIONS = 4


class Proof(NamedTuple):
    """A multiplier γ, and the prices of rules that go with it."""

    gamma: Vector = np.zeros(0)
    prices: Vector = np.zeros(0)


class Bounded(NamedTuple):
    """A node's bound, the state that its children begin from, its γ, and what proves the bound if it rose."""

    bound: float
    state: Vector
    gamma: Vector
    proof: Proof | None


class Relaxation(Protocol):
    """What bounds nodes."""

    def start(self) -> Vector:
        """The state that the root begins from."""

    def bound(self, bound: float, state: Vector, status: StatusVector, room: float, prune_at: float) -> Bounded:
        """Raise the bound that a node has from its parent, up to ``prune_at``."""


class SweptRelaxation:
    """The dual bound by coordinate descent, for λ1 and boxes; a state is γ and μ. Rules take no part."""

    def __init__(self, scaled: ScaledProblem, quadratic: Quadratic, Q: Matrix, sizes: Vector, block_of: IntVector):
        self._scaled, self._quadratic, self._Q = scaled, quadratic, Q
        self._sizes, self._block_of = sizes, block_of

    def start(self) -> Vector:
        scaled = self._scaled
        mu = max(scaled.lambda0, float(np.sort(scaled.correlation**2)[-scaled.k]), 1e-8)
        return np.append(np.zeros(scaled.m), mu)

    def bound(self, bound: float, state: Vector, status: StatusVector, room: float, prune_at: float) -> Bounded:
        from bestsubset.bnb.block_kernels import relax_blocks

        q, sizes = self._quadratic, self._sizes
        gamma, mu = state[:-1].copy(), float(state[-1])
        gamma[status[self._block_of] == OUT] = 0.0
        shares = np.full(len(status), min(1.0, room / max(1.0, float(sizes[status == FREE].sum()))))
        w, gains = np.empty(len(gamma)), np.empty(len(status))
        proof = None
        for _ in range(_EVALUATIONS):
            mu = relax_blocks(
                self._Q, q.c, q.lambda0, q.lambda1, q.rho, q.lower, q.upper, self._block_of, sizes, status, room,
                _SWEEPS, gamma, shares, mu, w, gains,
            )  # fmt: skip
            net = gains - q.lambda0 * sizes
            value = q.half_yy - 0.5 * gamma @ (q.c - w) - net[status == IN].sum()
            free = status == FREE
            value = float(value - knapsack(net[free], sizes[free], room))
            if value > bound:
                bound, proof = value, Proof(gamma.copy())
            if bound >= prune_at:
                break
        return Bounded(bound, np.append(gamma, mu), gamma, proof)


class FittedRelaxation:
    """The fit of all columns that are allowed, and the price of those that are in; there is no state."""

    def __init__(self, scaled: ScaledProblem, sizes: Vector, block_of: IntVector):
        self._fit, self._lambda0, self._sizes, self._block_of = fit_bound(scaled), scaled.lambda0, sizes, block_of

    def start(self) -> Vector:
        return np.zeros(0)

    def bound(self, bound: float, state: Vector, status: StatusVector, room: float, prune_at: float) -> Bounded:
        value, gamma = self._fit(np.flatnonzero(status[self._block_of] != OUT))
        paid = self._lambda0 * float(self._sizes[status == IN].sum())
        return Bounded(max(bound, value + paid), state, gamma, None)


def knapsack(gains: Vector, sizes: Vector, room: float) -> float:
    """The fractional knapsack: the most that blocks with these gains can add in the room left."""
    useful = np.flatnonzero(gains > 0)
    gains, sizes = gains[useful], sizes[useful]
    order = np.argsort(-gains / sizes)
    sizes = sizes[order]
    parts = np.minimum(np.maximum(room - (np.cumsum(sizes) - sizes), 0.0) / sizes, 1.0)
    return float(gains[order] @ parts)


def fit_bound(scaled: ScaledProblem) -> Callable[[IntVector], tuple[float, Vector]]:
    """Return the function from allowed columns to (least objective without λ0, their coefficients).

    The data are compressed once to the triangle of their QR factorisation, with the ridge as extra rows. λ1 and
    bounds only raise the objective, so leaving them out keeps the bound.
    """
    data = np.column_stack([scaled.X, scaled.y])
    if scaled.ridge.any():
        extra = np.column_stack([np.diag(np.sqrt(2 * scaled.ridge)), np.zeros(scaled.m)])
        data = np.vstack([data, extra])
    triangle = linalg.qr(data, mode="r")[0][: scaled.m + 1]

    def fit(allowed: IntVector) -> tuple[float, Vector]:
        gamma = np.zeros(scaled.m)
        if len(allowed):
            gamma[allowed] = linalg.lstsq(triangle[:, allowed], triangle[:, -1], lapack_driver="gelsy")[0]
        residual = triangle[:, -1] - triangle[:, allowed] @ gamma[allowed]
        # Scaling rounded each entry of the unit columns: at these coefficients that moves the residual by so much.
        moved = _UNITS * (1.0 + float(np.abs(gamma).sum()))
        return 0.5 * max(0.0, float(np.linalg.norm(residual)) - moved) ** 2, gamma

    return fit
