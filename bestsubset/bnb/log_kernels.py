"""Compiled logging of the perspective tree for its certificate; `Log` says what is kept."""

from __future__ import annotations

from bestsubset.bnb.perspective_state import (
    BEFORE,
    BRANCHED,
    EVENTS,
    FIXED,
    FRESH,
    ID,
    MULTIPLIER,
    MULTIPLIERS,
    NUMBERS,
    WORKER,
    WORKERS,
    Log,
    Node,
    Search,
)
from formulations._types import Vector
from warmstarts.compilation import lean_part


@lean_part
def has_room(log: Log, m: int) -> bool:
    """Tell whether what one look at a node can log still fits."""
    if len(log.events) == 0:
        return True
    counts = log.counts
    has_numbers: bool = counts[NUMBERS] + 2 * m <= len(log.values) and counts[FIXED] + m <= len(log.fixed)
    return has_numbers and counts[EVENTS] + 4 <= len(log.events) and counts[MULTIPLIERS] + 4 <= len(log.ends)


@lean_part
def log_event(log: Log, search: Search, what: int, argument: int, columns: int) -> None:
    """Log something of the node in hand."""
    if len(log.events):
        row = log.events[log.counts[EVENTS]]
        row[0], row[1], row[2], row[3] = search.counts[ID], what, argument, columns
        log.counts[EVENTS] += 1
        log.counts[FIXED] += columns


@lean_part
def log_branching(log: Log, search: Search, column: int, first_child: int) -> None:
    """Log that the node in hand has children: that with a column in, and the next one without."""
    if len(log.events):
        log_event(log, search, BRANCHED, column, 0)
        log.events[log.counts[EVENTS] - 1, 3] = first_child


@lean_part
def log_multiplier(log: Log, gamma: Vector) -> int:
    """Log a multiplier; return its number, -1 where nothing is logged."""
    if len(log.events) == 0:
        return -1
    counts, columns, values = log.counts, log.columns, log.values
    position = counts[NUMBERS]
    for j in range(len(gamma)):
        if gamma[j] != 0.0:
            columns[position] = j
            values[position] = gamma[j]
            position += 1
    counts[NUMBERS] = position
    log.ends[counts[MULTIPLIERS]] = position
    counts[MULTIPLIERS] += 1
    number: int = (counts[BEFORE + MULTIPLIERS] + counts[MULTIPLIERS] - 1) * WORKERS + counts[WORKER]
    return number


@lean_part
def log_fixing(log: Log, signed: int, position: int) -> None:
    """Note a column fixed by the FIX event to come; ``position`` of them are noted already."""
    if len(log.events):
        log.fixed[log.counts[FIXED] + position] = signed


@lean_part
def keep_proof(log: Log, node: Node, search: Search) -> None:
    """Remember the multiplier in hand: it gives the best bound of the node so far."""
    if len(log.events):
        gamma, proof = node.gamma, node.proof
        for j in range(len(gamma)):
            proof[j] = gamma[j]
        search.counts[FRESH] = 1


@lean_part
def proving_multiplier(log: Log, node: Node, search: Search) -> int:
    """Return the number of the multiplier that proves the bound of the node in hand, logging it if it is new."""
    counts = search.counts
    if counts[FRESH]:
        counts[MULTIPLIER] = log_multiplier(log, node.proof)
        counts[FRESH] = 0
    number: int = counts[MULTIPLIER]
    return number
