"""l0bnb, in the penalised form; it needs an M. The setting "cold" withholds the heuristic's warm start."""

from __future__ import annotations

from typing import Any

from common import GAP, Answer, Instance, serve, tiny


def load() -> Any:
    from l0bnb import BNBTree

    return BNBTree


def warm_up(instance: Instance, setting: str) -> None:
    X, y = tiny()
    load()(X, y).solve(3.0, instance.lambda2, 2.0, gap_tol=GAP, time_limit=20)


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    tree = load()(instance.X, instance.y)
    start = None if setting == "cold" else instance.warm_start
    found = tree.solve(
        instance.lambda0, instance.lambda2, instance.M, gap_tol=GAP, warm_start=start, time_limit=limit, verbose=False
    )
    emptied = tree.bfs_queue.qsize() + tree.dfs_queue.qsize() == 0
    unfinished = "queue emptied, gap not closed" if emptied else "time_limit"
    return {
        "form": "penalised",
        "coefficients": found.beta,
        "objective": found.cost,
        "bound": found.cost * (1 - found.gap),
        "nodes": tree.number_of_nodes,
        "status": "optimal" if found.gap <= GAP else unfinished,
    }


if __name__ == "__main__":
    serve("l0bnb", load, warm_up, solve)
