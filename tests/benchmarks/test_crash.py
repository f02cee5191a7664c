"""A batch that is killed again and again: a few runs and kills; `python -m benchmarks.crash` has many."""

from __future__ import annotations

from pathlib import Path

from benchmarks.crash import crash


def test_a_killed_batch_ends_as_if_it_had_never_been(tmp_path: Path) -> None:
    seen = crash(tmp_path, 40, 6)

    assert seen.faults == ()
    assert seen.kills == 6
