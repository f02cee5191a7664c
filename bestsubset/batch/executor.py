"""Who solves the runs: processes on this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import Protocol

from bestsubset.batch.outcome import Outcome
from bestsubset.batch.task import Task
from bestsubset.events import Progress


class RunObserver(Protocol):
    """Who is told of the runs while they run."""

    def began(self, name: str) -> None: ...

    def progressed(self, name: str, progress: Progress) -> None: ...


class Executor(Protocol):
    """Solves tasks side by side."""

    def outcomes(
        self, tasks: Sequence[Task], check: bool, stop: Event, observer: RunObserver
    ) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task when it ends; once ``stop`` is set, begin none and interrupt those that run."""
        ...
