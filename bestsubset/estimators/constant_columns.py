"""Columns that are constant in the rows at hand: no model can use them, and none has to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from formulations import Constraint, Exclude, Group
from formulations._types import Data, Vector
from formulations.columns import constant_columns
from formulations.settings import constraint_list


def without_constant_columns(
    given: Sequence[Constraint], X: Data, sample_weight: Vector | None, fit_intercept: bool, names: Sequence[str]
) -> tuple[Constraint, ...]:
    """Return the constraints with every constant column excluded, and groups that go on without them.

    Constant, or zero where there is no intercept, in the rows of positive weight. X has shape (n, p), ``names`` p
    entries.
    """
    constraints = constraint_list(given)
    rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight > 0)
    if not len(rows):  # the problem says what is wrong with such weights
        return constraints
    constant = constant_columns(X, rows, X[rows[0]] if fit_intercept else np.zeros(X.shape[1]))
    if not len(constant):
        return constraints
    flat = set(constant.tolist())
    varying = [part for constraint in constraints for part in _varying(constraint, flat, names)]
    return (*varying, Exclude(tuple(sorted(flat))))


def _varying(constraint: Constraint, flat: set[int], names: Sequence[str]) -> list[Constraint]:
    if not isinstance(constraint, Group):
        return [constraint]
    group = constraint.resolved(names, len(names))
    columns = tuple(j for j in group.columns if j not in flat)  # type: ignore[union-attr]  # resolved
    return [replace(group, columns=columns)] if columns else []
