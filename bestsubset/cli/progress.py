"""The search as it goes, on stderr: one live line on a terminal, rows at most once a second elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bestsubset.events import Listener, Progress

_SECONDS_BETWEEN_ROWS = 1.0
_HEADER = f"{'seconds':>9}  {'nodes':>10}  {'incumbent':>14}  {'dual bound':>14}  {'gap':>8}"


@contextmanager
def shown(quiet: bool) -> Iterator[Listener | None]:
    """Yield who listens to the search and shows it, or None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with Live(console=Console(stderr=True), transient=True, refresh_per_second=8) as live:
            yield lambda progress: live.update(Text(_line(progress), no_wrap=True, overflow="ellipsis"))
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


def _line(progress: Progress) -> str:
    return (
        f"incumbent {figure(progress.incumbent)}  bound {figure(progress.dual_bound)}"
        f"  gap {percent(progress.relative_gap)}  nodes {progress.nodes}  {progress.seconds:.1f} s"
    )


def figure(value: float) -> str:
    """Return a number as short as it can be compared."""
    return f"{value:.8g}" if math.isfinite(value) else "–"


def percent(gap: float) -> str:
    """Return a relative gap in per cent."""
    return f"{100 * gap:.3g} %" if math.isfinite(gap) else "–"
