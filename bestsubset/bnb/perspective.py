r"""The perspective tree: branch and bound on the perspective relaxation, for anything with a ridge or a box.

The problem, over :math:`\|\gamma\|_0 \le k` and a box, with Q positive semidefinite, is

.. math:: \min\; \tfrac12 yy - c^\top\gamma + \tfrac12\gamma^\top Q\gamma
          + \sum_j[\rho_j\gamma_j^2 + \lambda_{1j}|\gamma_j|] + \lambda_0\|\gamma\|_0.

With
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

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import NodeEvents
from bestsubset.bnb.perspective_state import (
    BOUND,
    CURRENT,
    FINISHED,
    FOUND,
    FREE,
    FRESH,
    ID,
    IN,
    JUST_MADE,
    LOG_FULL,
    MULTIPLIER,
    NO_NODE,
    NODES,
    OPEN,
    OUT,
    POOL_FULL,
    PRUNE_AT,
    REJECTED,
    ROWS_MISSING,
    UPPER,
    Log,
    Pool,
    Search,
    Terms,
    node_of,
)
from bestsubset.bnb.tree import MemoryLimitReached
from formulations._types import BoolVector, IntVector, Matrix, Vector
from warmstarts.compilation import compiling

RowsOf = Callable[[IntVector], Matrix]

_BATCH = 16  # rows of Q formed at once
_ROOT_SWEEPS = 20
_ERROR_OF_W = 4e-15
_FIRST_POOL = 64


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
        return replace(
            self,
            c=self.c[keep],
            diagonal=self.diagonal[keep],
            k=min(self.k, len(keep)),
            lambda1=self.lambda1[keep],
            rho=self.rho[keep],
            lower=self.lower[keep],
            upper=self.upper[keep],
            included=self.included[keep],
        )

    @property
    def is_plain(self) -> bool:
        """No λ1 and no box: a support is valued by one Cholesky factorisation."""
        return not (self.lambda1.any() or np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def rounding(self) -> float:
        r"""What rounding may add to a dual bound of the scaled problem.

        An error δ in each w_j changes :math:`\sum h_j(w_j)` over k columns by
        :math:`\delta\sum|w_j|/(2\rho_j) \le \delta\sqrt{\textstyle\sum h_j}\sqrt{k/\rho_{min}}`; what matters is
        :math:`\sum h_j \le \tfrac12`.
        """
        rho = self.rho[self.rho > 0]
        smallest = float(rho.min()) if len(rho) else 1.0
        return 1e-13 * self.half_yy + _ERROR_OF_W * float(np.sqrt(0.5 * self.k / smallest))


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
    log : TreeLog, optional
        Where the tree is logged for a certificate.
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
        log: TreeLog | None = None,
    ) -> None:
        self.quadratic = quadratic
        m = len(quadratic.c)
        self.columns = np.arange(m)
        self._rows_of = rows_of
        self._memory_limit = memory_limit
        self._slack = relative_slack
        self._allowance = quadratic.rounding
        start = self._first_mu() if mu is None else max(mu, quadratic.lambda0)
        prune_at = upper * (1 - relative_slack) + self._allowance
        self._search = Search(
            scalars=np.array([upper, prune_at, np.inf, -np.inf, start]),
            counts=np.array([0, 0, 0, JUST_MADE, 0, 1, -1, 0], dtype=np.int64),
            best=np.full(quadratic.k, -1, dtype=np.int64),
        )
        first = np.zeros(m) if gamma is None else gamma.copy()
        self._node = node_of(np.where(quadratic.included, IN, FREE).astype(np.int8), first, quadratic.k)
        self._pool = Pool.of(_FIRST_POOL, m)
        self._log = Log.of(m, log is not None)
        self._events = NodeEvents(log) if log is not None else None
        self._rows = np.empty((0, m))
        self._n_rows = 0
        self._slot = np.full(m, -1, dtype=np.int64)
        self._fetch(np.flatnonzero(first))

    def _first_mu(self) -> float:
        """The multiplier at which about k columns would enter from γ = 0."""
        q = self.quadratic
        strongest = np.argsort(-np.abs(q.c))[: q.k]
        slope = np.maximum(np.abs(q.c[strongest]) - q.lambda1[strongest], 0.0)
        gains = slope**2 / (4 * np.maximum(q.rho[strongest], 1e-3))
        return float(max(q.lambda0, gains[gains > 0].min(initial=np.inf) if np.any(gains > 0) else 0.0, 1e-14))

    def _fetch(self, columns: IntVector) -> None:
        """Form the rows of Q for columns that have none yet."""
        wanted = columns[self._slot[columns] < 0]
        if not len(wanted):
            return
        m = len(self.quadratic.c)
        needed = self._n_rows + len(wanted)
        if needed > len(self._rows):
            capacity = min(m, max(needed, 2 * len(self._rows), 64))
            self._require_memory(capacity * m * 8.0 + self._pool.gamma.nbytes)
            rows = np.empty((capacity, m))
            rows[: self._n_rows] = self._rows[: self._n_rows]
            self._rows = rows
        self._rows[self._n_rows : needed] = self._rows_of(self.columns[wanted])[:, self.columns]
        self._slot[wanted] = np.arange(self._n_rows, needed)
        self._n_rows = needed

    def _wanted_rows(self) -> IntVector:
        """Columns of the node in hand whose rows come next: the included ones, else those that pull hardest."""
        lacking = self._slot < 0
        included = np.flatnonzero(lacking & (self._node.status == IN))
        if len(included):
            return included
        free = np.flatnonzero(lacking & (self._node.status == FREE))
        return free[np.argsort(-np.abs(self._node.w[free]))[:_BATCH]]

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

        stop_at = self.nodes + nodes
        while True:
            left = max(0, stop_at - self.nodes)
            with compiling(grow):
                code = grow(self._terms(), self._node, self._search, self._pool, self._log, _ROOT_SWEEPS, left)
            self._drain_log()
            if code == ROWS_MISSING:
                self._fetch(self._wanted_rows())
            elif code == POOL_FULL:
                self._require_memory(2.0 * self._pool.gamma.nbytes + self._rows.nbytes)
                self._pool = self._pool.doubled()
            elif code != LOG_FULL:
                return bool(code == FINISHED)

    def _drain_log(self) -> None:
        if self._events is not None:
            self._events.take(self._log, self.columns)

    def close_log(self) -> TreeLog | None:
        """Log the open nodes as leaves; return the log."""
        if self._events is None:
            return None
        self._drain_log()
        counts, pool = self._search.counts, self._pool
        slots = pool.heap[: counts[OPEN]]
        leaves = np.column_stack([pool.node[slots], pool.multiplier[slots]])
        if counts[CURRENT] != NO_NODE:
            self._log_proof()
            leaves = np.vstack([leaves, [[counts[ID], counts[MULTIPLIER]]]])
        return self._events.assemble(leaves)

    def _log_proof(self) -> None:
        """Log the multiplier behind the bound of the node in hand, if it is not logged yet."""
        counts = self._search.counts
        if self._events is not None and counts[FRESH]:
            self._drain_log()
            counts[MULTIPLIER] = self._events.add_multiplier(self._log, self.columns, self._node.proof)
            counts[FRESH] = 0

    def _terms(self) -> Terms:
        q = self.quadratic
        return Terms(
            self._rows, self._slot, q.diagonal, q.c, q.lambda1, q.rho, q.lower, q.upper, q.half_yy, q.lambda0, q.k,
            q.is_plain, self._slack, self._allowance,
        )  # fmt: skip

    def compress(self) -> None:
        """Drop the columns that every open node excludes: after the root they are most of a wide problem."""
        self._log_proof()
        open_slots = self._pool.heap[: self._search.counts[OPEN]]
        alive = np.any(self._pool.status[open_slots] != OUT, axis=0)
        if self._search.counts[CURRENT] != NO_NODE:
            alive |= self._node.status != OUT
        best = self._search.best[self._search.best >= 0]
        alive[best] = True
        keep = np.flatnonzero(alive)
        if not 0 < len(keep) <= 0.8 * len(alive):
            return
        position = np.full(len(alive), -1)
        position[keep] = np.arange(len(keep))
        self.columns = self.columns[keep]
        self.quadratic = self.quadratic.restricted_to(keep)
        renamed = np.full(self.quadratic.k, -1, dtype=np.int64)
        renamed[: len(best)] = position[best]
        self._search = self._search._replace(best=renamed)
        self._node = node_of(self._node.status[keep], self._node.gamma[keep], self.quadratic.k)
        self._pool = self._pool._replace(
            status=np.ascontiguousarray(self._pool.status[:, keep]),
            gamma=np.ascontiguousarray(self._pool.gamma[:, keep]),
        )
        has_row = keep[self._slot[keep] >= 0]
        self._rows = np.ascontiguousarray(self._rows[np.ix_(self._slot[has_row], keep)])
        self._n_rows = len(has_row)
        self._slot = np.full(len(keep), -1, dtype=np.int64)
        self._slot[position[has_row]] = np.arange(len(has_row))

    @property
    def nodes(self) -> int:
        return int(self._search.counts[NODES])

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self._search.scalars[UPPER])

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        if not self._search.counts[FOUND]:
            return None
        return np.sort(self.columns[self._search.best[self._search.best >= 0]])

    def proposal(self) -> IntVector:
        """The included and the largest coefficients of the node in hand: a support worth a look between bursts."""
        weight = np.abs(self._node.gamma)
        weight[self._node.status == IN] = np.inf
        largest = np.argsort(-weight)[: self.quadratic.k]
        return np.sort(self.columns[largest[weight[largest] > 0]])

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        scalars = self._search.scalars
        if value < scalars[UPPER]:
            scalars[UPPER] = value
            scalars[PRUNE_AT] = value * (1 - self._slack) + self._allowance

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this; open nodes count with their bounds."""
        scalars, counts = self._search.scalars, self._search.counts
        bound = min(scalars[PRUNE_AT], scalars[REJECTED])
        if counts[OPEN]:
            bound = min(bound, self._pool.bound[self._pool.heap[0]])
        if counts[CURRENT] != NO_NODE:
            bound = min(bound, scalars[BOUND])
        return max(0.0, min(self.upper, float(bound) - self._allowance))
