"""Ours and every peer on the same files, one after the other: ``python -m benchmarks.peers.run [NAME …]``."""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.peers import claims
from benchmarks.peers.environments import PEERS, Peer, peers_by_name, wants
from benchmarks.peers.evaluate import evaluated
from benchmarks.peers.install import check
from benchmarks.peers.instances import NotBuiltError, Setting, read_data, read_setting, write
from benchmarks.peers.process import run_adapter
from benchmarks.peers.results import FILE, Results, load
from benchmarks.peers.rows import ROWS, by_name


def main() -> None:
    """Run what the command line asks for."""
    arguments = _arguments()
    results = load() if arguments.resume or arguments.names else Results()
    results.machine = describe()
    peers = _present(_chosen(arguments.peers), results)
    for name in arguments.names or [row.name for row in ROWS]:
        try:
            file = write(by_name()[name], arguments.data)
        except NotBuiltError as reason:
            results.not_built[name] = str(reason)
            print(f"{name}: not built: {reason}", flush=True)
            continue
        results.not_built.pop(name, None)
        setting = read_setting(file)
        results.settings[name] = asdict(setting)
        for peer in peers:
            kept = results.find(name, peer.name) if arguments.resume else None
            if wants(peer, setting.n, setting.p) and (kept is None or kept["limit"] != arguments.limit):
                _one(results, peer, setting, file, arguments)
    print(f"kept in {FILE}; the page: python -m benchmarks.peers.report", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="instances; all, unless named")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each solve (default 60)")
    parser.add_argument("--peers", nargs="+", metavar="PEER", help=f"of {', '.join(peers_by_name())}, or all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of riboflavin.csv, leukemia72.csv, trim32.csv")
    parser.add_argument("--core", default="0", help="the core that runs with one thread are pinned to (default 0)")
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there, and go on")
    arguments = parser.parse_args()
    for given, known in ((arguments.names, by_name()), (arguments.peers or [], {**peers_by_name(), "all": None})):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"{unknown[0]!r} is unknown; expected one of {', '.join(known)}.")
    return arguments


def _chosen(names: list[str] | None) -> list[Peer]:
    if names is None:
        return [peer for peer in PEERS if not peer.extra]
    return list(PEERS) if "all" in names else [peers_by_name()[name] for name in names]


def _present(peers: list[Peer], results: Results) -> list[Peer]:
    """The entries whose solver is installed; what is missing is told and kept."""
    checked: dict[str, dict[str, str]] = {}
    present = []
    for peer in peers:
        found = checked.setdefault(peer.adapter, check(peer))
        if found["stage"] == "loaded":
            present.append(peer)
            results.missing.pop(peer.name, None)
        else:
            results.missing[peer.name] = found["reason"]
            print(f"{peer.name} is missing: {found['reason']}", file=sys.stderr)
    return present


def _one(results: Results, peer: Peer, setting: Setting, file: Path, arguments: argparse.Namespace) -> None:
    """Run an entry on an instance, judge what came out, keep and print it."""
    cores = ",".join(str(core) for core in range(os.cpu_count() or 1)) if peer.threads > 1 else arguments.core
    outcome = run_adapter(peer, file, arguments.limit, cores)
    run: dict[str, Any] = {"instance": setting.name, "peer": peer.name, "limit": arguments.limit, "k": setting.k}
    run |= {name: _finite(value) for name, value in outcome.items()}
    if run["stage"] == "done":
        X, y = read_data(file)
        run |= evaluated(run, X, y, setting)
        run.pop("coefficients", None)
    results.keep(run)
    results.save()
    best = claims.best_known(asdict(setting), results.of(setting.name))
    print(_line(run, best), flush=True)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line(run: claims.Run, best: claims.Best) -> str:
    head = f"{run['instance']:<24} {run['peer']:<19}"
    if run["stage"] != "done":
        return f"{head} {run['stage']}: {run['reason']}"
    gap, excess = claims.gap(run), claims.excess(run, best)
    tail = "".join(f"  FLAG {flag}" for flag in claims.flags(run, best))
    return (
        f"{head} {run['seconds']:9.3f} s  {run['status']:<12} nodes {run.get('nodes') or '–':>8}"
        f"  gap {'–' if gap is None else f'{gap:.1e}':>8}  excess {'–' if excess is None else f'{excess:.1e}':>8}"
        f"  {run['peak_mb']:6.0f} MB{tail}"
    )


if __name__ == "__main__":
    main()
