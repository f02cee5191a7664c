r"""A tree over blocks of columns, for what the compiled trees do not take: groups, rules, and moments near singular.

The bound of a node is the objective of all allowed columns together (a least squares fit from an orthogonal
factorisation, so that dependent columns do no harm), or, where there is a ridge, a box or a diagonal to take out, the
dual bound of `perspective` with the gains :math:`g_b = \sum_{j \in b} h_j(w_j) - \lambda_0|b|` of whole blocks, filled
into the places left as a fractional knapsack (its value is that of the best multiplier, by linear programming duality).
See `block_bounds`, and `block_relaxation` for plain problems, where rules are priced.

Rules on the support decide blocks at every node, before its bound: what follows from one row is a branching whose other
side is infeasible by that row, and so it is logged.
"""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np

from bestsubset.bnb.block_bounds import FittedRelaxation, Relaxation, SweptRelaxation
from bestsubset.bnb.block_relaxation import MOST, PricedRelaxation
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.node_events import INFEASIBLE, NodeEvents, assemble
from bestsubset.bnb.perspective_state import BRANCHED, FREE, IN, LEAF, OUT, SUPPORT, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.tree import MemoryLimitReached
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.block_rules import BlockRules
from warmstarts.refit import refit
from warmstarts.rule_kernels import NO_ROOM, NOTHING_BROKEN

_REMEMBERED = 100_000  # supports

_DELICATE = 1e-5  # separable part of a unit column below which bounds may lose the digits that a certificate needs


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
        self._pending: list[tuple[int, int, int]] = []  # events of the node being expanded
        self._upper = upper
        self._slack = relative_slack
        # Where a group counts as one a model may have more than k columns.
        largest = scaled.m if scaled.selection.single else scaled.k
        self._allowance = 1e-13 if quadratic is None else replace(quadratic, k=largest).rounding
        # Each digit of w is worth 1/ρ in the bound.
        self.is_delicate = quadratic is not None and float(np.min(quadratic.rho)) < _DELICATE
        self._rules = BlockRules(scaled)
        self._blocks, self._sizes = self._rules.blocks, self._rules.sizes
        self._block_of = np.empty(scaled.m, dtype=np.int64)
        for number, block in enumerate(self._blocks):
            self._block_of[block] = number
        self._has_multipliers = quadratic is not None
        self._relaxation = self._relaxing(quadratic, Q)
        self._count = 0
        self._open: list[tuple[float, int, bytes, bytes, int, int]] = []
        start = self._relaxation.start()
        self._room_for_nodes = int(memory_limit / (200 + scaled.m + start.nbytes))
        self._push(0.0, self._rules.root, start, 0, -1)
        self._support: IntVector | None = None
        self._rounded: set[bytes] = set()  # supports that were valued: neighbouring nodes round alike
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
        self._pending = []
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
        self._note(node, LEAF if self._has_multipliers else SUPPORT, multiplier)
        self._write_notes()

    def _note(self, node: int, what: int, argument: int = 0) -> None:
        self._pending.append((node, what, argument))

    def _write_notes(self) -> None:
        """Log what happened in a node, all at once: an interruption before leaves nothing half said."""
        notes, self._pending = self._pending, []
        if self._events is not None:
            for note in notes:
                self._events.note(*note)

    def _push(self, bound: float, status: StatusVector, state: Vector, node: int, multiplier: int) -> None:
        self._count += 1
        heapq.heappush(self._open, (bound, -self._count, status.tobytes(), state.tobytes(), node, multiplier))

    def _expand(self) -> None:
        """Bound the node on top of the heap and replace it by its children; an interruption leaves it there."""
        bound, _, packed, state_bytes, node, multiplier = self._open[0]
        status, state = np.frombuffer(packed, np.int8).copy(), np.frombuffer(state_bytes)
        self._pending = []
        ids = self._ids
        decided, broken = self._rules.propagate(status)
        for block, row in decided:
            self._note(node, BRANCHED, self._column(max(block, -1 - block)))
            self._note(ids + (block >= 0), INFEASIBLE, row)  # the side that is not taken: out, or in
            node, ids = ids + (block < 0), ids + 2
        children: list[StatusVector] = []
        if broken != NOTHING_BROKEN:
            self._note_broken(node, broken)
        else:
            children, state, bound, multiplier = self._bounded(status, state, bound, node, multiplier)
        self._write_notes()
        heapq.heappop(self._open)
        for number, child in enumerate(children):
            self._push(bound, child, state, ids + number, multiplier)
        self._ids = ids + len(children)

    def _note_broken(self, node: int, row: int) -> None:
        """No model is here: by a row of the rules, or for want of room, which needs no proof."""
        if row == NO_ROOM:
            self._note(node, SUPPORT)
        else:
            self._note(node, INFEASIBLE, row)

    def _bounded(
        self, status: StatusVector, state: Vector, bound: float, node: int, multiplier: int
    ) -> tuple[list[StatusVector], Vector, float, int]:
        """Bound a node in which rules decide no more; return its children, with their state, bound and multiplier."""
        room = self._rules.k - float(self._sizes[status == IN].sum())
        free = status == FREE
        if not free.any() or (self._all_may_enter and self._sizes[free].sum() <= room and self._obey(status)):
            self._leaf(np.flatnonzero(status != OUT), node)
            return [], state, bound, multiplier
        bound, state, gamma, proof = self._relaxation.bound(bound, state, status, room, self._prune_at)
        if proof is not None and self._log is not None:
            multiplier = self._log.add_priced_multiplier(proof.gamma, proof.prices * self._scaled.unit)
        if bound >= self._prune_at:
            self._note(node, LEAF if self._has_multipliers else SUPPORT, multiplier)
            return [], state, bound, multiplier
        branching, children = self._branch(status, gamma)
        self._note(node, BRANCHED, self._column(branching))
        return children, state, bound, multiplier

    def _relaxing(self, quadratic: Quadratic | None, Q: Matrix | None) -> Relaxation:
        if quadratic is None or Q is None:
            return FittedRelaxation(self._scaled, self._sizes, self._block_of)
        if quadratic.is_plain and self._scaled.m <= MOST:
            return PricedRelaxation(self._scaled, quadratic, Q, self._rules, self._block_of)
        return SweptRelaxation(self._scaled, quadratic, Q, self._sizes, self._block_of)

    def _column(self, block: int) -> int:
        return int(self._blocks[block][0])

    def _obey(self, status: StatusVector) -> bool:
        """Tell whether all that may enter is a model."""
        return self._rules.broken_by(self._columns(np.flatnonzero(status != OUT))) is None

    @property
    def _all_may_enter(self) -> bool:
        """More columns never cost anything: nothing is paid for their number."""
        return self._scaled.lambda0 == 0

    def _branch(self, status: StatusVector, gamma: Vector) -> tuple[int, list[StatusVector]]:
        """Round the relaxation to a support, then split on the block that carries most of it: first in, then out."""
        weight = np.bincount(self._block_of, gamma**2, minlength=len(status))
        weight[status != FREE] = -1.0
        if len(self._rounded) > _REMEMBERED:
            self._rounded.clear()
        order = np.argsort(-weight / self._sizes, kind="stable")
        chosen = self._rules.completed(status, order, int(np.count_nonzero(weight > 0)))
        if chosen is not None and chosen.tobytes() not in self._rounded:
            self._rounded.add(chosen.tobytes())
            self._offer(self._columns(chosen))
        branching = int(np.argmax(weight))
        children = []
        for decision in (IN, OUT):
            child = status.copy()
            child[branching] = decision
            children.append(child)
        return branching, children

    def _columns(self, blocks: IntVector) -> IntVector:
        return self._rules.columns(blocks)

    def _leaf(self, blocks: IntVector, node: int) -> None:
        """Value a complete support from the data; zeros are not charged, so its worth is also its bound."""
        support = self._columns(blocks)
        broken = self._rules.broken_by(support)  # by less than the slack of the propagation
        if broken is not None:
            self._note_broken(node, broken)
            return
        value = self._offer(support)
        if self._scaled.is_plain or self._log is None:
            self._note(node, SUPPORT)
        else:
            self._note(node, LEAF, self._log.add_multiplier(support, refit(self._scaled, support)))
        if value < self._prune_at:
            self._least_leaf = min(self._least_leaf, value)

    def _offer(self, support: IntVector) -> float:
        value = self._scaled.value(support, refit(self._scaled, support))
        if value < self._upper and self._scaled.allows(support):
            self._upper = value
            self._support = support
        return value
