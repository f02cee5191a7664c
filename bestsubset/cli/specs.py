"""``bestsubset check`` and ``bestsubset schema``: what a specification may hold, and whether this one does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def check(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC.YAML…", help="Specifications of problems.")],
) -> None:
    """Check specifications with their data, and whether the solvers take the problems; solve nothing.

    Says all that is wrong in all of the files, a line each, and leaves with 2 if anything is.
    """
    from bestsubset.batch.plan import read_specs  # the schema's library is loaded with the command alone

    runs = read_specs(specs, ask_solvers=True)
    first = {run.spec.name: run for run in reversed(runs)}
    for name in dict.fromkeys(run.spec.name for run in runs):
        table = first[name].parts.table
        count = sum(run.spec.name == name for run in runs)
        rows, columns = table.design.X.shape
        dropped = f", {table.n_dropped} rows dropped" if table.n_dropped else ""
        typer.echo(f"{name}: {_counted(count, 'run')}, n = {rows}, p = {columns}{dropped}")
    typer.echo(f"{_counted(len(first), 'problem')}, {_counted(len(runs), 'run')}: nothing is wrong.")


def schema() -> None:
    """Print the JSON Schema of specifications, for editors that check as one writes."""
    from bestsubset.batch.schema import json_schema

    typer.echo(json.dumps(json_schema(), allow_nan=False, ensure_ascii=False, indent=2))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
