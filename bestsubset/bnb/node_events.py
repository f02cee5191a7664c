"""From what the perspective tree logs, in the order of its search, to the tokens of a certificate, in preorder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.perspective_state import (
    BEFORE,
    BRANCHED,
    EVENTS,
    FIX,
    FIXED,
    LEAF,
    MULTIPLIERS,
    NUMBERS,
    PAIRS,
    SUPPORT,
    WORKER,
    WORKERS,
    Log,
)
from bestsubset.stream import Stream
from formulations._types import BoolVector, IntMatrix, IntVector, Vector

INFEASIBLE = 5  # beside LEAF, SUPPORT, …: the argument is the row of a rule that is broken
_SOLVE, _BOUND, _CHAIN, _SPLIT, _FIX, _END, _INFEASIBLE = 0, 1, 2, 3, 4, 7, 10  # tokens of the certificate
_ENDS = [LEAF, SUPPORT, BRANCHED, PAIRS, INFEASIBLE]
_KIND_OF_END = np.zeros(6, dtype=np.int64)
_KIND_OF_END[_ENDS] = _BOUND, _SOLVE, _SPLIT, _CHAIN, _INFEASIBLE
_LONG = 32  # numbers in a list
_UNKNOWN = FIX  # of numbers that no node has: workers number theirs in strides
_SIZE_OF_END = np.zeros(6, dtype=np.int64)
_SIZE_OF_END[_ENDS] = 2, 1, 2, 3, 2


class NodeEvents:
    """What happened at the nodes of a best-first search, drained from the kernels' `Log`."""

    def __init__(self, log: TreeLog) -> None:
        self.log = log
        self.events = Stream(np.int64)  # rows of four
        self.fixed = Stream(np.int32)
        self._branchings = 0

    def take(self, log: Log, columns: IntVector) -> None:
        """Drain the kernels' log, whose columns are local to ``columns``."""
        counts, target = log.counts, self.log
        events, fixed, multipliers, numbers = counts[:BEFORE].tolist()
        before = counts[BEFORE:WORKER].copy()
        if not events and not multipliers:
            return
        drained = before + np.array([events, fixed, multipliers, numbers])
        names = target.names[columns]
        rows = log.events[:events].copy()
        branched = rows[:, 1] == BRANCHED
        rows[branched, 2] = names[rows[branched, 2]]
        self.events.put(4 * before[EVENTS], rows.ravel())
        signed = log.fixed[:fixed]
        self.fixed.put(before[FIXED], np.where(signed >= 0, names[signed], -1 - names[-1 - signed]))
        target.ends.put(before[MULTIPLIERS], before[NUMBERS] + log.ends[:multipliers])
        used = log.columns[:numbers]
        target.columns.put(before[NUMBERS], names[used])
        target.values.put(before[NUMBERS], log.values[:numbers] * target.coef_unit[columns][used])
        # All counts at once: an interruption before this line drains the same again, to the same places.
        counts[:WORKER] = np.concatenate([np.zeros(BEFORE, dtype=np.int64), drained])

    def note(self, node: int, what: int, argument: int = 0) -> None:
        """Add an event of a search without compiled log, whose nodes are numbered as they branch.

        The argument of a branching is a column of the scaled problem, that of a leaf a multiplier of the log.
        """
        first = 0
        if what == BRANCHED:
            argument, first = int(self.log.names[argument]), 1 + 2 * self._branchings
            self._branchings += 1
        elif what == LEAF and argument > 0:
            argument *= WORKERS
        self.events.append([node, what, argument, first])

    def add_multiplier(self, log: Log, columns: IntVector, gamma: Vector) -> int:
        """Append a multiplier behind the drained ones; return its number."""
        used = np.flatnonzero(gamma)
        number = self.log.add_multiplier(columns[used], gamma[used])
        log.counts[BEFORE + NUMBERS] += len(used)
        log.counts[BEFORE + MULTIPLIERS] += 1
        return number * WORKERS + int(log.counts[WORKER])


def assemble(workers: Sequence[NodeEvents], leaves: IntMatrix) -> TreeLog:
    """Write the tokens of the whole tree; ``leaves`` has a row (node, multiplier) for each node left open."""
    log, offsets = _joined([worker.log for worker in workers])
    events = np.concatenate([worker.events.array().reshape(-1, 4) for worker in workers])
    fixings = events[:, 1] == FIX
    last = np.concatenate([events[~fixings], np.column_stack([leaves, np.zeros_like(leaves)])[:, [0, 2, 1, 3]]])
    what = np.full(1 + int(np.max(last[last[:, 1] == BRANCHED, 3], initial=-1) + 1), _UNKNOWN, dtype=np.int64)
    argument, first_child = np.zeros_like(what), np.zeros_like(what)
    what[last[:, 0]], argument[last[:, 0]], first_child[last[:, 0]] = last[:, 1], last[:, 2], last[:, 3]
    _require_ends(what, first_child)
    is_leaf = what == LEAF
    argument[is_leaf] = _numbers(argument[is_leaf], offsets)
    unproved = is_leaf & (argument < 0)
    if unproved.any():
        argument[unproved] = log.add_multiplier(np.zeros(0, dtype=np.int64), np.zeros(0))
    rows = events[fixings]
    rows[:, 2] = _numbers(rows[:, 2], offsets)
    lists = [worker.fixed.array() for worker in workers]
    fixed = lists[0] if len(lists) == 1 else np.concatenate(lists)
    _write(log, what, argument, first_child, rows, fixed)
    return log


def _require_ends(what: IntVector, first_child: IntVector) -> None:
    """Every node that can be reached from the root must have ended: those that an interruption left behind need not."""
    reached = np.zeros(1, dtype=np.int64)
    while len(reached):
        if np.any(what[reached] == _UNKNOWN):
            node = int(reached[np.argmax(what[reached] == _UNKNOWN)])
            raise AssertionError(f"node {node} has no end; expected a leaf, a support or a branching")
        children = first_child[reached[what[reached] == BRANCHED]]
        reached = np.concatenate([children, children + 1])


def _joined(logs: Sequence[TreeLog]) -> tuple[TreeLog, IntVector]:
    """The multipliers of all workers behind those of the first; and where each begins."""
    log, offsets = logs[0], [0]
    for other in logs[1:]:
        offsets.append(log.ends.length)
        before = log.columns.length
        log.columns.append(other.columns.array())
        log.values.append(other.values.array())
        log.ends.append(before + other.ends.array())
    return log, np.array(offsets)


def _numbers(tagged: IntVector, offsets: IntVector) -> IntVector:
    """The numbers of multipliers that workers gave them, in the joined log; -1 stays."""
    return np.asarray(np.where(tagged < 0, -1, tagged // WORKERS + offsets[np.maximum(tagged, 0) % WORKERS]))


def _write(
    log: TreeLog, what: IntVector, argument: IntVector, first_child: IntVector, fixings: IntMatrix, fixed: IntVector
) -> None:
    """Place the tokens of every node: its FIX lists in their order, then its end; then those of its children."""
    ends = np.cumsum(fixings[:, 3])
    order = np.argsort(fixings[:, 0], kind="stable")
    node, multiplier, count = fixings[order][:, [0, 2, 3]].T
    end_size = _SIZE_OF_END[what]
    fix_size = np.bincount(node, weights=count + 3, minlength=len(what)).astype(np.int64)
    start, total = _preorder(what == BRANCHED, first_child, fix_size + end_size)
    tokens = np.empty(total, dtype=np.int16 if max(log.ends.length, int(log.names.max())) < 2**15 else np.int32)
    # Where each FIX list begins: behind those of the same node before it.
    before = np.cumsum(count + 3) - (count + 3)
    position = start[node] + before - before[np.searchsorted(node, node)]
    tokens[position], tokens[position + 1], tokens[position + 2] = _FIX, multiplier, count
    _copy_lists(fixed, (ends - fixings[:, 3])[order], count, tokens, position + 3)
    end = start + fix_size
    is_node = what != _UNKNOWN
    tokens[end[is_node]] = _KIND_OF_END[what[is_node]]
    longer = is_node & (what != SUPPORT)
    tokens[end[longer] + 1] = argument[longer]  # none of a chain of no columns: its pairs are closed
    tokens[end[what == PAIRS] + 2] = _END
    log.tokens = Stream(tokens.dtype)
    log.tokens.append(tokens)


def _copy_lists(source: NDArray[Any], start: IntVector, count: IntVector, target: NDArray[Any], to: IntVector) -> None:
    """Copy many lists, each from its start in one array to its place in another.

    Short ones all at once, long ones one by one: an index for each of their numbers would take many times their memory.
    """
    is_long = count >= _LONG
    for begin, size, place in np.column_stack([start, count, to])[is_long].tolist():
        target[place : place + size] = source[begin : begin + size]
    start, count, to = start[~is_long], count[~is_long], to[~is_long]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    target[np.repeat(to, count) + within] = source[np.repeat(start, count) + within]


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
