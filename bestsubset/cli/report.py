"""``bestsubset report``: what a batch has found, as one page and as tables, its certificates checked anew."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bestsubset.cli.verify import REFUSED
from bestsubset.errors import DataError

PAGE = "report.html"


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What bestsubset run has written.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Write FOLDER/report.html, results.csv and, with pyarrow, results.parquet; check all certificates anew.

    The data are read from the specifications that were run. Leaves with 0, or with 3 if a certificate does not hold.
    """
    from bestsubset.batch.checking import check_certificates
    from bestsubset.batch.ledger import read_rows
    from bestsubset.report.batch_page import batch_page
    from bestsubset.report.batch_table import batch_table
    from bestsubset.report.check import Finding

    rows = read_rows(folder)
    checks = []
    for number, check in enumerate(check_certificates(folder, rows), 1):
        checks.append(check)
        if not quiet and (number == len(rows) or number % 50 == 0):
            print(f"{number}/{len(rows)} runs looked at", file=sys.stderr, flush=True)
    table = batch_table(rows, checks)
    page = folder / PAGE
    try:
        page.write_text(batch_page(f"Best subsets: {folder.resolve().name}", rows, checks), encoding="utf-8")
        table.to_csv(folder / "results.csv", index=False)
        if find_spec("pyarrow") is not None:
            table.to_parquet(folder / "results.parquet", index=False)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written ({error.strerror}); expected a folder. Check its rights."
        ) from error
    for row, check in zip(rows, checks, strict=True):
        if check.finding in (Finding.REFUSED, Finding.UNCHECKED):
            print(f"{row['name']}: certificate {check.finding}: {check.text}", file=sys.stderr)
    typer.echo(str(page))
    raise typer.Exit(REFUSED if any(check.finding is Finding.REFUSED for check in checks) else 0)
