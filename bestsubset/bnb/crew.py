"""Several workers on one tree: who has nothing to do is given a part of another's."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

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
        """Open up to so many nodes; fewer where others have been waiting."""

    def ask(self, waiting: int) -> None:
        """Tell, in the middle of a burst too, how many wait for a part."""


M = TypeVar("M", bound=Member)


class Crew(ABC, Generic[M]):
    """Grow a tree with several threads, which live only while it grows: between two calls all is at rest."""

    def __init__(self, workers: Sequence[M]) -> None:
        self.workers = list(workers)
        self._turn = threading.Condition()
        self._hungry: list[M] = []
        self._left = 0
        self._is_over = True
        self._error: BaseException | None = None
        self._pace = 1e5  # nodes a second

    @abstractmethod
    def hand_over(self, giver: M, taker: M) -> bool:
        """Leave a part of one worker's to another that is idle; False where there is none to leave.

        Interrupted half way, both have it: twice is sound, never is not.
        """

    def grow(self, nodes: int) -> None:
        """Open so many nodes, or all there are."""
        self._left, self._is_over, self._error = nodes, False, None
        self._hungry = []
        self._ask(0)
        threads = [threading.Thread(target=self._work, args=(w,), daemon=True) for w in self.workers[1:]]
        try:
            for thread in threads:
                thread.start()
            self._work(self.workers[0])
        finally:
            self._stop()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._error is not None:
            raise self._error

    @property
    def is_exhausted(self) -> bool:
        return all(worker.is_idle for worker in self.workers)

    def _ask(self, waiting: int) -> None:
        for worker in self.workers:
            worker.ask(waiting)

    def _stop(self) -> None:
        with self._turn:
            self._is_over = True
            self._ask(1)  # so that bursts end early
            self._turn.notify_all()

    def _work(self, worker: M) -> None:
        try:
            while (nodes := self._next_burst(worker)) > 0:
                # Seconds of this thread alone: waiting for a core or the interpreter must not make bursts shorter,
                # since short ones wait more.
                before, began = worker.nodes, time.thread_time()
                worker.work(nodes)
                opened, seconds = worker.nodes - before, time.thread_time() - began
                with self._turn:
                    self._left += nodes - opened
                    # Every burst counts, or a slow one would be followed by short ones for ever.
                    self._pace = 0.5 * (self._pace + opened / max(seconds, 1e-5))
                    self._give_to_hungry(worker)
        except BaseException as error:
            if threading.current_thread() is threading.main_thread():
                raise
            self._error = error
            self._stop()

    def _next_burst(self, worker: M) -> int:
        """Wait until there is something to do; nodes of the next burst, 0 where all is done."""
        with self._turn:
            if worker.is_idle:
                self._hungry.append(worker)
                self._ask(len(self._hungry))
                if len(self._hungry) == len(self.workers):
                    self._is_over = True
                    self._turn.notify_all()
                while worker in self._hungry and not self._is_over:
                    self._turn.wait()
            if self._is_over or self._left <= 0:
                self._is_over = True
                self._turn.notify_all()
                return 0
            worker.lower_upper(min(other.upper for other in self.workers))
            nodes = max(1, min(int(self._pace * BURST), -(-self._left // len(self.workers))))
            self._left -= nodes
            return nodes

    def _give_to_hungry(self, worker: M) -> None:
        while self._hungry and self.hand_over(worker, self._hungry[-1]):
            self._hungry.pop()
            self._ask(len(self._hungry))
            self._turn.notify_all()
