"""The runs of specifications, or all that is wrong with them: nothing is half done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bestsubset.batch.complaints import Complain, FieldPath, Listening
from bestsubset.batch.expansion import BatchRun, Parts, check_count, runs
from bestsubset.batch.frames import Frames
from bestsubset.batch.members import loss_of, solver_of
from bestsubset.batch.reading import Written, read_problems
from bestsubset.batch.rules import constraints
from bestsubset.batch.spec import ProblemSpec
from bestsubset.batch.table import Table, table
from bestsubset.errors import Complaint, SpecError
from bestsubset.solvers import default_for
from formulations import Problem, ProblemError
from formulations.arrays import listed

# Where in a specification the fault lies, by the first word of the problem's own message.
_FIELD_OF: dict[str, FieldPath] = {
    "X": ("data",),
    "y": ("data",),
    "sample_weight": ("data", "weights"),
    "constraints": ("constraints",),
    "Include": ("constraints",),
}


def read_specs(paths: Iterable[Path | str], *, ask_solvers: bool = False) -> list[BatchRun]:
    """Read specifications with their data and return their runs, in the order written.

    Parameters
    ----------
    paths : iterable of paths
        YAML files, each with ``problems`` and perhaps ``defaults``.
    ask_solvers : bool
        Also count it as wrong where a solver refuses a run.

    Raises
    ------
    SpecError
        If anything is wrong in any of the files: all of it, a line each.
    """
    complaints: list[Complaint] = []
    tables = _Tables()
    planned: list[BatchRun] = []
    for written in read_problems([Path(path) for path in paths], complaints):
        planned.extend(_plan(written, tables, ask_solvers))
    if complaints:
        raise SpecError(complaints)
    return planned


class _Tables:
    """The tables of a batch: problems that state the same data share one."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._known: dict[tuple[Path, str], Table] = {}

    def of(self, written: Written, complain: Complain) -> Table | None:
        data = written.spec.data
        key = (written.folder, data.model_dump_json())
        if key not in self._known:
            frame = self._frames.read(data, written.folder, complain)
            made = None if frame is None else table(frame, data, complain)
            if made is None:
                return None
            self._known[key] = made
        return self._known[key]


def _plan(written: Written, tables: _Tables, ask_solvers: bool) -> list[BatchRun]:
    """Return the runs of one problem; none after a complaint."""
    spec, complain = written.spec, Listening(written.source.complain)
    losses = loss_of(spec, complain)
    solver = solver_of(spec, complain)
    check_count(spec, complain)
    data = tables.of(written, complain)
    if data is None:
        return []
    rules = constraints(spec.constraints, data.names, complain)
    start = _start(spec.start, data, complain)
    _check_sizes(spec, len(data.design.names), complain)
    if complain.heard() or losses is None:
        return []
    planned = list(runs(Parts(written.source.file, spec, data, rules, tuple(losses), solver, start)))
    _check_statement(planned, complain)
    if ask_solvers and not complain.heard():
        _ask_solver(planned, complain)
    return [] if complain.heard() else planned


def _start(start: list[str] | None, data: Table, complain: Complain) -> tuple[int, ...] | None:
    if start is None:
        return None
    return tuple(sorted(data.names.places(data.names.expand(start, ("start",), complain))))


def _check_sizes(spec: ProblemSpec, p: int, complain: Complain) -> None:
    if spec.k is None:
        if 0.0 in spec.lambda0:
            field = "lambda0" if "lambda0" in spec.model_fields_set else "name"
            complain((field,), "k is not given and lambda0 is 0; expected a bound k or a price lambda0 > 0. Set one.")
        return
    too_large = [(number, k) for number, k in enumerate(spec.k) if k > p]
    if too_large:
        number, k = too_large[0]
        complain(("k", number), f"k is {k}; expected at most {p}, the columns of the data. Lower it.")


def _check_statement(planned: list[BatchRun], complain: Complain) -> None:
    """State the problem of the largest size, and the same with each of the others: the rest was checked by field."""
    sizes = planned[0].spec.k
    try:
        problem = replace(planned[0], k=None if sizes is None else max(sizes)).problem()
    except ProblemError as error:
        complain(_FIELD_OF.get(str(error).split()[0], ("name",)), str(error))
        return
    for number, k in enumerate(sizes or []):
        try:
            problem.with_k(k)
        except ProblemError as error:
            complain(("k", number), str(error))


def _ask_solver(planned: list[BatchRun], complain: Complain) -> None:
    """Ask the solver about the least and the largest size of each combination of the rest."""
    refused: list[tuple[str, str]] = []
    for problem, run in _extremes(planned):
        solver = run.solver or default_for(problem)
        reason = solver.refuses(problem)
        if reason is not None:
            refused.append((run.name, reason))
    if refused:
        names = listed([name for name, _ in refused])
        where = "solver" if planned[0].spec.solver is not None else "name"
        complain((where,), f"{solver.name} refuses {names}: {refused[0][1]}")


def _extremes(planned: list[BatchRun]) -> Iterator[tuple[Problem, BatchRun]]:
    """Yield the runs of the least and of the largest size for each combination of the rest, which is stated once."""
    sizes = planned[0].spec.k
    ends = [0] if sizes is None else sorted({sizes.index(min(sizes)), sizes.index(max(sizes))})
    for first in range(0, len(planned), len(sizes or [None])):
        problem = planned[first + ends[0]].problem()
        yield problem, planned[first + ends[0]]
        for end in ends[1:]:
            run = planned[first + end]
            yield problem if run.k is None else problem.with_k(run.k), run
