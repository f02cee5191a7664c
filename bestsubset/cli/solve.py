"""``bestsubset solve``: a CSV file in, the best model and what is proved of it out."""

from __future__ import annotations

import math
from pathlib import Path as FilePath
from typing import Annotated, Any

import typer

from bestsubset.api import best_path, best_subset
from bestsubset.cli.data import read_table
from bestsubset.cli.output import as_json
from bestsubset.errors import DataError, RefusedError
from bestsubset.path import Path
from bestsubset.report.summary import path_table
from bestsubset.result import Result
from bestsubset.status import Status
from formulations import Constraint, Exclude, Group, Include, ProblemError


def solve(
    data: Annotated[FilePath, typer.Argument(metavar="DATA.CSV", help="A CSV file with a header line.")],
    target: Annotated[str | None, typer.Option(help="The response's column.", show_default="the last column")] = None,
    k: Annotated[int | None, typer.Option("-k", "--k", help="At most this many predictors.")] = None,
    k_max: Annotated[int | None, typer.Option(help="The best model of every size up to this one.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds of wall time.")] = None,
    lambda0: Annotated[float, typer.Option(help="Price of each predictor.")] = 0.0,
    lambda1: Annotated[float, typer.Option(help="Weight of the absolute coefficients.")] = 0.0,
    lambda2: Annotated[float, typer.Option(help="Weight of the squared coefficients.")] = 0.0,
    gap: Annotated[float, typer.Option(help="Relative gap at which to stop.")] = 1e-6,
    solver: Annotated[str | None, typer.Option(help="Name of a solver.", show_default="branch_and_bound")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.", show_default="all cores")] = None,
    standardize: Annotated[bool, typer.Option("--standardize", help="Penalise standardised coefficients.")] = False,
    no_intercept: Annotated[bool, typer.Option("--no-intercept", help="Fit through the origin.")] = False,
    lower: Annotated[float | None, typer.Option(help="Bound imposed on every coefficient, at most 0.")] = None,
    upper: Annotated[float | None, typer.Option(help="Bound imposed on every coefficient, at least 0.")] = None,
    weights: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of weights of the rows.")] = None,
    include: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column in every model.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column in no model.")] = None,
    group: Annotated[list[str] | None, typer.Option(metavar="A,B,C", help="Columns in or out together.")] = None,
    certificate: Annotated[
        FilePath | None, typer.Option(metavar="FILE", help="Write the certificate of the answer here.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object, not tables.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the warm starts.")] = 0,
) -> None:
    """Find the best model with at most k predictors, and prove that there is none better."""
    if k is not None and k_max is not None:
        raise ProblemError(f"-k is {k} and --k-max is {k_max}; expected one of the two. Drop -k for the whole path.")
    if certificate is not None and not certificate.parent.is_dir():  # said before the search, not after it
        raise DataError(
            f"{certificate} cannot be written ({certificate.parent} is no folder); expected a path for the certificate."
            " Choose another path."
        )
    table = read_table(data, target, weights)
    settings: dict[str, Any] = {
        "lambda0": lambda0,
        "lambda1": lambda1,
        "lambda2": lambda2,
        "bounds": _bounds(lower, upper),
        "constraints": _constraints(include or [], exclude or [], group or []),
        "fit_intercept": not no_intercept,
        "standardize": standardize,
        "sample_weight": table.sample_weight,
        "solver": solver,
        "time_limit": time_limit,
        "gap": gap,
        "threads": threads,
        "random_state": seed,
        "certificate": certificate is not None,
        "progress": not quiet,
    }
    answer: Result | Path
    if k_max is None:
        answer = best_subset(table.X, table.y, k, **settings)
    else:
        answer = best_path(table.X, table.y, k_max, **settings)
    if json:
        typer.echo(as_json(answer))
    else:
        typer.echo(str(answer.summary()) if isinstance(answer, Result) else _path_report(answer))
    if certificate is not None:
        _save(answer, certificate)
    raise typer.Exit(0 if _is_proved(answer) else 1)


def _save(answer: Result | Path, target: FilePath) -> None:
    if answer.certificate is None:
        raise RefusedError(
            f"--certificate is {target}; expected an answer with a certificate, and this one has none."
            " Let branch_and_bound solve the problem; it needs a ridge, bounds, or more rows than columns."
        )
    try:
        answer.certificate.save(target)
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error.strerror}); expected a path for the certificate. Choose another path."
        ) from error


def _bounds(lower: float | None, upper: float | None) -> tuple[float, float] | None:
    if lower is None and upper is None:
        return None
    return (-math.inf if lower is None else lower, math.inf if upper is None else upper)


def _constraints(include: list[str], exclude: list[str], groups: list[str]) -> list[Constraint]:
    constraints: list[Constraint] = []
    if include:
        constraints.append(Include(include))
    if exclude:
        constraints.append(Exclude(exclude))
    constraints.extend(Group([name.strip() for name in group.split(",") if name.strip()]) for group in groups)
    return constraints


def _path_report(path: Path) -> str:
    return "\n".join([path_table(path), "", *(result.statement() for result in path.values())])


def _is_proved(answer: Result | Path) -> bool:
    results = [answer] if isinstance(answer, Result) else answer.values()
    return all(result.status is Status.OPTIMAL for result in results)
