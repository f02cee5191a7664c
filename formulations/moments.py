r"""Moments: all that squared error needs to know of n rows, summed up in one pass over them.

With weights :math:`W = \sum w_i`, means :math:`\bar z` of the rows :math:`z_i = (x_i, y_i)` and
:math:`M = \sum_i w_i (z_i - \bar z)(z_i - \bar z)^\top`, the objective of any coefficients is a function of
:math:`(W, \bar z, M)` alone. Rows are summed less the means a of the first chunk,

.. math:: s = \sum_i w_i (z_i - a), \qquad S = \sum_i w_i (z_i - a)(z_i - a)^\top, \qquad M = S - s s^\top / W.

The last step cancels only what lies between a and :math:`\bar z`: where a is the mean of a share q of the weight,
:math:`s_j^2/W \le M_{jj}\,(1 - q)/q`, so that however the rows are sorted it costs a factor of the number of chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from formulations import parquet
from formulations._types import Data, Matrix, Vector
from formulations.arrays import NumberedNames, vector
from formulations.arrays import design as checked
from formulations.columns import as_float64
from formulations.errors import ProblemError

_ENTRIES = 2**22  # of a chunk summed at a time: 32 MB


@dataclass(frozen=True, eq=False)
class Moments:
    r"""The first and second moments of predictors and response. Made by `from_chunks`.

    Attributes
    ----------
    n : int
        Number of rows.
    weight : float
        Sum of the weights: n unless weights are given.
    means : shape (p + 1,)
        Weighted means of the columns, the response last.
    about_means : shape (p + 1, p + 1)
        :math:`M`, the weighted sums of products of the columns less their means.
    feature_names : sequence of str
    """

    n: int
    weight: float
    means: Vector
    about_means: Matrix
    feature_names: tuple[str, ...]

    @property
    def p(self) -> int:
        """Number of predictors."""
        return len(self.means) - 1

    @classmethod
    def from_chunks(cls, source: Any, y: str | None = None) -> Moments:
        """Sum up rows in one pass, with memory for one chunk.

        Parameters
        ----------
        source : iterable of (X, y) or (X, y, sample_weight); or path of a Parquet file or folder; or pyarrow dataset
            Chunks of any numbers of rows, float32 or float64.
        y : str, optional
            The column of a Parquet source that is the response; all other columns are predictors.

        Raises
        ------
        ProblemError
            If there are no rows, chunks differ in their columns, or an entry is missing, infinite or not a number.
        """
        names: tuple[str, ...] | None = None
        if parquet.is_source(source):
            names, chunks = parquet.chunks(source, y)
            sums = _Sums(len(names) + 1)
            for columns in chunks:
                sums.add(columns, None)
        else:
            sums = _of_pairs(source)
        return sums.moments(names)

    def representatives(self, is_centred: bool) -> tuple[Matrix, float]:
        r"""Return p + 2 rows of (X, y), and one weight for them all, that have these moments.

        With :math:`M = R^\top R` and a matrix H of p + 2 rows whose p + 1 columns are orthonormal and sum to zero, the
        rows :math:`\sqrt{(p+2)/W}\, H R`, each of weight :math:`W/(p+2)`, have the means 0, the second moments M and
        the weight W. With ``is_centred`` these are returned: about the means, so that a large mean costs no digits.
        Otherwise R and, below it, the row :math:`\sqrt W \bar z` take the place of HR: their second moments are
        :math:`M + W \bar z \bar z^\top`, those about zero, and nothing else is asked of them without an intercept.
        """
        scale = np.sqrt(np.diag(self.about_means))
        scale[scale == 0.0] = 1.0
        values, vectors = linalg.eigh(self.about_means / np.outer(scale, scale))
        R = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * scale
        count = len(R) + 1
        rows = linalg.helmert(count).T @ R if is_centred else np.vstack([R, np.sqrt(self.weight) * self.means])
        return np.sqrt(count / self.weight) * rows, self.weight / count


class _Sums:
    """W, s and S, with the shift a that the first rows set."""

    def __init__(self, width: int) -> None:
        self.n, self.weight = 0, 0.0
        self.shift: Vector | None = None
        self.first = np.zeros(width)
        self.second = np.zeros((width, width))
        self._room = np.empty((width, max(64, _ENTRIES // width)))

    def add(self, columns: Sequence[Data], weights: Vector | None) -> None:
        """Add rows, given as matrices with a row a column, the response last."""
        count = columns[0].shape[1]
        step = self._room.shape[1]
        for start in range(0, count, step):
            rows = slice(start, min(start + step, count))
            self._add([part[:, rows] for part in columns], None if weights is None else weights[rows])

    def _add(self, columns: Sequence[Data], weights: Vector | None) -> None:
        count = columns[0].shape[1]
        total = float(count if weights is None else weights.sum())
        self.n += count
        if total == 0.0:
            return
        if self.shift is None:
            self.shift = np.concatenate([np.average(as_float64(part), axis=1, weights=weights) for part in columns])
        part, at = self._room[:, :count], 0
        for given in columns:
            place = slice(at, at + len(given))
            np.subtract(given, self.shift[place, None], out=part[place], dtype=np.float64)
            at += len(given)
        if weights is None:
            self.first += part.sum(axis=1)
        else:
            self.first += part @ weights
            part *= np.sqrt(weights)
        self.second += part @ part.T
        self.weight += total

    def moments(self, names: tuple[str, ...] | None) -> Moments:
        if self.shift is None:
            raise ProblemError("The chunks hold no rows of positive weight; expected some. Pass the data.")
        if not (np.isfinite(self.second).all() and np.isfinite(self.first).all()):
            bad = np.flatnonzero(~np.isfinite(np.diag(self.second) + self.first))
            width = len(self.first)
            label = [*(names or NumberedNames(width - 1)), "y"]
            raise ProblemError(
                f"The chunks have missing or infinite entries in column {', '.join(label[j] for j in bad)}; expected"
                " finite numbers. Drop or impute those rows or columns."
            )
        about = self.second - np.outer(self.first, self.first) / self.weight
        means = self.shift + self.first / self.weight
        return Moments(self.n, self.weight, means, 0.5 * (about + about.T), names or ())


def _of_pairs(chunks: Iterable[Any]) -> _Sums:
    sums: _Sums | None = None
    for number, (columns, weights) in enumerate(_checked(chunks)):
        width = sum(len(part) for part in columns)
        sums = sums or _Sums(width)
        if width != len(sums.first):
            raise ProblemError(
                f"Chunk {number} has {width - 1} columns; expected {len(sums.first) - 1}, as the first one."
                " Give every chunk the same columns."
            )
        sums.add(columns, weights)
    if sums is None:
        raise ProblemError("source holds no chunks; expected pairs (X, y). Pass the data.")
    return sums


def _checked(chunks: Iterable[Any]) -> Iterator[tuple[list[Data], Vector | None]]:
    for number, chunk in enumerate(chunks):
        if not isinstance(chunk, tuple) or len(chunk) not in (2, 3):
            raise ProblemError(
                f"Chunk {number} is {type(chunk).__name__}; expected a tuple (X, y) or (X, y, sample_weight)."
                " Yield the rows as tuples of arrays."
            )
        X = checked(chunk[0])
        y = vector(chunk[1], "y", len(X))
        weights = None if len(chunk) == 2 else vector(chunk[2], "sample_weight", len(X))
        if weights is not None and np.any(weights < 0):
            raise ProblemError(
                f"sample_weight has minimum {weights.min():g}; expected entries >= 0."
                " Drop the rows that should not count."
            )
        yield [X.T, y[None, :]], weights
