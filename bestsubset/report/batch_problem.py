"""A problem in the report of a batch: its paths over the sizes, its charts, and each of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bestsubset.report.charts import Axis, Series, line_chart
from bestsubset.report.check import Check
from bestsubset.report.criterion import USUAL, chosen, value_of
from bestsubset.report.elements import Markup, tag
from bestsubset.report.tables import Cell, definitions, finding, finding_cell, fixed, gap_cell, numeric, state, table

_LEAST_GAP = 1e-12  # below it a gap is rounding, and on a logarithmic axis it must be something
_LEAST_SECONDS = 1e-4
_CRITERIA = {"adj_r2": 4, "aic": 2, "aicc": 2, "bic": 2, "ebic": 2, "cp": 2}  # with their decimals

Row = dict[str, Any]
Runs = Sequence[tuple[Row, Check]]


def anchor(row: Row) -> str:
    """The place of a run in the page."""
    return f"run:{row['name']}"


def problem_section(name: str, runs: Runs) -> Markup:
    """Return the section of a problem."""
    paths: dict[str, list[tuple[Row, Check]]] = {}
    for row, check in runs:
        paths.setdefault(_combination(row), []).append((row, check))
    parts = [tag("h2", name), tag("p", _about(runs[0][0]), class_="soft")]
    for combination, path in paths.items():
        if len(path) > 1:
            parts += _path(combination if len(paths) > 1 else "", path)
    parts.append(_charts(name, paths))
    parts += [_run(row, check, is_open=len(runs) == 1) for row, check in runs]
    return tag("section", *parts)


def _combination(row: Row) -> str:
    """What the runs of one path have in common: all that is listed but the size."""
    return ", ".join(part for part in row["name"].split("/")[1:] if not part.startswith("k="))


def _about(row: Row) -> str:
    shape = f"n = {row['n']:,}, p = {row['p']:,}, " if "n" in row else ""
    tau = "" if row["tau"] is None else f", τ = {row['tau']:g}"
    return f"{shape}{row['loss']} loss{tau}, from {row['spec']}"


def _path(combination: str, path: Runs) -> list[Markup]:
    """The best models of each size, side by side, and which of them the criterion chooses."""
    rows = [row for row, _ in path]
    criterion = rows[0]["criterion"]
    best = None if criterion is None else chosen(rows, criterion)
    cells = [
        [
            numeric(row["k"]),
            Cell(state(row)),
            finding_cell(check),
            gap_cell(row.get("relative_gap")),
            fixed(row.get("r2"), 4),
            *(fixed(value_of(row, name), decimals) for name, decimals in _CRITERIA.items()),
            Cell(", ".join(row.get("names") or []) or row["reason"], kind="wide"),
        ]
        for row, check in path
    ]
    heads = ["k", "state", "certificate", "gap", "R²", *_CRITERIA, "support"]
    parts = [tag("h3", f"Path over the sizes{f', {combination}' if combination else ''}")]
    if criterion is not None:
        parts.append(tag("p", _choice(criterion, best)))
    return [*parts, table(heads, cells, None if best is None else rows.index(best))]


def _choice(criterion: str, best: Row | None) -> str:
    if best is None:
        return f"The criterion {criterion} has no value here: it is about least squares with fewer columns than rows."
    return f"By {criterion}, the model chosen is that of k = {best['k']}: {', '.join(best['names'])}."


def _charts(name: str, paths: dict[str, list[tuple[Row, Check]]]) -> Markup:
    figures = []
    rows = [row for path in paths.values() for row, _ in path]
    series = [Series(_short(row), points) for row in rows if (points := _gaps(row))]
    if series:
        x, y = Axis("seconds", is_logarithmic=True), Axis("relative gap", is_logarithmic=True)
        figures.append(_figure(f"Gap over time: {name}", "Gap over time", series, x, y))
    criterion = rows[0]["criterion"] or USUAL
    lines = [_criterion_line(label, [row for row, _ in path], criterion) for label, path in paths.items()]
    lines = [line for line in lines if len(line.points) > 1]
    if lines:
        x, y = Axis("k"), Axis(criterion)
        figures.append(_figure(f"{criterion} by size: {name}", f"{criterion} by size", lines, x, y))
    return tag("div", *figures, class_="charts")


def _figure(title: str, caption: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    return tag("figure", tag("figcaption", caption), line_chart(title, series, x, y))


def _short(row: Row) -> str:
    return ", ".join(row["name"].split("/")[1:]) or row["name"]


def _gaps(row: Row) -> list[tuple[float, float]]:
    trace = row.get("trace") or []
    return [(max(seconds, _LEAST_SECONDS), max(gap, _LEAST_GAP)) for seconds, gap in trace if gap is not None]


def _criterion_line(label: str, rows: Sequence[Row], criterion: str) -> Series:
    valued = [row for row in rows if row["k"] is not None and value_of(row, criterion) is not None]
    valued.sort(key=lambda row: row["k"])
    best = chosen(valued, criterion)
    points = [(float(row["k"]), value_of(row, criterion) or 0.0) for row in valued]
    return Series(label or criterion, points, None if best is None else valued.index(best))


def _run(row: Row, check: Check, is_open: bool) -> Markup:
    """All that is known of a run."""
    summary = tag("summary", row["name"], " ", state(row), " ", tag("span", _size(row), class_="soft"))
    parts = [summary, tag("p", row.get("statement") or row["reason"])]
    if row.get("statement") and row["reason"]:
        parts.append(tag("p", row["reason"], class_="bad" if row["state"] == "failed" else "open"))
    if row.get("coefficients"):
        intercept = [[Cell("(intercept)"), numeric(row["intercept"], 8)]] if row["fit_intercept"] else []
        pairs = zip(row["names"], row["coefficients"], strict=True)
        parts.append(table(["predictor", "coefficient"], intercept + [[Cell(a), numeric(b, 8)] for a, b in pairs]))
    known = [("certificate", tag("span", finding(check), f"\n{check.text}" if check.text else ""))]
    if row["certificate"] is not None:
        known.append(("file", tag("span", row["certificate"])))
    parts.append(definitions([*known, *_details(row)]))
    return tag("details", *parts, id=anchor(row), open="" if is_open else None)


def _size(row: Row) -> str:
    return "" if row.get("names") is None else f"{len(row['names'])} of {row['p']} predictors"


def _details(row: Row) -> list[tuple[str, object]]:
    penalties = ", ".join(f"{name} = {row[name]:g}" for name in ("lambda0", "lambda1", "lambda2") if row[name])
    settings = ", ".join(f"{name} = {value}" for name, value in row["settings"].items() if value is not None)
    versions = ", ".join(f"{name} {number}" for name, number in (row.get("versions") or {}).items())
    details: list[tuple[str, object]] = [
        ("penalties", penalties),
        ("solver", f"{row['solver'].replace('_', ' ')}, {row['threads']} threads" if "solver" in row else ""),
        ("settings", settings),
        ("stopped by", row.get("termination", "")),
        ("notes", "\n".join(row.get("notes") or [])),
        ("versions", versions),
        ("problem", row.get("problem_digest", "")),
        ("ended", row["ended"]),
    ]
    return [(name, text) for name, text in details if text]
