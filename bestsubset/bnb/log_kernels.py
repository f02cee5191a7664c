"""Compiled logging of the perspective tree for its certificate; `Log` says what is kept."""

from __future__ import annotations

from bestsubset.bnb.perspective_state import (
    BEFORE,
    EVENTS,
    FIXED,
    FRESH,
    ID,
    MULTIPLIER,
    MULTIPLIERS,
    NUMBERS,
    Log,
    Node,
    Search,
)
from formulations._types import Vector
from warmstarts.compilation import part


@part
def has_room(log: Log, m: int) -> bool:
    """Tell whether what one look at a node can log still fits."""
    if len(log.events) == 0:
        return True
    counts = log.counts
    has_numbers: bool = counts[NUMBERS] + 2 * m <= len(log.values) and counts[FIXED] + m <= len(log.fixed)
    return has_numbers and counts[EVENTS] + 4 <= len(log.events) and counts[MULTIPLIERS] + 4 <= len(log.ends)


@part
def log_event(log: Log, search: Search, what: int, argument: int, columns: int) -> None:
    """Log something of the node in hand."""
    if len(log.events):
        row = log.events[log.counts[EVENTS]]
        row[0], row[1], row[2], row[3] = search.counts[ID], what, argument, columns
        log.counts[EVENTS] += 1
        log.counts[FIXED] += columns


@part
def log_multiplier(log: Log, gamma: Vector) -> int:
    """Log a multiplier; return its number, -1 where nothing is logged."""
    if len(log.events) == 0:
        return -1
    counts = log.counts
    position = counts[NUMBERS]
    for j in range(len(gamma)):
        if gamma[j] != 0.0:
            log.columns[position] = j
            log.values[position] = gamma[j]
            position += 1
    counts[NUMBERS] = position
    log.ends[counts[MULTIPLIERS]] = position
    counts[MULTIPLIERS] += 1
    number: int = counts[BEFORE + MULTIPLIERS] + counts[MULTIPLIERS] - 1
    return number


@part
def log_fixing(log: Log, signed: int, position: int) -> None:
    """Note a column fixed by the FIX event to come; ``position`` of them are noted already."""
    if len(log.events):
        log.fixed[log.counts[FIXED] + position] = signed


@part
def keep_proof(log: Log, node: Node, search: Search) -> None:
    """Remember the multiplier in hand: it gives the best bound of the node so far."""
    if len(log.events):
        for j in range(len(node.gamma)):
            node.proof[j] = node.gamma[j]
        search.counts[FRESH] = 1


@part
def proving_multiplier(log: Log, node: Node, search: Search) -> int:
    """Return the number of the multiplier that proves the bound of the node in hand, logging it if it is new."""
    counts = search.counts
    if counts[FRESH]:
        counts[MULTIPLIER] = log_multiplier(log, node.proof)
        counts[FRESH] = 0
    number: int = counts[MULTIPLIER]
    return number
