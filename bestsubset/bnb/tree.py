"""What the search needs of a tree, whichever bounds it uses."""

from __future__ import annotations

from typing import Protocol

from bestsubset.bnb.log import TreeLog
from formulations._types import IntVector


class Tree(Protocol):
    """A search that works in bursts and is sound between them. Values are objectives of the scaled problem."""

    @property
    def nodes(self) -> int:
        """Nodes opened so far."""

    @property
    def threads(self) -> int:
        """Threads that have worked on it."""

    @property
    def upper(self) -> float:
        """The value to beat: as given, or better where the tree found a support."""

    @property
    def support(self) -> IntVector | None:
        """The best support found here, as local columns of the scaled problem; None if none beat the value given."""

    @property
    def bound(self) -> float:
        """No feasible point has an objective below this."""

    def grow(self, nodes: int) -> bool:
        """Open up to so many nodes; True when nothing is left to open."""

    def proposal(self) -> IntVector | None:
        """A support worth a look that the search came by; it need not be better than the incumbent."""

    def close_log(self) -> TreeLog | None:
        """Log what is open as leaves, and return the log: it proves `bound`. None where nothing was logged."""

    def lower_upper(self, value: float) -> None:
        """Tell the tree of a better value found elsewhere."""


class MemoryLimitReached(Exception):  # noqa: N818 - not an error: the search stops with what it has
    """Going on would outgrow the memory limit; the tree's state is sound."""
