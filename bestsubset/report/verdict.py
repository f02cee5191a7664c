"""The sentence of proof: what a checked certificate says, with the numbers that were proved."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from textwrap import shorten

from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.verdict import Verdict

_LONGEST_LIST = 200


def verdict_report(certificate: Certificate, verdict: Verdict) -> str:
    """Return a line for each claim that was checked, and one for the whole."""
    if not verdict.valid:
        return f"Refused: {verdict.reason}"
    lines = [
        _claim(certificate, claim, checked) for claim, checked in zip(certificate.claims, verdict.claims, strict=True)
    ]
    exact = f", {verdict.exact_leaves} of them in rational arithmetic" if verdict.exact_leaves else ""
    seconds = f"{verdict.seconds:.3f} s"
    lines.append(f"Valid. {verdict.leaves} leaves checked{exact}, all rounding accounted for, in {seconds}.")
    return "\n".join(lines)


def _claim(certificate: Certificate, claim: Claim, checked: Verdict) -> str:
    settings = certificate.settings
    names = [certificate.feature_names[j] for j in claim.support]
    model = shorten(", ".join(names) or "without predictors", _LONGEST_LIST, placeholder=" …")
    constraints = bool(settings["include"] or settings["exclude"] or settings["groups"])
    obedient = " that obeys the constraints," if constraints else ""
    given = " (given the bounds imposed on the coefficients)" if settings["bounds"] else ""
    penalised = settings["lambda0"] or settings["lambda1"] or settings["lambda2"]
    measure = "a penalised objective" if penalised else "an objective (half the residual sum of squares)"
    # A list is about the places of one size, unless smaller ones may be better for their price (FORMAT.md, section 1).
    is_list = bool(len(claim.listed))
    size = "exactly" if is_list and not (settings["lambda0"] or settings["groups"]) else "at most"
    outside = " outside the list" if is_list else ""
    gap = "" if is_list else f": a proved relative gap of {_up(checked.relative_gap, 1)}"
    return (
        f"No model{outside}{obedient} with {size} {claim.k} of these {len(certificate.feature_names)} predictors"
        f" has {measure} below {_down(checked.dual_bound)}{given}."
        f" The one found, {model}, has at most {_up(checked.objective)}{gap}."
    )


def _up(value: float, digits: int = 10) -> str:
    return _rounded(value, digits, ROUND_CEILING)


def _down(value: float) -> str:
    return _rounded(value, 10, ROUND_FLOOR)


def _rounded(value: float, digits: int, direction: str) -> str:
    """So many digits, rounded to the side on which the claim stays true."""
    return f"{float(Context(prec=digits, rounding=direction).plus(Decimal(value))):.{digits}g}"
