"""``bestsubset verify``: a certificate and the data in, the sentence of proof out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bestsubset.api import verify as check
from bestsubset.certificates.certificate import Certificate
from bestsubset.cli.data import read_table
from bestsubset.errors import DataError
from bestsubset.report.verdict import verdict_report

REFUSED = 3


def verify(
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="What solve --certificate wrote.")],
    data: Annotated[Path, typer.Argument(metavar="DATA.CSV", help="The CSV file that was solved.")],
    target: Annotated[str | None, typer.Option(help="The response's column.", show_default="the last column")] = None,
    weights: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of weights of the rows.")] = None,
) -> None:
    """Check a certificate against the data it is about, with every rounding accounted for.

    Leaves with 0 if it is valid, 3 if it is refused, 2 if it is no certificate or the data cannot be read.
    """
    try:
        proof = Certificate.load(certificate)
    except OSError as error:
        raise DataError(
            f"{certificate} is unreadable ({error.strerror}); expected a certificate. Check the path and its rights."
        ) from error
    table = read_table(data, target, weights)
    verdict = check(proof, table.X, table.y, table.sample_weight)
    typer.echo(verdict_report(proof, verdict))
    raise typer.Exit(0 if verdict.valid else REFUSED)
