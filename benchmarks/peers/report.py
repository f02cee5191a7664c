"""The page of the comparison, ``benchmarks/results.md``: ``python -m benchmarks.peers.report``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.peers import tables
from benchmarks.peers.environments import PEERS, is_ours
from benchmarks.peers.results import FILE, Results, load
from benchmarks.peers.rows import ROWS

PAGE = Path(__file__).parents[1] / "results.md"

MEASURED = """\
Every entry reads the same file, in a process of its own and in its peer's own environment, one after the other, with
one thread on one core (ours-2: two threads on all cores). *Seconds* are wall time of the whole call, the solver's
model built within it, without import and compilation, which stand apart; of the search alone for leaps, whose data
cross a file; the best of three where a call takes less than 5 s. Peers are asked for a relative gap of 1e-4, ours for
1e-6. Whatever a peer returns, its support is refitted and the objective computed anew: F(b) = ½‖y − Xb‖² + λ2‖b‖² in
the form *card* (at most k columns), P(b) = F(b) + λ0‖b‖₀ in the form *penalised*; in the families with a price, |b| ≤
M is part of the problem. A *gap* is (objective − claimed bound) / objective, the objective computed anew. The *best
known* objective is the least of all runs and of the heuristic that placed λ0 and M.

l0bnb and el0ps solve the penalised form alone, and are given λ0 and M where the row has none: λ0 inside the interval at
which k columns are best, M half above the largest coefficient of a good solution; l0bnb is given that solution as its
start too. No user has such help. okridge and leaps solve the form with k alone, without a box. Gurobi, CPLEX and SCIP
are given the form of the row, with bounds that hold where none are imposed. *ratio* is the best peer's time over
ours: ">" where the peer was stopped by its limit, "<" where ours was. A peer with a wrong claim on a row is not its
best peer. *okridge-patched* supplies a method that the published wheel calls and does not have; *el0ps* runs without
its simultaneous pruning, *el0ps-pruning* with it, as it is by default. abess is a heuristic without a bound. Peak
memory is that of the process with its children, the interpreter and the data included."""


def page(results: Results, note: str = "") -> str:
    """The whole page as Markdown; ``note`` says what is special about the run."""
    lines = [
        "# Beside the peers",
        "",
        "Written by `make peers`; what is compared, and how to run it: [peers/README.md](peers/README.md).",
        "",
        _machine(results),
        *([note] if note else []),
        "",
    ]
    for family in dict.fromkeys(row.family for row in ROWS):
        rows = [row for row in ROWS if row.family == family]
        if any(row.name in results.settings for row in rows):
            lines += [f"## {family}", "", *tables.family(results, rows), ""]
    sections = {
        "Large": tables.large(FILE.parent / "scale.json"),
        "Two threads against one": tables.two_threads(results),
        "Wrong claims": tables.wrong_claims(results),
        "Peers that are missing or refuse": tables.absent(results),
        "Rows that were not measured": tables.not_measured(results),
        "How it was measured": [MEASURED],
        "Every run": tables.every_run(results),
    }
    for title, body in sections.items():
        lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines)


def _machine(results: Results) -> str:
    machine = results.machine
    versions = [f"{name} {machine[name]}" for name in list(machine)[3:]]
    limits = sorted({run["limit"] for run in results.runs})
    peers = {run["peer"]: run["version"] for run in results.runs if run.get("version") and not is_ours(run["peer"])}
    adapters = {peer.adapter: peers[peer.name] for peer in PEERS if peer.name in peers}
    return (
        f"Machine: {machine.get('processor', '?')}, {machine.get('cores', '?')} cores, {machine.get('system', '?')};"
        f" {', '.join(versions)}. Peers: {', '.join(f'{name} {v}' for name, v in adapters.items())}."
        f" Limit of each call: {', '.join(f'{limit:g}' for limit in limits)} s."
    )


def main() -> None:
    """Write the page from the results kept."""
    if not FILE.exists():
        sys.exit(f"error: {FILE} is not there. Run python -m benchmarks.peers.run first.")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.report", description=__doc__)
    parser.add_argument("--note", default="", help="a sentence on the circumstances of the run")
    PAGE.write_text(page(load(), parser.parse_args().note), encoding="utf-8")
    print(f"written: {PAGE.parent.name}/{PAGE.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
