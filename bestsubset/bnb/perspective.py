r"""The perspective tree: branch and bound on the perspective relaxation, for anything with a ridge or a box.

The problem is :math:`\min \tfrac12 yy - c^\top\gamma + \tfrac12\gamma^\top Q\gamma + \sum_j[\rho_j\gamma_j^2 + \lambda_{1j}|\gamma_j|]
+ \lambda_0\|\gamma\|_0` over :math:`\|\gamma\|_0 \le k` and a box, Q positive semidefinite. With
:math:`h_j(v) = \max_{lo \le b \le hi} v b - \lambda_{1j}|b| - \rho_j b^2` and :math:`w = c - Q\gamma`, **any** γ gives

.. math:: LB(\gamma) = \tfrac12 yy - \tfrac12\gamma^\top Q\gamma - \sum_{j\,in}(h_j(w_j) - \lambda_0)
          - \sum_{j\,free}^{k-|in|\ largest}(h_j(w_j) - \lambda_0)_+ .

γ comes from cyclic coordinate descent on the relaxation with a multiplier μ for the cardinality. After every sweep
the node is pruned if LB reaches the incumbent, columns are fixed by what LB would be on their other side, and the
node is branched on at once if the relaxation's value lies below the incumbent, since then no γ can prune it.

Sources: Günlük and Linderoth (2010), Atamtürk and Gómez (2020), Hazimeh, Mazumder and Saab (2022), Liu, Rosen, Zhong
and Rudin (2023) for the relaxation and its duals; the stopping rule and the mixed conjugate are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bestsubset.bnb.tree import MemoryLimitReached
from formulations._types import BoolVector, IntVector, Matrix, Vector

RowsOf = Callable[[IntVector], Matrix]

_FINISHED, _BUDGET_SPENT, _ROWS_MISSING, _POOL_FULL = 0, 1, 2, 3
_OUT = 2
_BATCH = 16  # rows of Q formed at once
_ROOT_SWEEPS = 20


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The data of the problem above; all vectors have shape (m,)."""

    c: Vector
    diagonal: Vector
    half_yy: float
    k: int
    lambda0: float
    lambda1: Vector
    rho: Vector
    lower: Vector
    upper: Vector
    included: BoolVector

    def restricted_to(self, keep: IntVector) -> Quadratic:
        """The same problem on some of the columns."""
        vectors = ("c", "diagonal", "lambda1", "rho", "lower", "upper", "included")
        parts = {name: np.ascontiguousarray(getattr(self, name)[keep]) for name in vectors}
        return replace(self, **parts, k=min(self.k, len(keep)))

    @property
    def is_plain(self) -> bool:
        """No λ1 and no box: a support is valued by one Cholesky factorisation."""
        return not (self.lambda1.any() or np.isfinite(self.lower).any() or np.isfinite(self.upper).any())


class PerspectiveTree:
    """Search with bursts of compiled work; all state lives in arrays between them.

    Parameters
    ----------
    quadratic : Quadratic
        Every column needs ``rho > 0`` or finite bounds.
    rows_of : callable
        Rows of Q for some columns, shape (len, m). Asked only for columns that enter the relaxation.
    upper : float
        Objective of the incumbent.
    relative_slack : float
        Nodes within this of the incumbent are pruned; it is taken off the bound.
    gamma, mu : optional
        Where the root's relaxation starts.
    memory_limit : float
        Bytes for open nodes and rows.
    """

    def __init__(
        self,
        quadratic: Quadratic,
        rows_of: RowsOf,
        upper: float,
        relative_slack: float,
        *,
        gamma: Vector | None = None,
        mu: float | None = None,
        memory_limit: float = 4e9,
    ) -> None:
        self.quadratic = quadratic
        m = len(quadratic.c)
        self.columns = np.arange(m)
        self._rows_of = rows_of
        self._memory_limit = memory_limit
        self._slack = relative_slack
        self._allowance = 1e-13 * quadratic.half_yy
        start = self._first_mu() if mu is None else max(mu, quadratic.lambda0)
        prune_at = upper * (1 - relative_slack) + self._allowance
        self._scalars = np.array([upper, prune_at, np.inf, -np.inf, start])
        self._counts = np.zeros(5, dtype=np.int64)
        self._counts[3] = 2  # the root waits
        self._best = np.full(quadratic.k, -1, dtype=np.int64)
        self._missing = np.zeros(_BATCH, dtype=np.int64)
        self._status = quadratic.included.astype(np.int8)
        self._gamma = np.zeros(m) if gamma is None else gamma.copy()
        self._rows = np.empty((0, m))
        self._n_rows = 0
        self._slot = np.full(m, -1, dtype=np.int64)
        self._make_pool(64)
        if gamma is not None:
            self._fetch(np.flatnonzero(gamma))

    def _first_mu(self) -> float:
        """The multiplier at which about k columns would enter from γ = 0."""
        from bestsubset.bnb.perspective_kernels import conjugate

        q = self.quadratic
        strongest = np.argsort(-np.abs(q.c))[: q.k]
        gains = [conjugate(q.c[j], q.lambda1[j], q.rho[j], q.lower[j], q.upper[j]) for j in strongest]
        return max(q.lambda0, min((g for g in gains if g > 0), default=1e-14), 1e-14)

    def _make_pool(self, capacity: int) -> None:
        m = len(self.quadratic.c)
        self._pool_status = np.empty((capacity, m), dtype=np.int8)
        self._pool_gamma = np.empty((capacity, m))
        self._pool_bound = np.empty(capacity)
        self._pool_mu = np.empty(capacity)
        self._heap = np.zeros(capacity, dtype=np.int64)
        self._vacant = np.arange(capacity)

    def _enlarge_pool(self) -> None:
        old = len(self._pool_bound)
        self._require_memory(2 * old * len(self.quadratic.c) * 9.0)
        kept = (self._pool_status, self._pool_gamma, self._pool_bound, self._pool_mu, self._heap)
        self._make_pool(2 * old)
        new = (self._pool_status, self._pool_gamma, self._pool_bound, self._pool_mu, self._heap)
        for source, target in zip(kept, new, strict=True):
            target[:old] = source
        self._vacant[:old] = np.arange(old, 2 * old)  # the pool was full: only the new half is vacant

    def _fetch(self, columns: IntVector) -> None:
        """Form the rows of Q for columns that have none yet."""
        wanted = columns[self._slot[columns] < 0]
        if not len(wanted):
            return
        m = len(self.quadratic.c)
        needed = self._n_rows + len(wanted)
        if needed > len(self._rows):
            capacity = min(m, max(needed, 2 * len(self._rows), 64))
            self._require_memory(capacity * m * 8.0 + self._pool_gamma.nbytes)
            rows = np.empty((capacity, m))
            rows[: self._n_rows] = self._rows[: self._n_rows]
            self._rows = rows
        self._rows[self._n_rows : needed] = self._rows_of(self.columns[wanted])[:, self.columns]
        self._slot[wanted] = np.arange(self._n_rows, needed)
        self._n_rows = needed

    def _require_memory(self, needed: float) -> None:
        if needed > self._memory_limit:
            raise MemoryLimitReached

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted.

        Raises
        ------
        MemoryLimitReached
            The state stays sound: `bound` holds.
        """
        from bestsubset.bnb.perspective_kernels import grow

        q = self.quadratic
        stop_at = self.nodes + nodes
        while True:
            code = grow(
                self._rows, self._slot, q.diagonal, q.c, q.half_yy, q.lambda0, q.k, q.lambda1, q.rho, q.lower, q.upper,
                q.is_plain, self._slack, self._allowance, self._scalars, self._counts, self._best, self._missing,
                self._status, self._gamma, self._pool_status, self._pool_gamma, self._pool_bound, self._pool_mu,
                self._heap, self._vacant, _ROOT_SWEEPS, max(0, stop_at - self.nodes),
            )  # fmt: skip
            if code == _ROWS_MISSING:
                self._fetch(self._missing[: self._counts[4]].copy())
            elif code == _POOL_FULL:
                self._enlarge_pool()
            else:
                return bool(code == _FINISHED)

    def compress(self) -> None:
        """Drop the columns that every open node excludes: after the root they are most of a wide problem."""
        open_slots = self._heap[: self._counts[2]]
        alive = np.any(self._pool_status[open_slots] != _OUT, axis=0)
        if self._counts[3]:
            alive |= self._status != _OUT
        best = self._best[self._best >= 0]
        alive[best] = True
        keep = np.flatnonzero(alive)
        if len(keep) > 0.8 * len(alive) or not len(keep):
            return
        position = np.full(len(alive), -1)
        position[keep] = np.arange(len(keep))
        self._best[: len(best)] = position[best]
        self._best = self._best[: min(self.quadratic.k, len(keep))]
        self.columns = self.columns[keep]
        self.quadratic = self.quadratic.restricted_to(keep)
        self._status, self._gamma = self._status[keep], self._gamma[keep]
        self._pool_status = np.ascontiguousarray(self._pool_status[:, keep])
        self._pool_gamma = np.ascontiguousarray(self._pool_gamma[:, keep])
        has_row = keep[self._slot[keep] >= 0]
        rows = self._rows[np.ix_(self._slot[has_row], keep)]
        self._rows, self._n_rows = np.ascontiguousarray(rows), len(rows)
        self._slot = np.full(len(keep), -1, dtype=np.int64)
        self._slot[position[has_row]] = np.arange(len(rows))

    @property
    def nodes(self) -> int:
        return int(self._counts[0])

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self._scalars[0])

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        if not self._counts[1]:
            return None
        return np.sort(self.columns[self._best[self._best >= 0]])

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        if value < self._scalars[0]:
            self._scalars[0] = value
            self._scalars[1] = value * (1 - self._slack) + self._allowance

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this; open nodes count with their bounds."""
        bound = min(self._scalars[1], self._scalars[2])
        if self._counts[2]:
            bound = min(bound, self._pool_bound[self._heap[0]])
        if self._counts[3]:
            bound = min(bound, self._scalars[3])
        return max(0.0, float(bound) - self._allowance)
