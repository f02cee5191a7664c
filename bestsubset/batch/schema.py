"""The specification described: as a JSON Schema for editors, and as tables for readers. Both come from the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from bestsubset import solvers
from bestsubset.batch.fields import MAX_RUNS
from bestsubset.batch.members import backends, formulations, losses
from bestsubset.batch.spec import ProblemSpec

_HEAD = ("| field | unless given | what |", "|---|---|---|")
_PAGE_HEAD = """# Fields of a specification

Made from the models that read specifications: `python -m bestsubset.batch.schema > specs/FIELDS.md`.
[README.md](README.md) says how they go together."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a specification file, with the names of the losses, solvers and so on that there are.

    The defaults may give what a problem leaves out, so that a problem needs its name alone.
    """
    problem = _without_defaults(ProblemSpec.model_json_schema())
    definitions: dict[str, Any] = problem.pop("$defs")
    fields = problem["properties"]
    fields["loss"]["enum"] = sorted(losses())
    for field, known in (("solver", solvers.members()), ("formulation", formulations()), ("backend", backends())):
        fields[field] = {"anyOf": _member(sorted(known)), "description": fields[field]["description"]}
    definitions["GroupOfColumns"] = _with_list(definitions["GroupOfColumns"])
    for field in ("at_most", "at_least", "implies", "bounds"):
        _allow_one_alone(definitions["Constraints"]["properties"][field])
    definitions.pop("Member", None)
    defaults = {**problem, "title": "defaults", "required": []}
    defaults["properties"] = {name: field for name, field in fields.items() if name != "name"}
    return {
        "$schema": _DIALECT,
        "title": "Problems of best subset selection",
        "type": "object",
        "additionalProperties": False,
        "required": ["problems"],
        "properties": {
            "defaults": {"description": "Fields under those of every problem.", "$ref": "#/$defs/Defaults"},
            "problems": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Problem"}},
        },
        "$defs": {
            **definitions,
            "Problem": {**problem, "title": "problem", "required": ["name"]},
            "Defaults": defaults,
        },
    }


def _without_defaults(schema: Any) -> Any:
    """Drop what holds unless a field is given: it is said in words, and some of it is infinite, which JSON is not."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key != "default" or isinstance(value, bool)}
        return {key: _without_defaults(value) for key, value in kept.items()}
    return [_without_defaults(item) for item in schema] if isinstance(schema, list) else schema


def _member(names: list[str]) -> list[dict[str, Any]]:
    """A member's name, with ``-`` for ``_`` where one likes, alone or beside its settings."""
    name = {"enum": sorted({*names, *(name.replace("_", "-") for name in names)})}
    return [name, {"type": "object", "properties": {"name": name}, "required": ["name"]}, {"type": "null"}]


def _with_list(section: dict[str, Any]) -> dict[str, Any]:
    columns = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    return {"anyOf": [columns, section], "title": section["title"]}


def _allow_one_alone(field: dict[str, Any]) -> None:
    """One entry may stand without its list."""
    several = {name: field.pop(name) for name in ("type", "items")}
    field["anyOf"] = [several["items"], several]


def field_tables() -> str:
    """Return the page of all fields, in Markdown: a table for the problem and for each of its sections."""
    parts = [_PAGE_HEAD]
    for title, model in _sections(ProblemSpec, ""):
        rows = [
            f"| `{name}` | {_default(field)} | {field.description or ''} |"
            for name, field in model.model_fields.items()
        ]
        doc = " ".join((model.__doc__ or "").split())
        parts.append("\n".join([f"## {title}", "", doc, "", *_HEAD, *rows]))
    return "\n\n".join(parts) + f"\n\nA problem may have up to {MAX_RUNS:,} runs.\n"


def _sections(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the problem and the sections in it that are no lists, which their own row describes."""
    yield path or "problems", model
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not get_args(kind):
            yield from _sections(kind, f"{path}.{name}" if path else name)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == [] or isinstance(value, BaseModel):
        return "–"
    if value == ["*"]:
        return "all"
    value = value[0] if isinstance(value, list) else value
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value}".removesuffix(".0")
    return f"`{text.replace('inf', '.inf')}`"


if __name__ == "__main__":
    print(field_tables(), end="")
