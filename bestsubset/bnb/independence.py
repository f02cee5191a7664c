"""Exactly dependent columns: a best support needs none of them all, so the search splits on which one is left out."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import IntVector, Vector

_DEPENDENT = 1e-13  # norm of what is left of a unit column that others explain exactly but for rounding
_INVOLVED = 1e-8  # coefficients in that explanation below this are rounding
_MOST_PARTS = 64


def independent_parts(scaled: ScaledProblem, smallest_eigenvalue: float) -> list[IntVector] | None:
    """Return sets of columns with independent columns each, one of which holds a best support.

    Where the columns of a set C depend on each other, a support that contains C explains no more than it does without
    one of them (without λ1, bounds and groups), so some best support misses one: leave out each of C in turn, and go on
    until nothing depends. Included columns are never left out.

    Returns None where that takes more than 64 sets, and where columns are nearly dependent but not exactly: moments
    with an eigenvalue below ``smallest_eigenvalue`` that is not rounding lose too many digits.
    """
    parts: dict[frozenset[int], IntVector] = {}
    waiting = [np.arange(scaled.m)]
    seen: set[frozenset[int]] = set()
    while waiting:
        columns = waiting.pop()
        key = frozenset(columns.tolist())
        if key in seen:
            continue
        seen.add(key)
        circuit = _circuit(scaled, columns)
        if circuit is None:
            gram = scaled.gram[np.ix_(columns, columns)]
            if linalg.eigvalsh(gram, subset_by_index=[0, 0])[0] < smallest_eigenvalue:
                return None
            parts[key] = columns
        else:
            loose = circuit[~scaled.included[circuit]]
            if not len(loose):
                return None
            waiting += [np.setdiff1d(columns, [c]) for c in _one_of_each_kind(scaled, loose)]
        if len(parts) + len(waiting) > _MOST_PARTS:
            return None
    return list(parts.values())


def _circuit(scaled: ScaledProblem, columns: IntVector) -> IntVector | None:
    """Return columns of which one is a combination of the others, no smaller set being so; None if independent."""
    R, order = linalg.qr(scaled.X[:, columns], mode="r", pivoting=True)
    diagonal: Vector = np.zeros(len(columns))
    diagonal[: min(R.shape)] = np.abs(np.diag(R))
    rank = int(np.count_nonzero(diagonal > _DEPENDENT))
    if rank == len(columns):
        return None
    weights = linalg.solve_triangular(R[:rank, :rank], R[:rank, rank])
    return np.sort(columns[np.append(order[:rank][np.abs(weights) > _INVOLVED], order[rank])])


def _one_of_each_kind(scaled: ScaledProblem, circuit: IntVector) -> IntVector:
    """Of two columns that are multiples of each other, either serves as well: leave out the later one only."""
    return circuit[-1:] if len(circuit) == 2 and not scaled.included[circuit].any() else circuit
