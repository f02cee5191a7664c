"""A batch that is killed again and again ends as if it had never been: ``python -m benchmarks.crash``.

The runner is killed with SIGKILL at random moments and started again, until all runs are done. Then each run must be
there exactly once, equal to that of an undisturbed runner apart from times, with a certificate that holds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bestsubset as bs
from bestsubset.batch import read_specs

_SIZES = 5
_OF_TIME = ("seconds", "trace", "ended", "statement")


@dataclass(frozen=True)
class Crashes:
    """What happened to a batch: kills, those that tore the last line, and what is wrong with what it left."""

    n_runs: int
    kills: int
    torn: int
    seconds: float
    faults: tuple[str, ...]


def crash(folder: Path, n_runs: int, kills: int, seed: int = 0) -> Crashes:
    """Run a batch undisturbed, and another one with so many kills; compare them."""
    rng = np.random.default_rng(seed)
    spec = _write(folder, n_runs // _SIZES, rng)
    subprocess.run(_command(spec, folder / "undisturbed"), check=True, stdout=subprocess.DEVNULL)
    began, torn = time.perf_counter(), 0
    out = folder / "killed"
    for number in range(kills):
        # After a row that is chosen by lot, and then at any moment of the next ones.
        target = int(rng.integers(number * n_runs // (kills + 1), (number + 1) * n_runs // (kills + 1)))
        program = subprocess.Popen(_command(spec, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while _content(out).count(b"\n") < target and program.poll() is None:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.15)))
        program.kill()
        program.wait()
        torn += not _content(out).endswith(b"\n") and bool(_content(out))
    subprocess.run(_command(spec, out), check=True, stdout=subprocess.DEVNULL)
    faults = _faults(spec, folder / "undisturbed", out)
    return Crashes(n_runs, kills, torn, time.perf_counter() - began, tuple(faults))


def _command(spec: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "bestsubset", "run", str(spec), "-o", str(out), "--jobs", "2", "--quiet"]


def _write(folder: Path, n_problems: int, rng: np.random.Generator) -> Path:
    """Small problems with five sizes each, on one set of data."""
    X = rng.standard_normal((40, 8))
    y = X @ [2.0, -1, 0.5, 0, 0, 0, 0.2, 0] + rng.standard_normal(40)
    pd.DataFrame(X, columns=list("abcdefgh")).assign(y=y).to_csv(folder / "data.csv", index=False)
    problems = [f"  - {{name: p{number}, lambda2: {number / 10}}}" for number in range(n_problems)]
    head = f"defaults: {{data: {{file: data.csv, target: y}}, k: 1..{_SIZES}, limits: {{threads: 1}}}}"
    path = folder / "spec.yaml"
    path.write_text("\n".join([head, "problems:", *problems, ""]))
    return path


def _faults(spec: Path, undisturbed: Path, killed: Path) -> list[str]:
    runs = {run.name: run for run in read_specs([spec])}
    expected = {row["name"]: _lasting(row) for row in _rows(undisturbed)}
    found = _rows(killed)
    names = [row["name"] for row in found]
    faults = [f"{name} is there {names.count(name)} times" for name in runs if names.count(name) != 1]
    faults += [f"{row['name']} differs" for row in found if _lasting(row) != expected[row["name"]]]
    for row in found:
        problem = runs[row["name"]].problem()
        if not bs.verify(bs.Certificate.load(killed / row["certificate"]), problem.X, problem.y).valid:
            faults.append(f"the certificate of {row['name']} does not hold")
    named = {row["certificate"] for row in found}
    there = {path.relative_to(killed).as_posix() for path in (killed / "certificates").iterdir()}
    return faults + [f"{name} belongs to no run" for name in sorted(there - named)]


def _rows(folder: Path) -> list[dict[str, Any]]:
    text = _content(folder).decode()
    assert text.endswith("\n"), "the last line is torn"
    return [json.loads(line) for line in text.splitlines()]


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OF_TIME}


def _content(folder: Path) -> bytes:
    path = folder / "runs.jsonl"
    return path.read_bytes() if path.is_file() else b""


def main() -> None:
    """Crash as often as asked, and say what is wrong; leave with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        seen = crash(Path(folder), arguments.runs, arguments.kills, arguments.seed)
    print("\n".join(seen.faults) or "nothing is wrong")
    print(f"{seen.n_runs} runs, {seen.kills} kills, {seen.torn} torn lines, {seen.seconds:.0f} s")
    sys.exit(1 if seen.faults else 0)


if __name__ == "__main__":
    main()
