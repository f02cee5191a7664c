"""The settings of a problem, each checked by its own rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from formulations import arrays
from formulations._types import Data, Vector
from formulations.constraints import Bounds, Constraint, Sign
from formulations.errors import ProblemError

D = TypeVar("D", bound=Data)


def read_only(array: D) -> D:
    """Return a view that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view  # type: ignore[return-value]  # a view of the same kind


def cardinality(k: object, p: int, lambda0: float) -> int | None:
    """Return k; None is allowed where λ0 is positive."""
    if k is None:
        if not lambda0 > 0:
            raise ProblemError(
                f"k is None and lambda0 is {lambda0}; expected a bound k or a price lambda0 > 0. Set one of them."
            )
        return None
    number = _number(k)
    if isinstance(k, bool) or not 1 <= number <= p or number != int(number):
        raise ProblemError(
            f"k is {k}; expected a whole number with 1 <= k <= p = {p} (the columns of X)."
            " Change k, or drop it and set lambda0."
        )
    return int(number)


def penalty(value: object, name: str) -> float:
    """Return a finite weight that is not negative."""
    number = _number(value)
    if not 0 <= number < np.inf:
        raise ProblemError(f"{name} is {value}; expected a finite number >= 0. Set it to 0 to leave the penalty out.")
    return number


def _number(value: object) -> float:
    """The value as a float; NaN where it is not a number, which no rule of ours accepts."""
    return float(value) if isinstance(value, int | float | np.integer | np.floating) else np.nan


def coefficient_bounds(bounds: tuple[ArrayLike, ArrayLike] | None, p: int) -> tuple[Vector, Vector]:
    """Return lower and upper bounds, shape (p,) each; infinite where there are none."""
    try:
        lo, hi = (-np.inf, np.inf) if bounds is None else bounds
        lower = np.array(np.broadcast_to(np.asarray(lo, dtype=np.float64), (p,)))
        upper = np.array(np.broadcast_to(np.asarray(hi, dtype=np.float64), (p,)))
    except (TypeError, ValueError) as error:
        raise ProblemError(
            f"bounds do not fit ({error}); expected scalars or arrays of length p = {p}. Pass (lo, hi)."
        ) from error
    bad = np.flatnonzero(~((lower <= 0) & (upper >= 0)))
    if len(bad):
        j = bad[0]
        raise ProblemError(
            f"bounds of column {j} are ({lower[j]:g}, {upper[j]:g}); expected lo <= 0 <= hi, since a column left out"
            " has the coefficient 0. Widen them, or shift the response."
        )
    return read_only(lower), read_only(upper)


def constrained_bounds(lower: Vector, upper: Vector, constraints: Sequence[Constraint]) -> tuple[Vector, Vector]:
    """Return the bounds as tightened by `Sign` and `Bounds`, whose columns are indices."""
    lower, upper = lower.copy(), upper.copy()
    for constraint in constraints:
        if isinstance(constraint, Bounds):
            lo, hi = constraint.lo, constraint.hi
        elif isinstance(constraint, Sign):
            lo, hi = (0.0, np.inf) if constraint.sign > 0 else (-np.inf, 0.0)
        else:
            continue
        columns = [int(j) for j in constraint.columns]  # type: ignore[union-attr]  # resolved
        lower[columns], upper[columns] = np.maximum(lower[columns], lo), np.minimum(upper[columns], hi)
    return read_only(lower), read_only(upper)


def weights(sample_weight: ArrayLike | None, n: int) -> Vector:
    """Return the weights of the rows, shape (n,): one each unless given."""
    if sample_weight is None:
        return np.ones(n)
    given = arrays.vector(sample_weight, "sample_weight", n)
    if np.any(given < 0) or not given.sum() > 0:
        raise ProblemError(
            f"sample_weight has minimum {given.min():g} and sum {given.sum():g}; expected entries >= 0 with a"
            " positive sum. Drop the rows that should not count."
        )
    return given


def constraint_list(constraints: Sequence[Constraint] | Constraint) -> tuple[Constraint, ...]:
    """Return the constraints as a tuple; one alone will do."""
    given = (constraints,) if isinstance(constraints, Constraint) else tuple(constraints)
    for constraint in given:
        if not isinstance(constraint, Constraint):
            raise ProblemError(
                f"constraints holds {constraint!r}; expected Include, Exclude, Group and the like. Wrap it in one."
            )
    return given
