"""Results as JSON: every figure finite or null, so that any reader takes it."""

from __future__ import annotations

import json
import math
from typing import Any

from bestsubset.path import Path
from bestsubset.result import Result


def as_json(answer: Result | Path) -> str:
    """Return a result as one JSON object; a path as an object with one result a size under ``path``."""
    content = {"path": [_fields(r) for r in answer.values()]} if isinstance(answer, Path) else _fields(answer)
    return json.dumps(content, allow_nan=False, ensure_ascii=False, indent=2)


def _fields(result: Result) -> dict[str, Any]:
    problem = result.problem
    return {
        "k": problem.k,
        "n": problem.n,
        "p": problem.p,
        "support": list(result.support),
        "names": list(result.support_names),
        "coefficients": [float(result.coef[j]) for j in result.support] if result.coef is not None else None,
        "intercept": float(result.intercept),
        "objective": _finite(result.objective),
        "dual_bound": _finite(result.dual_bound),
        "relative_gap": _finite(result.relative_gap),
        "status": str(result.status),
        "termination": str(result.termination),
        "proof": str(result.proof),
        "rss": _finite(result.rss),
        "r2": _finite(result.r2),
        "seconds": result.stats.seconds,
        "nodes": result.stats.nodes,
        "solver": result.stats.solver,
        "threads": result.stats.threads,
        "statement": result.statement(),
        "digest": problem.digest,
        "versions": result.stats.versions,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
