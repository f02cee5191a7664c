"""``bestsubset run``: all runs of specifications, side by side, each written down when it ends."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from bestsubset.cli.board import board
from bestsubset.cli.specs import check as specs_are_checked
from bestsubset.status import Status

if TYPE_CHECKING:
    from bestsubset.batch.ledger import Row


def run(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC.YAML…", help="Specifications of problems.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the results are kept.")],
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Runs at a time, which share the cores.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786, instead.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the specifications; solve nothing.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check each certificate when its run ends.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Solve all problems of specifications, and write each run to FOLDER/runs.jsonl when it ends.

    What the folder holds already is not done again; what failed or was interrupted is. Ctrl-C interrupts the runs with
    their gaps so far, a second one drops them. Leaves with 0 if all is proved, 1 if some of it is not, 2 on bad input.
    """
    from bestsubset.batch.cluster import Cluster
    from bestsubset.batch.plan import read_specs
    from bestsubset.batch.pool import Pool
    from bestsubset.batch.runner import run_batch

    if check:
        specs_are_checked(specs)
        return
    planned = read_specs(specs)
    with _stopping() as stop, board(quiet) as observer:
        executor = Pool(jobs) if scheduler is None else Cluster(scheduler)
        rows = run_batch(planned, output, executor, observer, stop, verify)
    typer.echo(_summary(rows))
    raise typer.Exit(0 if all(row is not None and _is_proved(row) for row in rows) else 1)


@contextmanager
def _stopping() -> Iterator[Event]:
    """Yield what Ctrl-C and a request to terminate set; the second time they interrupt as ever."""
    stop = Event()

    def demand(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, demand) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _summary(rows: Sequence[Row | None]) -> str:
    counts = Counter("not begun" if row is None else _word(row) for row in rows)
    return f"{len(rows):,} run{'' if len(rows) == 1 else 's'}: " + ", ".join(
        f"{counts[word]:,} {word}"
        for word in ("proved", "stopped with a gap", "refused", "failed", "interrupted", "not begun")
        if counts[word]
    )


def _word(row: Row) -> str:
    if row["state"] != "done":
        return str(row["state"])
    return "proved" if _is_proved(row) else "stopped with a gap"


def _is_proved(row: Row) -> bool:
    return bool(row["state"] == "done" and row["status"] == Status.OPTIMAL)
