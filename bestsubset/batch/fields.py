"""Kinds of fields of a specification: one value or many, ranges, names of columns and of members."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_RUNS = 10_000  # of one problem
_RANGE = re.compile(r"\s*([0-9]{1,9})\s*\.\.\s*([0-9]{1,9})\s*")


def broken(message: str) -> PydanticCustomError:
    """Return the error of a field: ``expected {rule}. {what to do}.``, put behind its name and value."""
    return PydanticCustomError("rule", "{message}", {"message": message})


def as_list(value: Any) -> Any:
    """Return one value as a list of it."""
    return value if isinstance(value, list) else [value]


def _whole(value: Any) -> Any:
    """Take 1e6 for the whole number that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _sizes(value: Any) -> Any:
    """Return the sizes of a number, a list, ``"1..10"`` or ``{from: 1, to: 10, step: 1}``."""
    rule = "expected a whole number, a list of them, '1..10' or {from: 1, to: 10}. Write one of these."
    if isinstance(value, str):
        match = _RANGE.fullmatch(value)
        if match is None:
            raise broken(rule)
        return _range(int(match[1]), int(match[2]), 1)
    if isinstance(value, dict):
        if not ({"from", "to"} <= set(value) <= {"from", "to", "step"}):
            raise broken(rule)
        limits = [value["from"], value["to"], value.get("step", 1)]
        if not all(type(limit) is int for limit in limits):
            raise broken(rule)
        return _range(*limits)
    return as_list(value)


def _range(first: int, last: int, step: int) -> list[int]:
    if first < 1 or last < first or step < 1:
        raise broken("expected a range that starts at 1 or above and does not fall, with a step >= 1. Change its ends.")
    if (last - first) // step >= MAX_RUNS:
        raise broken(f"expected at most {MAX_RUNS:,} sizes. Narrow it.")
    return list(range(first, last + 1, step))


def _distinct(values: list[Any]) -> list[Any]:
    twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
    if twice:
        raise broken(f"expected distinct values, and {twice[0]!r} is there twice. Drop one.")
    return values


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise broken("expected a text, a number or a truth value. Write one.")
    return value


_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_ANY_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_WEIGHTS = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1},
    ]
}
_SIZES = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": r"^\s*[0-9]+\s*\.\.\s*[0-9]+\s*$"},
        {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        {
            "type": "object",
            "properties": {name: {"type": "integer", "minimum": 1} for name in ("from", "to", "step")},
            "required": ["from", "to"],
            "additionalProperties": False,
        },
    ]
}
_QUANTILE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_QUANTILES = {"anyOf": [_QUANTILE, {"type": "array", "items": _QUANTILE, "minItems": 1}]}

Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$", max_length=100)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
Columns = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1), WithJsonSchema(_TEXTS)]
AnyColumns = Annotated[list[str], BeforeValidator(as_list), WithJsonSchema(_ANY_TEXTS)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Weights = Annotated[
    list[Weight],
    BeforeValidator(as_list),
    AfterValidator(_distinct),
    Field(min_length=1),
    WithJsonSchema(_WEIGHTS),
]
Sizes = Annotated[
    list[Positive],
    BeforeValidator(_sizes),
    AfterValidator(_distinct),
    Field(min_length=1),
    WithJsonSchema(_SIZES),
]
Quantiles = Annotated[
    list[Annotated[float, Field(gt=0, lt=1)]],
    BeforeValidator(as_list),
    AfterValidator(_distinct),
    Field(min_length=1),
    WithJsonSchema(_QUANTILES),
]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
