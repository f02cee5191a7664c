"""Batches for the tests: who runs them within this process, who watches, and problems that take long."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from bestsubset.batch import read_specs
from bestsubset.batch.executor import RunObserver
from bestsubset.batch.outcome import Outcome, execute
from bestsubset.batch.runner import run_batch
from bestsubset.batch.task import Task
from bestsubset.events import Progress

ROOT = Path(__file__).parents[2]
Row = dict[str, Any]


class Here:
    """Solves the tasks within this process, one after another; ``ends`` may put other outcomes in their place."""

    def __init__(self, ends: Callable[[Task], Outcome | None] = lambda task: None) -> None:
        self.solved: list[str] = []
        self._ends = ends

    def outcomes(
        self, tasks: Sequence[Task], check: bool, stop: Event, observer: RunObserver
    ) -> Iterator[tuple[Task, Outcome]]:
        for task in tasks:
            if stop.is_set():
                return
            observer.began(task.name)
            self.solved.append(task.name)
            yield task, self._ends(task) or execute(task.run, 1, check)


class Watching:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.notices: list[str] = []
        self.begun: list[str] = []
        self.settled = 0

    def planned(self, waiting: Sequence[str], settled: int) -> None:
        self.settled = settled

    def began(self, name: str) -> None:
        self.begun.append(name)

    def progressed(self, name: str, progress: Progress) -> None:
        pass

    def ended(self, row: Row) -> None:
        self.rows.append(row)

    def notice(self, text: str) -> None:
        self.notices.append(text)


def run_here(
    spec: Path, folder: Path, executor: Any = None, watching: Watching | None = None, check: bool = False
) -> list[Row | None]:
    return run_batch(read_specs([spec]), folder, executor or Here(), watching or Watching(), Event(), check)


def rows_in(folder: Path) -> list[Row]:
    """The lines of a folder, each of which must be whole."""
    text = (folder / "runs.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def lasting(row: Row) -> Row:
    """What a row says apart from times."""
    times = ("seconds", "trace", "ended", "statement")
    return {name: value for name, value in row.items() if name not in times}


def write_grid(folder: Path, n_problems: int) -> Path:
    """Small problems with five sizes each, on one set of data."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30, 6))
    y = X @ [2.0, -1, 0.5, 0, 0, 0] + rng.standard_normal(30)
    pd.DataFrame(X, columns=list("abcdef")).assign(y=y).to_csv(folder / "small.csv", index=False)
    names = [f"  - {{name: p{number}, k: 1..5, random_state: {number}}}" for number in range(n_problems)]
    path = folder / "grid.yaml"
    path.write_text("\n".join(["defaults: {data: {file: small.csv, target: y}}", "problems:", *names, ""]))
    return path


def write_hard(folder: Path, sizes: str = "[20, 21]", limits: str = "") -> Path:
    """Noise upon noise: a search of minutes, whose gap stays open."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((160, 120))
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(120)]).assign(y=rng.standard_normal(160))
    table.to_csv(folder / "hard.csv", index=False)
    path = folder / "hard.yaml"
    given = f", limits: {limits}" if limits else ""
    path.write_text(f"problems: [{{name: hard, data: {{file: hard.csv, target: y}}, k: {sizes}{given}}}]\n")
    return path


def started(*arguments: str | Path, **settings: Any) -> subprocess.Popen[str]:
    """Start the program."""
    command = [sys.executable, "-m", "bestsubset", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def children(pid: int) -> list[int]:
    """The worker processes of a runner: the tracker of shared memory, which is no worker, apart."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if parent == pid and b"spawn_main" in line:
                found.append(int(entry.name))
    return sorted(found)
