"""A batch as it goes, on stderr: a table of what runs on a terminal, a row for each run that ends elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bestsubset.events import Progress
from bestsubset.report.progress import figure, percent

if TYPE_CHECKING:
    from bestsubset.batch.ledger import Row
    from bestsubset.batch.runner import Observer

_LAST_SHOWN = 8  # runs that ended
_SECONDS_BETWEEN_ROWS = 10.0  # of a run that is still under way


@contextmanager
def board(quiet: bool) -> Iterator[Observer]:
    """Yield who shows the runs; notices come through even where all else is to be quiet."""
    if quiet:
        yield _Quiet()
    elif sys.stderr.isatty():
        console = Console(stderr=True)
        shown = _Live(console)
        with Live(console=console, get_renderable=shown.table, refresh_per_second=4, transient=True):
            yield shown
    else:
        yield _Rows()


class _Quiet:
    """Shows nothing."""

    def planned(self, waiting: Sequence[str], settled: int) -> None:
        pass

    def began(self, name: str) -> None:
        pass

    def progressed(self, name: str, progress: Progress) -> None:
        pass

    def ended(self, row: Row) -> None:
        pass

    def notice(self, text: str) -> None:
        print(text, file=sys.stderr)


class _Rows(_Quiet):
    """A row for each run when it ends, and now and then for one that takes long."""

    def planned(self, waiting: Sequence[str], settled: int) -> None:
        self._total, self._n_ended = len(waiting), 0
        self._told: dict[str, float] = {}  # when each run was last told of
        self._width = max([len("run"), *(len(name) for name in waiting)])
        if settled:
            print(f"{settled:,} of {settled + len(waiting):,} runs are done already", file=sys.stderr)
        if waiting:
            self._row("ended", "state", "run", "gap", "seconds")

    def began(self, name: str) -> None:
        self._told[name] = time.monotonic()

    def progressed(self, name: str, progress: Progress) -> None:
        if time.monotonic() - self._told[name] >= _SECONDS_BETWEEN_ROWS:
            self._told[name] = time.monotonic()
            self._row("", "running", name, percent(progress.relative_gap), f"{progress.seconds:.3f}")

    def ended(self, row: Row) -> None:
        self._n_ended += 1
        reason = f"  {row['reason']}" if row["reason"] else ""
        self._row(f"{self._n_ended}/{self._total}", row["state"], row["name"], _gap(row), f"{_seconds(row):>9}{reason}")

    def _row(self, ended: str, state: str, name: str, gap: str, seconds: str) -> None:
        line = f"{ended:>11}  {state:<11}  {name:<{self._width}}  {gap:>10}  {seconds:>9}"
        print(line, file=sys.stderr, flush=True)


class _Live(_Quiet):
    """A table of the runs: what runs with its gap, what ended last, and how many wait.

    What went wrong stays above it, and stays when the table goes.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, tuple[float, Progress | None]] = {}
        self._ended: list[Row] = []
        self._n_waiting = self._n_settled = 0

    def planned(self, waiting: Sequence[str], settled: int) -> None:
        self._n_waiting, self._n_settled = len(waiting), settled

    def began(self, name: str) -> None:
        self._n_waiting -= name not in self._running
        self._running[name] = time.monotonic(), None

    def progressed(self, name: str, progress: Progress) -> None:
        if name in self._running:  # a cluster's word may come late
            self._running[name] = self._running[name][0], progress

    def ended(self, row: Row) -> None:
        self._running.pop(row["name"], None)
        self._n_settled += 1
        self._ended = [*self._ended, row][-_LAST_SHOWN:]
        if row["reason"]:
            self.notice(f"{row['name']}: {row['state']}: {row['reason']}")

    def notice(self, text: str) -> None:
        self._console.print(Text(text))

    def table(self) -> Any:
        """Return what is to be seen now."""
        shown = Table(box=None, pad_edge=False)
        for name in ("run", "state"):
            shown.add_column(name, no_wrap=True)
        for name in ("incumbent", "gap", "seconds"):
            shown.add_column(name, justify="right", no_wrap=True)
        for row in self._ended:
            objective = row.get("objective")
            value = "–" if objective is None else figure(objective)
            shown.add_row(Text(row["name"]), row["state"], value, _gap(row), _seconds(row))
        for name, (since, progress) in list(self._running.items()):
            seconds = f"{time.monotonic() - since:.1f}"
            value, gap = (
                ("–", "–") if progress is None else (figure(progress.incumbent), percent(progress.relative_gap))
            )
            shown.add_row(Text(name), "running", value, gap, seconds)
        counts = f"{self._n_settled:,} done, {len(self._running):,} running, {self._n_waiting:,} queued"
        return Group(shown, Text(counts))


def _gap(row: Row) -> str:
    value = row.get("relative_gap")
    return "–" if value is None else percent(value)


def _seconds(row: Row) -> str:
    value = row.get("seconds")
    return "–" if value is None else f"{value:.3f}"
