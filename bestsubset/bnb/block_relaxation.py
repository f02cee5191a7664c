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
        self._row_of = np.repeat(np.arange(rules.count), np.diff(rules.starts))
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
        rules = self._rules
        node = _Node(self._quadratic, self._Q, self._block_of, status)
        patience, steps = (10, _FIRST) if self._is_root else (2, _LATER)
        for step in range(steps):
            priced = np.bincount(rules.members, rules.coefs * prices[self._row_of], minlength=n_blocks)
            charges: Vector = priced + rules.sizes * self._quadratic.lambda0
            value, gamma, energy = node.value(shares, charges, rules.sizes, room)
            value -= float(prices[:-1] @ self._ceiling)
            gained, missing = value - best, prune_at - max(best, value)
            if value > best:
                best, proof = value, Proof(gamma, prices[:-1].copy())
            if best >= prune_at or (step >= patience and gained < _SLOW * missing):
                break
            base = self._quadratic.lambda0 * self._rules.sizes
            share_out(
                energy, base, self._starts, self._members, self._coefs, self._limits, status, _SWEEPS, prices, shares
            )
        self._is_root = False
        if best <= bound:
            return Bounded(bound, np.concatenate([shares, prices]), gamma, None)
        return Bounded(best, np.concatenate([shares, prices]), gamma, proof)


class _Node:
    """The columns that a node allows, gathered once for all its steps."""

    def __init__(self, quadratic: Quadratic, Q: Matrix, block_of: IntVector, status: StatusVector) -> None:
        self._quadratic, self._status = quadratic, status
        self._allowed = np.flatnonzero(status[block_of] != OUT)
        self._block = block_of[self._allowed]
        self._Q = Q[self._allowed[:, None], self._allowed]
        self._c, self._rho = quadratic.c[self._allowed], quadratic.rho[self._allowed]
        self._free, self._in = status == FREE, status == IN

    def value(self, shares: Vector, charges: Vector, sizes: Vector, room: float) -> tuple[float, Vector, Vector]:
        """Return the bound by the best γ for some shares, with γ and what curvature each block needs.

        Gains of blocks are less by the charges: λ0, and prices of rules.
        """
        q = self._quadratic
        gamma = self._solved(shares)
        explained = self._Q @ gamma
        gains = self._by_block((self._c - explained) ** 2 / (4.0 * self._rho))
        gains -= charges
        fill = knapsack(gains[self._free], sizes[self._free], room)
        value = q.half_yy - 0.5 * gamma @ explained - gains[self._in].sum() - fill
        whole = np.zeros(len(q.c))
        whole[self._allowed] = gamma
        return float(value), whole, self._by_block(self._rho * gamma**2)

    def _by_block(self, terms: Vector) -> Vector:
        return np.bincount(self._block, terms, minlength=len(self._status)).astype(np.float64, copy=False)

    def _solved(self, shares: Vector) -> Vector:
        """The solution of (Q + 2 diag(ρ/z)) γ = c."""
        if not len(self._c):
            return self._c
        M = self._Q.copy()
        M.reshape(-1)[:: len(M) + 1] += 2.0 * self._rho / shares[self._block]
        # The matrix is symmetric: its transpose is laid out as LAPACK wants it.
        _, solution, failed = lapack.dposv(M.T, self._c, lower=1, overwrite_a=1)
        return np.zeros_like(self._c) if failed else np.asarray(solution)
