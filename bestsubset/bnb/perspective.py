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

import numpy as np
from scipy import linalg

from bestsubset.bnb.crew import Crew
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import assemble
from bestsubset.bnb.perspective_rows import Rows, RowsOf
from bestsubset.bnb.perspective_state import FREE, IDS, IN, STRIDE, WORKERS, StatusMatrix
from bestsubset.bnb.perspective_worker import Worker
from bestsubset.bnb.quadratic import Quadratic
from formulations._types import IntVector, Vector

_LEAST_FOR_PAIRS = 1e-2  # eigenvalue of the moments with which a pair's gain is known to the allowance for rounding
_MOST_FOR_PAIRS = 200  # columns
ALONE = 300  # nodes before there are other threads


class PerspectiveCrew(Crew[Worker]):
    """Several workers on one perspective tree."""

    def hand_over(self, giver: Worker, taker: Worker) -> bool:
        return giver.give(taker)


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
        Bytes for open nodes and rows. Where they are used up by open nodes, the search goes depth first.
    log : TreeLog, optional
        Where the tree is logged for a certificate.
    threads : int
        Once the tree has proved to be a large one.
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
        threads: int = 1,
    ) -> None:
        m = len(quadratic.c)
        self._allowance = quadratic.rounding
        self._threads = min(threads, WORKERS)
        self._closes_pairs = _can_close_pairs(quadratic, rows_of)
        self._rows = Rows(rows_of, m, memory_limit)
        self._workers = [
            Worker(
                quadratic,
                self._rows,
                upper,
                relative_slack,
                self._allowance,
                closes_pairs=self._closes_pairs,
                memory_limit=memory_limit,
                log=log,
            )
        ]
        self._crew: PerspectiveCrew | None = None
        first = np.zeros(m) if gamma is None else gamma.copy()
        start = _first_mu(quadratic) if mu is None else max(mu, quadratic.lambda0)
        self.first_mu = start
        self._first.plant(np.where(quadratic.included, IN, FREE).astype(np.int8), first, start)
        self._rows.fetch(np.arange(m) if self._closes_pairs else np.flatnonzero(first))

    @property
    def _first(self) -> Worker:
        return self._workers[0]

    @property
    def quadratic(self) -> Quadratic:
        """The problem, on the columns that are left of it."""
        return self._first.quadratic

    @property
    def columns(self) -> IntVector:
        return self._first.columns

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted.

        Raises
        ------
        MemoryLimitReached
            The state stays sound: `bound` holds.
        """
        stop_at = self.nodes + nodes
        if self._threads > 1 and self._crew is None:
            self._first.work(min(nodes, max(0, ALONE - self.nodes)))
            if not self._first.is_idle and self.nodes < stop_at and self._first.can_share(self._threads):
                self._crew = self._hired()
        if self._crew is not None:
            self._crew.grow(stop_at - self.nodes)
        else:
            self._first.work(stop_at - self.nodes)
        return all(worker.is_idle for worker in self._workers)

    def _hired(self) -> PerspectiveCrew:
        """As many workers as threads, with nothing to do yet, whose nodes and multipliers have names of their own."""
        first = self._first
        self._workers += [first.another(number) for number in range(1, self._threads)]
        next_id = int(first.search.counts[IDS])
        for number, worker in enumerate(self._workers):
            worker.share = 1 / self._threads
            worker.search.counts[[IDS, STRIDE]] = next_id + 2 * number, 2 * self._threads
        return PerspectiveCrew(self._workers)

    def compress(self) -> None:
        """Drop the columns that every open node excludes: after the root they are most of a wide problem."""
        if len(self._workers) == 1:
            self._first.compress()

    def open_nodes(self) -> tuple[StatusMatrix, Vector]:
        """Statuses and bounds of all nodes still open."""
        statuses, bounds = zip(*(worker.open_nodes() for worker in self._workers), strict=True)
        return np.concatenate(statuses), np.concatenate(bounds)

    def close_log(self) -> TreeLog | None:
        """Log the open nodes as leaves; return the log."""
        leaves = np.concatenate([worker.leaves() for worker in self._workers])
        events = [worker.events for worker in self._workers if worker.events is not None]
        return assemble(events, leaves) if events else None

    @property
    def nodes(self) -> int:
        return sum(worker.nodes for worker in self._workers)

    @property
    def threads(self) -> int:
        return len(self._workers)

    @property
    def _best(self) -> Worker:
        return min(self._workers, key=lambda worker: (worker.upper, worker.support is None))

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return self._best.upper

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        return self._best.support

    def proposal(self) -> IntVector:
        """The included and the largest coefficients of the node in hand: a support worth a look between bursts."""
        node = self._first.node
        weight = np.abs(node.gamma)
        weight[node.status[: len(weight)] == IN] = np.inf
        largest = np.argsort(-weight)[: self.quadratic.k]
        return np.sort(self.columns[largest[weight[largest] > 0]])

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        for worker in self._workers:
            worker.lower_upper(value)

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this; open nodes count with their bounds."""
        bound = min(worker.bound for worker in self._workers)
        return max(0.0, min(self.upper, bound - self._allowance))


def _can_close_pairs(quadratic: Quadratic, rows_of: RowsOf) -> bool:
    """Tell whether pairs are closed at once: rows at hand for all columns, and gains known to the allowance."""
    m = len(quadratic.c)
    if not quadratic.is_plain or quadratic.lambda0 > 0 or m > _MOST_FOR_PAIRS:
        return False
    moments = rows_of(np.arange(m)) + 2 * np.diag(quadratic.rho)
    return bool(linalg.eigvalsh(moments, subset_by_index=[0, 0])[0] >= _LEAST_FOR_PAIRS)


def _first_mu(quadratic: Quadratic) -> float:
    """The multiplier at which about k columns would enter from γ = 0."""
    q = quadratic
    strongest = np.argsort(-np.abs(q.c))[: q.k]
    slope = np.maximum(np.abs(q.c[strongest]) - q.lambda1[strongest], 0.0)
    gains = slope**2 / (4 * np.maximum(q.rho[strongest], 1e-3))
    return float(max(q.lambda0, gains[gains > 0].min(initial=np.inf) if np.any(gains > 0) else 0.0, 1e-14))
