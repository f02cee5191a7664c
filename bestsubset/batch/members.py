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
from pydantic.errors import PydanticUserError

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
    limits = {name: getattr(spec.limits, name) for name in _LIMITS if getattr(spec.limits, name) is not None}
    if spec.solver is None:
        _without_solver(spec, limits, complain)
        return None
    cls = class_of(spec.solver, solvers.members(), ("solver",), complain)
    backend_cls = class_of(spec.backend, backends(), ("backend",), complain) if spec.backend else None
    formulation = formulation_of(spec, complain)
    if cls is None:
        return None
    own = _field_names(cls)
    # A limit that is not the solver's own may be that of its backend.
    lent = {name: value for name, value in limits.items() if name not in own and name in _field_names(backend_cls)}
    parts = {"formulation": formulation, **{name: value for name, value in limits.items() if name not in lent}}
    if spec.backend is not None and backend_cls is not None:
        parts["backend"] = instance(backend_cls, spec.backend, ("backend",), complain, lent)
    parts = {name: part for name, part in parts.items() if part is not None}
    for name in [name for name in parts if name not in own]:
        part = parts.pop(name)
        path = ("limits", name) if name in limits else (name,)
        what = f"{'.'.join(path)} is {shown(getattr(part, 'name', part))} and the solver {cls.name!r} has no {name}"
        complain(path, f"{what}; expected none. Drop it, or name another solver.")
    made = instance(cls, spec.solver, ("solver",), complain, parts)
    return made if isinstance(made, Solver) else None


def _without_solver(spec: ProblemSpec, limits: Mapping[str, Any], complain: Complain) -> None:
    """Complain of what only a solver that is named can take; a formulation alone is for export."""
    for name, value in limits.items():
        complain(
            ("limits", name),
            f"limits.{name} is {shown(value)} and no solver is named; expected one with that limit."
            " Name one, such as solver: branch_and_bound.",
        )
    if spec.backend is not None:
        complain(("backend",), "backend is given without a solver that has one; expected one. Add solver: mio.")
    formulation_of(spec, complain)


def formulation_of(spec: ProblemSpec, complain: Complain) -> Any:
    """Return the formulation with its settings; None where there is none, and after a complaint."""
    if spec.formulation is None:
        return None
    cls = class_of(spec.formulation, formulations(), ("formulation",), complain)
    return None if cls is None else instance(cls, spec.formulation, ("formulation",), complain)


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
    known, hints = _field_names(cls), get_type_hints(cls)
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
    return [] if cls is None else [field.name for field in fields(cls)]


def _wrong(kind: Any, value: Any) -> str | None:
    """Return what rule a setting breaks; None where there is none, or a type of which a specification knows nothing."""
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except PydanticUserError:
        return None
    except ValidationError as error:
        return rule_of(error.errors(include_url=False)[0])
    return None
