r"""The downdating tree: exact best subsets of positive definite moments, no ridge and no M needed.

A node allows the columns A = in ∪ free. With T the Schur complement of the included columns, H = T⁻¹ on the
free ones and β = H w, leaving column j out raises the residual sum of squares by exactly

.. math:: \beta_j^2 / H_{jj} \qquad\text{and}\qquad H' = H - H_{\cdot j}H_{j\cdot}/H_{jj},\;
          \beta' = \beta - H_{\cdot j}\beta_j/H_{jj}.

Children, dearest column first: exclude j1; include j1, exclude j2; include j1 and j2, exclude j3; … A child whose
bound RSS(A) + increase is no better than the incumbent costs nothing. When three columns are left to choose,
the rest of the chain is closed at once. A support z has no smaller residual sum of squares than RSS* where

.. math:: K = G - cc'/(y'y - RSS^*)

is positive semidefinite on z. With K the Schur complement by the columns that are in, and a pair (i, j) whose
correlation in K is more than ½ in absolute value, no column l improves on the incumbent with both if

.. math:: K_{jj} K_{il}^2 + K_{ii} K_{jl}^2 - 2 K_{ij} K_{il} K_{jl} \le (K_{ii}K_{jj} - K_{ij}^2) K_{ll}.

Where all three correlations of a triple are at most ½, it is diagonally dominant, and nothing need be looked at.
A certificate has closed pairs only: a triple is logged as the pairs that go with its dearest column, and so on.

Sources: Furnival and Wilson (1974), Gatu and Kontoghiorghes (2006) for trees on residual sums of squares;
the closed pairs and triples are ours.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from bestsubset.bnb.downdating_crew import DowndatingCrew
from bestsubset.bnb.downdating_state import LEVEL, LISTED, REJECTED, Scratch, Search, Stack, Swept, padded
from bestsubset.bnb.downdating_worker import Worker
from bestsubset.stream import Stream
from formulations._types import IntVector, Matrix, Vector

_SOLVE = 0  # token of the certificate
_LOG_ROOM = 2**16  # tokens between two looks at the log
ALONE = 2_000  # nodes before there are other threads
LARGEST = 400  # columns up to which the stack of nodes, 8 p³/3 bytes at worst, stays below 200 MB


def stack_bytes(p: int, k: int) -> float:
    """Memory of a tree on p columns: the blocks of its stack, and the Schur complements of a chain."""
    return 8.0 * p * p * (p / 3 + k)


class DowndatingTree:
    r"""Find the support of exactly k columns with the least residual sum of squares :math:`y'y - c_S'G_{SS}^{-1}c_S`.

    Parameters
    ----------
    G : shape (p, p), positive definite
        A ridge, if any, is on its diagonal already.
    c : shape (p,)
    yy : float
    k : int
        ``2 <= k <= p``.
    upper : float
        Only supports better than this matter.
    relative_slack : float
        Nodes within this of the incumbent are pruned; it is taken off the bound.
    condition : float
        Condition number of G: it sets the allowance for rounding.
    lost : float
        What rounding has taken off residual sums of squares already.
    tokens : Stream, optional
        Where the tree is logged for a certificate, from its end on.
    names : shape (p,), optional
        The columns as the log names them.
    threads : int
        How many may work on a tree that turns out to be long.
    n_listed : int
        Where not only the best support is wanted: so many of the best ones below ``upper`` are listed, all of them if
        there are no more. One thread works on such a tree.
    """

    def __init__(
        self,
        G: Matrix,
        c: Vector,
        yy: float,
        k: int,
        upper: float,
        relative_slack: float,
        condition: float,
        lost: float = 1e-14,
        tokens: Stream | None = None,
        names: IntVector | None = None,
        threads: int = 1,
        n_listed: int = 0,
    ) -> None:
        p = len(c)
        # Against extended precision, of y'y: on the diabetes data (p = 64, condition 3e7, sizes 15 and 20, a million
        # nodes) 881 sampled nodes had lost at most 5e-20 times the condition number, and their tails 2e-20 times.
        # This is hundreds of times more. Well-conditioned problems (p up to 200) lost 6e-16; it is at least 1e-14.
        self._allowance = yy * max(lost, 3e-17 * condition)
        moments = np.empty((p + 1, p + 1))
        moments[:p, :p] = G
        moments[p, :p] = moments[:p, p] = c
        moments[p, p] = yy
        search = Search(
            moments=moments,
            k=k,
            slack=relative_slack,
            allowance=self._allowance,
            scalars=np.array([upper, upper * (1 - relative_slack) + self._allowance, np.inf, np.inf, np.inf]),
            counts=np.zeros(7, dtype=np.int64),
            best=np.zeros(k, dtype=np.int64),
            scratch=Scratch.of(p, k),
            names=np.arange(p) if names is None else names,
            tokens=np.empty(_LOG_ROOM if tokens is not None else 0, dtype=np.int64),
            listed=np.zeros((n_listed, k), dtype=np.int64),
            values=np.zeros(n_listed),
        )
        start = tokens.length if tokens is not None else 0
        self._first = Worker(search, Stack.of(p, k), Swept.of(p, k), tokens, start)
        self._threads = 1 if n_listed else threads
        self._crew: DowndatingCrew | None = None
        self._plant(G, c, yy)

    def _plant(self, G: Matrix, c: Vector, yy: float) -> None:
        """Set up the root: all columns free."""
        p = len(c)
        factor = linalg.cho_factor(G)
        H = linalg.cho_solve(factor, np.eye(p))
        stack = self._first.stack
        stack.H[: p * padded(p)].reshape(p, padded(p))[:, :p] = 0.5 * (H + H.T)
        stack.beta[0] = linalg.cho_solve(factor, c)
        stack.rss[0] = max(0.0, yy - float(c @ stack.beta[0]))
        stack.free[0] = np.arange(p)
        stack.n_free[0] = p
        if p <= self._first.search.k:  # the root is a leaf, and its value no better than its bound
            self._first.search.counts[LEVEL] = -1
            self._first.search.scalars[REJECTED] = stack.rss[0]
            if self._first.tokens is not None:
                self._first.tokens.append([_SOLVE])
                self._first.log_start = self._first.tokens.length  # what is drained comes behind it

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted."""
        stop_at = self.nodes + nodes
        if self._crew is None:
            alone = nodes if self._threads == 1 else min(nodes, max(0, ALONE - self.nodes))
            if alone > 0:
                self._first.work(alone)
            if self._first.is_idle or self.nodes >= stop_at:
                return self._first.is_idle
            self._crew = DowndatingCrew(self._first, self._threads)
        self._crew.grow(stop_at - self.nodes)
        if self._crew.is_exhausted:
            self._crew.splice_log()
        return self._crew.is_exhausted

    def close_log(self) -> None:
        """Log what is open as leaves: the tree that was searched is then whole."""
        for worker in self._workers:
            worker.close_log()
        if self._crew is not None:
            self._crew.splice_log()

    @property
    def _workers(self) -> list[Worker]:
        return [self._first] if self._crew is None else self._crew.workers

    @property
    def nodes(self) -> int:
        return sum(worker.nodes for worker in self._workers)

    @property
    def threads(self) -> int:
        """Threads that have worked on it."""
        return len(self._workers)

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return min(worker.upper for worker in self._workers)

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        for worker in self._workers:
            worker.lower_upper(value)

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        best = min(self._workers, key=lambda worker: worker.best_value).best
        return None if best is None else np.sort(best)

    @property
    def listed(self) -> list[tuple[float, IntVector]]:
        """The best supports, sorted, with their residual sums of squares; best first."""
        search = self._first.search
        count = int(search.counts[LISTED])
        order = np.argsort(search.values[:count], kind="stable")
        return [(float(search.values[row]), np.sort(search.listed[row])) for row in order]

    @property
    def bound(self) -> float:
        """No support of k columns has a residual sum of squares below this; open nodes count with their bounds."""
        bound = min(worker.bound for worker in self._workers) - self._allowance
        return max(0.0, min(self.upper, bound))
