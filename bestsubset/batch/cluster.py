"""A Dask cluster that solves runs: the same tasks as those of local processes, with the same outcomes."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.util import find_spec
from threading import Event
from typing import Any
from uuid import uuid4

from bestsubset.batch.executor import RunObserver
from bestsubset.batch.outcome import Outcome, State, execute
from bestsubset.batch.table import Table
from bestsubset.batch.task import Task, packed, unpacked
from bestsubset.errors import DataError
from bestsubset.events import Progress

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_TO_CONNECT = 10
_ATTEMPTS = 3  # where all workers that held the data have gone; the scheduler itself counts the workers a run has cost
_stopped: set[str] = set()  # on a worker: the batches that are to be interrupted


@dataclass(frozen=True)
class Cluster:
    """The workers of a scheduler, such as ``tcp://host:8786``; each thread of theirs solves one run at a time."""

    address: str

    def outcomes(
        self, tasks: Sequence[Task], check: bool, stop: Event, observer: RunObserver
    ) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task when it ends; see `Executor`.

        Raises
        ------
        DataError
            If there is no scheduler at the address, or `distributed` is not installed.
        """
        if not tasks:
            return
        client = _connected(self.address)
        try:
            batch = _Batch(client, tasks, check, observer)
            while batch.is_unfinished:
                if stop.is_set():
                    batch.interrupt()
                yield from batch.ended()
        finally:
            client.close(timeout=_SECONDS_TO_CONNECT)


def _connected(address: str) -> Any:
    if find_spec("distributed") is None:
        raise DataError(
            f"--scheduler is {address} and distributed is not installed; expected it for a cluster."
            " Run pip install 'bestsubset[distributed]'."
        )
    from distributed import Client

    try:
        return Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"--scheduler is {address} and cannot be reached ({' '.join(str(error).split())});"
            " expected the address of a Dask scheduler, such as tcp://host:8786. Start it, or mend the address."
        ) from error


class _Batch:
    """Tasks on their way: as many are handed over as the cluster has threads, so that the others can be left."""

    def __init__(self, client: Any, tasks: Sequence[Task], check: bool, observer: RunObserver) -> None:
        self._client, self._check, self._observer = client, check, observer
        self._name = f"bestsubset-{uuid4().hex}"
        self._waiting = deque(tasks)
        self._running: dict[Any, Task] = {}  # by future
        self._tables: dict[int, Any] = {}  # scattered, by identity
        self._attempts: Counter[str] = Counter()
        self._is_stopping = False
        client.subscribe_topic(self._name, self._told)

    @property
    def is_unfinished(self) -> bool:
        return bool(self._waiting or self._running)

    def ended(self) -> Iterator[tuple[Task, Outcome]]:
        """Hand over what the cluster has room for and wait for a while; yield the runs that end meanwhile."""
        try:
            if self._client.status == "closed":
                raise OSError("the connection is closed")
            room = max(1, sum(self._client.nthreads().values()))
            while self._waiting and len(self._running) < room:
                self._submit(self._waiting.popleft())
            done = self._done()
        except OSError as error:
            yield from self._lost(error)
            return
        for future in done:
            task = self._running.pop(future)
            outcome = self._outcome(future, task)
            if outcome is not None:
                self._forget_table(task)
                yield task, outcome

    def interrupt(self) -> None:
        """Leave what waits, and interrupt what runs, once; what has not begun on its worker ends at its first look."""
        if not self._is_stopping:
            self._waiting.clear()
            self._client.run(_interrupt, self._name)
        self._is_stopping = True

    def _done(self) -> set[Any]:
        from distributed import wait

        with self._client.as_current(), suppress(TimeoutError, CancelledError):  # some may have ended all the same
            wait(list(self._running), timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")
        return {future for future in self._running if future.done()}

    def _lost(self, error: OSError) -> Iterator[tuple[Task, Outcome]]:
        """The scheduler is gone, and with it all that was handed over, once or again."""
        begun = [*self._running.values(), *(task for task in self._waiting if task.name in self._attempts)]
        self._waiting.clear()
        for task in begun:
            yield task, Outcome(State.FAILED, f"the scheduler is gone ({' '.join(str(error).split())})")
        self._running.clear()

    def _submit(self, task: Task) -> None:
        table = task.run.parts.table
        if id(table) not in self._tables:
            # Sent as bytes: arrays that the cluster's own protocol unpacks may lie otherwise in memory than those of a
            # local run, and their sums would differ in the last digit.
            content = pickle.dumps(table, pickle.HIGHEST_PROTOCOL)
            self._tables[id(table)] = self._client.scatter(content, broadcast=True, hash=False)
        self._attempts[task.name] += 1
        future = self._client.submit(
            _solve,
            packed(task.run),
            self._tables[id(table)],
            self._check,
            self._name,
            key=f"{self._name}-{task.digest}-{self._attempts[task.name]}",
            pure=False,
        )
        self._running[future] = task
        self._observer.began(task.name)

    def _outcome(self, future: Any, task: Task) -> Outcome | None:
        """What a future brings; None where the task is handed over anew."""
        if future.status == "finished":
            outcome: Outcome = future.result()
            return outcome
        if self._is_stopping:
            return Outcome(State.INTERRUPTED, "interrupted before there was an answer")
        if future.status == "error":
            error = future.exception()
            return Outcome(State.FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}")
        if self._attempts[task.name] >= _ATTEMPTS:
            return Outcome(State.FAILED, f"the cluster has lost the run {_ATTEMPTS} times")
        self._tables.pop(id(task.run.parts.table), None)  # lost with its workers
        self._waiting.appendleft(task)
        return None

    def _forget_table(self, task: Task) -> None:
        """Let the workers drop a table that no further task needs."""
        table = task.run.parts.table
        if not any(other.run.parts.table is table for other in [*self._waiting, *self._running.values()]):
            self._tables.pop(id(table), None)

    def _told(self, event: tuple[Any, Any]) -> None:
        name, progress = event[1]
        self._observer.progressed(name, Progress(**progress))


def _solve(content: bytes, table: bytes, check: bool, batch: str) -> Outcome:
    """Solve a run on a worker."""
    from distributed import get_worker

    worker = get_worker()
    run = unpacked(content, _table(table))

    def listen(progress: Progress) -> None:
        if batch in _stopped:
            raise KeyboardInterrupt  # in a thread there are no signals: the search looks here often enough
        worker.log_event(batch, (run.name, asdict(progress)))

    return execute(run, 1, check, listen)


@lru_cache(maxsize=1)  # for as long as one run after another needs it
def _table(content: bytes) -> Table:
    table = pickle.loads(content)
    assert isinstance(table, Table)
    return table


def _interrupt(batch: str) -> None:
    _stopped.add(batch)
