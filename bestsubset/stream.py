"""Numbers written one after another that stay small in memory however many they are."""

from __future__ import annotations

import io
import mmap
import tempfile
import weakref
from collections.abc import Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

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
