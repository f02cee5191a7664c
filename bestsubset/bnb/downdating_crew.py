"""Several workers on one downdating tree: who has nothing to do is given a part of another's."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestsubset.bnb.downdating_state import WANTED
from bestsubset.bnb.downdating_worker import Worker
from bestsubset.bnb.log import Stream
from formulations._types import IntVector

BURST = 4e-3  # seconds of compiled work between two looks at the others
_CHUNK = 2**20  # tokens of a log copied at once


@dataclass(frozen=True, eq=False)
class _Task:
    """A part of the tree that one worker gave another, and where its log begins."""

    giver: int
    level: int
    taker: int
    start: int


class Crew:
    """Grow a tree with several threads, which live only while it grows: between two calls all is at rest.

    Parameters
    ----------
    first : Worker
        It has the whole tree.
    size : int
        Workers in all.
    """

    def __init__(self, first: Worker, size: int) -> None:
        self.workers = [first, *(first.another() for _ in range(size - 1))]
        self._first_start = first.log_start
        self._tasks: list[_Task] = []
        self._turn = threading.Condition()
        self._hungry: list[Worker] = []
        self._left = 0
        self._is_over = True
        self._error: BaseException | None = None
        self._pace = 2e5  # nodes a second
        self._whole: Stream | None = None

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

    def _ask(self, wanted: int) -> None:
        for worker in self.workers:
            worker.search.counts[WANTED] = wanted

    def _stop(self) -> None:
        with self._turn:
            self._is_over = True
            self._ask(1)  # so that bursts end early
            self._turn.notify_all()

    def _work(self, worker: Worker) -> None:
        try:
            while (nodes := self._next_burst(worker)) > 0:
                before, began = worker.nodes, time.perf_counter()
                worker.work(nodes)
                opened, seconds = worker.nodes - before, time.perf_counter() - began
                with self._turn:
                    self._left += nodes - opened
                    if opened > 20:
                        self._pace = opened / max(seconds, 1e-6)
                    self._give_to_hungry(worker)
        except BaseException as error:
            if threading.current_thread() is threading.main_thread():
                raise
            self._error = error
            self._stop()

    def _next_burst(self, worker: Worker) -> int:
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
            best = min(self.workers, key=lambda other: other.upper)
            worker.lower_upper(best.upper)
            nodes = max(1, min(int(self._pace * BURST), -(-self._left // len(self.workers))))
            self._left -= nodes
            return nodes

    def _give_to_hungry(self, worker: Worker) -> None:
        while self._hungry and (level := worker.level_to_give()) is not None:
            other = self._hungry[-1]
            start = other.tokens.length if other.tokens is not None else 0
            self._tasks.append(_Task(self.workers.index(worker), level, self.workers.index(other), start))
            worker.give(level, other)
            self._hungry.pop()
            self._ask(len(self._hungry))
            self._turn.notify_all()

    @property
    def is_exhausted(self) -> bool:
        return all(worker.is_idle for worker in self.workers)

    def splice_log(self) -> None:
        """Put the logs of all parts in their places in the log of the first worker."""
        tokens = self.workers[0].tokens
        if tokens is None or not self._tasks:
            return
        if self._whole is None:
            self._whole = self._spliced(tokens.dtype)
        tokens.cut(self._first_start)
        _copy(self._whole.array(), tokens)

    def _spliced(self, dtype: np.dtype[Any]) -> Stream:
        logs = [worker.tokens.array() for worker in self.workers if worker.tokens is not None]
        # Of each worker: the places where it went on without what it gave away; then the parts, in their order.
        markers = [_negative(log) for log in logs]
        waiting: dict[tuple[int, int], deque[_Task]] = {}
        for task in self._tasks:
            waiting.setdefault((task.giver, task.level), deque()).append(task)
        parts = {
            (giver, int(position)): waiting[giver, -1 - int(logs[giver][position])].popleft()
            for giver in range(len(logs))
            for position in markers[giver]
            if giver or position >= self._first_start
        }
        ends: dict[_Task, int] = {}
        last = [len(log) for log in logs]
        for task in reversed(self._tasks):
            ends[task] = last[task.taker]
            last[task.taker] = task.start
        whole = Stream(dtype)
        todo = [(0, self._first_start, last[0])]
        while todo:
            of, start, end = todo.pop()
            following = markers[of][np.searchsorted(markers[of], start) :]
            stop = int(following[0]) if len(following) and following[0] < end else end
            _copy(logs[of][start:stop], whole)
            if stop < end:
                task = parts[of, stop]
                todo += [(of, stop + 1, end), (task.taker, task.start, ends[task])]
        return whole


def _negative(log: NDArray[Any]) -> IntVector:
    starts = range(0, len(log), _CHUNK)
    return np.concatenate(
        [s + np.flatnonzero(log[s : s + _CHUNK] < 0) for s in starts] or [np.zeros(0, dtype=np.int64)]
    )


def _copy(log: NDArray[Any], to: Stream) -> None:
    for s in range(0, len(log), _CHUNK):
        to.append(log[s : s + _CHUNK])
