"""Losses, solvers, formulations and backends of a specification: found by name in their folders when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib import import_module
from inspect import getmembers, isabstract, isclass
from pkgutil import iter_modules
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from bestsubset import solvers
from bestsubset.batch.complaints import Complain, FieldPath
from bestsubset.batch.spec import Member, ProblemSpec
from bestsubset.batch.wording import rule_of, shown
from bestsubset.solvers import Solver
from bestsubset.spelling import did_you_mean
from formulations import Loss, ProblemError
from formulations.losses import interface as loss_folder

M = TypeVar("M")
_LIMITS = ("node_limit", "memory_limit")  # those that are the solver's own; the others belong to every run


@cache
def losses() -> dict[str, type[Loss]]:
    """Every loss by its name."""
    return loss_folder.members()


def formulations() -> dict[str, type[Any]]:
    """Every formulation by its name."""
    return _scanned("formulations.mio", "Formulation")


def backends() -> dict[str, type[Any]]:
    """Every backend by its name."""
    return _scanned("bestsubset.backends", "Backend")


@cache
def _scanned(package: str, base: str) -> dict[str, type[Any]]:
    """Scan a folder for the members of its interface."""
    kind = getattr(import_module(f"{package}.interface"), base)
    found: dict[str, type[Any]] = {}
    for module in iter_modules(import_module(package).__path__, package + "."):
        for _, cls in getmembers(import_module(module.name), isclass):
            if issubclass(cls, kind) and not isabstract(cls) and hasattr(cls, "name"):
                found[cls.name] = cls
    return found


def loss_of(spec: ProblemSpec, complain: Complain) -> list[Loss] | None:
    """Return the loss, once for each ``tau``; None after a complaint."""
    known = losses()
    if spec.loss not in known:
        hint = did_you_mean(spec.loss, known, "Use one of them.")
        complain(("loss",), f"loss is {spec.loss!r}; expected one of {sorted(known)}. {hint}")
        return None
    cls: type[Any] = known[spec.loss]
    if spec.tau is None:
        return [cls()]
    if "tau" not in _field_names(cls):
        complain(("tau",), f"tau is given and the loss {spec.loss!r} has none; expected 'quantile'. Drop tau.")
        return None
    return [cls(tau=tau) for tau in spec.tau]


def solver_of(spec: ProblemSpec, complain: Complain) -> Solver | None:
    """Return the solver with its settings and limits, its formulation and backend; None where none is named."""
    parts = _parts(spec, complain)
    limits = {name: getattr(spec.limits, name) for name in _LIMITS if getattr(spec.limits, name) is not None}
    if spec.solver is None:
        for name, value in limits.items():
            complain(
                ("limits", name),
                f"limits.{name} is {shown(value)} and no solver is named; expected one with that limit."
                " Name one, such as solver: branch_and_bound.",
            )
        if "backend" in parts:
            complain(("backend",), "backend is given without a solver that has one; expected one. Add solver: mio.")
        return None
    cls = class_of(spec.solver, solvers.members(), ("solver",), complain)
    if cls is None:
        return None
    own = _field_names(cls)
    given = {("limits", name): value for name, value in limits.items()} | {(n,): part for n, part in parts.items()}
    for path, value in given.items():
        if path[-1] not in own:
            what = f"{'.'.join(path)} is {shown(getattr(value, 'name', value))}"
            complain(path, f"{what} and the solver {cls.name!r} has no {path[-1]}; expected none. Drop it.")
    extra = {path[-1]: value for path, value in given.items() if path[-1] in own}
    made = instance(cls, spec.solver, ("solver",), complain, extra)
    return made if isinstance(made, Solver) else None


def formulation_of(spec: ProblemSpec, complain: Complain) -> Any:
    """Return the formulation with its settings, or None where there is none."""
    return _named(spec.formulation, formulations(), ("formulation",), complain) if spec.formulation else None


def _parts(spec: ProblemSpec, complain: Complain) -> dict[str, Any]:
    parts = {
        "formulation": formulation_of(spec, complain),
        "backend": _named(spec.backend, backends(), ("backend",), complain) if spec.backend else None,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _named(member: Member, known: Mapping[str, type[Any]], path: FieldPath, complain: Complain) -> Any:
    cls = class_of(member, known, path, complain)
    return None if cls is None else instance(cls, member, path, complain)


def class_of(member: Member, known: Mapping[str, type[M]], path: FieldPath, complain: Complain) -> type[M] | None:
    """Return the class that bears the name, with ``-`` for ``_`` where one likes."""
    name = member.name.replace("-", "_")
    if name not in known:
        hint = did_you_mean(name, known, "Use one of them.")
        complain((*path, "name"), f"{path[-1]} is {member.name!r}; expected one of {sorted(known)}. {hint}")
        return None
    return known[name]


def instance(
    cls: type[Any], member: Member, path: FieldPath, complain: Complain, extra: Mapping[str, Any] | None = None
) -> Any:
    """Return a member with its settings, each of the type of its field; None after a complaint."""
    known = _field_names(cls)
    hints = get_type_hints(cls)
    sound = True
    for name, value in member.settings.items():
        if name in ("formulation", "backend", *_LIMITS) and path == ("solver",):
            place = "limits" if name in _LIMITS else "the problem itself"
            complain((*path, name), f"field {name!r} is set in solver; expected it in {place}. Move it.", at_key=True)
        elif name not in known:
            hint = did_you_mean(name, known, f"Fields: {', '.join(sorted(known)) or 'none'}.")
            complain((*path, name), f"{path[-1]} {cls.name!r} has no field {name!r}. {hint}", at_key=True)
        else:
            wrong = _wrong(hints[name], value)
            if wrong is None:
                continue
            complain((*path, name), f"{path[-1]}.{name} is {shown(value)}; {wrong}")
        sound = False
    if not sound:
        return None
    try:
        return cls(**member.settings, **(extra or {}))
    except (ProblemError, TypeError, ValueError) as error:
        complain(path, f"{path[-1]} {cls.name!r}: {error}")
        return None


def _field_names(cls: Any) -> list[str]:
    return [field.name for field in fields(cls)]


def _wrong(kind: Any, value: Any) -> str | None:
    """Return what rule a setting breaks; None where there is none, or a type of which a specification knows nothing."""
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except PydanticSchemaGenerationError:
        return None
    except ValidationError as error:
        return rule_of(error.errors(include_url=False)[0])
    return None
