"""What a check of a certificate says."""

from __future__ import annotations

import math
from dataclasses import dataclass


class MalformedCertificate(ValueError):  # noqa: N818 - the name says what is wrong
    """The file is not a certificate: ``{file}: {what}``."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of `verify`.

    Attributes
    ----------
    valid : bool
        Whether every claim of the certificate is proved, on the data given.
    objective : float
        The objective of the incumbent is at most this: proved. NaN where that is not proved.
    dual_bound : float
        No feasible model has an objective below this: proved. NaN where that is not proved.
    relative_gap : float
        ``(objective - dual_bound) / objective`` of the two.
    reason : str
        Why the certificate is refused, with the path of the leaf; empty if valid.
    claims : tuple of Verdict
        One for each size of a path; the figures above are those of the first that fails, or of the last.
    leaves, exact_leaves : int
        Leaves checked, and how many of them needed rational arithmetic.
    seconds : float
    """

    valid: bool
    objective: float = math.nan
    dual_bound: float = math.nan
    relative_gap: float = math.nan
    reason: str = ""
    claims: tuple[Verdict, ...] = ()
    leaves: int = 0
    exact_leaves: int = 0
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return self.valid
