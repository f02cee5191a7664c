"""A certificate's file, read without trusting a word of it; FORMAT.md, section 2, specifies it."""

from __future__ import annotations

import io
import json
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.header import FileError, check_entry, check_header, require
from bestsubset.certificates.verdict import MalformedCertificate

HEADER = "header.json"
# What reading a damaged archive raises.
_NO_ARCHIVE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
    struct.error,
)
# What numpy's reading of a header raises.
_NO_HEADER = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, EOFError, tokenize.TokenError, Warning)
_LARGEST_HEADER = 2**26
_TYPES = {
    "lower": ("<f8",),
    "upper": ("<f8",),
    "support": ("<i4",),
    "coef": ("<f8",),
    "listed": ("<i4",),
    "diagonal": ("<f8",),
    "tree": ("<i2", "<i4"),
    "offsets": ("<i8",),
    "columns": ("<i4",),
    "values": ("<f8",),
    "boxed": ("<i4",),
    "limits": ("<f8",),
}
Array = NDArray[Any]
BOX_ARRAYS = ("boxed", "limits")  # of the feature "boxes"
CLAIM_ARRAYS = tuple(name for name in _TYPES if name not in ("lower", "upper", *BOX_ARRAYS))


class Contents(NamedTuple):
    """What a file holds, each part in order by itself: whether the digest fits is for the reader to say."""

    header: dict[str, Any]
    lower: Array | None
    upper: Array | None
    claims: tuple[dict[str, Array], ...]


def read(path: str | os.PathLike[str]) -> Contents:
    """Read a certificate's file.

    Raises
    ------
    MalformedCertificate
        If the file is not one; the message names the file and what is wrong.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _Reader(archive, os.path.getsize(path)).contents()
        except FileError as error:
            raise MalformedCertificate(f"{os.fspath(path)}: {error}") from None
        except _NO_ARCHIVE as error:
            raise MalformedCertificate(f"{os.fspath(path)}: not a zip archive that can be read ({error})") from None


class _Reader:
    """Reads an archive without trusting a word of it."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        members = archive.infolist()
        self._members = {member.filename: member for member in members}
        require(len(self._members) == len(members), "a member is there twice")
        require(all(m.compress_type == zipfile.ZIP_STORED for m in members), "a member is compressed")
        require(all(m.file_size == m.compress_size for m in members), "a member's sizes disagree")
        require(sum(m.file_size for m in members) <= size, "the members are longer than the file")

    def contents(self) -> Contents:
        header = self._header()
        p = header["data"]["p"]
        names = header["feature_names"]
        require(len(names) == p and all(isinstance(name, str) for name in names), "feature_names are not p names")
        lower = upper = None
        if header["settings"]["bounds"]:
            lower, upper = self._array("lower"), self._array("upper")
            require(len(lower) == len(upper) == p, "the bounds have not p entries")
            require(bool(np.all(lower <= 0) and np.all(upper >= 0)), "the bounds are not lo <= 0 <= hi")
        claims = tuple(self._claim(number, entry, header) for number, entry in enumerate(header["claims"]))
        require(len(claims) > 0, "there is no claim")
        software = header.get("software", "")
        require(isinstance(software, str), "software is not a text")
        return Contents(header, lower, upper, claims)

    def _header(self) -> dict[str, Any]:
        content = self._bytes(HEADER)
        require(len(content) <= _LARGEST_HEADER, "the header is too long")
        try:
            header: dict[str, Any] = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise FileError(f"header.json is not JSON ({error})") from None
        check_header(header)
        return header

    def _claim(self, number: int, entry: Any, header: dict[str, Any]) -> dict[str, Array]:
        p, settings, features = header["data"]["p"], header["settings"], header.get("features", [])
        has_boxes, has_kinks = "boxes" in features, "dual" in features
        width = header["data"]["n"] if has_kinks else p  # a multiplier names columns, a dual vector rows
        check_entry(entry, number, p, features)
        arrays = {name: self._array(f"{number}/{name}") for name in CLAIM_ARRAYS + BOX_ARRAYS * has_boxes}
        support, offsets, columns = arrays["support"], arrays["offsets"], arrays["columns"]
        where = f"claim {number}: "
        require(len(support) == len(arrays["coef"]), where + "support and coef differ in length")
        require(_are_columns(support, p) and bool(np.all(np.diff(support) > 0)), where + "support is not ascending")
        require(_is_finite(arrays["coef"]), where + "coef is not finite")
        diagonal = arrays["diagonal"]
        require(len(diagonal) in (0, p * (not has_kinks)), where + "diagonal has neither p entries nor none")
        require(_is_finite(diagonal) and bool(np.all(diagonal >= 0)), where + "diagonal is not finite and >= 0")
        require(len(columns) == len(arrays["values"]), where + "columns and values differ in length")
        ends = len(offsets) > 0 and int(offsets[0]) == 0 and int(offsets[-1]) == len(columns)
        require(ends and bool(np.all(np.diff(offsets) >= 0)), where + "offsets do not divide the multipliers")
        n_rules = len(settings.get("rules", ()))
        require(_are_columns(columns, width + n_rules), where + "a multiplier names what is not there")
        require(_is_finite(arrays["values"]), where + "a multiplier is not finite")
        require(bool(np.all(arrays["values"][columns >= width] >= 0)), where + "a price of a rule is negative")
        require(_are_listed(arrays["listed"].tolist(), p), where + "listed is no list of supports")
        require(len(arrays["tree"]) > 0, where + "the tree is empty")
        if has_boxes:
            boxed, limits = arrays["boxed"], arrays["limits"]
            require(len(boxed) == len(limits) < len(offsets), where + "there are not as many boxes as limits, proved")
            require(_are_columns(np.where(boxed < 0, -1 - boxed, boxed), p), where + "a box is of no column")
            require(_is_finite(limits) and bool(np.all(limits > 0)), where + "a limit is not finite and > 0")
        count, boxes = entry.get("together", 0), len(arrays.get("boxed", ()))
        require(0 <= count <= boxes, where + "there are fewer boxes than are proved together")
        return arrays

    def _bytes(self, name: str) -> bytes:
        require(name in self._members, f"{name} is missing")
        try:
            with self._archive.open(self._members[name]) as member:
                return member.read()
        except (OSError, struct.error, zlib.error) as error:  # offsets that point nowhere
            raise FileError(f"{name} cannot be read ({error})") from None

    def _array(self, name: str) -> Array:
        content = self._bytes(f"{name}.npy")
        stream = io.BytesIO(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # numpy mends the headers of old Pythons; here they are malformed
                version = np.lib.format.read_magic(stream)
                require(version == (1, 0), f"{name}.npy is not of version 1.0")
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=1000)
        except _NO_HEADER as error:
            raise FileError(f"{name}.npy has no readable header ({error})") from None
        require(dtype.str in _TYPES[name.split("/")[-1]], f"{name}.npy has type {dtype}")
        start = stream.tell()
        fits = len(shape) == 1 and shape[0] * dtype.itemsize == len(content) - start
        require(fits, f"{name}.npy is not a vector as long as it says")
        return np.frombuffer(content, dtype=dtype, offset=start)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _are_columns(array: Array, p: int) -> bool:
    return bool(np.all((array >= 0) & (array < p)))


def _are_listed(numbers: list[int], p: int) -> bool:
    """Tell whether the numbers are supports, each behind its size, ascending."""
    position = 0
    while position < len(numbers):
        size = max(0, numbers[position])
        support = numbers[position + 1 : position + 1 + size]
        if not (numbers[position] == size == len(support) and all(a < b for a, b in pairwise([-1, *support, p]))):
            return False
        position += 1 + size
    return True


def _is_finite(array: Array) -> bool:
    return bool(np.isfinite(array).all())
