"""From what the perspective tree logs, in the order of its search, to the tokens of a certificate, in preorder."""

from __future__ import annotations

import numpy as np

from bestsubset.bnb.log import Stream, TreeLog
from bestsubset.bnb.perspective_state import (
    BEFORE,
    BRANCHED,
    EVENTS,
    FIX,
    FIXED,
    LEAF,
    MULTIPLIERS,
    NUMBERS,
    SUPPORT,
    Log,
)
from formulations._types import BoolVector, IntMatrix, IntVector, Vector

_SOLVE, _BOUND, _SPLIT, _FIX = 0, 1, 3, 4  # tokens of the certificate
_KIND_OF_END = np.zeros(4, dtype=np.int64)
_KIND_OF_END[[LEAF, SUPPORT, BRANCHED]] = _BOUND, _SOLVE, _SPLIT
_UNKNOWN = -1


class NodeEvents:
    """What happened at the nodes of a best-first search, drained from the kernels' `Log`."""

    def __init__(self, log: TreeLog) -> None:
        self._log = log
        self._events = Stream(np.int32)  # rows of four
        self._fixed = Stream(np.int32)

    def take(self, log: Log, columns: IntVector) -> None:
        """Drain the kernels' log, whose columns are local to ``columns``."""
        counts, target = log.counts, self._log
        events, fixed, multipliers, numbers = counts[:BEFORE].tolist()
        before = counts[BEFORE:].copy()
        if not events and not multipliers:
            return
        drained = before + np.array([events, fixed, multipliers, numbers])
        names = target.names[columns]
        rows = log.events[:events].copy()
        branched = rows[:, 1] == BRANCHED
        rows[branched, 2] = names[rows[branched, 2]]
        self._events.put(4 * before[EVENTS], rows.ravel())
        signed = log.fixed[:fixed]
        self._fixed.put(before[FIXED], np.where(signed >= 0, names[signed], -1 - names[-1 - signed]))
        target.ends.put(before[MULTIPLIERS], before[NUMBERS] + log.ends[:multipliers])
        used = log.columns[:numbers]
        target.columns.put(before[NUMBERS], names[used])
        target.values.put(before[NUMBERS], log.values[:numbers] * target.coef_unit[columns][used])
        # All counts at once: an interruption before this line drains the same again, to the same places.
        counts[:] = np.concatenate([np.zeros(BEFORE, dtype=np.int64), drained])

    def note(self, node: int, what: int, argument: int = 0) -> None:
        """Add an event of a search without compiled log; a branching's argument is a column of the scaled problem."""
        if what == BRANCHED:
            argument = int(self._log.names[argument])
        self._events.append([node, what, argument, 0])

    def add_multiplier(self, log: Log, columns: IntVector, gamma: Vector) -> int:
        """Append a multiplier behind the drained ones; return its number."""
        used = np.flatnonzero(gamma)
        number = self._log.add_multiplier(columns[used], gamma[used])
        log.counts[BEFORE + NUMBERS] += len(used)
        log.counts[BEFORE + MULTIPLIERS] += 1
        return number

    def assemble(self, leaves: IntMatrix) -> TreeLog:
        """Write the tokens of the whole tree; ``leaves`` has a row (node, multiplier) for each node left open."""
        events = self._events.array().reshape(-1, 4)
        fixings = events[:, 1] == FIX
        last = np.concatenate([events[~fixings], np.column_stack([leaves, np.zeros_like(leaves)])[:, [0, 2, 1, 3]]])
        what = np.full(1 + 2 * np.count_nonzero(last[:, 1] == BRANCHED), _UNKNOWN, dtype=np.int64)
        argument = np.zeros(len(what), dtype=np.int64)
        what[last[:, 0]], argument[last[:, 0]] = last[:, 1], last[:, 2]
        if np.any(what == _UNKNOWN):
            node = int(np.argmax(what == _UNKNOWN))
            raise AssertionError(f"node {node} has no end; expected a leaf, a support or a branching")
        first_child = np.zeros(len(what), dtype=np.int64)
        branched = last[last[:, 1] == BRANCHED, 0]
        first_child[branched] = 1 + 2 * np.arange(len(branched))
        unproved = (what == LEAF) & (argument < 0)
        if unproved.any():
            argument[unproved] = self._log.add_multiplier(np.zeros(0, dtype=np.int64), np.zeros(0))
        self._write(what, argument, first_child, events[fixings])
        return self._log

    def _write(self, what: IntVector, argument: IntVector, first_child: IntVector, fixings: IntMatrix) -> None:
        """Place the tokens of every node: its FIX lists in their order, then its end; then those of its children."""
        log = self._log
        ends = np.cumsum(fixings[:, 3])
        order = np.argsort(fixings[:, 0], kind="stable")
        node, multiplier, count = fixings[order][:, [0, 2, 3]].T.astype(np.int64)
        end_size = np.where(what == SUPPORT, 1, 2)
        fix_size = np.bincount(node, weights=count + 3, minlength=len(what)).astype(np.int64)
        start, total = _preorder(what == BRANCHED, first_child, fix_size + end_size)
        tokens = np.empty(total, dtype=np.int16 if max(log.ends.length, int(log.names.max())) < 2**15 else np.int32)
        # Where each FIX list begins: behind those of the same node before it.
        before = np.cumsum(count + 3) - (count + 3)
        position = start[node] + before - before[np.searchsorted(node, node)]
        tokens[position], tokens[position + 1], tokens[position + 2] = _FIX, multiplier, count
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        source = np.repeat((ends - fixings[:, 3])[order], count) + within
        tokens[np.repeat(position + 3, count) + within] = self._fixed.array()[source]
        end = start + fix_size
        tokens[end] = _KIND_OF_END[what]
        longer = what != SUPPORT
        tokens[end[longer] + 1] = argument[longer]
        log.tokens = Stream(tokens.dtype)
        log.tokens.append(tokens)


def _preorder(branched: BoolVector, first_child: IntVector, size: IntVector) -> tuple[IntVector, int]:
    """Where each node begins in a preorder listing with so much room for each; and its whole length.

    The children of a branched node are ``first_child`` and the next one. Level by level: sizes up, places down.
    """
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        parents = levels[-1][branched[levels[-1]]]
        levels.append(np.concatenate([first_child[parents], first_child[parents] + 1]))
    whole = size.copy()
    for level in reversed(levels):
        parents = level[branched[level]]
        whole[parents] += whole[first_child[parents]] + whole[first_child[parents] + 1]
    start = np.zeros(len(size), dtype=np.int64)
    for level in levels:
        parents = level[branched[level]]
        first = first_child[parents]
        start[first] = start[parents] + size[parents]
        start[first + 1] = start[first] + whole[first]
    return start, int(whole[0])
