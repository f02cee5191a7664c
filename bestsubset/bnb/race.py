"""One search with one or several trees: bursts, limits, one incumbent, the best of their bounds."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TypeVar, overload

from bestsubset.bnb.tree import MemoryLimitReached, Tree
from bestsubset.gap import relative_gap
from bestsubset.incumbent import Incumbent
from bestsubset.run import Run
from bestsubset.status import Termination

_BURST = 0.05  # seconds of compiled work between looks at the clock
_FIRST_SLICE = 0.25  # seconds a follower has for its turn; doubled every round
_LEAD = 4  # times as long for the tree that looks best
_FIRST_NODES = 200


T = TypeVar("T", bound=Tree)


class Race:
    """Grow trees in turn, each round for twice as long, until one is exhausted or the gap is closed.

    The first leads: it has most of the time, and the others only insure against a wrong guess.

    A proof by any tree is a proof: the bound of the race is the largest of theirs. A better support found by
    one is told to all.
    """

    def __init__(self, incumbent: Incumbent, run: Run, unit: float, node_limit: int | None = None) -> None:
        self._incumbent = incumbent
        self._run = run
        self._unit = unit
        self._node_limit = node_limit
        self._trees: list[Tree] = []
        self.bound = 0.0
        self.exhausted = False

    @property
    def best(self) -> Tree | None:
        """The tree with the largest bound."""
        return max(self._trees, key=lambda tree: tree.bound, default=None)

    @property
    def nodes(self) -> int:
        return sum(tree.nodes for tree in self._trees)

    @property
    def threads(self) -> int:
        return max((tree.threads for tree in self._trees), default=1)

    def enter(self, tree: T) -> T:
        """Add a tree; it counts towards nodes from now on."""
        self._trees.append(tree)
        self._settle(tree)
        return tree

    def sprint(self, tree: Tree, nodes: int) -> bool:
        """Give one tree so many nodes; True when the search is over."""
        if self._is_closed():
            return True
        if self._node_limit is not None:
            nodes = min(nodes, self._node_limit - self.nodes)
        self.exhausted = (nodes > 0 and tree.grow(nodes)) or self.exhausted
        self._settle(tree)
        return self.exhausted or self._is_closed()

    @overload
    def run(self, trees: Sequence[Tree]) -> Termination: ...

    @overload
    def run(self, trees: Sequence[Tree], seconds: float) -> Termination | None: ...

    def run(self, trees: Sequence[Tree], seconds: float = math.inf) -> Termination | None:
        """Grow the trees in turn until the search is over or a limit is met; None where ``seconds`` ran out first."""
        length = _FIRST_SLICE
        running = list(trees)
        end = time.perf_counter() + seconds
        while running:
            for tree in list(running):
                turn = length * (_LEAD if tree is running[0] else 1) if len(running) > 1 else math.inf
                try:
                    stop = self._slice(tree, min(end, time.perf_counter() + turn))
                except MemoryLimitReached:
                    running.remove(tree)
                    self._settle(tree)
                    continue
                if stop is not None:
                    return stop
                if time.perf_counter() >= end:
                    return None
            length *= 2
        return Termination.MEMORY_LIMIT

    def _slice(self, tree: Tree, end: float) -> Termination | None:
        """Grow one tree until then; say why the search stops, or None where it goes on."""
        nodes = _FIRST_NODES
        while time.perf_counter() < end:
            if self._is_closed():
                return Termination.GAP_CLOSED
            if self._run.is_out_of_time:
                return Termination.TIME_LIMIT
            if self._node_limit is not None and self.nodes >= self._node_limit:
                return Termination.NODE_LIMIT
            began = time.perf_counter()
            if self.sprint(tree, nodes):
                return Termination.GAP_CLOSED
            pace = nodes / max(time.perf_counter() - began, 1e-6)
            nodes = max(1, int(pace * min(_BURST, max(self._run.seconds_left, 1e-3))))
        return None

    def _settle(self, tree: Tree) -> None:
        """Bring the incumbent, all trees and the bound up to date after a burst."""
        if tree.support is not None and tree.upper < self._incumbent.value:
            self._incumbent.offer(tree.support)
        proposal = tree.proposal()
        if proposal is not None:
            self._incumbent.offer(proposal)
        for other in self._trees:
            other.lower_upper(self._incumbent.value)
        self.bound = max(self.bound, tree.bound)
        self._run.report(self._incumbent.value * self._unit, self.bound * self._unit, self.nodes)

    def _is_closed(self) -> bool:
        gap = relative_gap(self._incumbent.value, self.bound, 0.5)
        return gap <= self._run.gap
