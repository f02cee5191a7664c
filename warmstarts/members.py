"""The heuristics of this folder by their names."""

from __future__ import annotations

import difflib
from importlib import import_module
from inspect import getmembers, isabstract, isclass
from pkgutil import iter_modules

from formulations import ProblemError
from warmstarts.interface import Heuristic


def members() -> dict[str, type[Heuristic]]:
    """Scan this folder: every heuristic by its name, sorted. A new file is all that a new one needs."""
    import warmstarts as folder  # it imports this module

    found: dict[str, type[Heuristic]] = {}
    for module in iter_modules(folder.__path__, folder.__name__ + "."):
        for _, cls in getmembers(import_module(module.name), isclass):
            if issubclass(cls, Heuristic) and not isabstract(cls):
                found[cls.name] = cls
    return dict(sorted(found.items()))


def by_name(heuristic: str | Heuristic) -> Heuristic:
    """Return the heuristic itself, or the member of this folder that bears the name, with its defaults.

    Raises
    ------
    ProblemError
        If no heuristic has that name.
    """
    if isinstance(heuristic, Heuristic):
        return heuristic
    known = members()
    if heuristic not in known:
        close = difflib.get_close_matches(str(heuristic), known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Pass one of these, or an instance such as Splicing()."
        raise ProblemError(f"heuristic is {heuristic!r}; expected one of {list(known)}. {hint}")
    return known[heuristic]()
