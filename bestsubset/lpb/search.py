"""The tree: best first, every bound from a dual vector, every limit of the run obeyed."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from bestsubset.certificates.write import LoggedTree
from bestsubset.gap import GAP_FLOOR
from bestsubset.incumbent import ProblemIncumbent
from bestsubset.lpb.coefficient_boxes import CoefficientBoxes, columns_without, derive
from bestsubset.lpb.log import NOTHING, Log, LoggedNode, Reason, Step
from bestsubset.lpb.node_bound import Blocks
from bestsubset.lpb.proof import logged_tree
from bestsubset.lpb.relaxation import Relaxation, Solved
from bestsubset.lpb.rows import KinkedRows
from bestsubset.lpb.tightening import Tightening
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import Problem
from formulations._types import IntVector
from formulations.rules import FREE, IN, OUT, Consequence, RuleSystem, Status
from warmstarts.greedy import Greedy

_BEFORE_TIGHTENING = 100  # nodes before intervals are drawn in column by column, where they are of use as they are
_MUCH = 0.7  # a round of tightening that shrinks the intervals by this factor is worth another at once
_CLEARLY = 1e-3  # better: an incumbent that is worth new intervals
_SCARCE = 0.005  # of the gap at the root: what all places are worth, at least, where the intervals are of use
_ROUNDING = 1e-12  # of the incumbent's value: what rounding may have taken off it


@dataclass(order=True)
class _Open:
    bound: float
    number: int
    status: Status = field(compare=False)
    logged: LoggedNode = field(compare=False)


class Search:
    """The open nodes and what has been closed.

    ``dual_bound`` holds at any moment, in the user's units: the least of the bounds of open nodes, of those closed, and
    the incumbent's value.
    """

    def __init__(self, problem: Problem, run: Run, node_limit: int | None) -> None:
        self.problem, self.run, self.node_limit = problem, run, node_limit
        self.rows = KinkedRows.of(problem)
        self.used_rows = np.flatnonzero(problem.sample_weight > 0)
        self.system: RuleSystem = problem.selection.system(problem.max_cardinality)
        self.blocks = Blocks.joined(problem.selection.groups, self.system.weights)
        self.incumbent = ProblemIncumbent(problem)
        self.nodes = 0
        self.closed = np.inf
        self.current = -np.inf  # the bound of the node at work, which is not in the heap
        self.heap: list[_Open] = []
        self._numbers = count()
        self._seen: set[frozenset[int]] = set()
        self.log = Log(self.rows.n)
        self.boxes = CoefficientBoxes.of_user(self.rows)
        self.boxes.log = self.log if run.certificate else None
        self.tightening = Tightening(self)
        self.next_round = _BEFORE_TIGHTENING
        self.derived_for = np.inf

    @property
    def ceiling(self) -> float:
        """The incumbent's value in the units of the search, rounded up."""
        value = self.incumbent.value
        return (value + _ROUNDING * abs(value) + 1e-14 * abs(self.problem.null_objective)) / self.rows.unit

    @property
    def cutoff(self) -> float:
        """A node with this bound is closed."""
        value = self.incumbent.value
        scale = max(abs(value), GAP_FLOOR * abs(self.problem.null_objective))
        return (value - 0.999 * self.run.gap * scale) / self.rows.unit

    @property
    def dual_bound(self) -> float:
        """In the user's units; no loss with kinks is negative."""
        opened = self.heap[0].bound if self.heap else np.inf
        least = min(opened, self.closed, self.current) * self.rows.unit
        return float(max(0.0, min(least, self.incumbent.value)))

    def run_to_end(self) -> Termination:
        """Search until the gap is closed or a limit is met."""
        try:
            self.begin()
            while self.heap:
                if self.nodes and self.run.is_out_of_time:
                    return Termination.TIME_LIMIT
                if self.node_limit is not None and self.nodes >= self.node_limit:
                    return Termination.NODE_LIMIT
                self.next_node()
                if self.nodes >= self.next_round and self.heap:
                    self.tighten()
        except KeyboardInterrupt:
            return Termination.INTERRUPTED
        self.current = np.inf
        return Termination.GAP_CLOSED

    def begin(self) -> None:
        """Warm start, root, intervals."""
        status = self.system.start.copy()
        self.current = 0.0
        if self.propagate(status, self.log.root):
            self.push(status, 0.0, self.log.root)
        self.incumbent.offer(self.run.start_columns())
        seconds = min(5.0, 0.2 * self.run.seconds_left)
        self.incumbent.offer_coef(Greedy(seconds).coefficients(self.problem, self.run.start_columns()))
        self.boxes.lower_ceiling(self.ceiling)
        if len(columns_without(self.boxes)) or not self.run.is_out_of_time:
            self.derive()

    def tighten(self) -> None:
        """Draw the intervals in, and come back after about as many nodes as that cost if it did much."""
        status = self.system.start.copy()
        self.system.propagate(status)
        factor = 0.0
        while factor < _MUCH and not self.run.is_out_of_time:
            factor = self.tightening.round(status)
        active = int(np.sum(status != OUT))
        self.next_round = self.nodes + (active if factor < 0.9 else 10 * active)

    def notes(self) -> tuple[str, ...]:
        """What the reader of the result should know."""
        missing = len(columns_without(self.boxes))
        if not missing:
            return ()
        return (
            f"Nothing bounds {missing} of {self.rows.p} coefficients: free columns had no price until few were left,"
            " and models whose coefficients may grow without end count with the least that any loss has, zero."
            " lambda1 > 0 or bounds would make the search faster and the bound tighter.",
        )

    def push(self, status: Status, bound: float, logged: LoggedNode) -> None:
        heapq.heappush(self.heap, _Open(bound, next(self._numbers), status, logged))

    def close(self, bound: float) -> None:
        self.closed = min(self.closed, bound)

    def next_node(self) -> None:
        node = self.heap[0]
        self.current = node.bound  # twice for a moment rather than nowhere: an interruption may come at any time
        heapq.heappop(self.heap)
        try:
            if node.bound >= self.cutoff:
                self.close(node.bound)
            else:
                self.nodes += 1
                self.expand(node)
        except KeyboardInterrupt:
            self.push(node.status, node.bound, node.logged)
            raise
        self.current = np.inf
        self.run.report(self.incumbent.value, self.dual_bound, self.nodes)

    def expand(self, node: _Open) -> None:
        status = node.status
        is_leaf = not np.any(status == FREE)
        if is_leaf and not self.problem.selection.allows(np.flatnonzero(status == IN).tolist()):
            self.note_broken(status, node.logged)
            return
        solved = Relaxation(self, status).solve()
        reason = Reason(None, self.log.add_multiplier(solved.dual) if self.run.certificate else NOTHING)
        bound = max(node.bound, solved.bound.value)
        if solved.bound.value > node.bound:
            node.logged.end = reason
        if is_leaf:
            self.offer(np.flatnonzero(status == IN))
            self.close(bound)
            return
        self.current = bound
        self.round(status, solved)
        if self.nodes == 1:
            self.look_at_the_root(bound, solved)
        if bound >= self.cutoff:
            self.close(bound)
            return
        self.branch(node, bound, solved, reason)

    def note_broken(self, status: Status, logged: LoggedNode) -> None:
        """A model that breaks a rule by less than the slack of propagation."""
        chosen = set(np.flatnonzero(status == IN).tolist())
        rules = self.problem.selection.rules
        broken = next((number for number, rule in enumerate(rules) if not rule.allows(chosen)), None)
        if broken is not None:
            logged.end = Reason(broken)

    def look_at_the_root(self, bound: float, solved: Solved) -> None:
        """Better intervals for a better incumbent; and soon, where they are so wide that places are hardly scarce."""
        if self.incumbent.value < self.derived_for - _CLEARLY * abs(self.derived_for):
            self.derive()
        if solved.bound.price * self.problem.max_cardinality < _SCARCE * (self.cutoff - bound):
            self.next_round = max(20, self.rows.p // 2)

    def derive(self) -> None:
        """Prove intervals from the data and the incumbent."""
        self.derived_for = self.incumbent.value
        derive(self.rows, self.boxes, self.ceiling, lambda: self.run.is_out_of_time)

    def round(self, status: Status, solved: Solved) -> None:
        """Fit the columns of the largest shares, as many as there is room for."""
        free = np.flatnonzero((status == FREE) & (np.abs(solved.beta) > 0))
        order = free[np.argsort(-solved.shares[free], kind="stable")]
        inside = np.flatnonzero(status == IN)
        room = int(self.problem.max_cardinality - self.system.weights[inside].sum())
        if self.rows.lambda0 > 0:
            self.offer(np.append(inside, order[solved.shares[order] > 0.5][:room]))
        if self.problem.k is not None:
            self.offer(np.append(inside, order[solved.shares[order] > 1e-4][:room]))

    def offer(self, support: IntVector) -> None:
        """Fit a support not seen before; a better incumbent draws the intervals in."""
        key = frozenset(support.tolist())
        if key in self._seen:
            return
        self._seen.add(key)
        if self.incumbent.offer(support.tolist()):
            self.boxes.lower_ceiling(self.ceiling)

    def branch(self, node: _Open, bound: float, solved: Solved, reason: Reason) -> None:
        """Decide what the bound decides, then the two sides of one column."""
        status, logged = node.status.copy(), node.logged
        cutoff, of = self.cutoff, self.blocks.of
        free = status == FREE
        if_in, if_out = solved.bound.if_in[of], solved.bound.if_out[of]
        drop, keep = free & (if_in >= cutoff), free & (if_out >= cutoff)
        for side in (if_in[drop], if_out[keep]):
            self.close(float(side.min(initial=np.inf)))
        logged.steps += [Step(j, False, reason) for j in np.flatnonzero(drop).tolist()]
        logged.steps += [Step(j, True, reason) for j in np.flatnonzero(keep).tolist()]
        if np.any(drop & keep):
            return
        status[drop], status[keep] = OUT, IN
        if not self.propagate(status, logged):
            return
        free = np.flatnonzero(status == FREE)
        if not len(free):
            self.push(status, bound, logged)
            return
        column = int(free[np.argmax(solved.score[free])])
        children = LoggedNode(logged.end), LoggedNode(logged.end)
        for child_log, value, sides in zip(children, (IN, OUT), (if_in, if_out), strict=True):
            child = status.copy()
            child[column] = value
            if sides[column] > bound:
                child_log.end = reason
            if self.propagate(child, child_log):
                self.push(child, max(bound, float(sides[column])), child_log)
        logged.branched = (column, *children)

    def propagate(self, status: Status, logged: LoggedNode) -> bool:
        """Decide what the rules decide, and write down why; False where nothing is left."""
        because: list[Consequence] = []
        is_possible = self.system.propagate(status, because)
        for column, side, rule in because:
            if column < 0:
                logged.end = Reason(rule)
            else:
                logged.steps.append(Step(column, side == IN, Reason(rule)))
        return is_possible

    def proof(self) -> LoggedTree | None:
        """The tree and the boxes for a certificate; None where it cannot say what the search relied on."""
        if not (self.run.certificate and self.log.is_complete):
            return None
        return logged_tree(self, self.log, self.dual_bound)
