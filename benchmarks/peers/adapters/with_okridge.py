"""okridge, with at most k columns; its λ2 is twice ours, and its loss leaves y'y out.

The setting "patched" supplies the method that the published wheel calls and does not have: without it, p ≥ n fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from common import GAP, Answer, Instance, RefusedError, serve

LARGEST = 20_000  # columns: beyond, its p × p matrices exceed the memory of most machines
LEAST_RIDGE = 1e-5  # its own default, where X'X is singular to it and no ridge was asked for


def load() -> Any:
    import okridge.tree

    return okridge.tree.BNBTree


def warm_up(instance: Instance, setting: str) -> None:
    """Nothing is compiled."""
    if instance.p > LARGEST:
        raise RefusedError(f"it needs p × p matrices: not started beyond {LARGEST} columns")
    if setting == "patched":
        from okridge.node import Node

        Node.lower_solve = Node.lower_solve_fast


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    ridge = 2 * instance.lambda2
    if ridge == 0 and np.linalg.eigvalsh(instance.X.T @ instance.X)[0] < 1e-3:
        ridge = LEAST_RIDGE
    tree = load()(instance.X, instance.y, lambda2=ridge)
    upper, coefficients, gap, lower, _ = tree.solve(k=instance.k, gap_tol=GAP, verbose=False, time_limit=limit)
    return {
        "form": "card",
        "coefficients": coefficients,
        "objective": 0.5 * float(upper) + instance.half_square,
        "bound": 0.5 * float(lower) + instance.half_square if lower > -1e15 else None,
        "nodes": tree.number_of_nodes,
        "status": "optimal" if gap <= GAP else "time_limit",
    }


if __name__ == "__main__":
    serve("okridge", load, warm_up, solve)
