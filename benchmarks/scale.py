"""Data that are large: seconds by stage, peak memory over the size of the data, and the gap.

Run as ``python -m benchmarks.scale million|hundred-thousand|parquet``; the data are made in a temporary folder, and the
figures kept for the page of the comparison with peers.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import bestsubset as bs
from benchmarks.instances import _half_smallest_gain, seeded, true_support
from formulations import ScaledProblem
from formulations._types import Data, Vector

KEPT = Path(".peers/scale.json")

_TRUE = 10
_COLUMNS = 10_000  # of the data made at a time


_seconds: dict[str, float] = {}  # wall time of each stage


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Print the wall and the processor's seconds of a stage, and the peak memory so far."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    _seconds[name] = wall
    print(f"{name:28s} {wall:8.2f} s wall {processor:8.2f} s processor, peak {_peak() / 1e6:8.0f} MB", flush=True)


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _warm_up() -> None:
    """Compile or load all kernels, so that their memory is not counted as the data's."""
    rng = np.random.default_rng(0)
    for p in (10, 1000):
        X = rng.standard_normal((60, p))
        y = X[:, 0] + rng.standard_normal(60)
        bs.solve(bs.Problem(X, y, 3, lambda2=30.0)).verify()
        bs.solve(bs.Problem(X, y, lambda0=3.0, lambda2=30.0)).verify()


def wide(folder: Path, n: int, p: int, kind: type[np.floating], mapped: bool) -> tuple[Data, Vector]:
    """Unit columns, a unit response, ten true columns, signal-to-noise ratio 5; made block by block."""
    rng = seeded(f"scale-{n}x{p}")
    X: Data = np.memmap(folder / "X", dtype=kind, mode="w+", shape=(n, p)) if mapped else np.empty((n, p), kind)
    for start in range(0, p, _COLUMNS):
        block = rng.standard_normal((n, min(_COLUMNS, p - start)), dtype=np.float32)
        X[:, start : start + _COLUMNS] = block / np.linalg.norm(block, axis=0)
    signal = X[:, true_support(p, _TRUE)].astype(np.float64).sum(axis=1)
    y = signal + np.linalg.norm(signal) / np.sqrt(5 * n) * rng.standard_normal(n)
    return X, y / np.linalg.norm(y)


def solve_wide(n: int, p: int, kind: type[np.floating], mapped: bool, time_limit: float) -> dict[str, Any]:
    """Solve and verify one wide problem, λ2 = ½, λ0 half the smallest gain of a true column."""
    _warm_up()
    before = _peak()
    with tempfile.TemporaryDirectory() as folder:
        with stage("make the data"):
            X, y = wide(Path(folder), n, p, kind, mapped)
        true = X[:, true_support(p, _TRUE)].astype(np.float64)
        lambda0 = _half_smallest_gain(true, y, 0.5)
        with stage("Problem"):
            problem = bs.Problem(X, y, lambda0=lambda0, lambda2=0.5)
        with stage("scaling alone"):
            ScaledProblem.of(problem)
        with stage("solve"):
            result = bs.solve(problem, time_limit=time_limit)
        peak = _peak() - before
        print(f"peak memory / data: {peak / X.nbytes:.2f}")
        print(result.statement())
        print(f"gap {result.relative_gap:.2g}, nodes {result.stats.nodes}, support {result.support}", flush=True)
        with stage("verify"):
            verdict = result.verify()
        print(f"peak memory / data: {(_peak() - before) / X.nbytes:.2f}; {verdict}")
        return {
            "row": f"n = {n}, p = {p}, {np.dtype(kind).name}, λ2 = 1/2",
            "seconds": _seconds["Problem"] + _seconds["solve"],
            "check": _seconds["verify"],
            "valid": verdict.valid,
            "gap": result.relative_gap,
            "memory": peak / X.nbytes,
        }


def write_parquet(path: Path, n: int, p: int, rows: int = 2**17) -> None:
    """Write rows of p independent predictors and a response of ten of them."""
    import pyarrow
    import pyarrow.parquet

    rng = seeded(f"parquet-{n}x{p}")
    names = [f"x{j}" for j in range(p)]
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in [*names, "y"]])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, n, rows):
            columns = rng.standard_normal((p, min(rows, n - start))) + 3.0
            response = columns[true_support(p, _TRUE)].sum(axis=0) + 3.0 * rng.standard_normal(columns.shape[1])
            arrays = [pyarrow.array(column) for column in [*columns, response]]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), row_group_size=rows)


def read_parquet(path: Path) -> int:
    """Read a Parquet file in chunks and do nothing with them: the time to compare with."""
    import pyarrow.parquet

    return sum(batch.num_rows for batch in pyarrow.parquet.ParquetFile(path).iter_batches())


def solve_parquet(n: int, p: int) -> dict[str, Any]:
    """Sum up the moments of a Parquet file in one pass and solve for k = 10."""
    _warm_up()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        # In a process of its own, so that its memory is not counted.
        call = f"from benchmarks.scale import *; write_parquet(Path({str(path)!r}), {n}, {p})"
        with stage("make the file"):
            subprocess.run([sys.executable, "-c", call], check=True)
        print(f"{path.stat().st_size / 1e9:.2f} GB")
        before = _peak()
        with stage("moments of the file, and solve"):
            with stage("moments"):
                moments = bs.Moments.from_chunks(path, y="y")
            with stage("Problem"):
                problem = bs.Problem.from_moments(moments, 10)
            with stage("solve"):
                result = bs.solve(problem)
        peak = _peak() - before
        print(f"peak memory over the process before: {peak / 1e6:.0f} MB")
        print(result.statement())
        with stage("read the file with pyarrow"):
            read_parquet(path)
        return {
            "row": f"n = {n}, p = {p}, k = 10, from Parquet",
            "seconds": _seconds["moments of the file, and solve"],
            "reading": _seconds["read the file with pyarrow"],
            "gap": result.relative_gap,
            "memory": peak / 1e9,
        }


def main() -> None:
    """Run one benchmark by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["million", "hundred-thousand", "parquet"])
    parser.add_argument("--mapped", action="store_true", help="keep the data in a file, memory-mapped")
    parser.add_argument("--time-limit", type=float, default=60.0)
    chosen = parser.parse_args()
    if chosen.which == "million":
        found = solve_wide(1000, 1_000_000, np.float32, chosen.mapped, chosen.time_limit)
    elif chosen.which == "parquet":
        found = solve_parquet(10_000_000, 50)
    else:
        found = solve_wide(1000, 100_000, np.float64, chosen.mapped, chosen.time_limit)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps({**kept, chosen.which: found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
