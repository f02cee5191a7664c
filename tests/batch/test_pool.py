"""Processes that die, are interrupted, or lose their parent: what that costs, and what it does not."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from threading import Event, Timer

import pytest

import bestsubset as bs
from bestsubset.batch import read_specs
from bestsubset.batch.pool import Pool
from bestsubset.batch.runner import run_batch
from bestsubset.events import Progress
from tests.batch.batches import Watching, children, lasting, rows_in, run_here, started, until, write_grid, write_hard


class Alarmed(Watching):
    """Does something once, when a run tells of its gap."""

    def __init__(self, name: str, action: object) -> None:
        super().__init__()
        self._name, self._action = name, action
        self.gaps: list[float] = []

    def progressed(self, name: str, progress: Progress) -> None:
        self.gaps.append(progress.relative_gap)
        if name == self._name and self._action is not None and len(self.gaps) > 2:
            action, self._action = self._action, None
            assert callable(action)
            action()


def test_processes_say_what_one_process_says(tmp_path: Path) -> None:
    path = write_grid(tmp_path, 2)

    run_here(path, tmp_path / "here")
    run_here(path, tmp_path / "there", Pool(2))

    here, there = (sorted(rows_in(tmp_path / name), key=lambda row: str(row["name"])) for name in ("here", "there"))
    assert [lasting(row) for row in here] == [lasting(row) for row in there]


def test_a_killed_worker_costs_its_run_alone(tmp_path: Path) -> None:
    runs = [*read_specs([write_hard(tmp_path, "20")]), *read_specs([write_grid(tmp_path, 1)])]
    killer = Alarmed("hard", lambda: os.kill(children(os.getpid())[0], signal.SIGKILL))

    rows = run_batch(runs, tmp_path / "out", Pool(1), killer, Event())

    first, *others = rows
    assert first is not None
    assert first["state"] == "failed"
    assert first["reason"].startswith("the worker was killed by SIGKILL, as the system does when memory is short")
    assert "the gap was 0." in first["reason"]
    assert [row["state"] for row in others if row is not None] == ["done"] * 5
    assert len(rows_in(tmp_path / "out")) == 6


def test_a_worker_without_memory_costs_its_run_alone(tmp_path: Path) -> None:
    def starve() -> None:
        (worker,) = children(os.getpid())
        resource.prlimit(worker, resource.RLIMIT_AS, (1, 1))  # no further allocation is granted

    # One thread: where there is no memory for a new one to begin in, Python waits for it without end.
    runs = read_specs([write_hard(tmp_path, "20", "{threads: 1, time_limit: 60}")])

    (row,) = run_batch(runs, tmp_path / "out", Pool(1), Alarmed("hard", starve), Event())

    assert row is not None
    assert row["state"] == "failed"
    assert "MemoryError" in row["reason"] or "the worker " in row["reason"]


def test_a_worker_that_hangs_costs_its_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bestsubset.batch.pool._OVERDUE_AFTER", 0.0)
    monkeypatch.setattr("bestsubset.batch.pool._OVERDUE_FACTOR", 1.0)
    runs = read_specs([write_hard(tmp_path, "20", "{time_limit: 10}")])

    def freeze() -> None:
        (worker,) = children(os.getpid())
        os.kill(worker, signal.SIGSTOP)

    (row,) = run_batch(runs, tmp_path / "out", Pool(1), Alarmed("hard", freeze), Event())

    assert row is not None
    assert row["state"] == "failed"
    assert row["reason"].startswith("the worker gave no answer 1")


def test_an_interruption_brings_the_gap_so_far_and_its_certificate(tmp_path: Path) -> None:
    path, out, stop = write_hard(tmp_path), tmp_path / "out", Event()
    runs = read_specs([path])
    watching = Alarmed("hard/k=20", stop.set)

    first, second = run_batch(runs, out, Pool(1), watching, stop)

    assert second is None  # it was never begun
    assert first is not None
    assert (first["state"], first["termination"]) == ("interrupted", "interrupted")
    assert 0 < first["relative_gap"] <= watching.gaps[0]
    problem = runs[0].problem()
    verdict = bs.verify(bs.Certificate.load(out / first["certificate"]), problem.X, problem.y)
    assert verdict.valid
    assert verdict.dual_bound == pytest.approx(first["dual_bound"], rel=1e-9)


def test_a_run_that_is_stopped_before_it_begins_is_interrupted(tmp_path: Path) -> None:
    stop = Event()
    watching = Watching()
    Timer(0.3, stop.set).start()  # while the process is still loading the package

    (row,) = run_batch(read_specs([write_hard(tmp_path, "20")]), tmp_path / "out", Pool(1), watching, stop)

    assert row is not None
    assert row["state"] == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_ends_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    path, out = write_hard(tmp_path), tmp_path / "out"
    program = started("run", path, "-o", out, "-q", start_new_session=True)
    (worker,) = until(lambda: children(program.pid))
    until(lambda: threads_of(worker) > 1)

    os.killpg(program.pid, number)  # as a terminal does
    text, error = program.communicate(timeout=60)

    assert program.returncode == 1
    assert text == "2 runs: 1 interrupted, 1 not begun\n"
    assert error == ""
    assert [row["state"] for row in rows_in(out)] == ["interrupted"]
    assert not Path(f"/proc/{worker}").exists()


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    path, out = write_hard(tmp_path), tmp_path / "out"
    program = started("run", path, "-o", out, "-q", "--jobs", "2")
    workers = until(lambda: len(found := children(program.pid)) == 2 and found)

    program.kill()
    program.communicate(timeout=60)

    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert not (out / "runs.jsonl").read_bytes()


def threads_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("Threads:")[1].split()[0])
