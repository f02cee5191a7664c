r"""The nodes of a tree of chains, many at a time: closed pairs and the leaves beside them (FORMAT.md, 4 and 5).

A node's tail needs the first rows of a Cholesky factor of M on S and y, which it shares with the node above as far as
their S agree; Schur complements of all its pairs are one matrix product away. A leaf that leaves one more column out
needs an approximate least squares fit, which follows from the one above by a rank-one change,

.. math:: \beta' = \beta - H_{\cdot j}\beta_j/H_{jj}, \qquad H' = H - H_{\cdot j}H_{j\cdot}/H_{jj},

H itself being kept as the inverse at the top and the vectors :math:`H_{\cdot j}/\sqrt{H_{jj}}` on the way down.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.moments import UNIT, Columns, Matrix, Moments, gamma
from bestsubset.certificates.semidefinite import shift
from bestsubset.certificates.tokens import Refusal

_PAIRS = 2**18  # entries of Schur complements at a time
_LEAVES = 2**18  # numbers of the leaves' vectors at a time

Flags = NDArray[np.bool_]


@dataclass
class Level:
    """The states of the nodes of one depth, one row each.

    ``order`` has the included columns in the order of their inclusion and the chain behind them, ``ni`` and ``length``
    their numbers; ``factor`` the rows of the Cholesky factor that go with ``order``, of use where the node is swept:
    all pivots so far were positive.
    """

    allowed: Flags
    order: Columns
    ni: Columns
    length: Columns
    factor: NDArray[np.float64]
    path: NDArray[np.float64]
    beta: Matrix
    is_swept: Flags

    def row(self, number: int) -> Level:
        """One row, copied."""
        return Level(*(getattr(self, f.name)[number : number + 1].copy() for f in fields(self)))

    def and_(self, other: Level) -> Level:
        """These rows and others behind them."""
        return Level(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))


class ChainBounds:
    """What proves the nodes of one tree of chains, all of whose places have exactly ``size`` columns.

    Parameters
    ----------
    moments : Moments
    allowed, inside : arrays of columns
    size : int
        \\|z\\|
    target : float
        t of FORMAT.md, section 5.
    share : callable
        Returns a θ with M - θ diag(ν²) positive semidefinite on the allowed columns; 0 if none is known.
    settle_pairs : callable
        Takes (S, R) where floating point could not prove a tail.
    settle_fit : callable
        Takes the columns of a leaf where floating point could not prove it.
    """

    def __init__(
        self,
        moments: Moments,
        allowed: Columns,
        inside: Columns,
        size: int,
        target: float,
        share: Callable[[], float],
        settle_pairs: Callable[[list[int], list[int]], None],
        settle_fit: Callable[[list[int]], None],
    ) -> None:
        self._moments, self.size, self._target = moments, size, target
        self._allowed, self._find_share = allowed, share
        self._settle_pairs, self._settle_fit = settle_pairs, settle_fit
        p = moments.p
        self._shifted = moments.matrix.copy()
        diagonal = np.arange(p + 1)
        self._shifted[diagonal, diagonal] -= shift(size + 1, moments.error) * moments.nu**2
        self._shifted[p, p] -= target
        self.top = self._top(allowed, inside)

    @cached_property
    def _share(self) -> float:
        return self._find_share()

    @cached_property
    def _inverse(self) -> Matrix:
        """H at the top; zero where there is none, so that no fit is of use."""
        inverse = np.zeros((self._moments.p, self._moments.p))
        place = np.ix_(self._allowed, self._allowed)
        with suppress(np.linalg.LinAlgError):
            block = np.linalg.inv(self._moments.matrix[place])
            inverse[place] = 0.5 * (block + block.T)
        return inverse

    @property
    def bytes_of_a_state(self) -> int:
        """Memory of one node at most."""
        p = self._moments.p
        return int(8 * (p + 1) * (self.size + p + 2))

    def _top(self, allowed: Columns, inside: Columns) -> Level:
        """The node at the top before its chain, with nothing left out."""
        p = self._moments.p
        order = np.zeros((1, self.size), dtype=np.int64)
        order[0, : len(inside)] = inside
        flags = np.zeros((1, p), dtype=bool)
        flags[0, allowed] = True
        beta = np.full((1, p), np.nan)  # see `_without`
        factor, path = np.zeros((1, self.size, p + 1)), np.zeros((1, 0, p))
        # What is included is swept as if it were a chain.
        count = np.array([len(inside)])
        level = Level(flags, order, 0 * count, count, factor, path, beta, np.ones(1, dtype=bool))
        level.is_swept &= self._factor(level)
        level.ni, level.length = count, 0 * count
        return level

    def grow(self, above: Level, parent: Columns, child: Columns, length: Columns, columns: Columns) -> Level:
        """The states of nodes, child number ``child`` of the rows ``parent`` above; their tails are proved on the way.

        ``columns`` are their chains, of these lengths, one behind the other; child 0 is the node at the top.
        """
        row = np.arange(len(parent))
        ni, order, factor = above.ni[parent], above.order[parent], above.factor[parent]
        allowed, path, beta = above.allowed[parent], above.path[parent], above.beta[parent]
        if child[0]:
            ni = ni + child - 1
            left_out = order[row, ni]
            step, beta = self._without(path, beta, left_out)
            path = np.concatenate([path, step[:, None, :]], axis=1)
            allowed[row, left_out] = False
            beta[~allowed] = 0.0
        left = self.size - ni - length
        if np.any((left < 0) | (left > 2)):
            raise Refusal("a chain leaves more than two columns to choose, or fewer than none")
        flat = np.arange(len(columns)) - np.repeat(np.cumsum(length) - length, length)
        order[np.repeat(row, length), np.repeat(ni, length) + flat] = columns
        level = Level(allowed, order, ni, length, factor, path, beta, above.is_swept[parent])
        level.is_swept &= self._factor(level)
        self._check_tails(level, self._rest(level))
        return level

    def _rest(self, level: Level) -> Flags:
        """R of every node; its chain must be of distinct free columns."""
        rest = level.allowed.copy()
        row, place = np.nonzero(np.arange(self.size) < (level.ni + level.length)[:, None])
        rest[row, level.order[row, place]] = False
        counts = level.allowed.sum(axis=1)
        broken = (rest.sum(axis=1) != counts - level.ni - level.length) & (counts >= self.size)
        if broken.any():
            chain = level.order[int(np.argmax(broken))]
            raise Refusal(f"a chain names columns that are not free: {chain.tolist()}")
        return rest

    def _without(self, path: NDArray[np.float64], beta: Matrix, left_out: Columns) -> tuple[Matrix, Matrix]:
        """The fits without one more column, and the vectors that lead there."""
        row = np.arange(len(left_out))
        if not path.shape[1]:  # the fit at the top is made when it is first needed
            beta = np.tile(self._inverse @ self._moments.correlation[: self._moments.p], (len(row), 1))
        weights = path[row, :, left_out]
        h = self._inverse[left_out] - np.matmul(weights[:, None, :], path)[:, 0]
        pivot = h[row, left_out]
        good = pivot > 0
        root = np.sqrt(np.where(good, pivot, 1.0))
        step = np.where(good[:, None], h / root[:, None], 0.0)
        return step, beta - step * (beta[row, left_out] / root)[:, None]

    def _factor(self, level: Level) -> Flags:
        """Add the rows of the chains to the Cholesky factors; tell which have positive pivots."""
        good = np.ones(len(level.ni), dtype=bool)
        end = level.ni + level.length
        level.factor[np.arange(self.size) >= level.ni[:, None]] = 0.0
        for step in range(int(level.ni.min()), int(end.max())):
            rows = np.flatnonzero((level.ni <= step) & (step < end))
            if not len(rows):
                continue
            column = level.order[rows, step]
            before = level.factor[rows, :step]
            weights = before[np.arange(len(rows)), :, column]
            new = self._shifted[column] - np.matmul(weights[:, None, :], before)[:, 0]
            good[rows] &= self._divide(new, column)
            level.factor[rows, step] = new
        return good

    @staticmethod
    def _divide(new: Matrix, column: Columns) -> Flags:
        """Divide rows by the roots of their pivots; tell which are positive."""
        pivot = new[np.arange(len(new)), column]
        good = pivot > 0
        new /= np.sqrt(np.where(good, pivot, 1.0))[:, None]
        return np.asarray(good)

    def _check_tails(self, level: Level, rest: Flags) -> None:
        """Prove that no completion of S beats the bound: q columns of R are still to come, q = 0, 1 or 2."""
        if self._target <= 0:
            return
        p = self._moments.p
        weights = level.factor[:, :, p]
        response = self._shifted[p] - np.matmul(weights[:, None, :], level.factor)[:, 0]
        good = level.is_swept & self._divide(response, np.full(len(response), p))
        left = self.size - level.ni - level.length
        one = left > 0
        diagonal = np.diag(self._shifted)[:p] - np.einsum("nsi,nsi->ni", level.factor, level.factor)[:, :p]
        diagonal -= response[:, :p] ** 2
        good[one] &= np.all((diagonal > 0) | ~rest, axis=1)[one]
        two = np.flatnonzero(good & (left == 2))
        d = np.where(rest, diagonal * (1 - 8 * UNIT), np.inf)
        step = max(1, _PAIRS // (p * p))
        for start in range(0, len(two), step):
            now = two[start : start + step]
            good[now] = self._are_closed(level.factor[now], response[now], d[now])
        is_empty = level.allowed.sum(axis=1) < self.size
        for number in np.flatnonzero(~good & ~is_empty):
            swept = level.order[number, : level.ni[number] + level.length[number]]
            self._settle_pairs(swept.tolist(), np.flatnonzero(rest[number]).tolist())

    def _are_closed(self, factor: NDArray[np.float64], response: Matrix, d: Matrix) -> Flags:
        """Tell of which nodes all pairs of the rest have a positive semidefinite Schur complement K.

        ``d`` is the diagonal of K, infinite for columns that are not in the rest. Nodes beside each other have most of
        their rest in common: what none of them has is left out.
        """
        columns = np.flatnonzero(np.isfinite(d).any(axis=0))
        rows = np.concatenate([factor[:, :, columns], response[:, None, columns]], axis=1)
        K = np.matmul(np.ascontiguousarray(rows.transpose(0, 2, 1)), rows)
        np.subtract(self._shifted[np.ix_(columns, columns)], K, out=K)
        np.multiply(K, K, out=K)
        place = np.arange(len(columns))
        K[:, place, place] = 0.0
        d = d[:, columns]
        K *= (1.0 / d)[:, None, :]
        return np.asarray(np.all(d[:, :, None] >= K, axis=(1, 2)))

    def check_leaves(self, level: Level, rows: Columns, child: Columns) -> None:
        """Prove the children that leave out one more column of the chain and have no node of their own."""
        few = level.allowed.sum(axis=1) <= self.size  # their children have too few columns: there are none
        keep = ~few[rows]
        rows, child = rows[keep], child[keep]
        step = max(1, _LEAVES // ((level.path.shape[1] + 2) * self._moments.p))
        for start in range(0, len(rows), step):
            now = rows[start : start + step]
            left_out = level.order[now, level.ni[now] + child[start : start + step] - 1]
            _, beta = self._without(level.path[now], level.beta[now], left_out)
            allowed = level.allowed[now]
            allowed[np.arange(len(now)), left_out] = False
            good = self._fits_reach(allowed, np.where(allowed, beta, 0.0))
            for number in np.flatnonzero(~good):
                self._settle_fit(np.flatnonzero(allowed[number]).tolist())

    def _fits_reach(self, allowed: Flags, beta: Matrix) -> Flags:
        """Tell where the bound of any β, whatever its error, reaches the target (FORMAT.md, end of section 4)."""
        if self._target <= 0:
            return np.ones(len(beta), dtype=bool)
        if self._share <= 0:
            return np.zeros(len(beta), dtype=bool)
        m, p = self._moments, self._moments.p
        nu, nu_y = m.nu[:p], m.nu[p]
        c = m.correlation[:p]
        size = np.abs(beta) @ nu * (1 + gamma(p + 4))
        delta = (m.error + gamma(p + 8)) * (nu_y + size)
        residual = c - beta @ m.matrix[:p, :p]
        value = m.matrix[p, p] - np.einsum("ij,ij->i", beta, c + residual)
        lost = m.error * nu_y**2 + size * (m.error * nu_y + delta) + gamma(p + 8) * size * (2 * nu_y + size)
        wrong = np.where(allowed, (np.abs(residual) / nu + delta[:, None]) ** 2, 0.0).sum(axis=1) / self._share
        safe = value - 8 * UNIT * (nu_y**2 + size) - (lost + wrong) * (1 + gamma(p + 16))
        return np.asarray(safe >= self._target)
