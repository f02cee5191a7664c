"""How the parts of a specification say what is wrong: about a field, by its path; the reader knows the place."""

from __future__ import annotations

from typing import Protocol

FieldPath = tuple[str | int, ...]  # of a field within a problem: ("constraints", "groups", 0, "columns")


class Complain(Protocol):
    """Who takes what is wrong with the field at a path; ``at_key`` where it is the field's name that is wrong."""

    def __call__(self, path: FieldPath, message: str, at_key: bool = False) -> None: ...


class Listening:
    """Pass complaints on, and remember whether there were any."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._heard = False

    def __call__(self, path: FieldPath, message: str, at_key: bool = False) -> None:
        self._heard = True
        self._complain(path, message, at_key)

    def heard(self) -> bool:
        """Tell whether there was a complaint."""
        return self._heard


def dotted(path: FieldPath) -> str:
    """Return a field as people write it: ``constraints.groups[0].columns``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
