"""Install the peers, each with the versions it works with: ``python -m benchmarks.peers.install``.

They go into ``.peers/venv``; what cannot be installed is told, and does not keep the rest from being installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv

from benchmarks.peers.environments import ENVIRONMENTS, FOLDER, OUTSIDE_PYTHON, PEERS, Peer, is_ours

CHECK_SECONDS = 180


def main() -> None:
    """Install what does not work yet, then tell what works."""
    one_of_each = list({peer.adapter: peer for peer in PEERS if not is_ours(peer.name)}.values())
    for environment in ENVIRONMENTS:
        inside = [peer for peer in one_of_each if peer.environment == environment]
        if not all(check(peer)["stage"] == "loaded" for peer in inside):
            install(environment)
    for peer in one_of_each:
        found = check(peer)
        said = f"works {found.get('version', '')}" if found["stage"] == "loaded" else f"MISSING: {found['reason']}"
        hint = OUTSIDE_PYTHON.get(peer.adapter, "") if found["stage"] != "loaded" else ""
        print(f"{peer.adapter:<10} {said}{f' – install {hint}' if hint else ''}", flush=True)


def install(environment: str) -> None:
    """Make a virtual environment and install its requirements, one group after the other."""
    folder = FOLDER / environment
    print(f"{environment}: installing into {folder}", flush=True)
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    for group in ENVIRONMENTS[environment]:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run = subprocess.run([*pip, *group.split()], capture_output=True, text=True)
        if run.returncode:
            last = next((line for line in reversed(run.stderr.splitlines()) if "ERROR" in line), "pip failed")
            print(f"{environment}: {group.split()[0]} could not be installed: {last}", file=sys.stderr, flush=True)


def check(peer: Peer) -> dict[str, str]:
    """Import the peer in its own environment: {"stage": "loaded", "version": …}, or "missing" and the reason."""
    if not peer.python.exists():
        return {"stage": "missing", "reason": f"{peer.python} is not there: python -m benchmarks.peers.install"}
    command = peer.command("--check")
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS, env=peer.variables())
        return dict(json.loads(run.stdout.splitlines()[-1]))
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError):
        return {"stage": "missing", "reason": "its import crashes or does not end"}


if __name__ == "__main__":
    main()
