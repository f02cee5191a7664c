"""A certificate's file, read without trusting a word of it; FORMAT.md, section 2, specifies it."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import tokenize
import warnings
import zipfile
import zlib
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.verdict import MalformedCertificate

FORMAT = "bestsubset certificate"
FEATURES = ("boxes", "rules")  # of version 2

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
_DATA = {"n": int, "p": int, "X": str, "y": str, "sample_weight": (str, type(None))}
_SETTINGS = {
    "loss": str,
    "fit_intercept": bool,
    "standardize": bool,
    "lambda0": float,
    "lambda1": float,
    "lambda2": float,
    "include": list,
    "exclude": list,
    "groups": list,
    "bounds": bool,
}
_RULED_SETTINGS = {"rules": list, "single": list}

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
        except _FileError as error:
            raise MalformedCertificate(f"{os.fspath(path)}: {error}") from None
        except _NO_ARCHIVE as error:
            raise MalformedCertificate(f"{os.fspath(path)}: not a zip archive that can be read ({error})") from None


class _FileError(Exception):
    """What is wrong with the file."""


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise _FileError(what)


class _Reader:
    """Reads an archive without trusting a word of it."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        members = archive.infolist()
        self._members = {member.filename: member for member in members}
        _require(len(self._members) == len(members), "a member is there twice")
        _require(all(m.compress_type == zipfile.ZIP_STORED for m in members), "a member is compressed")
        _require(all(m.file_size == m.compress_size for m in members), "a member's sizes disagree")
        _require(sum(m.file_size for m in members) <= size, "the members are longer than the file")

    def contents(self) -> Contents:
        header = self._header()
        p = header["data"]["p"]
        names = header["feature_names"]
        _require(len(names) == p and all(isinstance(name, str) for name in names), "feature_names are not p names")
        lower = upper = None
        if header["settings"]["bounds"]:
            lower, upper = self._array("lower"), self._array("upper")
            _require(len(lower) == len(upper) == p, "the bounds have not p entries")
            _require(bool(np.all(lower <= 0) and np.all(upper >= 0)), "the bounds are not lo <= 0 <= hi")
        n_rules = len(header["settings"]["rules"]) if "rules" in header["settings"] else None
        has_boxes = "boxes" in header.get("features", [])
        claims = tuple(
            self._claim(number, entry, p, n_rules, has_boxes) for number, entry in enumerate(header["claims"])
        )
        _require(len(claims) > 0, "there is no claim")
        software = header.get("software", "")
        _require(isinstance(software, str), "software is not a text")
        return Contents(header, lower, upper, claims)

    def _header(self) -> dict[str, Any]:
        content = self._bytes(HEADER)
        _require(len(content) <= _LARGEST_HEADER, "the header is too long")
        try:
            header: dict[str, Any] = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise _FileError(f"header.json is not JSON ({error})") from None
        _require(isinstance(header, dict) and header.get("format") == FORMAT, f"the format is not {FORMAT!r}")
        features = _features(header)
        expected = {"data": dict, "settings": dict, "feature_names": list, "claims": list, "digest": str}
        _check_fields(header, expected, "the header", exact=False)
        _check_fields(header["data"], _DATA, "data")
        has_rules = "rules" in features
        _check_fields(header["settings"], _SETTINGS | (_RULED_SETTINGS if has_rules else {}), "settings")
        _check_settings(header["settings"], header["data"])
        if has_rules:
            _check_rules(header["settings"], header["data"]["p"])
        return header

    def _claim(self, number: int, entry: Any, p: int, n_rules: int | None, has_boxes: bool) -> dict[str, Array]:
        _require(isinstance(entry, dict), f"claim {number} is not an object")
        fields = {"k": int, "objective": float, "dual_bound": float} | ({} if n_rules is None else {"model": list})
        _check_fields(entry, fields, f"claim {number}")
        _require(_are_distinct(entry.get("model", []), p), f"claim {number} has a model that is no set of columns")
        _require(1 <= entry["k"] <= p, f"claim {number} has k outside 1 … p")
        arrays = {name: self._array(f"{number}/{name}") for name in CLAIM_ARRAYS + BOX_ARRAYS * has_boxes}
        support, offsets, columns = arrays["support"], arrays["offsets"], arrays["columns"]
        where = f"claim {number}: "
        _require(len(support) == len(arrays["coef"]), where + "support and coef differ in length")
        _require(_are_columns(support, p) and bool(np.all(np.diff(support) > 0)), where + "support is not ascending")
        _require(_is_finite(arrays["coef"]), where + "coef is not finite")
        diagonal = arrays["diagonal"]
        _require(len(diagonal) in (0, p), where + "diagonal has neither p entries nor none")
        _require(_is_finite(diagonal) and bool(np.all(diagonal >= 0)), where + "diagonal is not finite and >= 0")
        _require(len(columns) == len(arrays["values"]), where + "columns and values differ in length")
        ends = len(offsets) > 0 and int(offsets[0]) == 0 and int(offsets[-1]) == len(columns)
        _require(ends and bool(np.all(np.diff(offsets) >= 0)), where + "offsets do not divide the multipliers")
        _require(_are_columns(columns, p + (n_rules or 0)), where + "a multiplier's column is outside 0 … p-1")
        _require(_is_finite(arrays["values"]), where + "a multiplier is not finite")
        _require(bool(np.all(arrays["values"][columns >= p] >= 0)), where + "a price of a rule is negative")
        _require(_are_listed(arrays["listed"].tolist(), p), where + "listed is no list of supports")
        _require(len(arrays["tree"]) > 0, where + "the tree is empty")
        if has_boxes:
            boxed, limits = arrays["boxed"], arrays["limits"]
            _require(len(boxed) == len(limits) < len(offsets), where + "there are not as many boxes as limits, proved")
            _require(_are_columns(np.where(boxed < 0, -1 - boxed, boxed), p), where + "a box is of no column")
            _require(_is_finite(limits) and bool(np.all(limits > 0)), where + "a limit is not finite and > 0")
        return arrays

    def _bytes(self, name: str) -> bytes:
        _require(name in self._members, f"{name} is missing")
        try:
            with self._archive.open(self._members[name]) as member:
                return member.read()
        except (OSError, struct.error, zlib.error) as error:  # offsets that point nowhere
            raise _FileError(f"{name} cannot be read ({error})") from None

    def _array(self, name: str) -> Array:
        content = self._bytes(f"{name}.npy")
        stream = io.BytesIO(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # numpy mends the headers of old Pythons; here they are malformed
                version = np.lib.format.read_magic(stream)
                _require(version == (1, 0), f"{name}.npy is not of version 1.0")
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=1000)
        except _NO_HEADER as error:
            raise _FileError(f"{name}.npy has no readable header ({error})") from None
        _require(dtype.str in _TYPES[name.split("/")[-1]], f"{name}.npy has type {dtype}")
        start = stream.tell()
        fits = len(shape) == 1 and shape[0] * dtype.itemsize == len(content) - start
        _require(fits, f"{name}.npy is not a vector as long as it says")
        return np.frombuffer(content, dtype=dtype, offset=start)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _check_fields(entry: dict[str, Any], expected: dict[str, Any], where: str, *, exact: bool = True) -> None:
    missing = sorted(set(expected) - set(entry))
    _require(not missing, f"{where} lacks {', '.join(missing)}")
    surplus = sorted(set(entry) - set(expected)) if exact else []
    _require(not surplus, f"{where} has an unknown field {', '.join(surplus)}")
    for name, kind in expected.items():
        value = entry[name]
        if kind is float:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_finite = is_number and abs(value) <= sys.float_info.max  # JSON has integers of any length
            _require(is_finite, f"{name} of {where} is not a finite number")
        else:
            right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
            _require(right, f"{name} of {where} has the wrong type")


def _check_settings(settings: dict[str, Any], data: dict[str, Any]) -> None:
    _require(data["n"] >= 1 and 1 <= data["p"] < 2**31, "n or p is out of range")
    _require(settings["loss"] == "squared", "the loss is not 'squared'")
    _require(all(settings[name] >= 0 for name in ("lambda0", "lambda1", "lambda2")), "a penalty is negative")
    columns = [*settings["include"], *settings["exclude"]]
    for group in settings["groups"]:
        _require(isinstance(group, list) and len(group) >= 2, "a group has fewer than two columns")
        columns += group
    kinds = all(isinstance(c, int) and not isinstance(c, bool) and 0 <= c < data["p"] for c in columns)
    _require(kinds, "include, exclude or groups name a column outside 0 … p-1")
    grouped = [c for group in settings["groups"] for c in group]
    _require(len(set(grouped)) == len(grouped), "the groups overlap")
    for name in ("include", "exclude"):
        chosen = set(settings[name])
        _require(len(chosen) == len(settings[name]), f"{name} names a column twice")
        whole = all(len(chosen.intersection(group)) in (0, len(group)) for group in settings["groups"])
        _require(whole, f"{name} splits a group")
    _require(not set(settings["include"]) & set(settings["exclude"]), "a column is included and excluded")


def _features(header: dict[str, Any]) -> list[str]:
    """What of version 2 a certificate uses."""
    version, features = header.get("version"), header.get("features", [])
    _require(type(version) is int and version in (1, 2), f"the version is {version!r}, not 1 or 2")
    known = isinstance(features, list) and all(feature in FEATURES for feature in features)
    fits = known and len(set(features)) == len(features) and (version == 2) == bool(features)
    _require(fits, f"the features {features!r} of version {version} are none that can be checked here")
    return list(features)


def _check_rules(settings: dict[str, Any], p: int) -> None:
    for r, rule in enumerate(settings["rules"]):
        where = f"rule {r}"
        _require(isinstance(rule, dict), f"{where} is not an object")
        _check_fields(rule, {"columns": list, "coefs": list, "limit": float}, where)
        coefs = rule["coefs"]
        _require(_are_distinct(rule["columns"], p) and len(coefs) == len(rule["columns"]), f"{where} has other columns")
        _require(all(type(a) in (int, float) for a in coefs), f"{where} has coefficients that are no numbers")
        _require(_is_small([*coefs, rule["limit"]]), f"{where} has numbers that are too large")
    singles = settings["single"]
    _require(all(group in settings["groups"] for group in singles), "single has what is not in groups")
    _require(all(singles.count(group) == 1 for group in singles), "single has a group twice")


def _is_small(numbers: list[Any]) -> bool:
    """Tell whether no sum of the numbers overflows."""
    return sum(abs(float(a)) if abs(a) <= sys.float_info.max else np.inf for a in numbers) < sys.float_info.max


def _are_distinct(columns: Any, p: int) -> bool:
    """Tell whether these are columns, each once."""
    are_numbers = all(isinstance(j, int) and not isinstance(j, bool) and 0 <= j < p for j in columns)
    return are_numbers and len(set(columns)) == len(columns)


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
