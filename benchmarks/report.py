"""Measurements as rows of text, and as the page beside the code."""

from __future__ import annotations

from typing import Any

IMPORT_TARGET = 1.5  # times the import of numpy, scipy and pandas
FIRST_CALL_TARGET = 10.0  # seconds more than the second call
ALL_KERNELS_TARGET = 20.0  # the same, when every kernel is called
HEADER = (
    f"{'instance':<30} {'n':>5} {'p':>6} {'k':>4} {'seconds':>9} {'problem':>8} {'nodes':>9} {'gap':>8}"
    f" {'status':<9} {'target':>7} reached"
)


def row(measured: dict[str, Any]) -> str:
    """One line of the table on the terminal."""
    size = f"{measured['n']:>5} {measured['p']:>6} {_k(measured):>4}"
    cost = f"{measured['seconds']:>9.4f} {measured['problem_seconds']:>8.4f} {measured['nodes']:>9}"
    claim = f"{_gap(measured):>8} {measured['status']:<9} {_target(measured):>7} {_reached(measured)}"
    return f"{measured['name']:<30} {size} {cost} {claim}"


def certificate_row(measured: dict[str, Any]) -> str:
    """What the certificate cost, on the terminal."""
    c = measured["certificate"]
    if c is None:
        return "certificate: none, or not measured"
    ratio = c["seconds_to_check"] / c["seconds_with"]
    logging = c["seconds_with"] / c["seconds_without"]
    return (
        f"{c['bytes'] / 1e3:.0f} kB, logging x{logging:.2f}, checked in {c['seconds_to_check']:.3f} s (x{ratio:.1f}),"
        f" {'valid' if c['valid'] else 'REFUSED'}"
    )


def markdown(results: dict[str, Any]) -> str:
    """The whole page: machine, instances, first calls, import."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {machine[name]}" for name in list(machine)[3:])
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; the generators are in `instances.py`, the figures also in `results.json`.",
        "",
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}; {versions}.",
        "",
        "Wall seconds of the whole `solve` call, kernels compiled: the best of three, of one where a run"
        " takes more than 20 s. *problem* is the construction of `Problem` (the data checked), not part of"
        " *seconds*. A gap is relative to the objective; a target counts as reached with a proof within it."
        " In the rows `lambda0` the number of columns is left to the price λ0.",
        "",
        "| instance | n | p | k | seconds | problem | nodes | gap | status | target, s | reached |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|--:|---|",
    ]
    for m in results["instances"]:
        seconds = (f"{m['seconds']:.3f}", f"{m['problem_seconds']:.3f}")
        claim = (m["nodes"], _gap(m), m["status"], _target(m), _reached(m))
        cells = (m["name"], m["n"], m["p"], _k(m), *seconds, *claim)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    lines += ["", *_certificates(results["instances"])]
    return "\n".join([*lines, "", *_first_calls(results["first_calls"]), "", *_imports(results["imports"]), ""])


def _certificates(instances: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Certificates",
        "",
        "Wall seconds of `solve` without and with a log, and of `verify` on the file once saved and loaded: the best"
        " of six, in both orders. *tree* is bytes a node without multipliers, lists of fixed columns included; *exact*"
        " the leaves that floating point left to rational arithmetic; *proved gap* that of the verdict.",
        "",
        "| instance | nodes | leaves | file, kB | tree | without, s | with, s | ratio | check, s | ratio | exact"
        " | proved gap |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for m in instances:
        c = m["certificate"]
        if c is None:
            lines.append(f"| {m['name']} | {m['nodes']} | not measured" + " |" * 10)
            continue
        seconds = (c["seconds_without"], c["seconds_with"], c["seconds_to_check"])
        cells = (
            m["name"],
            c["nodes"],
            c["leaves"],
            f"{c['bytes'] / 1e3:.0f}",
            f"{c['tree_bytes'] / c['nodes']:.1f}",
            *(f"{s:.4f}" for s in seconds[:2]),
            f"{seconds[1] / seconds[0]:.2f}",
            f"{seconds[2]:.4f}",
            f"{seconds[2] / seconds[1]:.1f}",
            c["exact_leaves"],
            f"{c['proved_gap']:.1e}" if c["valid"] else "refused",
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return lines


def _first_calls(calls: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "## The first solve on a fresh machine",
        "",
        "New processes, with an empty cache of kernels and then with the cache that the first one left.",
        "",
        "| instance | first ever, s | second, s | first of a later process, s | first less second |",
        "|---|--:|--:|--:|---|",
    ]
    for name, call in calls.items():
        target = ALL_KERNELS_TARGET if name == "every kernel" else FIRST_CALL_TARGET
        reached = call["first_ever"] - call["second"] <= target
        kept = f"{'yes' if reached else 'no'} (≤ {target:g} s)"
        cells = (
            name,
            *(f"{call[key]:.2f}" for key in ("first_ever", "second", "first_of_a_later_process")),
            kept,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _imports(seconds: dict[str, float]) -> list[str]:
    ours, theirs = seconds.values()
    kept = "yes" if ours <= IMPORT_TARGET * theirs else "no"
    return [
        "## Import",
        "",
        f"`import bestsubset` takes {ours:.2f} s in a new process,"
        f" `import numpy, scipy, pandas` {theirs:.2f} s:"
        f" a ratio of {ours / theirs:.2f} (target ≤ {IMPORT_TARGET}; reached: {kept}).",
    ]


def _k(measured: dict[str, Any]) -> str:
    return "λ0" if measured["k"] is None else str(measured["k"])


def _gap(measured: dict[str, Any]) -> str:
    gap = measured["relative_gap"]
    return "–" if gap is None else "0" if gap == 0 else f"{gap:.1e}"


def _target(measured: dict[str, Any]) -> str:
    return "–" if measured["target"] is None else f"{measured['target']:g}"


def _reached(measured: dict[str, Any]) -> str:
    return {None: "–", True: "yes", False: "no"}[measured["reached"]]
