"""A certificate in memory and on disk; FORMAT.md specifies it. Shares nothing with the search."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bestsubset.certificates.header import FORMAT
from bestsubset.certificates.reading import BOX_ARRAYS, CLAIM_ARRAYS, HEADER, Array, read
from bestsubset.certificates.verdict import MalformedCertificate, Verdict


@dataclass(frozen=True, eq=False)
class Claim:
    """One answer and its tree: the incumbent, the bound, and what proves it (FORMAT.md, sections 1 to 3)."""

    k: int
    objective: float
    dual_bound: float
    support: Array
    coef: Array
    listed: Array
    diagonal: Array
    tree: Array
    offsets: Array
    columns: Array
    values: Array
    boxed: Array = field(default_factory=partial(np.zeros, 0, dtype=np.int32))
    limits: Array = field(default_factory=partial(np.zeros, 0))
    model: tuple[int, ...] | None = None  # where there are rules: the places of the incumbent
    together: int = 0  # with a loss that has kinks: how many of the boxes are proved together


@dataclass(eq=False)
class Certificate:
    """Claims about one set of data, with their proofs.

    Attributes
    ----------
    data_source : dict, or callable that returns it
        The digests of the data: hashing waits until somebody asks for `data`.
    settings : dict
        The problem; see FORMAT.md.
    feature_names : sequence of str
    claims : tuple of Claim
        One, or one for each size of a path.
    lower, upper : arrays of shape (p,), or None
        The bounds that the user imposed.
    software : str
    verdict : Verdict or None
        What the last check of this certificate said.
    """

    data_source: dict[str, Any] | Callable[[], dict[str, Any]]
    settings: dict[str, Any]
    feature_names: Sequence[str]
    claims: tuple[Claim, ...]
    lower: Array | None = None
    upper: Array | None = None
    software: str = ""
    verdict: Verdict | None = field(default=None, compare=False)

    @cached_property
    def data(self) -> dict[str, Any]:
        """Shape and digests of the data."""
        return self.data_source() if callable(self.data_source) else self.data_source

    def __getstate__(self) -> dict[str, Any]:
        # What waits for somebody to ask for the digests holds the data, and cannot be pickled.
        return {**self.__dict__, "data_source": self.data}

    @property
    def digest(self) -> str:
        """SHA-256 over data, settings and bounds: what problem this is about."""
        return problem_digest(self.data, self.settings, self.lower, self.upper)

    @property
    def features(self) -> list[str]:
        """What of version 2 the certificate uses; nothing in version 1."""
        has_boxes = any(len(claim.boxed) for claim in self.claims)
        return ["boxes"] * has_boxes + ["dual"] * ("tau" in self.settings) + ["rules"] * ("rules" in self.settings)

    @property
    def version(self) -> int:
        """The oldest version of the format that can say this."""
        return 2 if self.features else 1

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(getattr(claim, name).nbytes for claim in self.claims for name in CLAIM_ARRAYS + BOX_ARRAYS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the certificate to a file; an old file is replaced only when the new one is complete."""
        target = Path(path)
        unfinished = target.with_name(target.name + ".part")
        try:
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(HEADER, json.dumps(self._header(), ensure_ascii=False, indent=1))
                for name, array in self._members():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        content = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
                        np.lib.format.write_array(member, content, version=(1, 0), allow_pickle=False)
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Certificate:
        """Read a certificate.

        Raises
        ------
        MalformedCertificate
            If the file is not one; the message names the file and what is wrong. Whether the proof holds is a
            question for `verify`.
        OSError
            If the file cannot be read.
        """
        contents = read(path)
        header = contents.header
        claims = tuple(
            Claim(
                entry["k"],
                float(entry["objective"]),
                float(entry["dual_bound"]),
                **arrays,
                model=_model(entry),
                together=entry.get("together", 0),
            )
            for entry, arrays in zip(header["claims"], contents.claims, strict=True)
        )
        certificate = cls(
            header["data"], header["settings"], tuple(header["feature_names"]), claims, contents.lower, contents.upper,
            header.get("software", ""),
        )  # fmt: skip
        if header["digest"] != certificate.digest:
            raise MalformedCertificate(f"{os.fspath(path)}: the digest is not that of its data and settings")
        return certificate

    def _header(self) -> dict[str, Any]:
        features = self.features
        return {
            "format": FORMAT,
            "version": self.version,
            **({"features": features} if features else {}),
            "software": self.software,
            "digest": self.digest,
            "data": self.data,
            "settings": self.settings,
            "feature_names": list(self.feature_names),
            "claims": [_entry(claim, features) for claim in self.claims],
        }

    def _members(self) -> list[tuple[str, Array]]:
        bounds = [] if self.lower is None or self.upper is None else [("lower", self.lower), ("upper", self.upper)]
        return bounds + [
            (f"{number}/{name}", getattr(claim, name))
            for number, claim in enumerate(self.claims)
            for name in CLAIM_ARRAYS + BOX_ARRAYS * ("boxes" in self.features)
        ]


def _entry(claim: Claim, features: list[str]) -> dict[str, Any]:
    """A claim in the header."""
    entry: dict[str, Any] = {"k": claim.k, "objective": claim.objective, "dual_bound": claim.dual_bound}
    if claim.model is not None:
        entry["model"] = list(claim.model)
    return {**entry, "together": claim.together} if "dual" in features else entry


def _model(entry: dict[str, Any]) -> tuple[int, ...] | None:
    return tuple(entry["model"]) if "model" in entry else None


def array_digest(array: Array) -> str:
    """SHA-256 over the shape and the float64 values, row by row (FORMAT.md, section 2)."""
    sha = hashlib.sha256((" ".join(str(size) for size in array.shape) + "\n").encode())
    step = max(1, 2**24 // max(1, array[:1].size))
    for start in range(0, len(array), step):
        sha.update(np.ascontiguousarray(array[start : start + step], dtype="<f8").data)
    return sha.hexdigest()


def problem_digest(data: dict[str, Any], settings: dict[str, Any], lower: Array | None, upper: Array | None) -> str:
    """SHA-256 over the canonical JSON of data and settings, and the bounds (FORMAT.md, section 2)."""
    text = json.dumps({"data": data, "settings": settings}, sort_keys=True, separators=(",", ":"))
    sha = hashlib.sha256(text.encode())
    for bound in (lower, upper):
        if bound is not None:
            sha.update(np.ascontiguousarray(bound, dtype="<f8").data)
    return sha.hexdigest()
