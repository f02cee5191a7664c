"""What a search writes down for its certificate, in streams that stay small in memory however long it runs."""

from __future__ import annotations

import io
import mmap
import tempfile
import weakref
from collections.abc import Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bestsubset.certificates.write import LoggedTree
from formulations._types import IntVector, Vector

_IN_MEMORY = 2**24  # bytes of a stream before it goes to a temporary file


class Stream:
    """Numbers of one type, put at positions that grow; what is put twice at a position counts once.

    So a search that is interrupted between handing numbers over and noting that it did may hand them over again.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._file: IO[bytes] = io.BytesIO()
        self._is_on_disk = False
        self.length = 0

    def put(self, position: int, numbers: NDArray[Any]) -> None:
        """Write numbers from a position on; the stream ends behind them."""
        start = position * self.dtype.itemsize
        if start > _IN_MEMORY and not self._is_on_disk:
            self._move_to_disk()
        self._file.seek(start)
        self._file.write(np.ascontiguousarray(numbers, dtype=self.dtype).data)
        self.length = position + len(numbers)

    def _move_to_disk(self) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - as long-lived as the stream
        weakref.finalize(self, file.close)
        file.write(cast(io.BytesIO, self._file).getbuffer())
        self._file, self._is_on_disk = file, True

    def append(self, numbers: NDArray[Any] | Sequence[int]) -> None:
        """Write numbers at the end."""
        self.put(self.length, np.asarray(numbers, dtype=self.dtype))

    def replace(self, position: int, number: int) -> None:
        """Write one number over another."""
        length = self.length
        self.put(position, np.array([number]))
        self.length = length

    def cut(self, length: int) -> None:
        """Forget the numbers from a position on."""
        self.length = length

    def array(self) -> NDArray[Any]:
        """All numbers; mapped from the file, not read, where they are many."""
        size = self.length * self.dtype.itemsize
        if not self._is_on_disk or not size:
            self._file.seek(0)
            return np.frombuffer(self._file.read(size), dtype=self.dtype)
        self._file.flush()
        return np.frombuffer(mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ), dtype=self.dtype)


class TreeLog:
    """The tokens of a tree and its multipliers, in the form and the units of a certificate: see its FORMAT.md.

    Parameters
    ----------
    names : shape (m,)
        The user's columns behind the columns of the scaled problem.
    coef_unit : shape (m,)
        The user's coefficients for one unit of the scaled ones.
    n_columns : int
        The user's columns: a multiplier names rule r as column ``n_columns + r``.
    """

    def __init__(self, names: IntVector, coef_unit: Vector, n_columns: int = 0) -> None:
        self.names, self.n_columns = names, n_columns
        self.coef_unit = coef_unit
        self.tokens = Stream(np.int16 if names.max() < 2**15 else np.int32)
        self.ends = Stream(np.int64)
        self.columns = Stream(np.int32)
        self.values = Stream(np.float64)
        self.diagonal: Vector = np.zeros(0)
        self.boxed: list[int] = []
        self.limits: list[float] = []

    def add_multiplier(self, columns: IntVector, gamma: Vector) -> int:
        """Append a multiplier in the scaled problem's columns and units; return its number."""
        self.columns.append(self.names[columns])
        self.values.append(gamma * self.coef_unit[columns])
        self.ends.append([self.columns.length])
        return self.ends.length - 1

    def add_priced_multiplier(self, gamma: Vector, prices: Vector) -> int:
        """Append a multiplier over all columns with the prices of rules, in the user's units, behind it."""
        used, priced = np.flatnonzero(gamma), np.flatnonzero(prices)
        number = self.add_multiplier(used, gamma[used])
        self.columns.append(self.n_columns + priced)
        self.values.append(prices[priced])
        self.ends.replace(number, self.columns.length)
        return number

    def add_box(self, column: int, limit: float, gamma: Vector) -> None:
        """Append a derived bound on a coefficient, an upper one where it is positive, and what proves it.

        The multipliers of boxes come before all others.
        """
        used = np.flatnonzero(gamma)
        self.add_multiplier(used, gamma[used])
        name = int(self.names[column])
        self.boxed.append(name if limit > 0 else -1 - name)
        self.limits.append(abs(limit) * float(self.coef_unit[column]))

    def arrays(self) -> LoggedTree:
        """The log as the arrays of a certificate."""
        offsets = np.concatenate([[0], self.ends.array()]).astype(np.int64)
        return LoggedTree(
            self.tokens.array(), offsets, self.columns.array(), self.values.array(), self.diagonal,
            np.array(self.boxed, dtype=np.int32), np.array(self.limits, dtype=np.float64),
        )  # fmt: skip
