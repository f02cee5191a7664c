"""The command ``bestsubset``: results on stdout, talk on stderr, the answer in the exit code.

0: proved optimal, or valid; 1: stopped with a gap; 2: bad input, or refused; 3: a certificate that does not hold.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer

from bestsubset import __version__
from bestsubset.certificates.verdict import MalformedCertificate
from bestsubset.cli.export import export
from bestsubset.cli.report import report
from bestsubset.cli.run import run as run_specs
from bestsubset.cli.solve import solve
from bestsubset.cli.specs import check, schema
from bestsubset.cli.verify import verify
from bestsubset.errors import RefusedError, SpecError
from formulations import ProblemError

STOPPED, BAD_INPUT = 1, 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(solve)
app.command()(verify)
app.command("run")(run_specs)
app.command()(report)
app.command()(check)
app.command()(export)
app.command()(schema)

# The base of typer's usage errors: click's, whether click is a package of its own or a part of typer.
_UsageError: Any = typer.BadParameter.__mro__[1]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bestsubset {__version__}")
        raise typer.Exit(0)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Best subset selection, with the bound, the gap and the proof."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters is no reason to fail
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = app(arguments, standalone_mode=False)
    except SpecError as error:
        typer.echo(str(error), err=True)  # each line begins with its place, as those of a compiler do
        return BAD_INPUT
    except (ProblemError, RefusedError, MalformedCertificate) as error:
        return _refused(str(error))
    except _UsageError as error:
        return _refused(f"{error.format_message().rstrip('.')}. See bestsubset --help.")
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("error: interrupted before there was an answer.", err=True)
        return STOPPED
    return int(code or 0)


def _refused(message: str) -> int:
    typer.echo(f"error: {message}", err=True)
    return BAD_INPUT
