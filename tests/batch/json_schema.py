"""As much of JSON Schema as ours uses, for tests: whether a value is valid, and whether a schema is one we know."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, Any] = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
WORDS = {"$schema", "$defs", "title", "description", "default", "anyOf", "$ref", "type", "enum", "const", "items"}
WORDS |= {"properties", "required", "additionalProperties", "minItems", "minimum", "maximum", "exclusiveMinimum"}
WORDS |= {"exclusiveMaximum", "pattern", "maxLength"}


def is_valid(value: Any, schema: Any, root: Any) -> bool:
    """Tell whether a value obeys a schema; words that this function does not know are an error."""
    assert set(schema) <= WORDS, set(schema) - WORDS
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        if not is_valid(value, target, root):
            return False
    if "anyOf" in schema and not any(is_valid(value, option, root) for option in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds and not any(is_of(value, kind) for kind in kinds):
        return False
    return fits(value, schema) and parts_are_valid(value, schema, root)


def is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, TYPES[kind])


def fits(value: Any, schema: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            value >= schema.get("minimum", value)
            and value <= schema.get("maximum", value)
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
            and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        )
    if isinstance(value, str):
        return bool(re.search(schema.get("pattern", ""), value)) and len(value) <= schema.get("maxLength", len(value))
    return len(value) >= schema.get("minItems", 0) if isinstance(value, list) else True


def parts_are_valid(value: Any, schema: Any, root: Any) -> bool:
    if isinstance(value, list) and "items" in schema:
        return all(is_valid(item, schema["items"], root) for item in value)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        if not set(schema.get("required", [])) <= set(value):
            return False
        for name, item in value.items():
            if name not in known and others is False:
                return False
            part = known.get(name, others if isinstance(others, dict) else {})
            if not is_valid(item, part, root):
                return False
    return True
