"""A run as work to be done: known by a digest, and sent to workers apart from its data."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bestsubset.batch.expansion import BatchRun
from bestsubset.batch.table import Table
from bestsubset.solvers import default_for
from formulations import Problem

_TABLE = "table"


@dataclass(frozen=True, eq=False)
class Task:
    """A run, and the digest of its problem, its solver with all settings, and the version of this program."""

    run: BatchRun
    digest: str

    @property
    def name(self) -> str:
        return self.run.name


def tasks(runs: Iterable[BatchRun]) -> Iterator[Task]:
    """Yield the runs with their digests.

    Raises
    ------
    ProblemError
        If the data and the fields of a run make no problem together.
    """
    last: tuple[BatchRun, Problem] | None = None
    for run in runs:
        if last is not None and run.k is not None and _differ_in_k_alone(last[0], run):
            problem = last[1].with_k(run.k)  # checking the data anew would cost more than many a search
        else:
            problem = run.problem()
        last = run, problem
        yield Task(run, _digest(run, problem))


def _differ_in_k_alone(one: BatchRun, other: BatchRun) -> bool:
    return one.parts is other.parts and _combination(one) == _combination(other)


def _combination(run: BatchRun) -> tuple[Any, ...]:
    return run.loss, run.lambda0, run.lambda1, run.lambda2


def _digest(run: BatchRun, problem: Problem) -> str:
    from bestsubset import __version__

    solver = run.solver or default_for(problem)
    settings = {name: repr(value) for name, value in run.settings().items()}
    text = json.dumps([problem.digest, repr(solver), settings, __version__], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def packed(run: BatchRun) -> bytes:
    """Return a run without its table, which goes to a worker once and serves many."""
    content = io.BytesIO()
    _Pickler(content, pickle.HIGHEST_PROTOCOL).dump(run)
    return content.getvalue()


def unpacked(content: bytes, table: Table) -> BatchRun:
    """Return the run that was `packed`, with its table."""
    run = _Unpickler(io.BytesIO(content), table).load()
    assert isinstance(run, BatchRun)
    return run


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> str | None:
        return _TABLE if isinstance(obj, Table) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: io.BytesIO, table: Table) -> None:
        super().__init__(content)
        self._table = table

    def persistent_load(self, pid: Any) -> Table:
        assert pid == _TABLE
        return self._table
