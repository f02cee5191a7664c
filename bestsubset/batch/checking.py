"""The certificates of a folder of results, checked now, from the data of the specifications they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bestsubset.api import verify
from bestsubset.batch.expansion import BatchRun
from bestsubset.batch.ledger import Row
from bestsubset.batch.plan import read_specs
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import MalformedCertificate
from bestsubset.errors import SpecError
from bestsubset.report.check import Check, Finding
from bestsubset.report.verdict import verdict_report
from formulations import Problem


def check_certificates(folder: Path, rows: Sequence[Row]) -> Iterator[Check]:
    """Yield what is found about the certificate of each row, in their order."""
    runs: dict[str, dict[str, BatchRun] | str] = {}
    for row in rows:
        if row["certificate"] is None:
            yield Check(Finding.NONE)
            continue
        if row["spec"] not in runs:
            runs[row["spec"]] = _runs(folder / row["spec"])
        known = runs[row["spec"]]
        if isinstance(known, str):
            yield Check(Finding.UNCHECKED, known)
        else:
            yield _checked(folder / row["certificate"], row, known.get(row["name"]))


def _runs(spec: Path) -> dict[str, BatchRun] | str:
    """The runs of a specification by name, or what is wrong with it."""
    try:
        return {run.name: run for run in read_specs([spec])}
    except SpecError as error:
        return f"the specification or its data cannot be read: {error.complaints[0]}"


def _checked(path: Path, row: Row, run: BatchRun | None) -> Check:
    problem = None if run is None else run.problem()
    if problem is None or problem.digest != row["problem_digest"]:
        return Check(Finding.UNCHECKED, "the specification or its data have changed since the run")
    try:
        certificate = Certificate.load(path)
    except (OSError, MalformedCertificate) as error:
        return Check(Finding.REFUSED, f"the certificate cannot be read: {error}")
    if not _is_about(certificate, row, problem):
        return Check(Finding.REFUSED, "the certificate is not that of this run")
    verdict = verify(certificate, problem.X, problem.y, problem.sample_weight)
    return Check(Finding.VALID if verdict.valid else Finding.REFUSED, verdict_report(certificate, verdict))


def _is_about(certificate: Certificate, row: Row, problem: Problem) -> bool:
    """Tell whether a certificate claims what the row says; that it is about these data, the checker finds out."""
    if certificate.digest != row["certificate_digest"] or len(certificate.claims) != 1:
        return False
    (claim,) = certificate.claims
    return (
        claim.k == problem.max_cardinality
        and np.array_equal(claim.support, row["support"])
        and claim.dual_bound >= row["dual_bound"]
    )
