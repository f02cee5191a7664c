"""From what pydantic found to sentences of ours: the field, its value, the rule, the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bestsubset.batch.complaints import Complain, FieldPath, dotted
from bestsubset.batch.spec import ProblemSpec

_SHOWN = 40  # characters of a value
_RULES = {
    "string_type": "expected a text. Put it in quotes.",
    "string_pattern_mismatch": "expected letters, digits, and . + - _ after the first. Rename it.",
    "string_too_long": "expected at most 100 characters. Shorten it.",
    "bool_type": "expected true or false. Write one.",
    "int_type": "expected a whole number. Write one.",
    "int_from_float": "expected a whole number. Write one.",
    "float_type": "expected a number. Write one.",
    "finite_number": "expected a finite number. Write one.",
    "list_type": "expected a list. Put it in brackets.",
    "dict_type": "expected fields with values below it. Write them.",
    "model_type": "expected fields with values below it. Write them.",
    "too_short": "expected at least one entry. Add one, or drop the field.",
}
_BOUNDS = {
    "greater_than_equal": (">=", "ge"),
    "greater_than": (">", "gt"),
    "less_than_equal": ("<=", "le"),
    "less_than": ("<", "lt"),
}
# Names that others use for our fields, too far from ours to be found by their letters.
_OTHER_NAMES = {
    "alpha": "lambda1",
    "cardinality": "k",
    "features": "predictors",
    "intercept": "fit_intercept",
    "path": "file",
    "response": "target",
    "ridge": "lambda2",
    "seed": "random_state",
    "size": "k",
    "timeout": "time_limit",
}


def complain_of(error: ValidationError, written: Any, complain: Complain, with_missing: bool = True) -> None:
    """Pass on every error that pydantic found in the fields of a problem, which are called as they were written."""
    for found in error.errors(include_url=False):
        path: FieldPath = found["loc"]
        kind = found["type"]
        if kind == "missing":
            if with_missing:
                complain(path, f"field {path[-1]!r}{_within(path)} is missing; expected a value. Add it.")
        elif kind == "extra_forbidden":
            complain(path, f"field {path[-1]!r}{_within(path)} is unknown. {_meant(path)}", at_key=True)
        else:
            complain(path, f"{dotted(_as_written(path, written))} is {shown(found['input'])}; {rule_of(found)}")


def _as_written(path: FieldPath, written: Any) -> FieldPath:
    """Leave out the parts of a path that are not in the text: the 0 of a list of one, written without brackets."""
    kept: list[str | int] = []
    for part in path:
        is_there = isinstance(written, dict) if isinstance(part, str) else isinstance(written, list)
        if is_there:
            kept.append(part)
            written = written.get(part) if isinstance(written, dict) else written[part]
    return tuple(kept)


def shown(value: Any) -> str:
    """Return a value as a message can afford it."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def rule_of(found: Any) -> str:
    """Return the rule that one of pydantic's findings breaks, and what to do."""
    kind = found["type"]
    context = found.get("ctx", {})
    if kind == "rule":
        return str(context["message"])
    if kind == "literal_error":
        return f"expected {context['expected']}. Use one of them."
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return f"expected a number {sign} {context[name]:g}. Change it."
    return _RULES.get(kind) or f"expected otherwise ({found['msg']}). Change it."


def _within(path: FieldPath) -> str:
    return f" of {dotted(path[:-1])}" if len(path) > 1 else ""


def _meant(path: FieldPath) -> str:
    """What an unknown field's name was meant to be, or where the field belongs."""
    name, here = str(path[-1]), _fields_at(path[:-1])
    other = _OTHER_NAMES.get(name.lower(), name)
    if other in here:
        return f"Did you mean {other!r}?"
    for section, fields in _sections(ProblemSpec):
        if other in fields:
            return f"It belongs in {section}." if other == name else f"Did you mean {other!r} in {section}?"
    names = {field: field for field in here} | {n: field for n, field in _OTHER_NAMES.items() if field in here}
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean {names[close[0]]!r}?" if close else f"Fields: {', '.join(sorted(here))}."


def _fields_at(path: FieldPath) -> list[str]:
    model: type[BaseModel] | None = ProblemSpec
    for part in path:
        if isinstance(part, str) and model is not None:
            model = _section(model.model_fields[part].annotation) if part in model.model_fields else None
    return [] if model is None else list(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section within an annotation such as ``list[Annotated[Section, …]] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part)) is not None), None)


def _sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the problem itself and each section in it by name, with its fields; the solvers' own are not known here."""
    yield name or "the problem itself", list(model.model_fields)
    for field, info in model.model_fields.items():
        section = _section(info.annotation)
        if section is not None and section.model_config.get("extra") == "forbid":
            yield from _sections(section, f"{name}.{field}" if name else field)
