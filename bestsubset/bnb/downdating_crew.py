"""Several workers on one downdating tree, whose logs are put together in preorder."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestsubset.bnb.crew import Crew
from bestsubset.bnb.downdating_worker import Worker
from bestsubset.stream import Stream
from formulations._types import IntVector

_CHUNK = 2**20  # tokens of a log copied at once


@dataclass(frozen=True, eq=False)
class _Task:
    """A part of the tree that one worker gave another, and where its log begins."""

    giver: int
    level: int
    taker: int
    start: int


class DowndatingCrew(Crew[Worker]):
    """See `Crew`.

    Parameters
    ----------
    first : Worker
        It has the whole tree.
    size : int
        Workers in all.
    """

    def __init__(self, first: Worker, size: int) -> None:
        super().__init__([first, *(first.another() for _ in range(size - 1))])
        self._first_start = first.log_start
        self._tasks: list[_Task] = []
        self._whole: Stream | None = None

    def hand_over(self, giver: Worker, taker: Worker) -> bool:
        level = giver.level_to_give()
        if level is None:
            return False
        start = taker.tokens.length if taker.tokens is not None else 0
        self._tasks.append(_Task(self.workers.index(giver), level, self.workers.index(taker), start))
        giver.give(level, taker)
        return True

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
