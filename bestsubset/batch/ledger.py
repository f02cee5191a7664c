"""A folder of results: one line a run in ``runs.jsonl``, certificates beside it, and one runner at a time."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from bestsubset.batch.outcome import State
from bestsubset.errors import DataError

RUNS = "runs.jsonl"
_CERTIFICATES = "certificates"
_UNFINISHED = ".part"

Row = dict[str, Any]


class Ledger:
    """The rows of a folder: the last one of each name counts. Made by `opened` alone, which holds the lock.

    A row is appended in one piece and is on disk before the next run is looked at; rows that a later one of the same
    name supersedes are dropped when the folder is opened and when it is closed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notice = _repaired(folder / RUNS)
        self.rows: dict[str, Row] = {}
        self._n_lines = 0
        for row in read_lines(folder / RUNS):
            self.rows[row["name"]] = row
            self._n_lines += 1
        for leftover in (folder / _CERTIFICATES).glob(f"*{_UNFINISHED}"):
            leftover.unlink()
        self._drop_superseded()
        self._file: IO[bytes] = (folder / RUNS).open("ab")

    def is_settled(self, name: str, digest: str) -> bool:
        """Tell whether a run has its row, and its certificate if it had one, and another attempt would say the same."""
        row = self.rows.get(name)
        if row is None or row["digest"] != digest or not State(row["state"]).is_final:
            return False
        return row["certificate"] is None or (self.folder / row["certificate"]).is_file()

    def add(self, row: Row, certificate: bytes | None) -> None:
        """Write a run's certificate and then its row, which says where the certificate is.

        Raises
        ------
        DataError
            If they cannot be written, as when the disk is full; the runs written before are safe.
        """
        try:
            row["certificate"] = None if certificate is None else self._save(certificate, row["name"], row["digest"])
            self._file.write(_line(row))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DataError(
                f"{self.folder} cannot be written ({error.strerror}); expected room for {row['name']}."
                " Make room, and run again: what is there is kept."
            ) from error
        self.rows[row["name"]] = row
        self._n_lines += 1

    def close(self) -> None:
        self._file.close()
        self._drop_superseded()

    def _save(self, content: bytes, name: str, digest: str) -> str:
        readable = re.sub(r"[^A-Za-z0-9._+=-]", "_", name)[:80]  # as much of it as any file system takes
        path = self.folder / _CERTIFICATES / f"{readable}-{digest[:12]}.cert"
        path.parent.mkdir(exist_ok=True)
        _write(path, content)
        return path.relative_to(self.folder).as_posix()

    def _drop_superseded(self) -> None:
        if self._n_lines > len(self.rows):
            _write(self.folder / RUNS, b"".join(_line(row) for row in self.rows.values()))
            self._n_lines = len(self.rows)


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """Open a folder of results, made where there is none, for one runner at a time.

    Raises
    ------
    DataError
        If the folder cannot be written, another runner is at work in it, or its rows cannot be read.
    """
    import fcntl  # where it is missing, the rest of the package still works

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a+")
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); expected a folder. Choose another.") from error
    with lock:  # the system gives it back when this process ends, however it ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise DataError(
                f"{folder} is in use by process {lock.read().strip()}; expected one runner a folder."
                " Wait for it, or choose another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        ledger = Ledger(folder)
        try:
            yield ledger
        finally:
            ledger.close()


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of a folder, the last one of each name; a torn last line is left out.

    Raises
    ------
    DataError
        If there are none to read.
    """
    path = folder / RUNS
    if not path.is_file():
        raise DataError(f"{path} is not there; expected a folder that bestsubset run has written. Check the path.")
    return list({row["name"]: row for row in read_lines(path)}.values())


def read_lines(path: Path) -> Iterator[Row]:
    """Yield all rows of a file, those that are superseded too."""
    content = path.read_bytes() if path.is_file() else b""
    whole, _, _ = content.rpartition(b"\n")
    for number, line in enumerate(whole.splitlines(), 1):
        row = _parsed(line)
        if row is None:
            raise DataError(f"{path}:{number}: the line is no row of a run; expected a JSON object. Drop the line.")
        yield row


def _line(row: Row) -> bytes:
    return (json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    is_row = isinstance(row, dict) and {"name", "digest", "state", "certificate"} <= row.keys()
    return row if is_row and row["state"] in set(State) else None


def _repaired(path: Path) -> str | None:
    """Cut off a last line that was not written to its end; return what there is to say about it."""
    if not path.is_file():
        return None
    with path.open("r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end == len(content):
            return None
        file.truncate(end)
        os.fsync(file.fileno())
    line = content.count(b"\n") + 1
    return f"{path}:{line}: the last line was torn ({len(content) - end} bytes) and is cut off; its run is done again."


def _write(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and stays."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    with suppress(OSError):  # not every system lets folders be synchronised
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
