"""A CSV file as a data frame; whatever is wrong with the file is said in one sentence."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from bestsubset.errors import DataError
from bestsubset.spelling import similar_file
from formulations.arrays import listed

# A certificate is about the numbers that are written in the file: from pandas 3.1 on they are read exactly by default.
_EXACT: dict[str, Any] = (
    {} if tuple(int(part) for part in pd.__version__.split(".")[:2]) >= (3, 1) else {"float_precision": "round_trip"}
)


def read_csv(path: Path) -> pd.DataFrame:
    """Return the table of a CSV file with a header line.

    Raises
    ------
    DataError
        If the file cannot be read as a table with distinct names.
    """
    try:
        with warnings.catch_warnings():
            # pandas cuts rows longer than the header with a warning only.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
            _check_names([str(name) for name in header.iloc[0]], path)
            frame: pd.DataFrame = pd.read_csv(path, index_col=False, skipinitialspace=True, **_EXACT)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there; expected a CSV file. {similar_file(path)}") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty; expected a header line and rows of numbers. Fill it.") from error
    except pd.errors.ParserWarning as error:
        raise _ragged(path, "the rows are longer than the header") from error
    except pd.errors.ParserError as error:
        raise _ragged(path, " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text ({error.reason}); expected a CSV file. Save it as CSV in UTF-8."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} is unreadable ({error.strerror}); expected a CSV file. Check the path and its rights."
        ) from error
    if not len(frame):
        raise DataError(f"{path} has 0 rows below its header; expected rows of numbers. Fill it.")
    return frame


def _ragged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} is ragged ({reason.rstrip('.')}); expected as many entries in every row as in the header."
        " Mend those rows."
    )


def _check_names(names: list[str], path: Path) -> None:
    names = [name.strip() for name in names]
    if "" in names:
        raise DataError(
            f"{path} has no name over column {names.index('') + 1}; expected a header line that names"
            " every column. Name it, or leave row names out of the file."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path} has the column {listed(twice)} more than once; expected distinct names. Rename them.")
    if all(_is_number(name) for name in names):
        raise DataError(
            f"{path} has numbers in its first line ({listed(names)}); expected a header line of names. Add one."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
