"""A CSV file as data for a problem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bestsubset.csv_file import read_csv
from bestsubset.errors import DataError
from bestsubset.spelling import did_you_mean
from formulations.arrays import listed


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a file, each in its part."""

    X: pd.DataFrame
    y: pd.Series[float]
    sample_weight: pd.Series[float] | None


def read_table(path: Path, target: str | None = None, weights: str | None = None) -> Table:
    """Read a CSV file with a header line; the target is the last column unless named.

    Raises
    ------
    DataError
        If the file cannot be read as a table, or a column named is not in it.
    """
    frame = read_csv(path)
    sample_weight = _take(frame, weights, path, "--weights") if weights is not None else None
    if not len(frame.columns):
        raise DataError(f"{path} has no columns left; expected a target and predictors. Add the columns.")
    y = _take(frame, str(frame.columns[-1]) if target is None else target, path, "--target")
    if not len(frame.columns):
        raise DataError(
            f"{path} has the column {y.name!r} alone; expected predictors beside the target."
            " Add columns, separated by commas."
        )
    return Table(frame, y, sample_weight)


def _take(frame: pd.DataFrame, name: str, path: Path, option: str) -> pd.Series[float]:
    """Remove a column from the frame and return it."""
    if name not in frame.columns:
        columns = [str(column) for column in frame.columns]
        hint = did_you_mean(name, columns, "Name one of these.")
        raise DataError(f"{option} is {name!r}; expected a column of {path}: {listed(columns)}. {hint}")
    return frame.pop(name)
