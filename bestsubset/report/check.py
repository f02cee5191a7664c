"""What a report finds out about a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """The outcome of a check."""

    VALID = "valid"  # the checker accepts it on the data
    REFUSED = "refused"  # it does not prove what it should
    UNCHECKED = "not checked"  # the data it is about are not to be had
    NONE = "none"  # there is no certificate


@dataclass(frozen=True)
class Check:
    """A finding, and the sentences about it."""

    finding: Finding
    text: str = ""
