"""One run of an adapter as a child process: pinned, watched, and ended when it overstays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from benchmarks.peers.environments import Peer

GRACE = 15.0  # seconds beyond the limit before a child is ended
PREPARATION = 240.0  # seconds at most for import, reading and warm-up
Outcome = dict[str, Any]


def run_adapter(peer: Peer, instance: Path, limit: float, cores: str | None) -> Outcome:
    """Run an entry on an instance file; return its last stage, with the peak memory of the process and its children."""
    command = peer.command(str(instance), "--limit", str(limit))
    if cores is not None and shutil.which("taskset"):
        command = ["taskset", "-c", cores, *command]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        child = subprocess.Popen(
            command, stdout=output, stderr=errors, env=peer.variables(), start_new_session=True, text=True
        )
        try:
            peak, overstayed = _watch(child, output, limit)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        stages = _stages(output)
        outcome = stages[-1] if stages else {"stage": "failed"}
        if outcome["stage"] in ("loaded", "solving") or not stages:
            outcome = _unfinished(outcome["stage"], child.returncode, overstayed, errors)
    version = next((stage["version"] for stage in stages if "version" in stage), "")
    peak = max(peak, float(outcome.pop("own_peak_mb", 0.0)))
    return {**outcome, "version": version, "peak_mb": peak, "process_seconds": time.monotonic() - began}


def _watch(child: subprocess.Popen[str], output: IO[str], limit: float) -> tuple[float, bool]:
    """Wait for the child; return its peak in MB, and whether it overstayed."""
    began, seen, peak = time.monotonic(), 0, 0.0
    solving: float | None = None
    while child.poll() is None:
        time.sleep(0.05 if time.monotonic() - began < 10 else 0.25)
        peak = max(peak, _resident_mb(child.pid))
        rounds = sum(stage["stage"] == "solving" for stage in _stages(output))
        if rounds > seen:
            solving, seen = time.monotonic(), rounds
        if solving is not None and time.monotonic() - solving > limit + GRACE:
            return peak, True
        if solving is None and time.monotonic() - began > PREPARATION:
            return peak, True
    return peak, False


def _stages(output: IO[str]) -> list[Outcome]:
    """The whole lines written so far."""
    text = os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0).decode(errors="replace")
    lines = text.split("\n")[:-1]
    return [json.loads(line) for line in lines if line.startswith("{")]


def _unfinished(stage: str, code: int | None, overstayed: bool, errors: IO[str]) -> Outcome:
    where = "while solving" if stage == "solving" else "before it solved"
    if overstayed:
        return {"stage": "ended", "reason": f"did not stop at its limit: ended by force {where}"}
    errors.seek(0)
    last = next((line.strip() for line in reversed(errors.read().splitlines()) if line.strip()), "nothing was said")
    return {"stage": "failed", "reason": f"died {where} with code {code}: {last[:200]}"}


def _resident_mb(pid: int) -> float:
    """Resident memory of a process and all below it; 0 where the system does not tell."""
    kilobytes, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        try:
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
            children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
        except OSError:
            continue
        kilobytes += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
        waiting += [int(child) for child in children.split()]
    return kilobytes / 1024
