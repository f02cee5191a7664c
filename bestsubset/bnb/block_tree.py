r"""A tree over blocks of columns, for what the compiled trees do not take: groups, and moments near singular.

The bound of a node is the larger of two: the objective of all allowed columns together (a least squares fit from an
orthogonal factorisation, so that dependent columns do no harm), and the dual bound of `perspective` with the
gains :math:`g_b = \sum_{j \in b} h_j(w_j) - \lambda_0|b|` of whole blocks, filled into the places left as a fractional
knapsack (its value is that of the best multiplier, by linear programming duality).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from scipy import linalg

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import NodeEvents, assemble
from bestsubset.bnb.perspective_state import BRANCHED, FREE, IN, LEAF, OUT, SUPPORT, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.tree import MemoryLimitReached
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.refit import refit

_SWEEPS = 12  # of coordinate descent between two evaluations of a node's bound
_EVALUATIONS = 4
_UNITS = 16 * 2.0**-53  # of rounding, in the data and in the fit


class BlockTree:
    """Best bound first, one block a branching, in Python; nodes cost about a millisecond.

    Parameters
    ----------
    scaled : ScaledProblem
    quadratic, Q : optional
        The problem with a ridge or box on every column (see `PerspectiveTree`) for the dual bound; without it only
        the fit of all allowed columns is used.
    log : TreeLog, optional
        Where the tree is logged for a certificate.
    """

    def __init__(
        self,
        scaled: ScaledProblem,
        upper: float,
        relative_slack: float,
        quadratic: Quadratic | None = None,
        Q: Matrix | None = None,
        memory_limit: float = 4e9,
        log: TreeLog | None = None,
    ) -> None:
        self._scaled = scaled
        self._log = log
        self._events = NodeEvents(log) if log is not None else None
        self._ids = 1
        self._upper = upper
        self._slack = relative_slack
        self._quadratic, self._Q = quadratic, Q
        self._allowance = 1e-13 if quadratic is None else quadratic.rounding
        self._blocks = [np.array(block, dtype=np.int64) for block in scaled.blocks]
        self._sizes = np.array([len(block) for block in self._blocks], dtype=np.float64)
        self._block_of = np.empty(scaled.m, dtype=np.int64)
        for number, block in enumerate(self._blocks):
            self._block_of[block] = number
        self._fit_value = _fit_bound(scaled) if quadratic is None else None
        self._room_for_nodes = int(memory_limit / (100 + 9 * scaled.m))
        root = np.array([IN if scaled.included[block[0]] else FREE for block in self._blocks], dtype=np.int8)
        self._count = 0
        self._open: list[tuple[float, int, bytes, bytes, float, int, int]] = []
        mu = max(scaled.lambda0, float(np.sort(scaled.correlation**2)[-scaled.k]), 1e-8)
        self._push(0.0, root, np.zeros(scaled.m), mu, 0, -1)
        self._support: IntVector | None = None
        self._least_leaf = np.inf
        self.nodes = 0

    @property
    def threads(self) -> int:
        return 1

    @property
    def upper(self) -> float:
        return self._upper

    @property
    def support(self) -> IntVector | None:
        return self._support

    @property
    def bound(self) -> float:
        open_bound = self._open[0][0] if self._open else np.inf
        return max(0.0, min(self._prune_at, self._least_leaf, open_bound) - self._allowance)

    def proposal(self) -> IntVector | None:
        return None

    def lower_upper(self, value: float) -> None:
        self._upper = min(self._upper, value)

    @property
    def _prune_at(self) -> float:
        return self._upper * (1 - self._slack) + self._allowance

    def grow(self, nodes: int) -> bool:
        for _ in range(nodes):
            if not self._open:
                return True
            if len(self._open) > self._room_for_nodes:
                raise MemoryLimitReached
            if self._open[0][0] >= self._prune_at:
                self._close_all()
                return True
            self._expand()
            self.nodes += 1
        return not self._open

    def _close_all(self) -> None:
        """Close the open nodes by the bounds they have."""
        for *_, node, multiplier in self._open:
            self._note_leaf(node, multiplier)
        self._open.clear()

    def close_log(self) -> TreeLog | None:
        """Log the open nodes as leaves; return the log."""
        if self._events is None:
            return None
        self._close_all()
        return assemble([self._events], np.zeros((0, 2), dtype=np.int64))

    def _note_leaf(self, node: int, multiplier: int) -> None:
        """A leaf by its multiplier, or by a fit of all that it allows."""
        if self._events is not None:
            self._events.note(node, LEAF if self._fit_value is None else SUPPORT, multiplier)

    def _push(self, bound: float, status: StatusVector, gamma: Vector, mu: float, node: int, multiplier: int) -> None:
        self._count += 1
        heapq.heappush(self._open, (bound, -self._count, status.tobytes(), gamma.tobytes(), mu, node, multiplier))

    def _expand(self) -> None:
        """Bound the node on top of the heap and replace it by its children; an interruption leaves it there."""
        bound, _, packed, gamma_bytes, mu, node, multiplier = self._open[0]
        status, gamma = np.frombuffer(packed, np.int8).copy(), np.frombuffer(gamma_bytes).copy()
        room = self._scaled.k - float(self._sizes[status == IN].sum())
        status[(status == FREE) & (self._sizes > room)] = OUT
        free = status == FREE
        children: list[StatusVector] = []
        if not free.any() or (self._all_may_enter and self._sizes[free].sum() <= room):
            self._leaf(np.flatnonzero(status != OUT), node)
        else:
            inherited = bound
            bound, gamma, mu, proof = self._bound(bound, status, gamma, mu, room)
            if self._log is not None and bound > inherited and self._fit_value is None:
                used = np.flatnonzero(proof)
                multiplier = self._log.add_multiplier(used, proof[used])
            if bound < self._prune_at:
                branching, children = self._branch(status, gamma, room)
                if self._events is not None:
                    self._events.note(node, BRANCHED, int(self._blocks[branching][0]))
            else:
                self._note_leaf(node, multiplier)
        heapq.heappop(self._open)
        for child in children:
            inside = gamma.copy()
            inside[child[self._block_of] == OUT] = 0.0
            self._push(bound, child, inside, mu, self._ids, multiplier)
            self._ids += 1

    @property
    def _all_may_enter(self) -> bool:
        """More columns never cost anything: nothing is paid for their number."""
        return self._scaled.lambda0 == 0

    def _bound(
        self, bound: float, status: StatusVector, gamma: Vector, mu: float, room: float
    ) -> tuple[float, Vector, float, Vector]:
        """Return the node's bound, γ and μ to go on from, and the γ that proves the bound if it rose."""
        allowed = np.flatnonzero(status[self._block_of] != OUT)
        if self._fit_value is not None:
            value, gamma = self._fit_value(allowed)
            paid = self._scaled.lambda0 * float(self._sizes[status == IN].sum())
            return max(bound, value + paid), gamma, mu, gamma
        from bestsubset.bnb.block_kernels import relax_blocks

        assert self._quadratic is not None
        assert self._Q is not None
        q = self._quadratic
        gamma[status[self._block_of] == OUT] = 0.0
        shares = np.full(len(status), min(1.0, room / max(1.0, float(self._sizes[status == FREE].sum()))))
        w, gains = np.empty(self._scaled.m), np.empty(len(status))
        proof = gamma
        for _ in range(_EVALUATIONS):
            mu = relax_blocks(
                self._Q, q.c, q.lambda0, q.lambda1, q.rho, q.lower, q.upper, self._block_of, self._sizes, status, room,
                _SWEEPS, gamma, shares, mu, w, gains,
            )  # fmt: skip
            net = gains - q.lambda0 * self._sizes
            value = q.half_yy - 0.5 * gamma @ (q.c - w) - net[status == IN].sum()
            free = status == FREE
            value = float(value - _knapsack(net[free], self._sizes[free], room))
            if value > bound:
                bound, proof = value, gamma.copy()
            if bound >= self._prune_at:
                break
        return bound, gamma, mu, proof

    def _branch(self, status: StatusVector, gamma: Vector, room: float) -> tuple[int, list[StatusVector]]:
        """Round the relaxation to a support, then split on the block that carries most of it: first in, then out."""
        weight = np.bincount(self._block_of, gamma**2, minlength=len(status))
        weight[status != FREE] = -1.0
        chosen: list[int] = np.flatnonzero(status == IN).tolist()
        left = room
        for block in np.argsort(-weight / self._sizes):
            if weight[block] > 0 and self._sizes[block] <= left:
                chosen.append(int(block))
                left -= self._sizes[block]
        self._offer(self._columns(np.array(chosen, dtype=np.int64)))
        branching = int(np.argmax(weight))
        children = []
        for decision in (IN, OUT):
            child = status.copy()
            child[branching] = decision
            children.append(child)
        return branching, children

    def _columns(self, blocks: IntVector) -> IntVector:
        if not len(blocks):
            return np.zeros(0, dtype=np.int64)
        return np.sort(np.concatenate([self._blocks[b] for b in blocks]))

    def _leaf(self, blocks: IntVector, node: int) -> None:
        """Value a complete support from the data; zeros are not charged, so its worth is also its bound."""
        support = self._columns(blocks)
        value = self._offer(support)
        if self._events is not None and self._log is not None:
            if self._scaled.is_plain:
                self._events.note(node, SUPPORT)
            else:
                self._events.note(node, LEAF, self._log.add_multiplier(support, refit(self._scaled, support)))
        if value < self._prune_at:
            self._least_leaf = min(self._least_leaf, value)

    def _offer(self, support: IntVector) -> float:
        value = self._scaled.value(support, refit(self._scaled, support))
        if value < self._upper:
            self._upper = value
            self._support = support
        return value


def _knapsack(gains: Vector, sizes: Vector, room: float) -> float:
    """The fractional knapsack: the most that blocks with these gains can add in the room left."""
    positive = gains > 0
    gains, sizes = gains[positive], sizes[positive]
    order = np.argsort(-gains / sizes)
    total = 0.0
    for gain, size in zip(gains[order], sizes[order], strict=True):
        if room <= 0:
            break
        total += gain * min(1.0, room / size)
        room -= size
    return total


def _fit_bound(scaled: ScaledProblem) -> Callable[[IntVector], tuple[float, Vector]]:
    """Return the function from allowed columns to (least objective without λ0, their coefficients).

    The data are compressed once to the triangle of their QR factorisation, with the ridge as extra rows. λ1 and
    bounds only raise the objective, so leaving them out keeps the bound.
    """
    data = np.column_stack([scaled.X, scaled.y])
    if scaled.ridge.any():
        extra = np.column_stack([np.diag(np.sqrt(2 * scaled.ridge)), np.zeros(scaled.m)])
        data = np.vstack([data, extra])
    triangle = linalg.qr(data, mode="r")[0][: scaled.m + 1]

    def fit(allowed: IntVector) -> tuple[float, Vector]:
        gamma = np.zeros(scaled.m)
        if len(allowed):
            gamma[allowed] = linalg.lstsq(triangle[:, allowed], triangle[:, -1], lapack_driver="gelsy")[0]
        residual = triangle[:, -1] - triangle[:, allowed] @ gamma[allowed]
        # Scaling rounded each entry of the unit columns: at these coefficients that moves the residual by so much.
        moved = _UNITS * (1.0 + float(np.abs(gamma).sum()))
        return 0.5 * max(0.0, float(np.linalg.norm(residual)) - moved) ** 2, gamma

    return fit
