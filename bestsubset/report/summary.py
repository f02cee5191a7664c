"""A result, and a path of results, as plain text tables."""

from __future__ import annotations

import math
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

from bestsubset.report.statement import statement

if TYPE_CHECKING:
    from bestsubset.path import Path
    from bestsubset.result import Result

_WIDTH = 76


def summary(result: Result) -> str:
    """Return the header, the coefficients and the claim as plain text."""
    problem = result.problem
    left = [
        ("Status", str(result.status)),
        ("Termination", str(result.termination)),
        ("Proof", str(result.proof)),
        ("Rows n", str(problem.n)),
        ("Columns p", str(problem.p)),
        ("Bound k", "none" if problem.k is None else str(problem.k)),
        ("Chosen", str(result.cardinality)),
    ]
    right = [
        ("RSS", number(result.rss)),
        ("R²", number(result.r2, 6) if result.coef is not None else "–"),
        ("Objective", number(result.objective)),
        ("Dual bound", number(result.dual_bound)),
        ("Relative gap", gap(result.relative_gap)),
        ("Seconds", f"{result.stats.seconds:.3f}"),
        ("Nodes", str(result.stats.nodes)),
    ]
    rule = "─" * _WIDTH
    head = [f"{a:<14}{b:<22}   {c:<16}{d:>21}" for (a, b), (c, d) in zip(left, right, strict=True)]
    claim = [*_wrapped(statement(result)), *([rule, *_noted(result)] if result.notes else [])]
    return "\n".join(["Best subset", rule, *head, rule, *_coefficients(result), rule, *claim])


def path_table(path: Path) -> str:
    """Return one row a size: k, R², gap, seconds, nodes and the names of the columns."""
    lines = [f"{'k':>3}  {'R²':>8}  {'gap':>8}  {'seconds':>8}  {'nodes':>10}  support"]
    for k, result in path.items():
        r2 = f"{result.r2:.4f}" if result.coef is not None else "–"
        lines.append(
            f"{k:>3}  {r2:>8}  {gap(result.relative_gap):>8}  {result.stats.seconds:>8.3f}"
            f"  {result.stats.nodes:>10}  {', '.join(result.support_names)}"
        )
    return "\n".join(lines)


def number(value: float, digits: int = 8) -> str:
    """Return a figure for a table; an en dash where there is none."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "–"


def gap(value: float) -> str:
    """Return a relative gap for a table; an en dash where there is no bound."""
    if not math.isfinite(value):
        return "–"
    return "0" if value == 0 else f"{value:.1e}"


def _coefficients(result: Result) -> list[str]:
    if result.coef is None:
        return ["no coefficients: no model was found"]
    rows = [(name, float(result.coef[j])) for name, j in zip(result.support_names, result.support, strict=True)]
    if result.problem.fit_intercept:
        rows.insert(0, ("(intercept)", result.intercept))
    width = max([11, *(len(name) for name, _ in rows)])
    return [
        f"{'predictor':<{width}}  {'coefficient':>16}",
        *(f"{name:<{width}}  {value:>16.8g}" for name, value in rows),
    ]


def _noted(result: Result) -> list[str]:
    """One line a note."""
    return [shorten(f"Note: {note}", 2 * _WIDTH, placeholder=" …") for note in result.notes]


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
