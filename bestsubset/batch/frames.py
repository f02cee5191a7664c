"""Data of a specification as data frames: a file, or a data set that scikit-learn ships. Nothing is downloaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bestsubset.batch.complaints import Complain
from bestsubset.batch.spec import Data
from bestsubset.csv_file import read_csv
from bestsubset.errors import DataError
from bestsubset.spelling import did_you_mean, similar_file
from formulations.arrays import listed

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")


@dataclass(frozen=True, eq=False)
class Frame:
    """All columns of a source, by distinct names, and its own response, where it says which one that is."""

    columns: pd.DataFrame
    target: str | None = None


class Frames:
    """The sources of a batch, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, Frame | DataError] = {}

    def read(self, data: Data, folder: Path, complain: Complain) -> Frame | None:
        """Return the source of a problem's data, or complain of it."""
        if (data.file is None) == (data.dataset is None):
            both = "both file and dataset" if data.file is not None else "neither file nor dataset"
            complain(("data",), f"data has {both}; expected one of them. Name the file, or the data set.")
            return None
        if data.dataset is not None:
            return self._once(
                ("data", "dataset"), f"dataset:{data.dataset}", lambda: _dataset(str(data.dataset)), complain
            )
        path = folder / str(data.file)
        return self._once(("data", "file"), str(path), lambda: _file(path), complain)

    def _once(self, field: tuple[str, str], key: str, load: Callable[[], Frame], complain: Complain) -> Frame | None:
        if key not in self._known:
            try:
                self._known[key] = load()
            except DataError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, DataError):
            complain(field, str(found))
            return None
        return found


def _dataset(name: str) -> Frame:
    if name not in DATASETS:
        hint = did_you_mean(name, DATASETS, "Write the others to a file.")
        raise DataError(f"data.dataset is {name!r}; expected one of {listed(DATASETS)}. {hint}")
    try:
        datasets = import_module("sklearn.datasets")
    except ImportError as error:
        raise DataError(
            f"data.dataset is {name!r}; expected scikit-learn beside us, which ships it. Install scikit-learn."
        ) from error
    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    return Frame(loaded.frame, "target")


def _file(path: Path) -> Frame:
    readers = {".csv": _csv, ".parquet": _parquet, ".feather": _feather, ".npz": _npz}
    if path.suffix not in readers:
        raise DataError(f"{path} ends in {path.suffix!r}; expected one of {listed(sorted(readers))}. Save it as one.")
    if not path.is_file():
        raise DataError(f"{path} is not there; expected a file of data. {similar_file(path)}")
    try:
        frame = readers[path.suffix](path)
    except (OSError, ValueError, ImportError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DataError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} is unreadable ({reason}); expected a file of data. Save it anew.") from error
    names = [str(name) for name in frame.columns.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{path} has the column {listed(twice)} more than once; expected distinct names. Rename them.")
    if not len(frame.columns):
        raise DataError(f"{path} has 0 rows; expected rows of data. Fill it.")
    return Frame(frame.columns.set_axis(names, axis=1), frame.target)


def _csv(path: Path) -> Frame:
    return Frame(read_csv(path))


def _parquet(path: Path) -> Frame:
    return Frame(pd.read_parquet(path, engine="pyarrow"))


def _feather(path: Path) -> Frame:
    return Frame(pd.read_feather(path))


def _npz(path: Path) -> Frame:
    """Read the matrix ``X``, the names of its columns ``feature_names`` if given, and each vector as one column."""
    with np.load(path, allow_pickle=False) as arrays:
        content: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    X = content.pop("X", None)
    if X is None or X.ndim != 2:
        raise DataError(f"{path} has no matrix X; expected X, rows by columns, and vectors beside it. Save it so.")
    n, p = X.shape
    names = content.pop("feature_names", None)
    columns = [f"x{j}" for j in range(p)] if names is None else [str(name) for name in names]
    vectors = {name: array for name, array in content.items() if array.shape == (n,)}
    if len(columns) != p or len(vectors) < len(content):
        wrong = "feature_names" if len(columns) != p else listed([name for name in content if name not in vectors])
        raise DataError(f"{path} has {wrong} that does not fit X, {n} by {p}; expected matching lengths. Save it anew.")
    frame = pd.DataFrame(X, columns=columns)
    frame = pd.concat([frame, pd.DataFrame(vectors, index=frame.index)], axis=1)
    return Frame(frame, "y" if "y" in vectors else None)
