"""Which formulation, which solver: the same problems by our own searches and as mixed-integer models.

    python -m benchmarks.formulations              all rows, written to formulations.md beside this file
    python -m benchmarks.formulations lad-200x30   some, only printed

One thread each; wall seconds of the whole `solve` call, warm start and model included, kernels compiled before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import bestsubset as bs
from benchmarks.instances import tall, wide
from benchmarks.machine import describe

PAGE = Path(__file__).with_suffix(".md")
LIMIT = 60.0


@dataclass(frozen=True)
class Row:
    """A problem, what it is in words, and the solvers to compare."""

    words: str
    problem: Callable[[], bs.Problem]
    solvers: tuple[str, ...]


SOLVERS: dict[str, Callable[[], bs.Solver]] = {
    "branch and bound": bs.BranchAndBound,
    "LP branch and bound": bs.LPBranchAndBound,
    "outer approximation, HiGHS": lambda: bs.MIO(bs.OuterApproximation(), bs.HiGHS()),
    "outer approximation, CP-SAT": lambda: bs.MIO(bs.OuterApproximation(), bs.CPSAT()),
    "perspective, HiGHS": lambda: bs.MIO(bs.Perspective(), bs.HiGHS()),
    "big-M, HiGHS": lambda: bs.MIO(bs.BigM(), bs.HiGHS()),
    "SOS1, HiGHS (as big-M)": lambda: bs.MIO(bs.SOS1(), bs.HiGHS()),
}
SQUARED = ("branch and bound", "outer approximation, HiGHS", "outer approximation, CP-SAT", "perspective, HiGHS")
KINKED = ("LP branch and bound", "big-M, HiGHS", "SOS1, HiGHS (as big-M)")


def squared(n: int, p: int, k: int, snr: float, lambda2: float = 0.0) -> Callable[[], bs.Problem]:
    """Autoregressive columns, ρ = ½; ``lambda2`` is in units of a unit column."""

    def make() -> bs.Problem:
        data = tall(f"models-{n}x{p}-{snr:g}", n, p, "ar", 0.5, snr, k)
        return bs.Problem(data.X, data.y, k, lambda2=lambda2)

    return make


def kinked(loss: str | bs.Loss, n: int, p: int, k: int) -> Callable[[], bs.Problem]:
    """The same with another loss; classes are the signs of the response."""

    def make() -> bs.Problem:
        data = tall(f"lad-{n}x{p}a", n, p, "ar", 0.5, 5.0, k)
        y = np.sign(data.y) if loss in ("hinge", "logistic") else data.y
        return bs.Problem(data.X, y, k, loss=loss)

    return make


def ridge(rho: float, lambda2: float) -> Callable[[], bs.Problem]:
    """More columns than rows, of norm one."""
    return lambda: wide(rho, lambda2, "k", None, n=300, p=1000).problem()


ROWS = {
    "ls-200x30": Row("squared, 200 × 30, k = 5, SNR 5", squared(200, 30, 5, 5.0), SQUARED),
    "ls-500x100": Row("squared, 500 × 100, k = 10, SNR 5", squared(500, 100, 10, 5.0), SQUARED),
    "ls-500x100-snr2": Row("squared, 500 × 100, k = 10, SNR 2", squared(500, 100, 10, 2.0), SQUARED),
    "ls-500x100-snr1": Row("squared, 500 × 100, k = 10, SNR 1", squared(500, 100, 10, 1.0), SQUARED),
    "ridge-300x1000": Row("squared, 300 × 1000, k = 10, λ2 = .1", ridge(0.5, 0.1), SQUARED),
    "lad-200x30": Row("absolute, 200 × 30, k = 5", kinked("absolute", 200, 30, 5), KINKED),
    "lad-500x100": Row("absolute, 500 × 100, k = 10", kinked("absolute", 500, 100, 10), KINKED),
    "q25-200x30": Row("quantile(.25), 200 × 30, k = 5", kinked(bs.QuantileLoss(0.25), 200, 30, 5), KINKED),
    "hinge-200x30": Row("hinge, 200 × 30, k = 5", kinked("hinge", 200, 30, 5), KINKED),
    "logistic-200x30": Row("logistic, 200 × 30, k = 5", kinked("logistic", 200, 30, 5), ("big-M, HiGHS",)),
}


def main() -> None:
    """Run all rows and write the page, or some and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(ROWS)}")
    names = parser.parse_args().names
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.exit(f"error: row is {unknown[0]!r}; expected one of {', '.join(ROWS)}. Name one of these.")
    lines = [line for name in names or ROWS for line in measured(ROWS[name])]
    table = "\n".join(["| problem | solver | seconds | gap | proof |", "|---|---|---|---|---|", *lines])
    print(table)
    if not names:
        PAGE.write_text(page(table), encoding="utf-8")


def measured(row: Row) -> list[str]:
    """A line for each solver."""
    lines = []
    warm = row.problem()
    bs.solve(warm, time_limit=0.0)  # compiles and loads
    for name in row.solvers:
        print(f"{row.words}: {name}", file=sys.stderr, flush=True)
        try:
            result = bs.solve(row.problem(), SOLVERS[name](), time_limit=LIMIT, threads=1)
        except bs.RefusedError as error:
            lines.append(f"| {row.words} | {name} | – | refused: {str(error).split('; expected')[0]} | |")
            continue
        seconds = f"{result.stats.seconds:.2f}" if result.status == "optimal" else f"> {LIMIT:.0f}"
        gap = "closed" if result.status == "optimal" else f"{100 * result.relative_gap:.2g} %"
        lines.append(f"| {row.words} | {name} | {seconds} | {gap} | {result.proof} |")
    return lines


def page(table: str) -> str:
    """The page beside this file."""
    machine = describe()
    return f"""# Which formulation, which solver

Written by `python -m benchmarks.formulations`. Machine: {machine["processor"]}, {machine["cores"]} cores, one thread
each; limit {LIMIT:.0f} s. *closed* is a relative gap of at most 1e-6; a per cent is what was left at the limit.
"certificate" can be checked by anyone, "backend" is the word of the program.

{table}
"""


if __name__ == "__main__":
    main()
