"""The runs of a batch, each done once: what a folder holds already is left alone, and what ends is written at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from bestsubset.batch.executor import Executor, RunObserver
from bestsubset.batch.expansion import BatchRun
from bestsubset.batch.ledger import Row, opened
from bestsubset.batch.outcome import Outcome
from bestsubset.batch.task import Task, tasks


class Observer(RunObserver, Protocol):
    """Who is told what becomes of the runs."""

    def planned(self, waiting: Sequence[str], settled: int) -> None: ...

    def ended(self, row: Row) -> None: ...

    def notice(self, text: str) -> None: ...


def run_batch(
    runs: Sequence[BatchRun], folder: Path, executor: Executor, observer: Observer, stop: Event, check: bool = False
) -> list[Row | None]:
    """Do the runs that a folder does not hold yet, and return the row of each; None of those not begun.

    Parameters
    ----------
    runs : sequence of BatchRun
        With distinct names.
    folder : path
        Where ``runs.jsonl`` and the certificates are, or will be.
    executor : Executor
        Who solves them: `Pool` or `Cluster`.
    observer : Observer
    stop : Event
        Once it is set, no run is begun, and those that run are interrupted.
    check : bool
        Check each certificate when its run ends.

    Raises
    ------
    DataError
        If the folder cannot be used; see `bestsubset.batch.ledger.opened`.
    ProblemError
        If a run's data and fields make no problem together; nothing is written then.
    """
    planned = list(tasks(runs))
    with opened(folder) as ledger:
        if ledger.notice is not None:
            observer.notice(ledger.notice)
        waiting = [task for task in planned if not ledger.is_settled(task.name, task.digest)]
        observer.planned([task.name for task in waiting], len(planned) - len(waiting))
        for task, outcome in executor.outcomes(waiting, check, stop, observer):
            row = _row(task, outcome, folder)
            ledger.add(row, outcome.certificate)
            observer.ended(row)
        rows = [(ledger.rows.get(task.name), task.digest) for task in planned]
    return [row if row is not None and row["digest"] == digest else None for row, digest in rows]


def _row(task: Task, outcome: Outcome, folder: Path) -> dict[str, Any]:
    run = task.run
    return {
        "name": run.name,
        "problem": run.spec.name,
        "state": str(outcome.state),
        "reason": outcome.reason,
        "k": run.k,
        "lambda0": run.lambda0,
        "lambda1": run.lambda1,
        "lambda2": run.lambda2,
        "loss": run.loss.name,
        "tau": getattr(run.loss, "tau", None),
        "fit_intercept": run.spec.fit_intercept,
        **outcome.figures,
        "criterion": run.spec.criterion,
        "settings": {name: value for name, value in run.settings().items() if name != "start"},
        "spec": Path(os.path.relpath(run.parts.file, folder)).as_posix(),
        "digest": task.digest,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
