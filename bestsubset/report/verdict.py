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
    names = shorten(", ".join(certificate.feature_names[j] for j in claim.support), _LONGEST_LIST, placeholder=" …")
    settings = certificate.settings
    constraints = bool(settings["include"] or settings["exclude"] or settings["groups"])
    scope = " that obeys the constraints," if constraints else ""
    given = " (given the bounds imposed on the coefficients)" if settings["bounds"] else ""
    penalised = settings["lambda0"] or settings["lambda1"] or settings["lambda2"]
    measure = "a penalised objective" if penalised else "an objective (half the residual sum of squares)"
    return (
        f"No model{scope} with at most {claim.k} of these {len(certificate.feature_names)} predictors has {measure}"
        f" below {_down(checked.dual_bound)}{given}. The one found, {names or 'without predictors'}, has at most"
        f" {_up(checked.objective)}: a proved relative gap of {_up(checked.relative_gap, 1)}."
    )


def _up(value: float, digits: int = 10) -> str:
    return _rounded(value, digits, ROUND_CEILING)


def _down(value: float) -> str:
    return _rounded(value, 10, ROUND_FLOOR)


def _rounded(value: float, digits: int, direction: str) -> str:
    """So many digits, rounded to the side on which the claim stays true."""
    return f"{float(Context(prec=digits, rounding=direction).plus(Decimal(value))):.{digits}g}"
