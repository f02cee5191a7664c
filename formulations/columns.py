"""Passes over a matrix too large to be copied: rectangles of it at a time, each brought to float64.

A float32 number is the rational number that it is: bringing it to float64 changes nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from formulations._types import BoolVector, Data, IntVector, Matrix, Vector

BLOCK = 2**20  # entries of a rectangle, 8 MB: what a processor's cache holds


def column_blocks(n_rows: int, n_columns: int, entries: int = BLOCK) -> Iterator[slice]:
    """Yield slices of columns that hold about so many entries, or all columns of a matrix with many rows."""
    step = n_columns if n_rows > n_columns else max(1, entries // n_rows)
    return (slice(start, min(start + step, n_columns)) for start in range(0, n_columns, step))


def row_blocks(n_rows: int, width: int, entries: int = BLOCK) -> Iterator[slice]:
    """Yield slices of rows that hold about so many entries of ``width`` columns."""
    step = max(1, entries // width)
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def in_threads(task: Callable[[slice], None], blocks: Iterable[slice], threads: int | None) -> None:
    """Do a task for every block, by so many threads; None takes all cores.

    The threads never wait for each other, as those of a matrix product would: on a busy machine that is worth tenfold.
    """
    count = threads or os.cpu_count() or 1
    if count == 1:
        for block in blocks:
            task(block)
        return
    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(task, blocks):
            pass


def column_means(X: Data, weights: Vector) -> Vector:
    """Return the weighted means, shape (p,); not finite where an entry is not."""
    n, p = X.shape
    if X.size <= BLOCK:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(weights @ as_float64(X) / weights.sum())
    means = np.zeros(p)

    def add(columns: slice) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in row_blocks(n, columns.stop - columns.start):
                means[columns] += np.einsum("i,ij->j", weights[rows], as_float64(X[rows, columns]))

    in_threads(add, column_blocks(n, p), None)
    return means / float(weights.sum())


def are_finite(X: Data) -> BoolVector:
    """Tell which columns are finite in every entry, shape (p,)."""
    n, p = X.shape
    finite = np.ones(p, dtype=bool)
    for columns in column_blocks(n, p):
        for rows in row_blocks(n, columns.stop - columns.start):
            finite[columns] &= np.isfinite(X[rows, columns]).all(axis=0)
    return finite


def centred(X: Data, means: Vector, columns: IntVector | slice) -> Matrix:
    """Return some columns less their means, in float64."""
    return np.asarray(X[:, columns] - means[columns], dtype=np.float64)


def column_norms(X: Data, means: Vector, weights: Vector) -> Vector:
    """Return the weighted norms of the columns less ``means``, shape (p,)."""
    n, p = X.shape
    squares = np.zeros(p)
    root = np.sqrt(weights)
    for columns in column_blocks(n, p):
        for rows in row_blocks(n, columns.stop - columns.start):
            part = centred(X[rows], means, columns) * root[rows, None]
            squares[columns] += np.einsum("ij,ij->j", part, part)
    return np.sqrt(squares)


def constant_columns(X: Data, rows: IntVector, values: Data) -> IntVector:
    """Return the columns that have their value of ``values`` in all of some rows."""
    # Two rows rule out nearly every column; only the rest are read in full.
    suspects = np.flatnonzero((X[rows[-1]] == values) & (X[rows[len(rows) // 2]] == values))
    flat = np.all(X[np.ix_(rows, suspects)] == values[suspects], axis=0)
    return np.asarray(suspects[flat])


def equal_columns(X: Data) -> tuple[tuple[int, ...], ...]:
    """Return the sets of columns that are equal, entry by entry."""
    seen: dict[bytes, list[int]] = {}
    for block in column_blocks(*X.shape):
        for j, column in enumerate(np.ascontiguousarray(X[:, block].T), block.start):
            seen.setdefault(hashlib.sha256(column.data).digest(), []).append(j)
    return tuple(tuple(equal) for equal in seen.values() if len(equal) > 1)


def correlated_pairs(X: Data, means: Vector, weights: Vector, threshold: float) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, of columns whose absolute correlation is above the threshold."""
    n, p = X.shape
    found: list[tuple[int, int]] = []
    root = np.sqrt(weights)[:, None]
    units = np.asarray((as_float64(X) - means) * root)
    norms = np.sqrt(np.einsum("ij,ij->j", units, units))
    units = np.divide(units, norms, out=np.zeros_like(units), where=norms > 0)
    for block in column_blocks(n, p):
        above = np.abs(units[:, block].T @ units) > threshold
        for i, j in zip(*np.nonzero(above), strict=True):
            if i + block.start < j:
                found.append((int(i) + block.start, int(j)))
    return found


def update_hash(sha: hashlib._Hash, array: Data) -> None:
    """Hash the shape and the numbers as float64, row by row."""
    sha.update(repr(array.shape).encode())
    for rows in row_blocks(len(array), array[:1].size):
        sha.update(np.ascontiguousarray(array[rows], dtype=np.float64).data)


def as_float64(part: Data) -> Matrix:
    """Return the same numbers as float64; no copy where they are."""
    return np.asarray(part, dtype=np.float64)
