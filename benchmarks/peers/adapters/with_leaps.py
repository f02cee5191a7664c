"""leaps of R, exhaustive: at most k columns, the ridge as further rows. It has no bound until it has finished."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import Answer, Instance, RefusedError, serve

LARGEST = 128  # columns: beyond, it ends only on data where nothing is to be searched


def load() -> str:
    if shutil.which("Rscript") is None:
        raise FileNotFoundError("Rscript is not there: install R and its package leaps (see README.md)")
    code = 'cat(as.character(packageVersion("leaps")))'
    check = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True)
    if check.returncode:
        raise ImportError(check.stderr.strip() or "R has no package leaps")
    return check.stdout.strip()


def warm_up(instance: Instance, setting: str) -> None:
    """Nothing is compiled."""
    if instance.p > LARGEST:
        raise RefusedError(f"exhaustive search is not started beyond {LARGEST} columns")
    if instance.n <= instance.p and instance.lambda2 == 0:
        raise RefusedError("n ≤ p without a ridge")


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    X, y = instance.with_ridge_rows()
    numbers = np.r_[X.shape[0], instance.p, instance.k, X.ravel(order="F"), y].astype("<f8")
    script = Path(__file__).with_name("leaps.R")
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        numbers.tofile(file)
        file.flush()
        command = ["Rscript", str(script), file.name]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return {"form": "card", "status": "time_limit"}
    if run.returncode:
        raise RuntimeError(run.stderr.strip()[-200:])
    said = {words[0]: words[1:] for words in map(str.split, run.stdout.splitlines()) if words}
    objective = 0.5 * float(said["RSS"][0])
    support = [int(j) for j in said["SUPPORT"]]
    return {
        "form": "card",
        "support": support,
        "objective": objective,
        "bound": objective,
        "status": "optimal",
        "seconds": max(float(said["SECONDS"][0]), 1e-3),  # its clock counts milliseconds
    }


if __name__ == "__main__":
    serve("", load, warm_up, solve)
