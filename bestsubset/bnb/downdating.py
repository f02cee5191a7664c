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

from formulations._types import IntVector, Matrix, Vector

LARGEST = 400  # columns up to which the stack of nodes, 8 p³/3 bytes at worst, stays below 200 MB


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
    """

    def __init__(
        self, G: Matrix, c: Vector, yy: float, k: int, upper: float, relative_slack: float, condition: float
    ) -> None:
        p = len(c)
        self.k = k
        self._slack = relative_slack
        # Twenty random sequences of 52 downdates lost at most 3e-19 times the condition number; this is a hundred
        # times more, and never less than a few units in the last place of y'y.
        self._allowance = yy * max(1e-14, 3e-17 * condition)
        self._moments = np.empty((p + 1, p + 1))
        self._moments[:p, :p] = G
        self._moments[p, :p] = self._moments[:p, p] = c
        self._moments[p, p] = yy
        self._scalars = np.array([upper, upper * (1 - relative_slack) + self._allowance, np.inf])
        self._counts = np.zeros(4, dtype=np.int64)
        self._best = np.zeros(k, dtype=np.int64)
        self._allocate(p, k)
        self._root(G, c, yy)

    def _allocate(self, p: int, k: int) -> None:
        levels = p - k + 2
        sizes = np.arange(p, p - levels, -1, dtype=np.int64)
        self._free = np.zeros((levels, p), dtype=np.int64)
        self._inside = np.zeros((levels, k), dtype=np.int64)
        self._n_free = np.zeros(levels, dtype=np.int64)
        self._n_in = np.zeros(levels, dtype=np.int64)
        self._next_child = np.full(levels, -2, dtype=np.int64)
        self._first_child = np.zeros(levels, dtype=np.int64)
        self._rss = np.zeros(levels)
        self._beta = np.zeros((levels, p))
        self._increase = np.zeros((levels, p))
        self._offsets = np.concatenate([[0], np.cumsum(sizes[:-1] ** 2)]).astype(np.int64)
        self._H = np.empty(int(np.sum(sizes**2)))  # pages are touched only as deep as the search goes
        self._T = np.empty((max(k - 1, 1), p, p))
        self._w = np.zeros((max(k - 1, 1), p))
        self._rss_swept = np.zeros(max(k - 1, 1))
        self._swept = np.zeros(k, dtype=np.int64)

    def _root(self, G: Matrix, c: Vector, yy: float) -> None:
        p = len(c)
        factor = linalg.cho_factor(G)
        H = linalg.cho_solve(factor, np.eye(p))
        self._H[: p * p] = (0.5 * (H + H.T)).ravel()
        self._beta[0] = linalg.cho_solve(factor, c)
        self._rss[0] = max(0.0, yy - float(c @ self._beta[0]))
        self._free[0] = np.arange(p)
        self._n_free[0] = p
        self._T[0] = G
        self._w[0] = c
        self._rss_swept[0] = yy

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when the tree is exhausted."""
        from bestsubset.bnb.downdating_kernels import grow

        if self._n_free[0] <= self.k:
            self._counts[0] = -1
            self._scalars[2] = min(self._scalars[2], self._rss[0])
            return True
        return bool(
            grow(
                self._moments, self.k, self._slack, self._allowance, self._scalars, self._counts, self._best,
                self._free, self._inside, self._n_free, self._n_in, self._next_child, self._first_child,
                self._rss, self._beta, self._increase, self._offsets, self._H, self._T, self._w,
                self._rss_swept, self._swept, nodes,
            )
        )  # fmt: skip

    @property
    def nodes(self) -> int:
        return int(self._counts[1])

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where a support was found."""
        return float(self._scalars[0])

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""
        if value < self._scalars[0]:
            self._scalars[0] = value
            self._scalars[1] = value * (1 - self._slack) + self._allowance

    @property
    def support(self) -> IntVector | None:
        """The best support found by this tree, sorted; None unless it beat the value given."""
        return np.sort(self._best) if self._counts[2] else None

    @property
    def bound(self) -> float:
        """No support of k columns has a residual sum of squares below this; open nodes count with their bounds."""
        bound = min(self._scalars[1], self._scalars[2])
        for level in range(int(self._counts[0]) + 1):
            child = self._next_child[level]
            if child == -2:
                bound = min(bound, self._rss[level])
            elif child >= self._first_child[level]:
                bound = min(bound, self._rss[level] + self._increase[level, child])
        return max(0.0, float(bound) - self._allowance)
