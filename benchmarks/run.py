"""``make bench``: seconds, nodes and gap of every instance, compilation apart.

``python -m benchmarks.run`` runs all and writes ``results.json`` and ``README.md`` beside this file;
``python -m benchmarks.run NAME …`` runs some, and only prints.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import bestsubset as bs
from benchmarks import certificates
from benchmarks.instances import Instance, catalogue
from benchmarks.machine import describe
from benchmarks.report import HEADER, certificate_row, markdown, row

HERE = Path(__file__).parent
REPEATS = 3
LONG_SECONDS = 20.0  # what takes longer is run once
ALL_KERNELS = "every kernel"
FIRST_CALLS = ("diabetes64-k5", "T40a", "wide-rho0.5-ridge0.1-lambda0", ALL_KERNELS)
IMPORTS = {"bestsubset": "import bestsubset", "numpy, scipy, pandas": "import numpy, scipy, pandas"}


def main() -> None:
    """Run what the command line asks for."""
    arguments = _arguments()
    instances = catalogue(arguments.riboflavin)
    if arguments.first is not None:
        print(json.dumps(_first_and_second(arguments.first, instances)))
        return
    unknown = sorted(set(arguments.names) - set(instances))
    if unknown:
        sys.exit(f"error: instance is {unknown[0]!r}; expected one of {', '.join(instances)}. Name one of these.")
    chosen = arguments.names or list(instances)
    warm_up = _call_every_kernel()
    print(f"warm-up (kernels compiled or read from the cache): {warm_up:.2f} s", file=sys.stderr)
    print(HEADER)
    rows = []
    for name in chosen:
        instance = instances[name]()
        rows.append({"name": name, **_measured(instance, arguments.time_limit)})
        limit = None if instance.solver == "enumeration" else arguments.time_limit
        rows[-1]["certificate"] = None if rows[-1]["seconds"] > LONG_SECONDS else certificates.measured(instance, limit)
        print(row(rows[-1]), certificate_row(rows[-1]), flush=True)
    if arguments.names:
        return
    results = {
        "machine": describe(),
        "warm_up_seconds": warm_up,
        "first_calls": {name: _first_call(name) for name in FIRST_CALLS},
        "imports": {what: _import_seconds(code) for what, code in IMPORTS.items()},
        "instances": rows,
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (HERE / "README.md").write_text(markdown(results), encoding="utf-8")
    print(f"written: {HERE.name}/results.json, {HERE.name}/README.md", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="instances to run; all, unless named")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each solve (default 60)")
    parser.add_argument("--riboflavin", type=Path, metavar="CSV", help="the riboflavin data, response last")
    parser.add_argument("--first", metavar="NAME", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(instance: Instance, time_limit: float) -> dict[str, Any]:
    """The best of three; the problem is built anew each time, so that nothing known of the data is reused."""
    limit = None if instance.solver == "enumeration" else time_limit
    runs = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        problem = instance.problem()
        built = time.perf_counter()
        result = bs.solve(problem, instance.solver, time_limit=limit)
        runs.append((time.perf_counter() - built, built - began, result))
        if runs[-1][0] > LONG_SECONDS:
            break
    seconds, problem_seconds, result = min(runs, key=lambda run: run[0])
    reached = None if instance.target is None else bool(result.status == "optimal" and seconds <= instance.target)
    return {
        "n": problem.n,
        "p": problem.p,
        "k": problem.k,
        "chosen": result.cardinality,
        "solver": instance.solver,
        "seconds": seconds,
        "problem_seconds": problem_seconds,
        "runs": len(runs),
        "nodes": result.stats.nodes,
        "relative_gap": result.relative_gap if result.relative_gap < float("inf") else None,
        "status": str(result.status),
        "termination": str(result.termination),
        "objective": result.objective,
        "target": instance.target,
        "reached": reached,
    }


def _call_every_kernel() -> float:
    """Solve one small problem of each kind, so that every kernel is called; return the seconds it took."""
    began = time.perf_counter()
    rng = np.random.default_rng(0)
    tall, wide = rng.standard_normal((60, 30)), rng.standard_normal((40, 200))
    y, z = tall[:, :9].sum(axis=1) + 4 * rng.standard_normal(60), wide[:, :3].sum(axis=1) + rng.standard_normal(40)
    for tree in ("downdating", "perspective"):
        bs.best_subset(tall, y, k=6, solver=bs.BranchAndBound(tree=tree))
    bs.best_subset(tall, y, k=3, bounds=(-0.5, 0.5))
    bs.best_subset(tall, y, k=4, constraints=[bs.Group([0, 1])])
    bs.best_subset(wide, z, k=3, lambda2=20.0)
    bs.best_subset(wide, z, k=3, solver="enumeration")
    return time.perf_counter() - began


def _first_and_second(name: str, instances: dict[str, Callable[[], Instance]]) -> dict[str, float]:
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        if name == ALL_KERNELS:
            _call_every_kernel()
        else:
            instance = instances[name]()
            bs.solve(instance.problem(), instance.solver, time_limit=60.0)
        seconds.append(time.perf_counter() - began)
    return {"first": seconds[0], "second": seconds[1]}


def _first_call(name: str) -> dict[str, float]:
    """The first solve ever, in a new process with no compiled kernels; then the same in another process."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "benchmarks.run", "--first", name]
        cold, warm = (
            json.loads(
                subprocess.run(
                    command,
                    env={**os.environ, "NUMBA_CACHE_DIR": cache},
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for _ in range(2)
        )
    return {"first_ever": cold["first"], "second": cold["second"], "first_of_a_later_process": warm["first"]}


def _import_seconds(code: str, repeats: int = 7) -> float:
    timed = f"import time; began = time.perf_counter(); {code}; print(time.perf_counter() - began)"
    return min(
        float(subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True).stdout)
        for _ in range(repeats)
    )


if __name__ == "__main__":
    main()
