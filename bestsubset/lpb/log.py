"""What the search writes down for its certificate: boxes and their proofs, nodes and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bestsubset.lpb.dual_point import DualPoint
from bestsubset.stream import Stream
from formulations._types import Vector

NOTHING = -1  # no multiplier: no loss is negative


class Reason(NamedTuple):
    """Why a side of a column, or a node, has nothing better: a rule that is broken, or a multiplier's bound."""

    rule: int | None
    multiplier: int = NOTHING


class Step(NamedTuple):
    """A column decided in a node, and why it is not the other way."""

    column: int
    is_in: bool
    otherwise: Reason


@dataclass(eq=False)
class LoggedNode:
    """A node: what was decided in it, then its end – two children by a column, or a reason."""

    end: Reason
    steps: list[Step] = field(default_factory=list)
    branched: tuple[int, LoggedNode, LoggedNode] | None = None  # the column; with it, without it


class Box(NamedTuple):
    """A side of an interval that was proved: 1 for the upper one."""

    side: int
    column: int


class Log:
    """Dual vectors in the units of the search, in the order of their making.

    Attributes
    ----------
    root : LoggedNode
    boxes : list of Box
        Box number i is proved by row i of ``proofs``.
    together : int
        How many of them are proved all at once, before the others.
    is_complete : bool
        False once the search has relied on what a certificate cannot say.
    """

    def __init__(self, n_rows: int) -> None:
        self.root = LoggedNode(Reason(None))
        self.boxes: list[Box] = []
        self.together = 0
        self.is_complete = True
        self._n_rows = n_rows
        self._proofs, self._multipliers = Stream(np.float64), Stream(np.float64)

    def add_multiplier(self, dual: DualPoint | None) -> int:
        """Write a dual vector down; return its number."""
        if dual is None:
            return NOTHING
        self._multipliers.append(dual.u)
        return self._multipliers.length // self._n_rows - 1

    def add_box(self, side: int, column: int, dual: DualPoint) -> None:
        """Write down what proves a side of an interval, inside the intervals that hold."""
        self._proofs.append(dual.u)
        self.boxes.append(Box(side, column))

    @property
    def proofs(self) -> Vector:
        """Of the boxes; shape (number of boxes, n)."""
        return np.asarray(self._proofs.array().reshape(-1, self._n_rows))

    @property
    def multipliers(self) -> Vector:
        """Of the tree; shape (number of multipliers, n)."""
        return np.asarray(self._multipliers.array().reshape(-1, self._n_rows))
