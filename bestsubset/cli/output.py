"""Results as JSON: every figure finite or null, so that any reader takes it."""

from __future__ import annotations

import json

from bestsubset.path import Path
from bestsubset.report.fields import fields
from bestsubset.result import Result


def as_json(answer: Result | Path) -> str:
    """Return a result as one JSON object; a path as an object with one result a size under ``path``."""
    content = {"path": [fields(r) for r in answer.values()]} if isinstance(answer, Path) else fields(answer)
    return json.dumps(content, allow_nan=False, ensure_ascii=False, indent=2)
