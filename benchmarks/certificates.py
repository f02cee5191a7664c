"""What a certificate costs: the seconds of logging and of checking, and the size of the file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import bestsubset as bs
from benchmarks.instances import Instance

REPEATS = 6
LONG_SECONDS = 5.0  # what takes longer is run once


def measured(instance: Instance, time_limit: float | None) -> dict[str, Any] | None:
    """Solve without and with a log, save, load and check; None where there is no certificate.

    The best of six each, with the log first every other time: what runs first finds the memory in another state.
    """
    problem = instance.problem()
    bare: list[float] = []
    logged: list[float] = []
    checked: list[float] = []
    for turn in range(REPEATS):
        for is_logged in (bool(turn % 2), not turn % 2):
            began = time.perf_counter()
            answer = bs.solve(problem, instance.solver, time_limit=time_limit, certificate=is_logged)
            (logged if is_logged else bare).append(time.perf_counter() - began)
            if is_logged:
                result = answer
        if result.certificate is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.cert"
            result.certificate.save(path)
            size = path.stat().st_size
            certificate = bs.Certificate.load(path)
        began = time.perf_counter()
        verdict = bs.verify(certificate, problem.X, problem.y)
        checked.append(time.perf_counter() - began)
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
