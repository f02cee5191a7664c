"""From whatever the user holds - arrays, data frames, lists - to checked float64 arrays with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from formulations._types import Data, Matrix, Vector
from formulations.columns import are_finite
from formulations.errors import ProblemError

_KEPT = (np.dtype(np.float32), np.dtype(np.float64))  # kinds of numbers that stay as they are
_SHOWN = 5  # names listed in a message before it says "and N more"


def listed(items: Sequence[object]) -> str:
    """Return ``a, b, c and 7 more``: the names a message can afford."""
    shown = ", ".join(str(item) for item in items[:_SHOWN])
    rest = len(items) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


class NumberedNames(Sequence[str]):
    """The names ``x0, x1, …``, made as they are asked for: a million of them would cost more than some data."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        numbers = range(self._count)[index]
        return f"x{numbers}" if isinstance(numbers, int) else tuple(f"x{j}" for j in numbers)

    def __contains__(self, name: object) -> bool:
        digits = name[1:] if isinstance(name, str) and name.startswith("x") else ""
        return digits.isdecimal() and name == f"x{int(digits)}" and int(digits) < self._count

    def index(self, name: str, start: int = 0, stop: int | None = None) -> int:
        """Return the column of that name."""
        if name in self and int(name[1:]) in range(self._count)[start:stop]:
            return int(name[1:])
        raise ValueError(f"{name!r} is no column's name")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def column_names(X: Any, given: Sequence[str] | None, n_columns: int) -> Sequence[str]:
    """Return the names given, else those of a data frame, else ``x0, x1, …``.

    Raises
    ------
    ProblemError
        If the number of names differs from the number of columns, or a name appears twice.
    """
    if given is None:
        columns = getattr(X, "columns", None)
        if columns is None:
            return NumberedNames(n_columns)
        given = [str(name) for name in columns]
    names = tuple(str(name) for name in given)
    if len(names) != n_columns:
        raise ProblemError(
            f"feature_names has {len(names)} entries; expected {n_columns}, one for each column of X."
            " Name every column once."
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ProblemError(
            f"feature_names has {listed(twice)} more than once; expected distinct names. Rename the repeated columns."
        )
    return names


def design(X: Any) -> Data:
    """Return X as a two-dimensional array, shape (n, p): float32 and float64 as they are, all else as float64.

    Arrays, also memory-mapped ones, are not copied.

    Raises
    ------
    ProblemError
        If X is empty, not two-dimensional, or holds text or other values that are not numbers.
    """
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        _refuse_text_columns(X)
    is_kept = isinstance(X, np.ndarray) and X.dtype in _KEPT
    array: Data = np.asarray(X) if is_kept else _as_float(X, "X")
    if array.ndim != 2:
        raise ProblemError(
            f"X has {array.ndim} dimension(s); expected 2, rows by columns. Use X.reshape(-1, 1) for one column."
        )
    n, p = array.shape
    if n == 0 or p == 0:
        raise ProblemError(f"X is {n} by {p}; expected at least one row and one column. Pass the data.")
    return array


def vector(values: Any, name: str, length: int) -> Vector:
    """Return a one-dimensional float64 array of the given length.

    Raises
    ------
    ProblemError
        If the length differs from the rows of X, or an entry is missing, infinite or not a number.
    """
    array = _as_float(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ProblemError(f"{name} has {array.ndim} dimensions; expected 1. Pass a single column.")
    if len(array) != length:
        raise ProblemError(f"{name} has {len(array)} entries; expected {length}, one for each row of X. Align the two.")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise ProblemError(
            f"{name} has {bad} missing or infinite entries; expected finite numbers. Drop or impute those rows."
        )
    return np.ascontiguousarray(array)


def require_finite_columns(X: Data, names: Sequence[str]) -> None:
    """Raise a `ProblemError` naming the columns of X that hold NaN or infinities, and how many."""
    bad = np.flatnonzero(~are_finite(X))
    if len(bad):
        found = listed([f"{names[int(j)]!r} ({np.count_nonzero(~np.isfinite(X[:, j]))})" for j in bad])
        raise ProblemError(
            f"X has missing or infinite entries in column {found}; expected finite numbers."
            " Drop or impute those rows or columns."
        )


def _refuse_text_columns(frame: Any) -> None:
    text = [str(name) for name, kind in frame.dtypes.items() if getattr(kind, "kind", "O") not in "biuf"]
    if text:
        raise ProblemError(
            f"X has columns that are not numbers: {listed(text)}; expected numeric columns."
            " Encode them first, for example as 0/1 columns joined by a Group."
        )


def _as_float(values: Any, name: str) -> Matrix:
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise ProblemError(
                f"{name} is complex; expected real numbers. Pass its real and imaginary parts as columns."
            )
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, ProblemError):
            raise
        raise ProblemError(
            f"{name} has entries that are not numbers ({error}); expected a numeric array. Convert it to floats first."
        ) from error
