"""Which columns lie in the span of others, in exact arithmetic: rounding must not decide what may be left away."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from formulations._types import Matrix

_LARGEST = 400_000  # multiplications of fractions that are worth a bound


def independent(columns: Matrix, has_intercept: bool) -> list[int] | None:
    """Return columns that span all of them, the constant beside them; None where finding them would take too long."""
    n, m = columns.shape
    if n * (m + 1) ** 2 > _LARGEST:
        return None
    reduced: list[tuple[int, list[Fraction]]] = []
    if has_intercept:
        _reduce(reduced, [Fraction(1)] * n)
    return [j for j in range(m) if _reduce(reduced, [Fraction(x) for x in np.asarray(columns[:, j]).tolist()])]


def _reduce(reduced: list[tuple[int, list[Fraction]]], column: Sequence[Fraction]) -> bool:
    """Eliminate; keep what is left, with the place of an entry that is not zero; False if nothing is left."""
    left = list(column)
    for place, other in reduced:
        factor = left[place] / other[place]
        if factor:
            left = [a - factor * b for a, b in zip(left, other, strict=True)]
    places = [i for i, a in enumerate(left) if a]
    if not places:
        return False
    reduced.append((places[0], left))
    return True
