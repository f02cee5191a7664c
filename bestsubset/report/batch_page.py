"""The report of a batch: one HTML file that needs nothing else, neither beside it nor from the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from bestsubset.report.batch_problem import anchor, problem_section
from bestsubset.report.check import Check, Finding
from bestsubset.report.elements import Markup, joined, tag
from bestsubset.report.tables import Cell, finding_cell, fixed, gap_cell, numeric, state, table

_HEADS = (
    "run", "state", "certificate", "k", "size", "objective", "dual bound", "gap", "R²", "seconds", "nodes", "support",
)  # fmt: skip

Row = dict[str, Any]


def batch_page(title: str, rows: Sequence[Row], checks: Sequence[Check]) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
    rows : sequence of dict
        The rows of ``runs.jsonl``.
    checks : sequence of Check
        What was found about the certificate of each.
    """
    problems: dict[str, list[tuple[Row, Check]]] = {}
    for row, check in zip(rows, checks, strict=True):
        problems.setdefault(row["problem"], []).append((row, check))
    body = [
        tag("h1", title),
        tag("p", _counted(rows, checks), class_="soft"),
        table(_HEADS, [_summary(row, check) for row, check in zip(rows, checks, strict=True)]),
        *(problem_section(name, runs) for name, runs in problems.items()),
        tag("script", Markup(_resource("page.js"))),
    ]
    head = [
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<link rel="icon" href="data:,">'),  # or a browser would look for one
        tag("title", title),
        tag("style", Markup(_resource("page.css"))),
    ]
    return f"<!doctype html>\n{tag('html', tag('head', *head), tag('body', *body), lang='en')}\n"


def _counted(rows: Sequence[Row], checks: Sequence[Check]) -> str:
    proved = sum(row["state"] == "done" and row["status"] == "optimal" for row in rows)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    certificates = sum(check.finding is not Finding.NONE for check in checks)
    valid = sum(check.finding is Finding.VALID for check in checks)
    return (
        f"{len(rows):,} runs, {proved:,} with a closed gap. {certificates:,} certificates,"
        f" {valid:,} of them checked anew and valid, {now}."
    )


def _summary(row: Row, check: Check) -> list[Cell]:
    names = row.get("names")
    shown = row["reason"] if names is None else ", ".join(names) or "(no predictor)"
    return [
        Cell(tag("a", row["name"], href=f"#{quote(anchor(row))}"), kind="name"),
        Cell(state(row)),
        finding_cell(check),
        numeric(row["k"]),
        numeric(None if names is None else len(names)),
        numeric(row.get("objective"), 8),
        numeric(row.get("dual_bound"), 8),
        gap_cell(row.get("relative_gap")),
        fixed(row.get("r2"), 4),
        fixed(row.get("seconds"), 3),
        numeric(row.get("nodes"), 12),
        Cell(shown, kind="wide"),
    ]


def _resource(name: str) -> Markup:
    return joined([Markup(files("bestsubset.report").joinpath(name).read_text(encoding="utf-8"))])
