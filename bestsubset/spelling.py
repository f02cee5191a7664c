"""What was meant where a name is not known: the end of many an error message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return ``Did you mean 'x'?`` where a known name is close, and another sentence where none is."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else otherwise


def similar_file(path: Path) -> str:
    """Return the same about the files beside a path that is not there."""
    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {str(folder / close[0])!r}?" if close else "Check the path."
