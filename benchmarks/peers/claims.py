"""What a run claims, against the best that any run has found. A claim that cannot be true is flagged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.environments import is_ours

Run = dict[str, Any]
ROUNDING = 1e-6  # relative: what floating point may do to a bound or an objective
CROSSING = 1e-9  # relative: a lower bound above one's own objective by more is a negative gap
OUR_GAP, PEERS_GAP = 1e-6, 1e-4


@dataclass(frozen=True)
class Best:
    """The best known objectives of an instance: F with at most k columns, and P."""

    card: float = math.inf
    penalised: float = math.inf

    def of(self, form: str) -> float:
        return self.card if form == "card" else self.penalised


def best_known(setting: dict[str, Any], runs: Iterable[Run]) -> Best:
    """The least objective of all runs on an instance and of the heuristic that placed its settings.

    A run in one form counts in the other too: with no more than k columns in "card", always in "penalised".
    """
    card, penalised = [setting["F"]], [setting["F"] + setting["lambda0"] * len(setting["support"])]
    for run in runs:
        if run.get("F") is None:
            continue
        penalised.append(run["P"])
        if run["size"] <= setting["k"]:
            card.append(run["F"])
    return Best(min(card), min(penalised))


def objective(run: Run) -> float | None:
    """The recomputed objective in the form the run solved."""
    return run.get("F") if run.get("form") == "card" else run.get("P")


def gap(run: Run) -> float | None:
    """Relative gap between the recomputed objective and the claimed bound; None without either."""
    value, bound = objective(run), run.get("bound")
    return None if value is None or bound is None else (value - bound) / abs(value)


def excess(run: Run, best: Best) -> float | None:
    """By how much, relatively, the recomputed objective is worse than the best known."""
    value = objective(run)
    return None if value is None else value / best.of(run["form"]) - 1


def tolerance(run: Run) -> float:
    return OUR_GAP if is_ours(run["peer"]) else PEERS_GAP


def is_closed(run: Run, best: Best) -> bool:
    """Finished with an optimum, and nothing said that is wrong."""
    return run.get("stage") == "done" and run.get("status") == "optimal" and not flags(run, best)


def flags(run: Run, best: Best) -> list[str]:
    """Everything a run claims that cannot be true, in words."""
    if run.get("stage") != "done":
        return []
    return [*_false_bound(run, best), *_false_optimum(run, best), *_own_objective(run)]


def _false_bound(run: Run, best: Best) -> list[str]:
    bound, known = run.get("bound"), best.of(run["form"])
    if bound is None or bound <= known + ROUNDING * abs(known):
        return []
    return [f"bound {bound:.8g} is above the best known objective {known:.8g} (by {bound / known - 1:.1e})"]


def _false_optimum(run: Run, best: Best) -> list[str]:
    worse = excess(run, best)
    if run.get("status") != "optimal" or worse is None or worse <= tolerance(run) + ROUNDING:
        return []
    return [f"optimal, yet worse than the best known by {worse:.1e}"]


def _own_objective(run: Run) -> list[str]:
    claimed, bound, recomputed = run.get("objective"), run.get("bound"), objective(run)
    found = []
    if claimed is not None and bound is not None and bound - claimed > CROSSING * abs(claimed):
        found.append(f"negative gap: bound {bound:.8g} above its own objective {claimed:.8g}")
    if claimed is not None and recomputed is not None and claimed < recomputed - ROUNDING * abs(recomputed):
        found.append(f"claimed objective {claimed:.8g} is below the least of its support, {recomputed:.8g}")
    if run["form"] == "card" and run.get("size", 0) > run["k"]:
        found.append(f"{run['size']} columns; at most {run['k']} were asked for")
    said = [value for value in run.get("objectives", ()) if value is not None]
    if said and max(said) - min(said) > 2 * PEERS_GAP * abs(min(said)):
        found.append(f"the same call gave objectives from {min(said):.8g} to {max(said):.8g}")
    return found
