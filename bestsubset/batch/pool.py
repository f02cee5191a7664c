"""Processes on this machine that solve runs; one that dies takes down its run alone, and is replaced."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Event

from bestsubset.batch.executor import RunObserver
from bestsubset.batch.outcome import Outcome, State
from bestsubset.batch.table import Table
from bestsubset.batch.task import Task, packed
from bestsubset.batch.worker import FOR_THE_PARENT, Order, Stop, serve
from bestsubset.events import Progress
from bestsubset.run import all_cores

_SECONDS_BETWEEN_LOOKS = 0.2  # for a wish to stop
# A run with a time limit may compile before, and write and check its certificate after; beyond that it hangs.
_OVERDUE_AFTER, _OVERDUE_FACTOR = 600.0, 10.0  # seconds, and times the limit


class _Worker:
    """The parent's side of a process: what it holds, and what it is at."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # threads of the linear algebra do not survive a fork
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=serve, args=(theirs,), daemon=True)
        resource_tracker.ensure_running()  # which a start would do, and it would lift the block
        before = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_THE_PARENT)
        self.process.start()  # blocked there too, until it is on its own
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()  # so that the pipe ends when the process does
        self.task: Task | None = None
        self.is_alive = True
        self._table: Table | None = None
        self._began = 0.0
        self._is_overdue = False
        self._last: Progress | None = None

    def begin(self, task: Task, threads: int, check: bool) -> None:
        table = task.run.parts.table
        self.task, self._began, self._last = task, time.perf_counter(), None
        self._is_overdue = False
        with suppress(OSError):  # it is dead, which shows when it is listened to
            self.pipe.send(Order(packed(task.run), None if table is self._table else table, threads, check))
        self._table = table

    def interrupt(self) -> None:
        with suppress(OSError):
            self.pipe.send(Stop())

    def kill_if_overdue(self) -> None:
        """End a run that hangs, long after its time limit: a process without memory may wait for a thread for ever."""
        limit = None if self.task is None else self.task.run.settings()["time_limit"]
        if limit is not None and time.perf_counter() - self._began > _OVERDUE_AFTER + _OVERDUE_FACTOR * limit:
            self._is_overdue = True
            self.process.kill()

    def hear(self) -> Progress | Outcome:
        """Return the next message; a dead process's last one says how it died."""
        try:
            message: Progress | Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.is_alive = False
            return Outcome(State.FAILED, self._last_words(), {"seconds": time.perf_counter() - self._began})
        if isinstance(message, Progress):
            self._last = message
        return message

    def _last_words(self) -> str:
        self.process.join()
        if self._is_overdue:
            return f"the worker gave no answer {time.perf_counter() - self._began:.0f} s after it began, and was killed"
        code = self.process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"left with exit code {code}"
        memory = ", as the system does when memory is short" if code == -signal.SIGKILL else ""
        gap = "" if self._last is None else f"; the gap was {self._last.relative_gap:.2g} by then"
        return f"the worker {how}{memory}{gap}"

    def close(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


@dataclass(frozen=True)
class Pool:
    """So many processes, which share the cores that this one may use."""

    jobs: int = 1

    def outcomes(
        self, tasks: Sequence[Task], check: bool, stop: Event, observer: RunObserver
    ) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task when it ends; see `Executor`."""
        crew = _Crew(self.jobs, check, observer)
        waiting = deque(tasks)
        try:
            while waiting or crew.busy:
                if stop.is_set():
                    waiting.clear()
                    crew.interrupt()
                while waiting and len(crew.busy) < self.jobs:
                    crew.begin(waiting.popleft())
                yield from crew.ended()
        finally:
            crew.close()


class _Crew:
    """The processes, those with a run and those without."""

    def __init__(self, jobs: int, check: bool, observer: RunObserver) -> None:
        self.busy: dict[Connection, _Worker] = {}
        self._idle: list[_Worker] = []
        self._threads = max(1, all_cores() // jobs)
        self._check = check
        self._observer = observer
        self._is_stopping = False

    def begin(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else _Worker()
        self.busy[worker.pipe] = worker
        self._observer.began(task.name)
        worker.begin(task, self._threads, self._check)

    def ended(self) -> Iterator[tuple[Task, Outcome]]:
        """Listen for a while; yield the runs that end meanwhile."""
        for worker in self.busy.values():
            worker.kill_if_overdue()
        for pipe in wait(list(self.busy), _SECONDS_BETWEEN_LOOKS):
            assert isinstance(pipe, Connection)
            worker = self.busy[pipe]
            task, message = worker.task, worker.hear()
            assert task is not None
            if isinstance(message, Progress):
                self._observer.progressed(task.name, message)
                continue
            del self.busy[pipe]
            if worker.is_alive:
                self._idle.append(worker)
            else:
                worker.close()
            if self._is_stopping and message.state is State.FAILED:
                message = replace(message, state=State.INTERRUPTED)
            yield task, message

    def interrupt(self) -> None:
        """Interrupt what runs, once."""
        if not self._is_stopping:
            for worker in self.busy.values():
                worker.interrupt()
        self._is_stopping = True

    def close(self) -> None:
        for worker in [*self._idle, *self.busy.values()]:
            worker.close()
