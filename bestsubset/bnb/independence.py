"""Exactly dependent columns: a best support needs none of them all, so the search splits on which one is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import IntVector, Vector

_DEPENDENT = 1e-13  # norm of what is left of a unit column that others explain exactly but for rounding
_INVOLVED = 1e-8  # coefficients in that explanation below this are rounding
_MOST_PARTS = 64
_DEPENDENT_NODE, _COPY, _SEEN = 5, 6, 9  # tokens of the certificate


@dataclass
class Parts:
    """Sets of columns with independent columns each, one of which holds a best support.

    Attributes
    ----------
    columns : list of arrays
        The sets, in the order in which the splits reach them.
    splits : list of lists
        Tokens of the certificate before each set, and behind the last, in the scaled problem's columns.
    """

    columns: list[IntVector] = field(default_factory=list)
    splits: list[list[int]] = field(default_factory=lambda: [[]])


def independent_parts(scaled: ScaledProblem, smallest_eigenvalue: float) -> Parts | None:
    """Split on dependent columns until none are left.

    Where the columns of a set C depend on each other, a support that contains C explains no more than it does without
    one of them (without λ1, bounds and groups), so some best support misses one: leave out each of C in turn, and go on
    until nothing depends. Included columns are never left out.

    Returns None where that takes more than 64 sets, and where columns are nearly dependent but not exactly: moments
    with an eigenvalue below ``smallest_eigenvalue`` that is not rounding lose too many digits.
    """
    parts = Parts()
    # Where nothing may enter besides the included columns, all others are out already.
    is_full = np.count_nonzero(scaled.included) == scaled.k
    waiting = [np.flatnonzero(scaled.included) if is_full else np.arange(scaled.m)]
    seen: set[frozenset[int]] = set()
    while waiting:
        columns = waiting.pop()
        key = frozenset(columns.tolist())
        if key in seen:
            parts.splits[-1] += [_SEEN]
            continue
        seen.add(key)
        circuit = _circuit(scaled, columns)
        if circuit is None:
            gram = scaled.gram[np.ix_(columns, columns)]
            if linalg.eigvalsh(gram, subset_by_index=[0, 0])[0] < smallest_eigenvalue:
                return None
            parts.columns.append(columns)
            parts.splits.append([])
        else:
            loose = circuit[~scaled.included[circuit]]
            if not len(loose):
                return None
            left_out = _one_of_each_kind(loose, circuit)
            parts.splits[-1] += _split(circuit, loose, left_out, scaled.columns)
            waiting += [np.setdiff1d(columns, [c]) for c in left_out[::-1]]
        if len(parts.columns) + len(waiting) > _MOST_PARTS:
            return None
    return parts


def _split(circuit: IntVector, loose: IntVector, left_out: IntVector, names: IntVector) -> list[int]:
    """The tokens of a split: its children leave out the loose columns, or only one of a pair of copies."""
    if len(left_out) < len(loose):
        return [_COPY, *names[circuit].tolist()]
    included = np.setdiff1d(circuit, loose)
    return [_DEPENDENT_NODE, len(circuit), *names[included].tolist(), *names[loose].tolist()]


def _circuit(scaled: ScaledProblem, columns: IntVector) -> IntVector | None:
    """Return columns of which one is a combination of the others, no smaller set being so; None if independent."""
    R, order = linalg.qr(scaled.design.columns(columns), mode="r", pivoting=True)
    diagonal: Vector = np.zeros(len(columns))
    diagonal[: min(R.shape)] = np.abs(np.diag(R))
    rank = int(np.count_nonzero(diagonal > _DEPENDENT))
    if rank == len(columns):
        return None
    weights = linalg.solve_triangular(R[:rank, :rank], R[:rank, rank])
    return np.sort(columns[np.append(order[:rank][np.abs(weights) > _INVOLVED], order[rank])])


def _one_of_each_kind(loose: IntVector, circuit: IntVector) -> IntVector:
    """Of two columns that are multiples of each other, either serves as well: leave out the later one only."""
    return loose[-1:] if len(circuit) == 2 == len(loose) else loose
