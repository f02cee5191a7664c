"""Specifications: files of problems, each read with the file's defaults under it, and every complaint kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from bestsubset.batch.complaints import FieldPath
from bestsubset.batch.spec import ProblemSpec
from bestsubset.batch.wording import complain_of, shown
from bestsubset.batch.yaml_file import Mark, Node, read
from bestsubset.errors import Complaint, SpecError
from bestsubset.spelling import did_you_mean

_FIELDS = ("defaults", "problems")
# What a problem's own field puts out of force in the defaults: a file goes instead of a data set, and a solver brings
# its own settings, not those of another.
_ALTERNATIVES = {name: frozenset({name}) for name in ("k", "solver", "formulation", "backend", "budget")}
_ALTERNATIVES |= {name: frozenset({"file", "dataset"}) for name in ("file", "dataset")}


@dataclass(eq=False)
class Source:
    """The text of a problem, which knows where each of its fields stands; ``complaints`` are shared by all files."""

    file: Path
    label: str
    node: Node
    complaints: list[Complaint]
    from_defaults: frozenset[Mark] = field(default_factory=frozenset)

    def complain(self, path: FieldPath, message: str, at_key: bool = False) -> None:
        """Note what is wrong with a field; what stems from the defaults is theirs, and told once."""
        mark = self.node.locate(path, at_key)
        label = "defaults" if mark in self.from_defaults else self.label
        text = f"{label}: {message}" if label else message
        self.complaints.append(Complaint(str(self.file), mark.line, mark.column, text))


@dataclass(frozen=True, eq=False)
class Written:
    """A problem that was read, beside its text."""

    spec: ProblemSpec
    source: Source

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.source.file.parent


def read_problems(paths: Iterable[Path], complaints: list[Complaint]) -> list[Written]:
    """Return the problems of all files that are written as they must be; add what is wrong to ``complaints``."""
    problems: list[Written] = []
    named: dict[object, Source] = {}
    for path in paths:
        try:
            root = read(path)
        except SpecError as error:
            complaints.extend(error.complaints)
            continue
        for source in _sources(path, root, complaints):
            _check_name(source, named)
            spec = _spec(source)
            if spec is not None:
                problems.append(Written(spec, source))
    return problems


def _sources(path: Path, root: Node, complaints: list[Complaint]) -> list[Source]:
    """Part a file into its problems."""
    whole = Source(path, "", root, complaints)
    if not isinstance(root.value, dict):
        whole.complain((), f"the file is {_kind(root)}; expected the field 'problems', a list. Write it.")
        return []
    for name in root.value:
        if name not in _FIELDS:
            hint = did_you_mean(name, _FIELDS, "Fields: defaults, problems.")
            if name in ProblemSpec.model_fields:
                hint = "It belongs in a problem, or in defaults."
            whole.complain((name,), f"field {name!r} is unknown. {hint}", at_key=True)
    defaults = _defaults(path, root.value.get("defaults"), complaints)
    problems = root.value.get("problems")
    if problems is None:
        whole.complain((), "field 'problems' is missing; expected a list of problems. Add it.")
        return []
    if not isinstance(problems.value, list) or not problems.value:
        whole.complain(("problems",), f"problems is {_kind(problems)}; expected a list of problems. Begin each with -.")
        return []
    marks = frozenset() if defaults is None else frozenset(defaults.marks())
    return [
        Source(
            path,
            _label(node, number),
            node if defaults is None else node.over(defaults, _ALTERNATIVES),
            complaints,
            marks,
        )
        for number, node in enumerate(problems.value, 1)
    ]


def _label(node: Node, number: int) -> str:
    name = node.child("name")
    return f"problem {name.value!r}" if name is not None and isinstance(name.value, str) else f"problem {number}"


def _defaults(path: Path, node: Node | None, complaints: list[Complaint]) -> Node | None:
    """Check the defaults by themselves: what no problem takes from them may be wrong as well."""
    if node is None:
        return None
    source = Source(path, "defaults", node, complaints)
    if not isinstance(node.value, dict):
        source.complain((), f"defaults is {_kind(node)}; expected fields of problems. Write some, or drop it.")
        return None
    if "name" in node.value:
        source.complain(("name",), "field 'name' is given; expected it in each problem alone. Drop it.", at_key=True)
        return None
    try:
        ProblemSpec.model_validate(node.plain())
    except ValidationError as error:
        complain_of(error, node.plain(), source.complain, with_missing=False)
    return node


def _spec(source: Source) -> ProblemSpec | None:
    if not isinstance(source.node.value, dict):
        source.complain((), f"it is {_kind(source.node)}; expected the fields of a problem. Write them.")
        return None
    try:
        return ProblemSpec.model_validate(source.node.plain())
    except ValidationError as error:
        complain_of(error, source.node.plain(), source.complain)
        return None


def _check_name(source: Source, named: dict[object, Source]) -> None:
    name = source.node.child("name")
    if name is None or not isinstance(name.value, str):
        return
    first = named.setdefault(name.value, source)
    if first is not source:
        line = first.node.locate(("name",)).line
        source.complain(
            ("name",), f"name is {name.value!r}, as in {first.file}:{line}; expected distinct names. Rename one."
        )


def _kind(node: Node) -> str:
    if isinstance(node.value, list):
        return "a list" if node.value else "an empty list"
    return shown(node.plain())
