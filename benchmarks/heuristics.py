"""The heuristics beside the certified optimum, and where their sparse recovery ends.

    python -m benchmarks.heuristics                     all, written to heuristics.md and .png beside this file
    python -m benchmarks.heuristics splicing swaps      a league of some, only printed

One thread, CPU seconds. The optimum and the bound are those of `bestsubset.solve`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

import bestsubset as bs
from benchmarks import phase_transition
from benchmarks.instances import autoregressive, from_scikit_learn, planted, seeded
from benchmarks.machine import describe
from formulations import ScaledProblem
from formulations._types import Matrix, Vector
from warmstarts import OrthogonalMatchingPursuit, Restarts, batch_pursuit, best_of, by_name, members, refit

PAGE = Path(__file__).with_suffix(".md")
PICTURE = Path(__file__).with_suffix(".png")
LIMIT = 20.0  # seconds for the optimum of an instance
EXACT = 1e-6  # relative to the objective: what still counts as the optimum
SEEDS = 5
# Words, n, p, k, λ2 in units of unit columns
SIZES = (
    ("100 × 30, k = 5", 100, 30, 5, 0.0),
    ("500 × 80, k = 10", 500, 80, 10, 0.0),
    ("100 × 200, k = 5", 100, 200, 5, 0.1),
)
CORRELATIONS = (0.0, 0.5, 0.9)
RATIOS = (0.5, 3.0)
REAL = (("diabetes_second_order", 5), ("diabetes_second_order", 10), ("digits", 10), ("breast_cancer", 8))


@dataclass(frozen=True, eq=False)
class Match:
    """An instance with what is proved about it, and which columns of the table it counts in."""

    problem: bs.Problem
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """What a heuristic made of an instance; ``exact`` is None where no optimum is proved."""

    exact: bool | None
    gap: float
    seconds: float
    cells: tuple[str, ...]


def matches() -> Iterator[Match]:
    """All instances: planted ones, autoregressive columns, and the real data."""
    for words, n, p, k, lambda2 in SIZES:
        for rho in CORRELATIONS:
            for snr in RATIOS:
                for seed in range(SEEDS):
                    X, y = planted(seeded(f"league-{n}x{p}-{rho}-{snr}-{seed}"), n, p, k, "ar", rho, snr)
                    X = X / np.linalg.norm(X, axis=0)
                    problem = bs.Problem(X, y, k, lambda2=lambda2)
                    yield Match(problem, ("all", words, f"ρ = {rho:g}", f"SNR {snr:g}"))
    for which, k in REAL:
        yield Match(from_scikit_learn(which, k).problem(), ("real", f"{which.split('_second')[0]}, k = {k}"))


def league(names: list[str]) -> tuple[dict[str, list[Score]], list[bs.Result]]:
    """The scores of each heuristic, and the results they are judged by."""
    scores: dict[str, list[Score]] = {name: [] for name in names}
    results = []
    for count, match in enumerate(matches()):
        result = bs.solve(match.problem, time_limit=LIMIT, threads=1, certificate=False)
        results.append(result)
        whole = ScaledProblem.of(match.problem)
        whole.gram, whole.correlation  # noqa: B018  formed once, for all
        for name in names:
            scores[name].append(scored(name, match, copy(whole), result))
        print(f"instance {count}: {result.stats.seconds:.1f} s, {result.status}", file=sys.stderr, flush=True)
    return scores, results


def scored(name: str, match: Match, scaled: ScaledProblem, result: bs.Result) -> Score:
    """Run a heuristic once; it may propose nothing, then the empty model counts."""
    heuristic = by_name(name)
    began = time.process_time()
    proposals = heuristic.supports(scaled, [scaled.k], np.random.default_rng(0))
    seconds = time.process_time() - began
    support = best_of(scaled, proposals.values())
    objective = match.problem.objective(scaled.to_coef(support, refit(scaled, support)))
    gap = bs.relative_gap(objective, result.dual_bound, match.problem.null_objective)
    proved = result.status is bs.Status.OPTIMAL
    exact = objective <= result.objective * (1.0 + EXACT) if proved else None
    return Score(exact, max(0.0, gap), seconds, match.cells)


def league_table(scores: dict[str, list[Score]]) -> str:
    """Shares of exact optima in each cell, gaps, and seconds; the best on top."""
    cells = ["all", *(words for words, *_ in SIZES), *(f"ρ = {rho:g}" for rho in CORRELATIONS)]
    cells += [f"SNR {snr:g}" for snr in RATIOS]
    lines = [
        f"| heuristic | {' | '.join(cells)} | gap, median | gap, worst | seconds |",
        "|---|" + "--:|" * (len(cells) + 3),
    ]
    rows = []
    for name, every in scores.items():
        planted_ones = [s for s in every if "all" in s.cells]
        proved = [s for s in planted_ones if s.exact is not None]
        shares = [np.mean([s.exact for s in proved if cell in s.cells]) for cell in cells]
        gaps = [s.gap for s in planted_ones]
        cost = f"{percent(median(gaps))} | {percent(max(gaps))} | {np.mean([s.seconds for s in planted_ones]):.4f}"
        rows.append((-shares[0], f"| {name} | {' | '.join(f'{100 * x:.0f} %' for x in shares)} | {cost} |"))
    return "\n".join([*lines, *(row for _, row in sorted(rows))])


def real_table(scores: dict[str, list[Score]]) -> str:
    """The certified gap on each of the real data."""
    cells = [s.cells[1] for s in next(iter(scores.values())) if "real" in s.cells]
    lines = [f"| heuristic | {' | '.join(cells)} | seconds |", "|---|" + "--:|" * (len(cells) + 1)]
    rows = []
    for name, every in scores.items():
        real = [s for s in every if "real" in s.cells]
        gaps = " | ".join("exact" if s.exact else percent(s.gap) for s in real)
        mean = float(np.mean([s.gap for s in real]))
        rows.append((mean, f"| {name} | {gaps} | {np.mean([s.seconds for s in real]):.4f} |"))
    return "\n".join([*lines, *(row for _, row in sorted(rows))])


def percent(gap: float) -> str:
    """A gap in words."""
    return "0" if gap <= EXACT else f"{100 * gap:.2g} %"


def warm_start_share() -> dict[float, int]:
    """On how many of 50 instances n = 50, p = 18, k = 5, SNR 1 the default warm start is the optimum, for each ρ."""
    found = dict.fromkeys((0.0, 0.5, 0.8, 0.95), 0)
    for rho in found:
        for seed in range(50):
            X, y = planted(seeded(f"warm-{rho}-{seed}"), 50, 18, 5, "ar", rho, 1.0)
            problem = bs.Problem(X, y, 5)
            least = bs.solve(problem, "enumeration", certificate=False).objective
            found[rho] += problem.objective(Restarts()(problem)) <= least * (1.0 + EXACT)
    return found


def pursuit_table() -> str:
    """Orthogonal matching pursuit beside scikit-learn's, on the same arrays; both are given the Gram matrix."""
    from sklearn.linear_model import orthogonal_mp_gram

    lines = ["| responses | n | p | k | here, ms | scikit-learn, ms | ratio |", "|--:|--:|--:|--:|--:|--:|--:|"]
    for n, p, k, many in ((200, 100, 10, 1), (500, 500, 20, 1), (1000, 800, 50, 1), (64, 256, 8, 1000)):
        rng = seeded(f"pursuit-{n}x{p}")
        X = autoregressive(rng, n, p, 0.5)
        X = (X - X.mean(0)) / np.linalg.norm(X - X.mean(0), axis=0)
        Y = X[:, :k] @ rng.standard_normal((k, many)) + 0.1 * rng.standard_normal((n, many))
        Y = Y - Y.mean(0)
        gram, right = X.T @ X, X.T @ Y
        theirs = partial(orthogonal_mp_gram, gram, right, n_nonzero_coefs=k)
        ours, coef = _one(X, Y[:, 0], k) if many == 1 else _many(X, Y, k)
        found = theirs().reshape(p, many)
        assert np.allclose(coef, found, atol=1e-7), "the coefficients differ"
        here, there = best_seconds(ours), best_seconds(theirs)
        lines.append(f"| {many} | {n} | {p} | {k} | {1e3 * here:.2f} | {1e3 * there:.2f} | {there / here:.1f} |")
    return "\n".join(lines)


def _one(X: Matrix, y: Vector, k: int) -> tuple[Callable[[], object], Matrix]:
    problem = bs.Problem(X, y, k)
    scaled = ScaledProblem.of(problem)
    scaled.gram, scaled.correlation  # noqa: B018  as for scikit-learn

    def run() -> Vector:
        support = OrthogonalMatchingPursuit().supports(scaled, [k], np.random.default_rng(0))[k]
        return scaled.to_coef(support, refit(scaled, support))

    return run, run()[:, None]


def _many(X: Matrix, Y: Matrix, k: int) -> tuple[Callable[[], object], Matrix]:
    run = partial(batch_pursuit, X, Y, k)
    return run, run()


def best_seconds(run: Callable[[], object], times: int = 5) -> float:
    """The least CPU seconds of some calls."""
    least = np.inf
    for _ in range(times):
        began = time.process_time()
        run()
        least = min(least, time.process_time() - began)
    return float(least)


def main() -> None:
    """Run all and write the page, or a league of some and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(members())}")
    names = parser.parse_args().names
    began = time.process_time()
    for name in names or members():
        by_name(name)(bs.Problem(*planted(seeded("warm-up"), 40, 8, 3, "ar", 0.5, 1.0), 3))  # compiles
    scores, results = league(names or list(members()))
    print(league_table(scores), real_table(scores), sep="\n\n")
    if names:
        return
    curves = {name: phase_transition.curve(name) for name in phase_transition.METHODS}
    pictured = phase_transition.draw(curves, PICTURE)
    text = page(scores, results, curves, pictured, warm_start_share(), time.process_time() - began)
    PAGE.write_text(text, encoding="utf-8")


def page(
    scores: dict[str, list[Score]],
    results: list[bs.Result],
    curves: dict[str, Vector],
    pictured: bool,
    found: dict[float, int],
    seconds: float,
) -> str:
    """The page beside this file."""
    machine = describe()
    proved = sum(result.status is bs.Status.OPTIMAL for result in results)
    picture = f"![Phase transitions]({PICTURE.name})\n\n" if pictured else ""
    shares = ", ".join(f"{count} of 50 at ρ = {rho:g}" for rho, count in found.items())
    return f"""# Heuristics beside the certified optimum

Written by `python -m benchmarks.heuristics` in {seconds / 60:.0f} minutes of one core. Machine: {machine["processor"]},
{machine["cores"]} cores, one thread. Every heuristic with its defaults, the Gram matrix formed before; CPU seconds.

{len(results)} instances: autoregressive columns of norm one, k equal coefficients planted, {SEEDS} for each size,
correlation and signal-to-noise ratio; 100 × 200 with ridge, λ2 = 0.1; and real data. The optimum is proved for {proved}
of them within {LIMIT:g} s. *exact* is a value within 1e-6 of a proved optimum, and the per cents are of the instances
with one. A gap is that of the heuristic's model to the proved bound, relative to its value.

## Planted instances

{league_table(scores)}

## Real data: certified gap

{real_table(scores)}

## The default warm start

The optimum by enumeration, n = 50, p = 18, k = 5, SNR 1: {shares}.

## Phase transitions

p = {phase_transition.COLUMNS}, normal coefficients, Gaussian measurements, no noise,
{phase_transition.TRIALS} vectors a point; recovered is a relative error of at most 1e-3 after a fit on the support
proposed. The threshold of Donoho and Tanner is that of ℓ1 for p → ∞: what lies above it recovers where ℓ1 does not.
Coefficients of equal size would be harder for the greedy methods.

{picture}{phase_transition.table(curves)}

## Orthogonal matching pursuit beside scikit-learn's

Best of five. One response: `OrthogonalMatchingPursuit` with the fit, and `orthogonal_mp_gram`, both given the Gram
matrix. Many: `batch_pursuit`, which forms it, and the same function.

{pursuit_table()}
"""


if __name__ == "__main__":
    main()
