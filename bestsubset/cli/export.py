"""``bestsubset export``: the mixed-integer models of a specification's problems, for other programs to solve."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bestsubset.errors import DataError, RefusedError
from bestsubset.spelling import did_you_mean
from formulations import ProblemError
from formulations.arrays import listed

if TYPE_CHECKING:
    from bestsubset.batch.expansion import BatchRun


class Format(StrEnum):
    """How a model is written: MPS, LP, or a Python module that builds it in Pyomo."""

    MPS = "mps"
    LP = "lp"
    PYOMO = "pyomo"


_SUFFIXES = {Format.MPS: ".mps", Format.LP: ".lp", Format.PYOMO: ".py"}


def export(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.YAML", help="A specification of problems.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The model's file, or a folder (no ending) for all.")
    ],
    formulation: Annotated[str | None, typer.Option(help="Such as big-m.", show_default="the problem's")] = None,
    format: Annotated[Format | None, typer.Option(help="How to write.", show_default="by FILE's ending")] = None,
    problem: Annotated[str | None, typer.Option(metavar="NAME", help="A problem, or one of its runs.")] = None,
) -> None:
    """Write the mixed-integer model of a problem; nothing is written unless all of it can be."""
    from bestsubset.batch.plan import read_specs

    runs = _chosen(read_specs([spec]), problem)
    is_folder = output.is_dir() or not output.suffix
    kind = _format(format, output, is_folder)
    if len(runs) > 1 and not is_folder:
        raise ProblemError(
            f"{spec} has {len(runs)} runs: {listed([run.name for run in runs])}; expected one for the file {output}."
            " Choose with --problem, or give -o a folder, a name without an ending."
        )
    folder = output if is_folder else output.parent
    names = [run.name.replace("/", "_") + _SUFFIXES[kind] for run in runs] if is_folder else [output.name]
    if not is_folder and not folder.is_dir():
        raise DataError(f"{output} cannot be written ({folder} is no folder); expected a path. Make the folder first.")
    chosen = [_formulation(run, formulation) for run in runs]
    with tempfile.TemporaryDirectory(prefix="export-") as scratch:
        for run, name, stated in zip(runs, names, chosen, strict=True):
            _write(_model(run, stated), Path(scratch) / name, kind)
        _move(Path(scratch), names, folder)
    for name in names:
        typer.echo(str(folder / name))


def _chosen(runs: list[BatchRun], name: str | None) -> list[BatchRun]:
    if name is None:
        return runs
    found = [run for run in runs if name in (run.name, run.spec.name)]
    if not found:
        known = list(dict.fromkeys([*(run.spec.name for run in runs), *(run.name for run in runs)]))
        hint = did_you_mean(name, known, "Name one of these.")
        raise ProblemError(f"--problem is {name!r}; expected one of {listed(known)}. {hint}")
    return found


def _format(given: Format | None, output: Path, is_folder: bool) -> Format:
    if given is not None:
        return given
    for kind, suffix in _SUFFIXES.items():
        if output.suffix == suffix and not is_folder:
            return kind
    raise ProblemError(f"--format is not given and {output} does not end in .mps, .lp or .py; expected one. Add it.")


def _formulation(run: BatchRun, name: str | None) -> Any:
    """The formulation of the option, or the problem's own; with the problem's settings where they are the same."""
    from bestsubset.batch.members import formulation_of, formulations

    own = formulation_of(run.spec, _never)
    if name is None:
        if own is None:
            raise ProblemError(
                f"--formulation is not given and the problem {run.spec.name!r} has none; expected one of"
                f" {sorted(formulations())}. Add it."
            )
        return own
    known = formulations()
    wanted = name.replace("-", "_")
    if wanted not in known:
        hint = did_you_mean(wanted, known, "Use one of them.")
        raise ProblemError(f"--formulation is {name!r}; expected one of {sorted(known)}. {hint}")
    return own if own is not None and own.name == wanted else known[wanted]()


def _never(path: Any, message: str, at_key: bool = False) -> None:
    raise ProblemError(message)  # the specification was read without a complaint


def _model(run: BatchRun, formulation: Any) -> Any:
    from warmstarts.greedy import Greedy

    problem = run.problem()
    reason = formulation.refuses(problem)
    if reason is not None:
        raise RefusedError(f"{formulation.name} refuses {run.name}: {reason}")
    # The better the incumbent, the tighter the bounds on the coefficients that are proved from it.
    return formulation.build(problem, Greedy().coefficients(problem, run.parts.start or ()))


def _write(model: Any, path: Path, kind: Format) -> None:
    if kind is Format.PYOMO:
        from formulations.mio.pyomo_module import pyomo_module

        path.write_text(pyomo_module(model, path.stem), encoding="utf-8")
    else:
        model.write(path)


def _move(scratch: Path, names: list[str], folder: Path) -> None:
    """Bring the finished files to where they belong: each appears whole or not at all."""
    try:
        folder.mkdir(exist_ok=True)
        for name in names:
            unfinished = folder / f".{name}.part"
            unfinished.write_bytes((scratch / name).read_bytes())
            unfinished.replace(folder / name)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); expected a folder. Choose another.") from error
