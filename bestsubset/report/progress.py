"""The search as it goes: a live line in a terminal or a notebook, plain rows on stderr elsewhere.

No time of arrival is shown: how long a proof takes is not known before it is there.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal

from bestsubset.events import Listener, Progress
from formulations import ProblemError

Display = bool | Literal["rich"]

_SECONDS_BETWEEN_ROWS = 1.0
_HEADER = f"{'seconds':>9}  {'nodes':>10}  {'incumbent':>14}  {'dual bound':>14}  {'gap':>8}"


@contextmanager
def shown(progress: Listener | Display | None) -> Iterator[Listener | None]:
    """Yield who listens to a search: a callable as it is, a display for True or ``"rich"``, None for None or False.

    Raises
    ------
    ProblemError
        If it is none of these.
    """
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    elif progress is not True and progress != "rich":
        raise ProblemError(
            f"progress is {progress!r}; expected True, 'rich', a callable that takes a Progress, or None. Use True."
        )
    elif _in_notebook():
        yield _NotebookLine()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live

        with Live(console=Console(stderr=True), transient=True, refresh_per_second=8) as live:
            yield lambda state: live.update(_text(state))
    else:
        yield _Rows()


class _Rows:
    """Rows under one header, at most one a second."""

    def __init__(self) -> None:
        self._last = -math.inf

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_ROWS:
            return
        if self._last == -math.inf:
            print(_HEADER, file=sys.stderr)
        self._last = now
        print(
            f"{progress.seconds:>9.2f}  {progress.nodes:>10}  {figure(progress.incumbent):>14}"
            f"  {figure(progress.dual_bound):>14}  {percent(progress.relative_gap):>8}",
            file=sys.stderr,
            flush=True,
        )


class _NotebookLine:
    """One line below the cell, written over as the search goes; the last state stays."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, progress: Progress) -> None:
        line = {"text/plain": _line(progress)}
        if self._handle is None:
            self._handle = import_module("IPython.display").display(line, raw=True, display_id=True)
        else:
            self._handle.update(line, raw=True)


def _in_notebook() -> bool:
    """Tell whether a Jupyter kernel runs us; IPython is not loaded to find out."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _text(progress: Progress) -> Any:
    from rich.text import Text

    return Text(_line(progress), no_wrap=True, overflow="ellipsis")


def _line(progress: Progress) -> str:
    rate = f" ({progress.nodes / progress.seconds:,.0f} a second)" if progress.seconds >= 1 else ""
    return (
        f"incumbent {figure(progress.incumbent)}  bound {figure(progress.dual_bound)}"
        f"  gap {percent(progress.relative_gap)}  nodes {progress.nodes:,}{rate}  {progress.seconds:.1f} s"
    )


def figure(value: float) -> str:
    """Return a number as short as it can be compared."""
    return f"{value:.8g}" if math.isfinite(value) else "–"


def percent(gap: float) -> str:
    """Return a relative gap in per cent."""
    return f"{100 * gap:.3g} %" if math.isfinite(gap) else "–"
