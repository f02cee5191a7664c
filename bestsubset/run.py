"""One run of a solver: its clock, its limits, its seed, and the history it leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bestsubset.events import Listener, Progress
from bestsubset.gap import relative_gap
from formulations import Problem
from formulations._types import Vector

_SECONDS_BETWEEN_ROWS = 0.2


@dataclass
class Run:
    """Clock and settings that every solver obeys.

    ``start`` is a support (column indices) or coefficients (shape (p,)), whichever the caller gave. ``certificate``
    asks for the search to be logged. ``cutoff`` is an objective from which on nothing matters: the bound need not rise
    above it. Where the ``start_is_good``, a search need not look for a better one first.
    """

    problem: Problem
    gap: float = 1e-6
    time_limit: float | None = None
    start: Vector | None = None
    threads: int | None = None
    listener: Listener | None = None
    random_state: int = 0
    certificate: bool = True
    cutoff: float = np.inf
    start_is_good: bool = False
    began: float = field(default_factory=time.perf_counter)
    rows: list[tuple[float, float, float, int]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Wall time since the run began."""
        return time.perf_counter() - self.began

    @property
    def is_out_of_time(self) -> bool:
        return self.time_limit is not None and self.seconds >= self.time_limit

    @property
    def seconds_left(self) -> float:
        return np.inf if self.time_limit is None else max(0.0, self.time_limit - self.seconds)

    @property
    def cores(self) -> int:
        """Threads that may work: as many as asked for, or all cores that this process may use."""
        return all_cores() if self.threads is None else self.threads

    def rng(self) -> np.random.Generator:
        """A fresh generator: the same for the same ``random_state``."""
        return np.random.default_rng(self.random_state)

    def start_columns(self) -> Sequence[int]:
        """Columns of the start the caller gave, none if there was none."""
        return [] if self.start is None else [int(j) for j in np.flatnonzero(self.start)]

    def report(self, objective: float, dual_bound: float, nodes: int, *, force: bool = False) -> None:
        """Add a row to the history and tell the listener; rows that come too fast are left out unless forced."""
        seconds = self.seconds
        if not force and self.rows and seconds - self.rows[-1][0] < _SECONDS_BETWEEN_ROWS:
            return
        self.rows.append((seconds, objective, dual_bound, nodes))
        if self.listener is not None:
            gap = relative_gap(objective, dual_bound, self.problem.null_objective)
            self.listener(Progress(seconds, objective, dual_bound, gap, nodes))


def all_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not where the system cannot pin processes to cores
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
