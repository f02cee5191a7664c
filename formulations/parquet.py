"""Rows of a Parquet file, folder or pyarrow dataset, chunk by chunk. Needs pyarrow, imported when it is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from formulations._types import Data
from formulations.arrays import listed
from formulations.errors import ProblemError

_ROWS = 2**16  # of a chunk: a few megabytes a hundred columns


def is_source(source: Any) -> bool:
    """Tell whether this is a path or a pyarrow dataset."""
    return isinstance(source, str | os.PathLike) or type(source).__module__.startswith("pyarrow")


def chunks(source: Any, y: str | None) -> tuple[tuple[str, ...], Iterator[list[Data]]]:
    """Return the predictors' names, and an iterator over chunks: their columns and, last, the response."""
    dataset = _dataset(source)
    schema = dataset.schema
    if y is None or schema.names.count(y) != 1:
        raise ProblemError(
            f"y is {y!r}; expected the name of one of the columns {listed(schema.names)}. Name the response."
        )
    types = _pyarrow().types
    text = [f.name for f in schema if not (types.is_floating(f.type) or types.is_integer(f.type))]
    if text:
        raise ProblemError(
            f"The columns {listed(text)} are not numbers; expected floats or integers. Encode or leave them out."
        )
    names = tuple(name for name in schema.names if name != y)
    return names, _read(dataset, [*names, y])


def _read(dataset: Any, names: list[str]) -> Iterator[list[Data]]:
    # Read-ahead would hold dozens of chunks, and buffering whole groups of rows: the next chunk is enough.
    settings: dict[str, Any] = {"batch_size": _ROWS, "batch_readahead": 1, "fragment_readahead": 1}
    kinds = _pyarrow().dataset
    if isinstance(getattr(dataset, "format", None), kinds.ParquetFileFormat):
        settings["fragment_scan_options"] = kinds.ParquetFragmentScanOptions(pre_buffer=False)
    for batch in dataset.to_batches(columns=names, **settings):
        missing = [name for name, column in zip(names, batch.columns, strict=True) if column.null_count]
        if missing:
            raise ProblemError(
                f"The columns {listed(missing)} have missing entries; expected numbers in every row."
                " Drop or impute those rows."
            )
        if batch.num_rows:
            yield [np.asarray(column)[None, :] for column in batch.columns]


def _dataset(source: Any) -> Any:
    pyarrow = _pyarrow()
    if isinstance(source, str | os.PathLike):
        return pyarrow.dataset.dataset(source, format="parquet")
    if hasattr(source, "to_batches") and hasattr(source, "schema"):
        return source if isinstance(source, pyarrow.dataset.Dataset) else pyarrow.dataset.dataset(source)
    raise ProblemError(
        f"source is {type(source).__name__}; expected a path, a pyarrow dataset or chunks (X, y). Pass one of them."
    )


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.dataset
        import pyarrow.types
    except ImportError as error:
        raise ProblemError(
            "pyarrow is not installed; expected it for Parquet. Install it: pip install 'bestsubset[parquet]'."
        ) from error
    return pyarrow
