"""A Dask cluster on this machine: the same rows as here, whoever is killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import pytest

from bestsubset.batch import read_specs
from bestsubset.batch.cluster import Cluster
from bestsubset.batch.runner import run_batch
from bestsubset.cli.main import run
from bestsubset.events import Progress
from tests.batch.batches import ROOT, Watching, lasting, rows_in, run_here, until, write_grid, write_hard

needs_distributed = pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed")


class LocalCluster:
    """A scheduler and two workers, each a process."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._folder = folder
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        self.processes = [self._started("scheduler", *options)]
        until(lambda: answers(port))
        for name in ("a", "b"):
            options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
            self.processes.append(self._started("worker", self.address, *options))
        until(lambda: all("Registered to" in self._log(number) for number in (1, 2)))

    def kill(self, number: int) -> None:
        self.processes[number].send_signal(signal.SIGKILL)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _started(self, *arguments: str) -> subprocess.Popen[bytes]:
        number = len(getattr(self, "processes", []))
        with (self._folder / f"log{number}").open("wb") as log:
            command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def _log(self, number: int) -> str:
        return (self._folder / f"log{number}").read_text()


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    local = LocalCluster(tmp_path)
    yield local
    local.close()


class Killing(Watching):
    """Kills a worker, or whatever else, once the hard run tells of its gap."""

    def __init__(self, action: object) -> None:
        super().__init__()
        self._action = action
        self.has_acted = False

    def progressed(self, name: str, progress: Progress) -> None:
        if name.startswith("hard") and not self.has_acted:
            self.has_acted = True
            assert callable(self._action)
            self._action()


@needs_distributed
def test_a_killed_worker_costs_nothing(tmp_path: Path, cluster: LocalCluster) -> None:
    grid, hard = (
        write_grid(tmp_path, 2),
        write_hard(tmp_path, "20, limits: {time_limit: 5}"),
    )
    runs = [*read_specs([hard]), *read_specs([grid])]
    killing = Killing(lambda: cluster.kill(1))

    rows = run_batch(runs, tmp_path / "out", Cluster(cluster.address), killing, Event())

    assert killing.has_acted
    assert {row["state"] for row in rows if row is not None} == {"done"}
    assert sorted(row["name"] for row in rows_in(tmp_path / "out")) == sorted(one.name for one in runs)
    run_here(grid, tmp_path / "here")
    here = {row["name"]: lasting(row) for row in rows_in(tmp_path / "here")}
    there = {row["name"]: lasting(row) for row in rows_in(tmp_path / "out") if row["problem"] != "hard"}
    assert there == here


@needs_distributed
def test_an_interruption_reaches_the_workers(tmp_path: Path, cluster: LocalCluster) -> None:
    stop = Event()

    rows = run_batch(
        read_specs([write_hard(tmp_path, "[20, 21, 22]")]), tmp_path / "out", Cluster(cluster.address),
        Killing(stop.set), stop,
    )  # fmt: skip

    assert rows[2] is None
    begun = [row for row in rows if row is not None]
    assert {row["state"] for row in begun} == {"interrupted"}
    assert any(
        row.get("relative_gap") is not None and (tmp_path / "out" / row["certificate"]).is_file() for row in begun
    )


@needs_distributed
def test_a_scheduler_that_is_gone_is_a_failure(tmp_path: Path, cluster: LocalCluster) -> None:
    rows = run_batch(
        read_specs([write_hard(tmp_path, "20")]), tmp_path / "out", Cluster(cluster.address),
        Killing(lambda: cluster.kill(0)), Event(),
    )  # fmt: skip

    (row,) = rows
    assert row is not None
    assert row["state"] == "failed"
    assert "scheduler" in row["reason"] or "lost" in row["reason"]


@needs_distributed
def test_no_scheduler_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["run", str(write_grid(tmp_path, 1)), "-o", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9"])

    assert code == 2
    assert "--scheduler is tcp://127.0.0.1:9 and cannot be reached" in capsys.readouterr().err


def test_without_distributed_a_cluster_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bestsubset.batch.cluster.find_spec", lambda name: None)

    code = run(["run", str(write_grid(tmp_path, 1)), "-o", str(tmp_path / "out"), "--scheduler", "tcp://host:8786"])

    assert code == 2
    assert "pip install 'bestsubset[distributed]'" in capsys.readouterr().err
