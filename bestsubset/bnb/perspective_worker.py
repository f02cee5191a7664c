"""One worker of the perspective tree: open nodes, the node in hand, and what it logs, searched in bursts."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import NodeEvents
from bestsubset.bnb.perspective_rows import Rows
from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    BEFORE,
    BOUND,
    CURRENT,
    FOUND,
    FREE,
    FRESH,
    HEAP_LIMIT,
    ID,
    IDS,
    IN,
    JUST_MADE,
    LOG_FULL,
    MU,
    MULTIPLIER,
    MULTIPLIERS,
    NO_NODE,
    NODES,
    NUMBERS,
    OPEN,
    OUT,
    POOL_FULL,
    PRUNE_AT,
    REJECTED,
    ROWS_MISSING,
    SEEN,
    STACKED,
    STRIDE,
    UPPER,
    WANTED,
    WORKING_FULL,
    Log,
    Node,
    Pool,
    Search,
    StatusMatrix,
    StatusVector,
    Terms,
    Working,
)
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.tree import MemoryLimitReached
from formulations._types import IntMatrix, IntVector, Vector
from warmstarts.compilation import compiling

_BATCH, _LARGE_BATCH = 16, 32  # rows of Q formed at once; of large problems, each look at whose data takes long
_LARGE = 30_000  # columns
_ROOT_SWEEPS = 20
_FIRST_POOL = 64
_FIRST_WORKING = 200  # an odd multiple of 8: columns of a power of two would fall on the same lines of the cache


class Worker:
    """A part of the tree and its search; it begins with nothing to do.

    Parameters
    ----------
    quadratic : Quadratic
    rows : Rows
        Those of all workers.
    upper, slack, allowance : float
        The value to beat; relative and absolute slack of pruning.
    closes_pairs : bool
    memory_limit : float
        Bytes for rows and for the open nodes of all workers, of which this one may have its ``share``.
    number : int
        Distinguishes its multipliers from those of other workers.
    log : TreeLog, optional
        Where its multipliers go.
    by_descent : bool
        Whether supports are valued by coordinate descent, which leaves a multiplier, even where a factorisation would,
        and multipliers are dear: columns are fixed only before a branching.
    """

    def __init__(
        self,
        quadratic: Quadratic,
        rows: Rows,
        upper: float,
        slack: float,
        allowance: float,
        *,
        closes_pairs: bool,
        memory_limit: float,
        number: int = 0,
        log: TreeLog | None = None,
        by_descent: bool = False,
    ) -> None:
        m = len(quadratic.c)
        self.quadratic, self.rows, self.columns = quadratic, rows, np.arange(m)
        self.memory_limit, self.share = memory_limit, 1.0
        self._slack, self._allowance, self._closes_pairs = slack, allowance, closes_pairs
        self._is_plain = quadratic.is_plain and not by_descent
        self._fixes_late = by_descent
        self.search = Search(
            scalars=np.array([upper, upper * (1 - slack) + allowance, np.inf, -np.inf, 0.0]),
            counts=np.zeros(14, dtype=np.int64),
            best=np.full(quadratic.k, -1, dtype=np.int64),
        )
        self.search.counts[[IDS, MULTIPLIER, STRIDE]] = 1, -1, 2
        self._adopt(np.full(m, OUT, dtype=np.int8), np.zeros(m))
        self.pool = Pool.of(_FIRST_POOL, m)
        self.log = Log.of(m, number, log is not None)
        self.events = NodeEvents(log) if log is not None else None
        if log is not None:  # multipliers of boxes come first
            self.log.counts[[BEFORE + MULTIPLIERS, BEFORE + NUMBERS]] = log.ends.length, log.columns.length

    def another(self, number: int) -> Worker:
        """A worker for the same search."""
        log = None if self.events is None else TreeLog(self.events.log.names, self.events.log.coef_unit)
        other = Worker(
            self.quadratic,
            self.rows,
            self.upper,
            self._slack,
            self._allowance,
            closes_pairs=self._closes_pairs,
            memory_limit=self.memory_limit,
            number=number,
            log=log,
        )
        other.columns = self.columns
        return other

    def _adopt(self, status: StatusVector, gamma: Vector) -> None:
        self.node = Node.of(status, gamma, self.quadratic.k, self._closes_pairs)
        self.working = Working.of(min(len(gamma), _FIRST_WORKING), len(gamma))
        self.search.counts[[ASSEMBLED, SEEN]] = 0  # neither the working set nor w is that of the node

    def plant(self, status: StatusVector, gamma: Vector, mu: float) -> None:
        """Take the root in hand."""
        self._adopt(status, gamma)
        self.search.scalars[MU] = mu
        self.search.counts[CURRENT] = JUST_MADE

    @property
    def nodes(self) -> int:
        return int(self.search.counts[NODES])

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self.search.scalars[UPPER])

    @property
    def support(self) -> IntVector | None:
        """The best support found here, sorted; None unless it beat the value given."""
        best = self.search.best
        return np.sort(self.columns[best[best >= 0]]) if self.search.counts[FOUND] else None

    @property
    def is_idle(self) -> bool:
        counts = self.search.counts
        return bool(counts[CURRENT] == NO_NODE and counts[OPEN] + counts[STACKED] == 0)

    @property
    def bound(self) -> float:
        """Nothing that this worker has or had is below; the allowance is still to be taken off."""
        scalars, counts, pool = self.search.scalars, self.search.counts, self.pool
        bound = min(scalars[PRUNE_AT], scalars[REJECTED])
        bound = min(bound, np.min(pool.bound[pool.stack[: counts[STACKED]]], initial=np.inf))
        if counts[OPEN]:
            bound = min(bound, pool.bound[pool.heap[0]])
        if counts[CURRENT] != NO_NODE:
            bound = min(bound, scalars[BOUND])
        return float(bound)

    def lower_upper(self, value: float) -> None:
        """Tell of a better value found elsewhere."""
        scalars = self.search.scalars
        if value < scalars[UPPER]:
            scalars[UPPER] = value
            scalars[PRUNE_AT] = value * (1 - self._slack) + self._allowance

    def ask(self, waiting: int) -> None:
        """Tell how many wait for a part of this one's."""
        self.search.counts[WANTED] = waiting

    def work(self, nodes: int) -> None:
        """Open up to so many nodes.

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
                code = grow(
                    self._terms(), self.node, self.working, self.search, self.pool, self.log, _ROOT_SWEEPS, left
                )
            self.drain_log()
            if code == ROWS_MISSING:
                self.rows.fetch(self._wanted_rows())
            elif code == POOL_FULL:
                self._enlarge_pool()
            elif code == WORKING_FULL:
                m = len(self.columns)
                self.working = Working.of(min(2 * len(self.working.columns) + 8, m), m)
                self.search.counts[ASSEMBLED] = 0
            elif code != LOG_FULL:
                return

    def _terms(self) -> Terms:
        q = self.quadratic
        return Terms(
            self.rows.rows, self.rows.slot, q.diagonal, q.c, q.lambda1, q.rho, q.lower, q.upper, q.half_yy, q.lambda0,
            q.k, self._is_plain, self._closes_pairs, self._fixes_late, self._slack, self._allowance,
        )  # fmt: skip

    def _wanted_rows(self) -> IntVector:
        """Columns of the node in hand whose rows come next: the included ones, else those that pull hardest."""
        lacking = self.rows.slot < 0
        status = self.node.status[: len(lacking)]
        included = np.flatnonzero(lacking & (status == IN))
        if len(included):
            return included
        free = np.flatnonzero(lacking & (status == FREE))
        batch = _BATCH if len(lacking) < _LARGE else _LARGE_BATCH
        return free[np.argpartition(-self.node.gain[free], min(batch, len(free)) - 1)[:batch]]

    def _enlarge_pool(self) -> None:
        """Twice the room for open nodes; where memory forbids it, room for one dive: the search goes depth first."""
        m, capacity = len(self.columns), self.pool.capacity
        allowed = (self.memory_limit - self.rows.nbytes) * self.share / Pool.bytes_of(m)
        dive = m + 2  # a dive decides a column with every node
        if 2 * capacity <= allowed:
            self.pool = self.pool.grown(2 * capacity, m)
        elif dive <= allowed:
            self.search.counts[HEAP_LIMIT] = capacity
            self.pool = self.pool.grown(capacity + dive, m)
        else:
            raise MemoryLimitReached

    def can_share(self, workers: int) -> bool:
        """Tell whether memory is enough for so many workers with what this one has, and room for some dives, each."""
        m = len(self.columns)
        each = Pool.bytes_of(m) * max(self.pool.capacity, 4 * (m + 2))
        return self.rows.nbytes + workers * each <= self.memory_limit

    def open_slots(self) -> IntVector:
        counts = self.search.counts
        return np.concatenate([self.pool.heap[: counts[OPEN]], self.pool.stack[: counts[STACKED]]])

    def open_nodes(self) -> tuple[StatusMatrix, Vector]:
        """Statuses and bounds of all nodes still open, the one in hand last."""
        slots, m = self.open_slots(), len(self.columns)
        statuses, bounds = self.pool.statuses(slots, m), self.pool.bound[slots]
        if self.search.counts[CURRENT] == NO_NODE:
            return statuses, bounds
        in_hand = self.node.status[np.newaxis, :m]
        return np.vstack([statuses, in_hand]), np.append(bounds, self.search.scalars[BOUND])

    def give(self, other: Worker) -> bool:
        """Leave every other open node to an idle worker; False where there are too few.

        Interrupted half way, both have them: twice is sound, never is not.
        """
        slots = self.open_slots()
        if len(slots) < 2:
            return False
        ordered = slots[np.argsort(self.pool.bound[slots], kind="stable")]
        other.pool = self.pool.taken(ordered[::2], len(self.columns))
        other.search.counts[[OPEN, STACKED]] = len(ordered[::2]), 0
        self.pool.keep(ordered[1::2])
        self.search.counts[[OPEN, STACKED]] = len(ordered[1::2]), 0
        return True

    def compress(self) -> None:
        """Drop the columns that every open node excludes: after the root they are most of a wide problem."""
        self.log_proof()
        statuses, _ = self.open_nodes()
        alive = np.any(statuses != OUT, axis=0)
        best = self.search.best[self.search.best >= 0]
        alive[best] = True
        keep = np.flatnonzero(alive)
        if not 0 < len(keep) <= 0.8 * len(alive):
            return
        self.columns = self.columns[keep]
        self.quadratic = self.quadratic.restricted_to(keep)
        renamed = np.full(self.quadratic.k, -1, dtype=np.int64)
        renamed[: len(best)] = np.searchsorted(keep, best)
        self.search = self.search._replace(best=renamed)
        self.pool = self.pool.restricted_to(keep, self.open_slots(), len(alive))
        self._adopt(self.node.status[keep], self.node.gamma[keep])
        self.rows.restrict_to(keep)

    def drain_log(self) -> None:
        if self.events is not None:
            self.events.take(self.log, self.columns)

    def log_proof(self) -> None:
        """Log the multiplier behind the bound of the node in hand, if it is not logged yet."""
        counts = self.search.counts
        if self.events is not None and counts[FRESH]:
            self.drain_log()
            counts[MULTIPLIER] = self.events.add_multiplier(self.log, self.columns, self.node.proof)
            counts[FRESH] = 0

    def leaves(self) -> IntMatrix:
        """A row (node, multiplier) for every node still open."""
        self.drain_log()
        self.log_proof()
        counts, slots = self.search.counts, self.open_slots()
        rows = np.column_stack([self.pool.node[slots], self.pool.multiplier[slots]])
        if counts[CURRENT] != NO_NODE:
            rows = np.vstack([rows, [[counts[ID], counts[MULTIPLIER]]]])
        return rows
