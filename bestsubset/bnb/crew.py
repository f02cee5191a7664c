"""Several workers on one tree: who has nothing to do is given a part of another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

BURST = 4e-3  # seconds of compiled work between two looks at the others


class Member(Protocol):
    """A worker: a part of a tree, searched in bursts that release the interpreter lock."""

    @property
    def nodes(self) -> int:
        """Nodes opened so far."""

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing left to open here."""

    @property
    def upper(self) -> float:
        """The value to beat."""

    def lower_upper(self, value: float) -> None:
        """Tell of a better value found elsewhere."""

    def work(self, nodes: int) -> None:
        """Open up to so many nodes."""

    def give(self, other: Member) -> bool:
        """Leave a part to an idle worker of the same tree; False where there is none to leave."""


class Crew:
    """Grow a tree with several threads, which live only while it grows: between two calls all is at rest."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = list(members)
        self._turn = threading.Condition()
        self._hungry: list[Member] = []
        self._left = 0
        self._is_over = True
        self._error: BaseException | None = None
        self._pace = dict.fromkeys(members, 0.0)  # nodes a second

    def grow(self, nodes: int) -> None:
        """Open so many nodes, or all there are."""
        self._left, self._is_over, self._error = nodes, False, None
        self._hungry = []
        threads = [threading.Thread(target=self._work, args=(m,), daemon=True) for m in self._members[1:]]
        try:
            for thread in threads:
                thread.start()
            self._work(self._members[0])
        finally:
            self._stop()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._error is not None:
            raise self._error

    def _stop(self) -> None:
        with self._turn:
            self._is_over = True
            self._turn.notify_all()

    def _work(self, member: Member) -> None:
        try:
            while (nodes := self._next_burst(member)) > 0:
                before, began = member.nodes, time.perf_counter()
                member.work(nodes)
                opened, seconds = member.nodes - before, time.perf_counter() - began
                with self._turn:
                    self._left += nodes - opened
                    self._pace[member] = opened / max(seconds, 1e-6)
                    self._give_to_hungry(member)
        except BaseException as error:
            if threading.current_thread() is threading.main_thread():
                raise
            self._error = error
            self._stop()

    def _next_burst(self, member: Member) -> int:
        """Wait until there is something to do; nodes of the next burst, 0 where all is done."""
        with self._turn:
            if member.is_idle:
                self._hungry.append(member)
                if len(self._hungry) == len(self._members):
                    self._is_over = True
                    self._turn.notify_all()
                while member in self._hungry and not self._is_over:
                    self._turn.wait()
            if self._is_over or self._left <= 0:
                self._is_over = True
                self._turn.notify_all()
                return 0
            member.lower_upper(min(other.upper for other in self._members))
            nodes = max(1, min(int(self._pace[member] * BURST), -(-self._left // len(self._members))))
            self._left -= nodes
            return nodes

    def _give_to_hungry(self, member: Member) -> None:
        while self._hungry and member.give(self._hungry[-1]):
            self._hungry.pop()
            self._turn.notify_all()
