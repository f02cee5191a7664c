r"""The downdating tree: exact best subsets of positive definite moments, no ridge and no M needed.

A node allows the columns A = in ∪ free. With T the Schur complement of the included columns, H = T⁻¹ on the
free ones and β = H w, leaving column j out raises the residual sum of squares by exactly

.. math:: \beta_j^2 / H_{jj} \qquad\text{and}\qquad H' = H - H_{\cdot j}H_{j\cdot}/H_{jj},\;
          \beta' = \beta - H_{\cdot j}\beta_j/H_{jj}.

Children, dearest column first: exclude j1; include j1, exclude j2; include j1 and j2, exclude j3; … A child whose
bound RSS(A) + increase is no better than the incumbent costs nothing. When two columns are left to choose,
the rest of the chain is closed at once: no pair (i, j) of the remaining columns improves on the incumbent if

.. math:: w_i^2 T_{jj} + w_j^2 T_{ii} - 2 w_i w_j T_{ij} \le \Delta\,(T_{ii}T_{jj} - T_{ij}^2),
          \qquad \Delta = RSS(in) - RSS^*.

Sources: Furnival and Wilson (1974), Gatu and Kontoghiorghes (2006) for trees on residual sums of squares;
the closed pairs are ours.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from bestsubset.bnb.downdating_state import (
    DRAINED,
    FOUND,
    LEVEL,
    LOGGED,
    NODES,
    NOT_OPENED,
    PRUNE_AT,
    PRUNED,
    REJECTED,
    UPPER,
    Search,
    Stack,
    Swept,
)
from bestsubset.bnb.log import Stream
from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import compiling

_SOLVE, _END = 0, 7  # tokens of the certificate
_LOG_ROOM = 2**16  # tokens between two looks at the log
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
    ) -> None:
        p = len(c)
        self._tokens = tokens
        self._log_start = tokens.length if tokens is not None else 0
        # On the diabetes data (p = 64, condition 3e7) 869 nodes of real trees lost at most 5e-20 times the condition
        # number; this is hundreds of times more, and never less than a few units in the last place of y'y.
        self._allowance = yy * max(lost, 3e-17 * condition)
        moments = np.empty((p + 1, p + 1))
        moments[:p, :p] = G
        moments[p, :p] = moments[:p, p] = c
        moments[p, p] = yy
        self._search = Search(
            moments=moments,
            k=k,
            slack=relative_slack,
            allowance=self._allowance,
            scalars=np.array([upper, upper * (1 - relative_slack) + self._allowance, np.inf]),
            counts=np.zeros(6, dtype=np.int64),
            best=np.zeros(k, dtype=np.int64),
            support=np.zeros(k, dtype=np.int64),
            work=np.empty((k, k + 1)),
            names=np.arange(p) if names is None else names,
            tokens=np.empty(_LOG_ROOM if tokens is not None else 0, dtype=np.int64),
        )
        self._stack = Stack.of(p, k)
        self._swept = Swept.of(p, k)
        self._plant(G, c, yy)

    def _plant(self, G: Matrix, c: Vector, yy: float) -> None:
        """Set up the root: all columns free."""
        p = len(c)
        factor = linalg.cho_factor(G)
        H = linalg.cho_solve(factor, np.eye(p))
        stack, swept = self._stack, self._swept
        stack.H[: p * p] = (0.5 * (H + H.T)).ravel()
        stack.beta[0] = linalg.cho_solve(factor, c)
        stack.rss[0] = max(0.0, yy - float(c @ stack.beta[0]))
        stack.free[0] = np.arange(p)
        stack.n_free[0] = p
        swept.T[0], swept.w[0], swept.rss[0] = G, c, yy
        if p <= self._search.k:  # the root is a leaf, and its value no better than its bound
            self._search.counts[LEVEL] = -1
            self._search.scalars[REJECTED] = stack.rss[0]
            if self._tokens is not None:
                self._tokens.append([_SOLVE])
                self._log_start = self._tokens.length  # what is drained comes behind it

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted."""
        from bestsubset.bnb.downdating_kernels import grow

        stop_at = self.nodes + nodes
        while True:
            with compiling(grow):
                finished = bool(grow(self._search, self._stack, self._swept, stop_at - self.nodes))
            self._drain_log()
            if finished or self.nodes >= stop_at:
                return finished

    def _drain_log(self) -> None:
        if self._tokens is not None:
            counts = self._search.counts
            logged, drained = int(counts[LOGGED]), int(counts[DRAINED])
            self._tokens.put(self._log_start + drained, self._search.tokens[: logged - drained])
            counts[DRAINED] = logged

    def close_log(self) -> None:
        """Log what is open as leaves: the tree that was searched is then whole."""
        self._drain_log()
        assert self._tokens is not None
        for level in range(int(self._search.counts[LEVEL]), -1, -1):
            child = self._stack.next_child[level]
            if child != PRUNED:
                self._tokens.append([_SOLVE if child == NOT_OPENED else _END])

    @property
    def nodes(self) -> int:
        return int(self._search.counts[NODES])

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self._search.scalars[UPPER])

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        scalars = self._search.scalars
        if value < scalars[UPPER]:
            scalars[UPPER] = value
            scalars[PRUNE_AT] = value * (1 - self._search.slack) + self._allowance

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        return np.sort(self._search.best) if self._search.counts[FOUND] else None

    @property
    def bound(self) -> float:
        """No support of k columns has a residual sum of squares below this; open nodes count with their bounds."""
        stack = self._stack
        bound = min(self._search.scalars[PRUNE_AT], self._search.scalars[REJECTED])
        for level in range(int(self._search.counts[LEVEL]) + 1):
            child = stack.next_child[level]
            if child == NOT_OPENED:
                bound = min(bound, stack.rss[level])
            elif child >= stack.first_child[level]:
                bound = min(bound, stack.rss[level] + stack.increase[level, child])
        return max(0.0, min(self.upper, float(bound) - self._allowance))
