"""The tables of the page: a row for each instance, a row for each run, and what was flagged or refused."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.peers import claims, targets
from benchmarks.peers.environments import OURS, OURS_TWO_THREADS, is_ours, peers_by_name
from benchmarks.peers.results import Results
from benchmarks.peers.rows import TWO_THREADS, TWO_THREADS_TARGET, Row, by_name

Lines = list[str]


def table(header: str, rows: Iterable[Iterable[Any]]) -> Lines:
    """A Markdown table; a column whose heading ends in ``>`` is flush right."""
    names = header.split(" | ")
    rule = ["--:" if name.endswith(">") else "---" for name in names]
    heading = [name.removesuffix(">").strip() for name in names]
    lines = [heading, rule, *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def best_of(results: Results, instance: str) -> claims.Best:
    return claims.best_known(results.settings[instance], results.of(instance))


def family(results: Results, rows: Iterable[Row]) -> Lines:
    """Ours beside the best peer, an instance a row."""
    header = (
        "instance | n> | p> | k> | form | ours, s> | ours, 2 threads, s> | best peer | its s>"
        " | ratio> | target | reached | nodes of ours>"
    )
    return table(header, (_family_row(results, row) for row in rows if row.name in results.settings))


def _family_row(results: Results, row: Row) -> list[Any]:
    setting, best = results.settings[row.name], best_of(results, row.name)
    ours = results.find(row.name, OURS)
    peer = best_peer(results, row.name)
    where = [row.name, setting["n"], setting["p"], setting["k"] if row.form == "card" else "λ0", row.form]
    times = [time(ours, best), time(results.find(row.name, OURS_TWO_THREADS), best)]
    if peer is None:
        tried = any(not is_ours(run["peer"]) for run in results.of(row.name))
        beside = ["none" if tried else "not run", "–", "–"]
    else:
        beside = [_named(peer, row.form), time(peer, best), ratio(peer, ours, best)]
    nodes = "–" if ours is None else ours.get("nodes", "–")
    aim = [targets.stated(row.target), targets.reached(row.target, ours, setting, best)]
    return [*where, *times, *beside, *aim, nodes]


def best_peer(results: Results, instance: str) -> claims.Run | None:
    """The fastest peer that closed the gap with nothing wrong; if there is none, the one with the smallest gap."""
    best = best_of(results, instance)
    peers = [run for run in results.of(instance) if not is_ours(run["peer"]) and peers_by_name()[run["peer"]].exact]
    closed = [run for run in peers if claims.is_closed(run, best)]
    if closed:
        return min(closed, key=lambda run: run["seconds"])
    open_ = [run for run in peers if claims.gap(run) is not None and not claims.flags(run, best)]
    return min(open_, key=lambda run: claims.gap(run) or 0.0, default=None)


def _three(value: float) -> str:
    """Three digits, never in powers of ten where there are more before the point."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _named(run: claims.Run, form: str) -> str:
    return run["peer"] if run["form"] == form else f"{run['peer']} ({run['form']})"


def time(run: claims.Run | None, best: claims.Best) -> str:
    """Seconds; with the gap where the run is open, or what became of it."""
    if run is None:
        return "–"
    if run.get("stage") != "done":
        return str(run["stage"])
    if claims.is_closed(run, best):
        return seconds(run["seconds"])
    gap = claims.gap(run)
    if claims.flags(run, best):
        return f"{seconds(run['seconds'])}, wrong claim"
    return f"open at {run['seconds']:.0f}, gap {'unknown' if gap is None else f'{gap:.2g}'}"


def ratio(peer: claims.Run, ours: claims.Run | None, best: claims.Best) -> str:
    """Best peer over ours; ">" where the peer was stopped by its limit, "<" where ours was."""
    if ours is None or ours.get("stage") != "done" or claims.flags(ours, best):
        return "–"
    mine, theirs = claims.is_closed(ours, best), claims.is_closed(peer, best)
    sign = "" if mine and theirs else ">" if mine else "<" if theirs else None
    return "both open" if sign is None else f"{sign}{_three(peer['seconds'] / ours['seconds'])}"


def seconds(value: float) -> str:
    return _three(value)


def two_threads(results: Results) -> Lines:
    """Ours with one thread over ours with two, on the rows that are long enough."""
    rows = []
    for name in TWO_THREADS:
        one, two = results.find(name, OURS), results.find(name, OURS_TWO_THREADS)
        if one is None or two is None:
            continue
        best = best_of(results, name)
        both = claims.is_closed(one, best) and claims.is_closed(two, best)
        factor = one["seconds"] / two["seconds"] if both else None
        said = "not comparable: open" if factor is None else "yes" if factor >= TWO_THREADS_TARGET else "no"
        rows.append([name, time(one, best), time(two, best), "–" if factor is None else f"{factor:.2f}", said])
    if not rows:
        return ["Not measured."]
    return table(f"instance | one thread, s> | two, s> | one / two> | ≥ {TWO_THREADS_TARGET}", rows)


def every_run(results: Results) -> Lines:
    """A row for each result, whatever became of it."""
    header = (
        "instance | entry | form | status | seconds> | import + compiling, s> | nodes> | claimed objective>"
        " | claimed bound> | gap> | recomputed> | excess over best known> | peak, MB> | flags"
    )
    instances, entries = list(by_name()), list(peers_by_name())
    runs = sorted(results.runs, key=lambda run: (instances.index(run["instance"]), entries.index(run["peer"])))
    return table(header, (_run_row(run, best_of(results, run["instance"])) for run in runs))


def _run_row(run: claims.Run, best: claims.Best) -> list[Any]:
    head = [run["instance"], run["peer"]]
    if run.get("stage") != "done":
        return [*head, "–", run["stage"], *["–"] * 8, _number(run.get("peak_mb"), ".0f"), ""]
    prepared = run["import_seconds"] + run["warm_up_seconds"]
    took = [run["form"], run["status"], seconds(run["seconds"]), f"{prepared:.1f}", run.get("nodes") or "–"]
    claimed = [
        _number(run.get("objective"), ".8g"),
        _number(run.get("bound"), ".8g"),
        _number(_clipped(claims.gap(run)), ".1e"),
    ]
    judged = [_number(claims.objective(run), ".8g"), _number(_clipped(claims.excess(run, best)), ".1e")]
    wrong = "WRONG" if claims.flags(run, best) else ""
    return [*head, *took, *claimed, *judged, _number(run["peak_mb"], ".0f"), wrong]


def _clipped(part: float | None) -> float | None:
    """Rounding is told neither as an excess nor as a gap."""
    return part if part is None or abs(part) > 1e-12 else 0.0


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else "0" if value == 0 else f"{value:{form}}"


def wrong_claims(results: Results) -> Lines:
    """Each flag in words."""
    rows = [
        [run["instance"], run["peer"], run["status"], flag]
        for run in results.runs
        for flag in claims.flags(run, best_of(results, run["instance"]))
    ]
    return table("instance | entry | status | what is wrong", rows) if rows else ["None was found."]


def absent(results: Results) -> Lines:
    """Entries that are missing, refuse or fail, with the reason and the instances."""
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in results.runs:
        if run.get("stage") != "done":
            where[run["peer"], f"{run['stage']}: {run['reason']}"].append(run["instance"])
    rows = [[name, f"missing: {reason}", "all"] for name, reason in results.missing.items()]
    rows += [[peer, reason, ", ".join(instances)] for (peer, reason), instances in sorted(where.items())]
    return table("entry | why | instances", rows) if rows else ["None."]


def not_measured(results: Results) -> Lines:
    """Rows of the comparison without a run, with the reason."""
    rows = [
        [row.name, targets.stated(row.target), results.not_built.get(row.name) or "not run"]
        for row in by_name().values()
        if not results.of(row.name)
    ]
    return table("instance | target | why", rows) if rows else ["None."]


def large(kept: Path) -> Lines:
    """Problems beyond what the peers hold in memory, from `benchmarks.scale`."""
    if not kept.exists():
        return ["Not measured: `python -m benchmarks.scale million`, and `parquet`."]
    rows = []
    for found in json.loads(kept.read_text(encoding="utf-8")).values():
        if "reading" in found:
            limit, memory = 3 * found["reading"], f"{found['memory']:.2f} GB"
            target, is_small = f"3 × reading ({found['reading']:.1f} s), 1 GB", found["memory"] <= 1
        else:
            limit, memory = 60.0, f"{found['memory']:.2f} × data"
            target, is_small = "60 s, 1.5 × data", found["memory"] <= 1.5
        is_reached = found["seconds"] <= limit and is_small and found["gap"] <= 1e-6
        checked = f"{found['check']:.1f} s, {'valid' if found['valid'] else 'not valid'}" if "check" in found else "–"
        rows.append(
            [
                found["row"],
                f"{found['seconds']:.1f}",
                memory,
                f"{found['gap']:.1g}",
                checked,
                target,
                "yes" if is_reached else "no",
            ]
        )
    return table("problem | ours, s | peak memory | gap | certificate checked | target | reached", rows)
