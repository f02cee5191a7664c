"""Whether ours reached what the project set itself."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import claims
from benchmarks.peers.rows import Target


def stated(target: Target) -> str:
    """The target in words; "–" where the result is only told."""
    words = []
    if target.seconds is not None:
        words.append(f"{target.seconds:g} s")
    if target.gap is not None:
        words.append(f"gap ≤ {100 * target.gap:g} %")
    if target.memory is not None:
        words.append(f"{target.memory:g} × data")
    return ", ".join([*words, *([target.words] if target.words else [])]) or "–"


def reached(target: Target, run: claims.Run | None, setting: dict[str, Any], best: claims.Best) -> str:
    """ "yes", "no" with what is missed, or "–" where nothing was set."""
    if stated(target) == "–":
        return "–"
    if run is None or run.get("stage") != "done":
        return "no: " + ("not measured" if run is None else run["stage"])
    missed = [*_missed_time(target, run, best), *_missed_memory(target, run, setting)]
    return f"no: {', '.join(missed)}" if missed else "yes"


def _missed_time(target: Target, run: claims.Run, best: claims.Best) -> list[str]:
    gap = claims.gap(run)
    if claims.flags(run, best):
        return ["wrong claim"]
    if target.gap is not None and (gap is None or gap > target.gap):
        return ["no gap" if gap is None else f"gap {gap:.1%}"]
    if target.seconds is not None and not claims.is_closed(run, best):
        return ["open"]
    if target.seconds is not None and run["seconds"] > target.seconds:
        return [f"{run['seconds'] / target.seconds:.2g} × the time"]
    return []


def _missed_memory(target: Target, run: claims.Run, setting: dict[str, Any]) -> list[str]:
    if target.memory is None:
        return []
    ratio = run["peak_mb"] * 2**20 / (8 * setting["n"] * setting["p"])
    return [f"{ratio:.2f} × data"] if ratio > target.memory else []
