"""The downdating tree over one or several sizes, in the units of the objective."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from bestsubset.bnb.downdating import DowndatingTree
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.reduction import project_out, unit_diagonal
from formulations import ScaledProblem
from formulations._types import IntVector, Vector

_SOLVE, _CHAIN, _END, _SIZES = 0, 2, 7, 8  # tokens of the certificate


class ResidualTree:
    r"""Best supports by residual sums of squares alone: no λ1, no bounds, positive definite moments.

    The k-form searches the one size k. With λ0 the sizes 0, 1, 2, … are searched in turn, each only for residual
    sums of squares below :math:`2(f^* - \lambda_0 m)`, until even all columns together could not pay for m of them
    (the argument of Hofmann, Gatu, Kontoghiorghes, Colubi and Zeileis 2020 for information criteria).

    ``columns`` restricts the search to some columns, all the included ones among them. The tree is logged at the end of
    ``log``; up to ``threads`` may work on it.

    With ``n_listed`` so many of the best supports below ``upper`` are listed, in the k-form: ``listed``, best first,
    with the objectives. Then ``bound`` is about all other supports.
    """

    def __init__(
        self,
        scaled: ScaledProblem,
        upper: float,
        relative_slack: float,
        columns: IntVector | None = None,
        log: TreeLog | None = None,
        threads: int = 1,
        n_listed: int = 0,
    ) -> None:
        self._threads, self.threads = threads, 1
        self._n_listed = n_listed
        self.listed: list[tuple[float, IntVector]] = []
        allowed = np.arange(scaled.m) if columns is None else columns
        self._included = np.flatnonzero(scaled.included)
        self._free = allowed[~scaled.included[allowed]]
        G, c, self._yy = project_out(scaled, self._included, self._free)
        # What is left of a column is known to a rounding of the whole column: its gain c²/G changes by 2|c|/G of that.
        left = np.diag(G).min(initial=1.0) if len(self._included) else 1.0
        self._lost = max(1e-14, 2e-15 / float(np.sqrt(left)))
        self._G, self._c = unit_diagonal(G, c)
        self._lambda0 = scaled.lambda0
        self._slack = relative_slack
        self._upper = upper
        self._support: IntVector | None = None
        k = min(scaled.k - len(self._included), len(self._free))
        self._sizes = list(range(1, k + 1)) if scaled.lambda0 > 0 else [k]
        if not k:
            self._sizes = []
        self._least_rss, self.condition = self._yy, 1.0
        if len(self._free):
            values, vectors = linalg.eigh(self._G)
            self.condition = float(values[-1] / values[0])
            on_vectors = vectors.T @ self._c
            explained = float(np.sum(on_vectors**2 / values))
            # Moments are known to a few roundings of whole columns, and a sum of squares changes by those times
            # (1 + ‖β‖₁)², with β the coefficients of whole columns.
            size = 1.0 + float(np.abs(vectors @ (on_vectors / values)).sum()) / left**0.5
            self._lost = max(self._lost, 1e-15 * size * size)
            self._least_rss = max(0.0, self._yy - explained - self._lost * self.condition**0.5)
        # The included columns alone are a support of their own.
        self._bound_of_done = 0.5 * self._yy + self._price(0) - self._lost if scaled.lambda0 > 0 or not k else np.inf
        self._tree: DowndatingTree | None = None
        self._nodes_of_done = 0
        self.log = log
        self._log_start = log.tokens.length if log else 0
        # Sizes logged, the included columns alone being the first, and where the log of what is not yet done begins.
        self._logged = (0, self._log_start)
        self._planted = 0
        if log and scaled.lambda0 > 0:
            log.tokens.append([_SIZES, 0])
            self._close_log_of_size([_SOLVE])

    def _close_log_of_size(self, tokens: list[int]) -> None:
        if self.log:
            self.log.tokens.append(tokens)
            self._logged = (self._logged[0] + 1, self.log.tokens.length)

    def close_log(self) -> TreeLog | None:
        """Log what is open as leaves; return the log."""
        if self.log is None:
            return None
        tokens = self.log.tokens
        done, end = self._logged
        if self._tree and done == self._planted:
            self._tree.close_log()
            done += 1
        else:
            tokens.cut(end)  # what an interruption left behind
        if self._lambda0 > 0:
            tokens.append([_SOLVE])  # all larger sizes at once
            tokens.replace(self._log_start + 1, done)
        elif not self._tree and not done:
            tokens.append([_SOLVE])
        return self.log

    def _price(self, size: int) -> float:
        return self._lambda0 * (size + len(self._included))

    @property
    def nodes(self) -> int:
        return self._nodes_of_done + (self._tree.nodes if self._tree else 0)

    @property
    def upper(self) -> float:
        return self._upper

    @property
    def support(self) -> IntVector | None:
        return self._support

    @property
    def bound(self) -> float:
        bound = min(self._bound_of_done, self._upper)
        if self._sizes:
            first = self._sizes[0]
            now = self._tree.bound if self._tree else self._least_rss
            bound = min(bound, 0.5 * now + self._price(first))
            if len(self._sizes) > 1:
                bound = min(bound, 0.5 * self._least_rss + self._price(self._sizes[1]))
        return float(bound)

    def proposal(self) -> IntVector | None:
        return None

    def lower_upper(self, value: float) -> None:
        if value < self._upper:
            self._upper = value
            if self._tree:
                self._tree.lower_upper(2 * (value - self._price(self._sizes[0])))

    def grow(self, nodes: int) -> bool:
        stop_at = self.nodes + nodes
        while self._sizes:
            if self._tree is None and not self._begin(self._sizes[0]):
                continue
            assert self._tree is not None
            finished = self._tree.grow(max(1, stop_at - self.nodes))
            self._collect(self._sizes[0])
            if not finished:
                return False
            self._close(0.5 * self._tree.bound + self._price(self._sizes[0]))
        return True

    def _begin(self, size: int) -> bool:
        """Plant the tree of a size, or close the size (and, where nothing can pay, all that follow) at once."""
        if 0.5 * self._least_rss + self._price(size) >= self._upper * (1 - self._slack):
            self._bound_of_done = min(self._bound_of_done, 0.5 * self._least_rss + self._price(size))
            self._sizes = []
            return False
        if self._n_listed and size == len(self._free):
            self._list([(0.5 * self._least_rss, np.arange(size))])
            self._close_log_of_size([_SOLVE])
            self._close(self._upper)
            return False
        if size == 1:
            gains = self._c**2 / np.diag(self._G)
            best = int(np.argmax(gains))
            if self._n_listed:
                return self._list_single(0.5 * (self._yy - gains))
            self._offer(0.5 * (self._yy - float(gains[best])) + self._price(1), np.array([best]))
            self._nodes_of_done += 1
            self._close_log_of_size([_CHAIN, 0, _END])
            self._close(0.5 * (self._yy - float(gains[best])) + self._price(1) - self._lost)
            return False
        upper = 2 * (self._upper - self._price(size))
        self._planted = self._logged[0]
        tokens, names = (self.log.tokens, self.log.names[self._free]) if self.log else (None, None)
        self._tree = DowndatingTree(
            self._G, self._c, self._yy, size, upper, self._slack, self.condition, self._lost, tokens, names,
            self._threads, self._n_listed,
        )  # fmt: skip
        return True

    def _list(self, found: list[tuple[float, IntVector]]) -> None:
        self.listed = [(value, np.union1d(self._included, self._free[local])) for value, local in found]

    def _list_single(self, values: Vector) -> bool:
        """The best single columns, and what the next one is worth."""
        order = np.argsort(values, kind="stable")
        order = order[values[order] < self._upper]
        self._list([(float(values[j]), np.array([j])) for j in order[: self._n_listed]])
        self._nodes_of_done += 1
        self._close_log_of_size([_CHAIN, 0, _END])
        self._close(min([self._upper, *values[order[self._n_listed :]].tolist()]) - self._lost)
        return False

    def _close(self, bound: float) -> None:
        self._bound_of_done = min(self._bound_of_done, bound)
        if self._tree:
            self._nodes_of_done += self._tree.nodes
            self._close_log_of_size([])
        self._tree = None
        self._sizes = self._sizes[1:]

    def _collect(self, size: int) -> None:
        assert self._tree is not None
        self.threads = max(self.threads, self._tree.threads)
        if self._n_listed:
            self._list([(0.5 * rss, local) for rss, local in self._tree.listed])
        if self._tree.support is not None:
            self._offer(0.5 * self._tree.upper + self._price(size), self._tree.support)

    def _offer(self, value: float, local: IntVector) -> None:
        if value < self._upper:
            self._upper = value
            self._support = np.union1d(self._included, self._free[local])
