r"""The relaxation of a plain problem over blocks, with prices on its rules.

For shares z of the blocks the best γ solves :math:`(Q + 2\,\mathrm{diag}(\rho/z))\gamma = c`, and for γ the best shares
under the rules, relaxed to 0 ≤ z ≤ 1, are found by their prices; the two alternate. Any γ and any prices π ≥ 0 of rows
a_r z ≤ b_r prove

.. math:: f \ge \tfrac12 yy - \tfrac12\gamma^\top Q\gamma - \pi^\top b
    - \max_z \sum_b z_b \Big(h_b(w) - \lambda_0 s_b - \sum_r \pi_r a_{rb}\Big).

Source
------
Frangioni and Gentile (2006) for the perspective; pricing rules out is Lagrangian relaxation (Geoffrion 1974).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from bestsubset.bnb.block_bounds import Bounded, Proof, knapsack
from bestsubset.bnb.perspective_state import FREE, IN, OUT, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.share_kernels import share_out
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.block_rules import BlockRules

MOST = 300  # columns: a factorisation each step
_FIRST, _LATER = 40, 8  # steps at the root and elsewhere
_SLOW = 0.03  # of what is missing: a step that gains less is the last
_SWEEPS = 3


class PricedRelaxation:
    """Bounds of nodes of a plain problem; a node's state are the shares of its blocks and the prices of all rows."""

    def __init__(
        self, scaled: ScaledProblem, quadratic: Quadratic, Q: Matrix, rules: BlockRules, block_of: IntVector
    ) -> None:
        self._quadratic, self._Q, self._rules, self._block_of = quadratic, Q, rules, block_of
        n_blocks = len(rules.sizes)
        # The bound on the size is the last row; its price is what is paid beside λ0.
        self._starts = np.append(rules.starts, rules.starts[-1] + n_blocks)
        self._members = np.concatenate([rules.members, np.arange(n_blocks)])
        self._coefs = np.concatenate([rules.coefs, rules.sizes])
        self._limits = np.append(rules.limits, rules.k)
        # A sum that rounds to the limit is allowed.
        self._ceiling = np.nextafter(rules.limits, np.inf)
        self._A = rules.dense()
        self._is_root = True

    def start(self) -> Vector:
        """The state of the root."""
        n_blocks, k = len(self._rules.sizes), self._rules.k
        share = min(1.0, k / float(self._rules.sizes.sum()))
        shares = np.full(n_blocks, max(share, 1e-4))
        return np.concatenate([shares, np.zeros(len(self._limits))])

    def bound(self, bound: float, state: Vector, status: StatusVector, room: float, prune_at: float) -> Bounded:
        """Alternate until the node is closed or progress is slow."""
        n_blocks = len(status)
        shares, prices = state[:n_blocks].copy(), state[n_blocks:].copy()
        shares[status == IN] = 1.0
        best, proof, gamma = -np.inf, Proof(), np.zeros(len(self._block_of))
        allowed = np.flatnonzero(status[self._block_of] != OUT)
        patience, steps = (10, _FIRST) if self._is_root else (2, _LATER)
        for step in range(steps):
            gamma = self._solve(allowed, shares)
            value = self._value(gamma, allowed, status, room, prices)
            gained, missing = value - best, prune_at - max(best, value)
            if value > best:
                best, proof = value, Proof(gamma, prices[:-1].copy())
            if best >= prune_at or (step >= patience and gained < _SLOW * missing):
                break
            energy = self._by_block(self._quadratic.rho * gamma**2)
            base = self._quadratic.lambda0 * self._rules.sizes
            share_out(
                energy, base, self._starts, self._members, self._coefs, self._limits, status, _SWEEPS, prices, shares
            )
        self._is_root = False
        if best <= bound:
            return Bounded(bound, np.concatenate([shares, prices]), gamma, None)
        return Bounded(best, np.concatenate([shares, prices]), gamma, proof)

    def _by_block(self, terms: Vector) -> Vector:
        return np.bincount(self._block_of, terms, minlength=len(self._rules.sizes)).astype(np.float64)

    def _solve(self, allowed: IntVector, shares: Vector) -> Vector:
        q = self._quadratic
        M = self._Q[np.ix_(allowed, allowed)]
        M[np.diag_indices_from(M)] += 2.0 * q.rho[allowed] / shares[self._block_of[allowed]]
        gamma = np.zeros(len(q.c))
        if len(allowed):
            _, solution, failed = lapack.dposv(M, q.c[allowed], lower=1, overwrite_a=1)
            if not failed:
                gamma[allowed] = solution
        return gamma

    def _value(self, gamma: Vector, allowed: IntVector, status: StatusVector, room: float, prices: Vector) -> float:
        q = self._quadratic
        explained = self._Q[:, allowed] @ gamma[allowed]
        gains = self._by_block((q.c - explained) ** 2 / (4.0 * q.rho))
        gains -= q.lambda0 * self._rules.sizes + prices[:-1] @ self._A
        free = status == FREE
        fill = knapsack(gains[free], self._rules.sizes[free], room)
        return float(
            q.half_yy - 0.5 * gamma @ explained - gains[status == IN].sum() - fill - prices[:-1] @ self._ceiling
        )
