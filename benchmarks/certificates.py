"""What a certificate costs: the seconds of logging and of checking, and the size of the file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import bestsubset as bs
from benchmarks.instances import Instance

REPEATS = 5
LONG_SECONDS = 5.0  # what takes longer is run once


def measured(instance: Instance, time_limit: float | None) -> dict[str, Any] | None:
    """Solve without and with a log in turn, save, load and check; None where there is no certificate.

    The best of five each. The first check also hashes the data for the certificate.
    """
    problem = instance.problem()
    bare, logged, checked = [], [], []
    for _ in range(REPEATS):
        bare.append(_timed(lambda: bs.solve(problem, instance.solver, time_limit=time_limit, certificate=False))[0])
        seconds, result = _timed(lambda: bs.solve(problem, instance.solver, time_limit=time_limit))
        logged.append(seconds)
        if result.certificate is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.cert"
            result.certificate.save(path)
            size = path.stat().st_size
            certificate = bs.Certificate.load(path)
        seconds, verdict = _timed(lambda c=certificate: bs.verify(c, problem.X, problem.y))
        checked.append(seconds)
        if min(logged) > LONG_SECONDS:
            break
    return {
        "seconds_without": min(bare),
        "seconds_with": min(logged),
        "seconds_to_check": min(checked),
        "bytes": size,
        "tree_bytes": sum(claim.tree.nbytes for claim in certificate.claims),
        "nodes": result.stats.nodes,
        "leaves": verdict.leaves,
        "exact_leaves": verdict.exact_leaves,
        "valid": verdict.valid,
        "proved_gap": verdict.relative_gap if verdict.valid else None,
    }


def _timed(call: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    value = call()
    return time.perf_counter() - began, value
