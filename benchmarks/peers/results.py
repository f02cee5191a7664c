"""The results as they come: one JSON file, rewritten after every run, so that an interrupted comparison goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.claims import Run

FILE = Path(".peers/results.json")


@dataclass
class Results:
    """Machine, settings by instance, runs by instance and entry, and what could not be built."""

    machine: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    not_built: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # entries whose solver is not installed

    def of(self, instance: str) -> list[Run]:
        return [run for run in self.runs if run["instance"] == instance]

    def find(self, instance: str, peer: str) -> Run | None:
        return next((run for run in self.of(instance) if run["peer"] == peer), None)

    def keep(self, run: Run) -> None:
        """Put a run in the place of an earlier one of the same entry on the same instance."""
        key = (run["instance"], run["peer"])
        self.runs = [other for other in self.runs if (other["instance"], other["peer"]) != key]
        self.runs.append(run)

    def save(self, file: Path = FILE) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(vars(self), indent=1) + "\n", encoding="utf-8")
        unfinished.replace(file)


def load(file: Path = FILE) -> Results:
    """What was kept; empty where nothing was."""
    return Results(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else Results()
