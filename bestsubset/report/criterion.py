"""The size that a criterion chooses among the rows of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

USUAL = "bic"
_LARGER_IS_BETTER = ("adj_r2",)


def value_of(row: dict[str, Any], criterion: str) -> float | None:
    """Return a criterion of a run's model; None where it has no value."""
    found = (row.get("criteria") or {}).get(criterion)
    return None if found is None else float(found)


def chosen(rows: Sequence[dict[str, Any]], criterion: str) -> dict[str, Any] | None:
    """Return the best row by a criterion; None where it has no value for any."""
    valued = [(value, row) for row in rows if (value := value_of(row, criterion)) is not None]
    if not valued:
        return None
    best = max if criterion in _LARGER_IS_BETTER else min
    return best(valued, key=lambda pair: pair[0])[1]
