"""Trees of chains, read from the tokens in preorder and worked on by depth (FORMAT.md, section 5).

Between two batches only the states on the path to the last node are kept: memory does not grow with the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from bestsubset.certificates.chain_bounds import ChainBounds, Level
from bestsubset.certificates.tokens import CHAIN, END, SOLVE, TokenError

_BYTES = 2**28  # of the states of one batch, were they all at one depth
_MOST = 2**15  # nodes of a batch


@dataclass
class _Records:
    """What was read at one depth since the last batch: nodes, and children that are leaves."""

    parent: list[int] = field(default_factory=list)
    child: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    leaf_row: list[int] = field(default_factory=list)
    leaf_child: list[int] = field(default_factory=list)


class ChainTree:
    """A chain and all chains below it; without ``bounds`` they are read, and nothing of them is needed."""

    def __init__(self, bounds: ChainBounds | None, p: int) -> None:
        self._bounds, self._p = bounds, p
        self._records: list[_Records] = []
        self._kept: list[Level] = []
        self._path: list[int] = []  # rows of the open nodes
        self.leaves = 0
        self._most = _MOST if bounds is None else int(np.clip(_BYTES // bounds.bytes_of_a_state, 64, _MOST))

    def read(self, tokens: Iterator[int]) -> None:
        """Read from behind the first chain's kind to its end, proving what is read.

        Raises
        ------
        TokenError, Refusal
        """
        children: list[int] = []  # of each open node: the number of the last one that was given
        child, count = 0, 0
        while True:
            length = self._read_node(tokens, child)
            children.append(length + 1)
            count += 1
            while children:
                kind = next(tokens, -1)
                if kind == END:
                    self._close(children.pop())
                    continue
                children[-1] -= 1
                child = children[-1]
                if child < 1:
                    raise TokenError("a chain has more children than columns")
                if kind == CHAIN:
                    break
                if kind != SOLVE:
                    raise TokenError(f"{kind} is no child of a chain" if kind >= 0 else "the tree ends too early")
                self._add_leaves([child])
            if count >= self._most or not children:
                self._flush()
                count = 0
            if not children:
                return

    def _read_node(self, tokens: Iterator[int], child: int) -> int:
        length = next(tokens, -1)
        columns = list(islice(tokens, max(0, length)))
        if len(columns) != length:
            raise TokenError("a chain is longer than the tree")
        depth = len(self._path)
        if depth == len(self._records):
            self._records.append(_Records())
        records = self._records[depth]
        row = len(records.parent) + (depth < len(self._kept))
        records.parent.append(self._path[-1] if depth else 0)
        records.child.append(child)
        records.length.append(length)
        records.columns += columns
        self._path.append(row)
        self.leaves += 1
        return length

    def _close(self, last: int) -> None:
        self._add_leaves(range(1, last))
        self._path.pop()

    def _add_leaves(self, children: range | list[int]) -> None:
        records = self._records[len(self._path) - 1]
        records.leaf_row += [self._path[-1]] * len(children)
        records.leaf_child += children
        self.leaves += len(children)

    def _flush(self) -> None:
        """Work on what was read; keep the states of the open nodes."""
        bounds = self._bounds
        if bounds is None:
            self._records = [_Records() for _ in self._path]
            return
        kept: list[Level] = []
        above = bounds.top
        for depth, records in enumerate(self._records):
            new = self._grown(bounds, above, records) if records.parent else None
            old = self._kept[depth] if depth < len(self._kept) else None
            if old is None or new is None:
                level = old or new
            else:
                level = old.and_(new)
            if level is None:
                break
            bounds.check_leaves(level, np.array(records.leaf_row, dtype=np.int64), np.array(records.leaf_child))
            if depth < len(self._path):
                kept.append(level.row(self._path[depth]))
                self._path[depth] = 0
            above = level
        self._kept = kept
        self._records = [_Records() for _ in kept]

    def _grown(self, bounds: ChainBounds, above: Level, records: _Records) -> Level:
        columns = np.array(records.columns, dtype=np.int64)
        if np.any((columns < 0) | (columns >= self._p)):
            raise TokenError("a chain names a column outside 0 … p-1")
        parent, child, length = (np.array(part) for part in (records.parent, records.child, records.length))
        return bounds.grow(above, parent, child, length, columns)
