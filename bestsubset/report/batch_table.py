"""The rows of a batch as one table of plain columns, for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bestsubset.report.check import Check

if TYPE_CHECKING:
    import pandas as pd

_NESTED = ("trace", "criteria", "versions", "settings", "notes", "support")


def batch_table(rows: Sequence[dict[str, Any]], checks: Sequence[Check]) -> pd.DataFrame:
    """Return one line a run: its fields, its criteria, and what was found about its certificate; lists as JSON."""
    import pandas as pd

    lines = []
    for row, check in zip(rows, checks, strict=True):
        plain = {name: value for name, value in row.items() if name not in _NESTED}
        lists = {name: json.dumps(row.get(name) or [], ensure_ascii=False) for name in ("names", "coefficients")}
        lines.append({**plain, **(row.get("criteria") or {}), **lists, "certificate_now": str(check.finding)})
    return pd.DataFrame(lines)
