"""Criteria, paths and lists of near-optimal models: ``python -m benchmarks.selection`` writes selection.md here.

One thread; wall seconds of the whole call, kernels compiled, the best of three; the certificate is made, and checked
outside the time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bestsubset as bs
from benchmarks.instances import Instance, tall
from benchmarks.machine import describe
from benchmarks.real_data import diabetes_second_order

PAGE = Path(__file__).with_suffix(".md")
REPEATS = 3
LONG = 10.0  # seconds, after which a call is not repeated


@dataclass(frozen=True)
class Row:
    """A call, the seconds it should take, and what others take."""

    words: str
    call: Callable[[], Any]
    target: str
    reference: str = ""
    beside: Callable[[], Any] | None = None  # whose time the call's is divided by


def main() -> None:
    """Measure all rows and write the page."""
    lines = []
    for row in rows():
        print(row.words, file=sys.stderr, flush=True)
        seconds, found = best_time(row.call)
        ratio = f"{seconds / best_time(row.beside)[0]:.1f}" if row.beside else ""
        proof = "valid" if found.certificate is not None and verified(found) else "none"
        lines.append(f"| {row.words} | {seconds:.3f} | {ratio} | {row.target} | {row.reference} | {proof} |")
    PAGE.write_text(page("\n".join(lines)), encoding="utf-8")
    print("\n".join(lines))


def rows() -> list[Row]:
    """What the statistician asks for."""
    data = diabetes_second_order()
    X, y = data.X, data.y
    ar = {p: tall(f"selection-{p}", 1000, p, "ar", 0.5, 1.0, 8) for p in (40, 100, 200)}

    def best_by(instance: Instance, criterion: str) -> Callable[[], bs.BestBy]:
        return lambda: bs.best_by(instance.X, instance.y, criterion, threads=1)

    def near(a: Any, b: Any, k: int) -> dict[str, Callable[[], Any]]:
        return {
            "call": lambda: bs.near_optimal(a, b, k, n_best=20, threads=1),
            "beside": lambda: bs.best_subset(a, b, k, threads=1),
        }

    return [
        Row("diabetes p = 64, BIC", lambda: bs.best_by(X, y, "bic", threads=1), "3", "lmSubsets 387 (another run)"),
        Row("diabetes p = 64, all sizes 1 … 13", lambda: bs.best_path(X, y, 13, threads=1), "5"),
        Row("AR(1) ρ = ½, n = 1000, p = 40, all sizes", lambda: bs.best_path(ar[40].X, ar[40].y, 40, threads=1), "0.5"),
        Row("AR(1) ρ = ½, n = 1000, p = 100, BIC", best_by(ar[100], "bic"), "0.2"),
        Row("AR(1) ρ = ½, n = 1000, p = 200, BIC", best_by(ar[200], "bic"), "5"),
        Row("diabetes p = 64, k = 10, the 20 best", **near(X, y, 10), target="ratio 4"),
        Row("diabetes p = 64, k = 13, the 20 best", **near(X, y, 13), target="ratio 4"),
        Row("AR(1) ρ = ½, p = 100, k = 8, the 20 best", **near(ar[100].X, ar[100].y, 8), target="ratio 4"),
        Row("AR(1) ρ = ½, p = 200, k = 8, the 20 best", **near(ar[200].X, ar[200].y, 8), target="ratio 4"),
    ]


def best_time(call: Callable[[], Any]) -> tuple[float, Any]:
    """The least seconds of some calls, after one that compiles and loads."""
    found = call()
    least = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        found = call()
        least = min(least, time.perf_counter() - began)
        if least > LONG:
            break
    return least, found


def verified(found: Any) -> bool:
    """Whether the certificate of a result, a list or a path is valid."""
    if isinstance(found, bs.Path):
        problem = found[1].problem
        return bs.verify(found.certificate, problem.X, problem.y).valid
    return bool(found.verify())


def page(lines: str) -> str:
    """The page beside this file."""
    machine = describe()
    return f"""# Criteria, paths and near-optimal models

Written by `python -m benchmarks.selection`. Machine: {machine["processor"]}, {machine["cores"]} cores; one thread,
the best of three calls, kernels compiled. *ratio* is to the time of the best model alone.

| call | seconds | ratio | target, s | others, s | certificate |
|---|--:|--:|---|---|---|
{lines}
"""


if __name__ == "__main__":
    main()
