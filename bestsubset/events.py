"""What the search tells while it runs. The library never prints; whoever listens may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """The state of a search at one moment, in the user's units."""

    seconds: float
    incumbent: float
    dual_bound: float
    relative_gap: float
    nodes: int


Listener = Callable[[Progress], object]
