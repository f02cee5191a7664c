"""The perspective tree of a very wide problem, grown over a few candidate columns and audited over all.

A row of Q costs as much as a look at all data, and thousands of columns enter the relaxation at some node. But the
products of all columns with many residuals at once are one matrix product. So the tree grows in waves that know only
the candidates: those columns that any multiplier has given a positive gain so far, or nearly. After every wave its
multipliers are seen with all columns (`Audit`): what needs another column to be concluded is done again with it.
Between waves everything holds for all columns, bounds and log included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bestsubset.bnb.candidates import Candidates
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import NodeEvents, assemble
from bestsubset.bnb.perspective_state import (
    ASSEMBLED,
    BEFORE,
    BOUND,
    BRANCHED,
    CURRENT,
    FIX,
    FREE,
    ID,
    IDS,
    IN,
    LEAF,
    MU,
    MULTIPLIER,
    NO_NODE,
    OPEN,
    PRUNE_AT,
    REJECTED,
    WORKER,
    WORKERS,
    Log,
    Pool,
)
from bestsubset.bnb.perspective_worker import Worker
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.wide_audit import Audit, Look, OpenNode, gains, thresholds
from formulations._types import IntMatrix, IntVector, Matrix, Vector
from formulations.design import Design

_Start = tuple[IntVector, Vector]  # columns and coefficients

_NEARLY = 0.95  # of the threshold of a positive gain: columns that reach it become candidates
_MOST_NEW = 32  # candidates for the sake of one multiplier
_FEWEST_NEW = 512  # candidates at once, where that many matter
_AT_ONCE = 128  # multipliers in one look at the data
_ROWS = 0.1  # of the data in double precision: room for rows before those that no open node has at its start go
_FIRST_WAVE, _LARGEST_WAVE = 16, 512  # nodes
_GOOD, _FAIR = 0.0, 0.0  # shares of conclusions that hold
_MOST_ROOTS = 20  # waves of the root alone
_SETTLED = 0.01  # of the gap at the root, by which other columns may still lower its bound


@dataclass(frozen=True)
class _Audited:
    """All that is settled: the open nodes, lengths of the log, and the least value ever rejected."""

    open: list[OpenNode]
    events: int
    fixed: int
    multipliers: int
    nodes: int
    next_id: int
    rejected: float

    @property
    def bound(self) -> float:
        return min([self.rejected, *(node.bound for node in self.open)])


class WideTree:
    """Search in waves; between them the state is that of a `PerspectiveTree`.

    Parameters
    ----------
    quadratic : Quadratic
        With λ0 > 0: without, every column has a gain, and there are no few candidates.
    y : shape (n,)
    design : Design
    upper, relative_slack, memory_limit : float
    gamma : shape (m,)
        Where the root's relaxation starts.
    log : TreeLog
    is_logged : bool
        Whether the log is wanted in the end.
    stop : callable
        Called before every look at the data; may raise.
    """

    threads = 1

    def __init__(
        self,
        quadratic: Quadratic,
        y: Vector,
        design: Design,
        upper: float,
        relative_slack: float,
        *,
        gamma: Vector,
        memory_limit: float,
        log: TreeLog,
        is_logged: bool,
        stop: Callable[[], None],
    ) -> None:
        self._quadratic, self._y, self._design, self._stop = quadratic, y, design, stop
        self._upper, self._slack, self._allowance = upper, relative_slack, quadratic.rounding
        self._memory_limit, self._is_logged = memory_limit, is_logged
        self._thresholds = thresholds(quadratic)
        self._local = np.full(int(log.names.max()) + 1, -1, dtype=np.int32)  # candidates behind the user's columns
        self._candidates = Candidates(design, self._first_columns(gamma), memory_limit)
        self._events = NodeEvents(log)
        self._support: IntVector | None = None
        self._wave = 1
        self._root_waves = self._opened = 0
        self._name(0)
        start = np.flatnonzero(gamma[self._candidates.columns])
        status = np.where(quadratic.included[self._candidates.columns], IN, FREE).astype(np.int8)
        root = OpenNode(0, status, -np.inf, -1, start, gamma[self._candidates.columns[start]], quadratic.lambda0)
        self._settle(_Audited([root], 0, 0, 0, 0, 1, np.inf))

    def _first_columns(self, gamma: Vector) -> IntVector:
        """The incumbent, what must be in, and what is most correlated with the response."""
        q = self._quadratic
        strongest = np.argsort(-np.abs(q.c) / self._thresholds)[:200]
        return np.union1d(np.flatnonzero(q.included | (gamma != 0)), strongest)

    def _name(self, before: int) -> None:
        columns = self._candidates.columns
        self._local[self._events.log.names[columns[before:]]] = np.arange(before, len(columns))

    def _settle(self, audited: _Audited) -> None:
        """Go on from there, with a worker that has all open nodes."""
        m = len(self._candidates.columns)
        worker = Worker(
            self._quadratic.restricted_to(self._candidates.columns),
            self._candidates,
            self._upper,
            self._slack,
            self._allowance,
            closes_pairs=False,
            memory_limit=self._memory_limit,
            by_descent=True,
        )
        worker.columns, worker.events, worker.log = self._candidates.columns, self._events, Log.of(m, 0, True)
        log = self._events.log
        worker.log.counts[BEFORE:WORKER] = audited.events, audited.fixed, log.ends.length, log.columns.length
        nodes = sorted(audited.open, key=lambda node: node.bound)
        pool = Pool.of(max(64, 2 * len(nodes)), m)
        for slot, node in enumerate(nodes):
            pool.put(slot, node.extended_to(m).status, node.columns, node.gamma, node.bound, node.mu)
            pool.node[slot], pool.multiplier[slot] = node.node, node.multiplier
        pool.keep(np.arange(len(nodes)))
        worker.pool = pool
        worker.search.counts[[OPEN, IDS]] = len(nodes), audited.next_id
        self._audited, self._worker = audited, worker
        if self._candidates.nbytes > _ROWS * 8 * self._design.n * self._design.m:
            starts = [np.concatenate([node.columns, np.flatnonzero(node.status == IN)]) for node in nodes]
            self._candidates.forget_rows_but(np.unique(np.concatenate(starts)))

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted.

        Raises
        ------
        MemoryLimitReached
            The state stays sound: `bound` holds.
        """
        while nodes > 0 and self._audited.open:
            before = self._worker.nodes
            self._worker.work(min(nodes, self._wave - before))
            self._note_support()
            nodes -= self._worker.nodes - before
            if self._worker.is_idle or self._worker.nodes >= self._wave:
                self._audit()
        return not self._audited.open

    def _note_support(self) -> None:
        if self._worker.support is not None and self._worker.upper < self._upper:
            self._support = self._worker.support
        self._upper = min(self._upper, self._worker.upper)

    def _audit(self) -> None:
        """See the wave with all columns, and settle what holds."""
        worker, before = self._worker, self._audited
        worker.log_proof()
        worker.drain_log()
        events, fixed = self._logged()
        left_open = {node.node: node for node in _left_open(worker)}
        named = [*events[np.isin(events[:, 1], [FIX, LEAF]), 2], *(node.multiplier for node in left_open.values())]
        numbers = np.unique(np.array(named, dtype=np.int64))
        looks, starts = self._looks(numbers[numbers >= WORKERS * before.multipliers])
        m = len(self._candidates.columns)
        roots = [node.extended_to(m) for node in before.open]
        audit = Audit(events, fixed, looks, left_open, starts, float(worker.search.scalars[PRUNE_AT]))
        root = self._rougher_root(roots[0], audit) if before.nodes == 0 else None
        if root is None:
            audit.follow(roots)
            self._wave = self._next_wave(len(audit.kept) / max(1, len(events)))
        else:
            self._root_waves += 1
            audit.open.append(root)
        self._commit(audit, 0 if root is not None else before.nodes + worker.nodes)

    def _logged(self) -> tuple[IntMatrix, IntVector]:
        """What the wave has logged, in local columns."""
        events = self._events.events.array().reshape(-1, 4)[self._audited.events :].copy()
        fixed = self._events.fixed.array()[self._audited.fixed :].astype(np.int64)
        branched = events[:, 1] == BRANCHED
        events[branched, 2] = self._local[events[branched, 2]]
        return events, np.where(fixed >= 0, self._local[fixed], -1 - self._local[-1 - fixed])

    def _looks(self, tags: IntVector) -> tuple[dict[int, Look], dict[int, _Start]]:
        """See multipliers with all columns, and make candidates of those that matter to any of them.

        Return the looks at multipliers to which a new candidate matters, and where these start nodes.
        """
        starts = self._multipliers(tags // WORKERS)
        residuals = np.empty((self._design.n, len(tags)))
        for i, (columns, gamma) in enumerate(starts):
            residuals[:, i] = self._y - self._candidates.fitted(columns, gamma)
        found, beyond = self._found(residuals)
        before = len(self._candidates.columns)
        self._candidates.add(found)
        self._name(before)
        q = self._quadratic.restricted_to(self._candidates.columns)
        newer = gains(q.restricted_to(np.arange(before, len(q.c))), self._candidates.products(residuals, before))
        changed = np.flatnonzero(np.any(newer > 0, axis=0) | (beyond > 0))
        looks = {}
        for some in np.array_split(changed, 1 + len(changed) // _AT_ONCE):
            gain = gains(q, self._candidates.products(residuals[:, some]))
            for i, column in zip(some.tolist(), gain.T, strict=True):
                fitted = self._y - residuals[:, i]
                base = q.half_yy - 0.5 * float(fitted @ fitted)
                looks[int(tags[i])] = Look(base, column.copy(), float(beyond[i]), self._quadratic.k)
        return looks, {int(tags[i]): starts[i] for i in changed.tolist()}

    def _found(self, residuals: Matrix) -> tuple[IntVector, Vector]:
        """Columns to become candidates for some multipliers; and for each, what all others may gain beside them."""
        threshold = _NEARLY * self._thresholds
        threshold[self._candidates.columns] = np.inf
        count = residuals.shape[1]
        chosen = np.zeros(len(threshold), dtype=bool)
        others: list[tuple[IntVector, IntVector, Vector]] = []
        for first in range(0, count, _AT_ONCE):
            self._stop()
            i, j, size = self._design.exceeding(residuals[:, first : first + _AT_ONCE], threshold)
            # The largest few of each multiplier: with them it is another, for which most of the rest are small.
            order = np.lexsort((-size / self._thresholds[j], i))
            i, j, size = i[order], j[order], size[order]
            rank = np.arange(len(i)) - np.searchsorted(i, i)
            chosen[j[rank < max(_MOST_NEW, _FEWEST_NEW // count)]] = True
            gain_more = size > self._thresholds[j]
            others.append((i[gain_more] + first, j[gain_more], size[gain_more]))
        beyond = np.zeros(count)
        for i, j, size in others:
            i, j, size = i[~chosen[j]], j[~chosen[j]], size[~chosen[j]]
            q = self._quadratic.restricted_to(j)
            gain = np.maximum(gains(q, size[:, None]), gains(q, -size[:, None]))[:, 0]
            beyond += np.bincount(i, weights=np.maximum(gain, 0.0), minlength=count)
        return np.flatnonzero(chosen), beyond * (1 + 1e-12)

    def _multipliers(self, numbers: IntVector) -> list[_Start]:
        """Local columns and coefficients of multipliers in the log."""
        log = self._events.log
        ends, columns, values = log.ends.array(), self._local[log.columns.array()], log.values.array()
        unit = log.coef_unit[self._candidates.columns]
        begins = np.where(numbers > 0, ends[numbers - 1], 0)
        spans = [slice(begin, end) for begin, end in zip(begins, ends[numbers], strict=True)]
        return [(columns[span], values[span] / unit[columns[span]]) for span in spans]

    def _next_wave(self, kept: float) -> int:
        """Nodes of the next wave, by the share of conclusions of this one that hold: longer ones waste fewer looks."""
        factor = 2.0 if kept > _GOOD else 1.0 if kept > _FAIR else 0.5
        return max(_FIRST_WAVE, min(_LARGEST_WAVE, int(factor * self._wave)))

    def _rougher_root(self, root: OpenNode, audit: Audit) -> OpenNode | None:
        """The root with what is known of it now, if its relaxation lacked columns that matter."""
        best = root
        for node in audit.left_open.values():
            look = audit.looks.get(node.multiplier)
            if look is None or self._root_waves >= _MOST_ROOTS:
                continue
            bound = look.bound(root.status)
            if node.bound - bound > _SETTLED * (self._upper - node.bound) and bound >= best.bound:
                best = OpenNode(0, root.status, bound, node.multiplier, *audit.starts[node.multiplier], root.mu)
        return None if best is root else best

    def _commit(self, audit: Audit, nodes: int) -> None:
        """Write what is kept over what the wave has logged, and go on from there."""
        before, names = self._audited, self._events.log.names[self._candidates.columns]
        kept = np.array(audit.kept, dtype=np.int64).reshape(-1, 4)
        branched = kept[:, 1] == BRANCHED
        kept[branched, 2] = names[kept[branched, 2]]
        fixed = np.concatenate([np.zeros(0, dtype=np.int64), *audit.kept_fixed])
        self._events.events.put(4 * before.events, kept.ravel())
        self._events.fixed.put(before.fixed, np.where(fixed >= 0, names[fixed], -1 - names[-1 - fixed]))
        self._opened += self._worker.nodes
        self._settle(
            _Audited(
                audit.open,
                before.events + len(kept),
                before.fixed + len(fixed),
                self._events.log.ends.length,
                nodes,
                int(self._worker.search.counts[IDS]),
                min(before.rejected, float(self._worker.search.scalars[REJECTED])),
            )
        )

    def close_log(self) -> TreeLog | None:
        """Log the open nodes as leaves; return the log. A wave that is not settled counts for nothing."""
        if not self._is_logged:
            return None
        self._events.events.cut(4 * self._audited.events)
        self._events.fixed.cut(self._audited.fixed)
        leaves = np.array([(node.node, node.multiplier) for node in self._audited.open], dtype=np.int64)
        return assemble([self._events], leaves.reshape(-1, 2))

    @property
    def nodes(self) -> int:
        return self._opened + self._worker.nodes

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return self._upper

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        return self._support

    def proposal(self) -> IntVector | None:
        """None: the relaxation of a node has many columns, and its complete supports are valued anyway."""
        return None

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        self._upper = min(self._upper, value)
        self._worker.lower_upper(value)

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this; open nodes count with their bounds."""
        bound = min(self._audited.bound, float(self._worker.search.scalars[PRUNE_AT]))
        return max(0.0, min(self._upper, bound - self._allowance))


def _left_open(worker: Worker) -> list[OpenNode]:
    """The nodes that a worker has not closed."""
    pool, search, slots = worker.pool, worker.search, worker.open_slots()
    nodes = []
    for slot, status in zip(slots.tolist(), pool.statuses(slots, len(worker.columns)), strict=True):
        kept = slice(0, int(pool.kept[slot]))
        start = pool.columns[slot, kept].astype(np.int64), pool.gamma[slot, kept].astype(np.float64)
        number, multiplier = int(pool.node[slot]), int(pool.multiplier[slot])
        nodes.append(OpenNode(number, status, float(pool.bound[slot]), multiplier, *start, float(pool.mu[slot])))
    if search.counts[CURRENT] != NO_NODE:
        status = worker.node.status[: len(worker.columns)].copy()
        number, multiplier = int(search.counts[ID]), int(search.counts[MULTIPLIER])
        bound, mu = float(search.scalars[BOUND]), float(search.scalars[MU])
        nodes.append(OpenNode(number, status, bound, multiplier, *_coefficients(worker), mu))
    return nodes


def _coefficients(worker: Worker) -> _Start:
    """Of the node in hand."""
    work = worker.working
    if worker.search.counts[ASSEMBLED]:
        size = int(work.size[0])
        return work.columns[:size].copy(), work.gamma[:size].copy()
    columns = np.flatnonzero(worker.node.gamma)
    return columns, worker.node.gamma[columns]
