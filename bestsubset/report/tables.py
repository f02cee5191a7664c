"""Tables of a report: of numbers and words, each column sortable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bestsubset.report.check import Check, Finding
from bestsubset.report.elements import Markup, joined, tag
from bestsubset.report.summary import gap, number

NONE = "–"
_CLASS_OF_FINDING = {Finding.VALID: "good", Finding.REFUSED: "bad", Finding.UNCHECKED: "open", Finding.NONE: "soft"}


@dataclass(frozen=True)
class Cell:
    """What a cell shows; ``value`` is the number it is sorted by, or None for words."""

    shown: object
    value: float | None = None
    is_number: bool = False
    kind: str | None = None


def numeric(value: float | None, digits: int = 6) -> Cell:
    """A number with so many digits, or an en dash."""
    return Cell(NONE if value is None else number(value, digits), value, is_number=True)


def fixed(value: float | None, decimals: int) -> Cell:
    """A number with so many decimals, or an en dash: comparable down a column."""
    return Cell(NONE if value is None else f"{value:.{decimals}f}", value, is_number=True)


def gap_cell(value: float | None) -> Cell:
    """A relative gap."""
    return Cell(NONE if value is None else gap(value), value, is_number=True)


def finding_cell(check: Check) -> Cell:
    """What a check of a certificate found, in its colour."""
    return Cell(finding(check))


def finding(check: Check) -> Markup:
    """What a check of a certificate found, in its colour."""
    return tag("span", check.finding, class_=_CLASS_OF_FINDING[check.finding])


def state(row: dict[str, Any]) -> Markup:
    """How a run ended, in the colour of what it is worth."""
    if row["state"] != "done":
        return tag("span", row["state"], class_="open" if row["state"] == "interrupted" else "bad")
    return tag("span", row["status"], class_="good" if row["status"] == "optimal" else "open")


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], chosen: int | None = None) -> Markup:
    """Return a table whose heads sort it; the row ``chosen`` stands out."""
    are_numbers = [bool(rows) and rows[0][place].is_number for place in range(len(heads))]
    head = [
        tag("th", tag("button", name, type="button"), class_="number" if is_number else None, scope="col")
        for name, is_number in zip(heads, are_numbers, strict=True)
    ]
    body = [
        tag("tr", *map(_cell, row), class_="chosen" if number == chosen else None) for number, row in enumerate(rows)
    ]
    inner = joined([tag("thead", tag("tr", *head)), tag("tbody", *body)])
    return tag("div", tag("table", inner, class_="sortable"), class_="scroll")


def _cell(cell: Cell) -> Markup:
    value = ("nan" if cell.value is None else repr(float(cell.value))) if cell.is_number else None
    return tag("td", cell.shown, class_="number" if cell.is_number else cell.kind, data_value=value)


def definitions(pairs: Sequence[tuple[str, object]]) -> Markup:
    """Return names with what they stand for."""
    return tag("dl", *(part for name, text in pairs for part in (tag("dt", name), tag("dd", text))))
