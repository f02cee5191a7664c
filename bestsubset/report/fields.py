"""The fields of a result, by name, as they go into JSON: every figure finite or None, so that any reader takes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bestsubset.result import Result


def fields(result: Result) -> dict[str, Any]:
    """Return what a result says, in numbers, words and lists of them."""
    problem = result.problem
    return {
        "k": problem.k,
        "n": problem.n,
        "p": problem.p,
        "support": list(result.support),
        "names": list(result.support_names),
        "coefficients": [float(result.coef[j]) for j in result.support] if result.coef is not None else None,
        "intercept": float(result.intercept),
        "objective": finite(result.objective),
        "dual_bound": finite(result.dual_bound),
        "relative_gap": finite(result.relative_gap),
        "status": str(result.status),
        "termination": str(result.termination),
        "proof": str(result.proof),
        "rss": finite(result.rss),
        "r2": finite(result.r2),
        "seconds": result.stats.seconds,
        "nodes": result.stats.nodes,
        "solver": result.stats.solver,
        "threads": result.stats.threads,
        "statement": result.statement(),
        "digest": problem.digest,
        "versions": result.stats.versions,
    }


def finite(value: float) -> float | None:
    """Return the number, or None for an infinite one and for none: JSON has neither."""
    return float(value) if math.isfinite(value) else None
