"""Long runs that look for errors: random small problems against enumeration, random hard ones against their limits.

Run by name, from the repository's root, with the development packages installed:

    python -m benchmarks.soak problems --count 20000 --seed 0 --jobs 1
    python -m benchmarks.soak hard --minutes 30 --seed 0 --memory 4e8

Each failure is printed with the arguments that repeat it alone; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import bestsubset as bs
from benchmarks import soak_hard
from formulations import ScaledProblem
from tests.certificates.problems import is_plain, random_problem
from tests.certificates.rational import least_objective
from tests.oracle import judge, values_scale

_TREES = ("race", "downdating", "perspective")
_HARSH = 0.25  # share of problems in odd units and badly conditioned, for which the judge is rational arithmetic
_DEFINITE = 1e-6  # the least eigenvalue of the moments of unit columns above which a certificate is expected
_LARGEST_RIDGE = 1e8  # on a unit column; beyond it the digits of the data are lost
_SECONDS_BETWEEN_LINES = 10.0


def mild_problem(rng: np.random.Generator) -> bs.Problem:
    """Up to ten columns that floating point can judge: every form, tall and wide, duplicates, dependencies."""
    bounded = rng.random() < 0.2
    p = int(rng.integers(1, 5)) if bounded else int(rng.choice(np.arange(1, 11), p=[0.04] + [0.12] * 7 + [0.06] * 2))
    n = int(rng.integers(4, max(5, p))) if rng.random() < 0.2 else int(rng.integers(max(4, p), 31))
    rho = rng.choice([0.0, 0.5, 0.9, 0.999])
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    if rng.random() < 0.25:
        X = np.round(X)  # ties, duplicates and dependencies
    X = X + 1e-3 * rng.choice([0, 1]) * rng.standard_normal((n, p)) + np.eye(n, p)
    if p >= 3 and rng.random() < 0.15:
        X[:, -1] = X[:, 0] * rng.choice([1, 2]) + rng.choice([0, 1]) * X[:, 1]
    # With bounds the judge feels for feasibility with an absolute 1e-12: coefficients must not be small.
    X = X * 10.0 ** rng.choice([0, 0, 0, -3, 0 if bounded else 4], p)
    y = X / (np.linalg.norm(X, axis=0) + 1e-300) @ rng.standard_normal(p) * rng.choice(
        [0, 3, 10]
    ) + rng.standard_normal(n)
    y = y * 10.0 ** rng.choice([0, 0, 3 if bounded else -6, 6])
    settings: dict[str, Any] = {"fit_intercept": bool(rng.random() < 0.6), "standardize": bool(rng.random() < 0.4)}
    settings["k"] = None if rng.random() < 0.25 else int(rng.integers(1, (min(p, 3) if bounded else p) + 1))
    in_y, in_X = float(np.var(y) * n), float(n if settings["standardize"] else (np.var(X, axis=0) * n).mean())
    if rng.random() < 0.5:
        settings["lambda2"] = in_X * float(rng.choice([1e-4, 0.01, 1.0]))
    if settings["k"] is None or rng.random() < 0.4:
        settings["lambda0"] = in_y * float(rng.choice([0.001, 0.02, 0.1]))
    if bounded:
        settings["lambda1"] = float(np.sqrt(in_y * in_X) * rng.choice([0, 0.05, 0.3]))
        box = np.sqrt(in_y / (np.var(X, axis=0) * n + 1e-12 * in_X))
        low, high = [(-math.inf, math.inf), (-0.3, 0.5), (0, 1), (0, math.inf), (-0.2, 0.2)][rng.integers(5)]
        settings["bounds"] = (low * box if low else 0 * box, high * box)
    if rng.random() < 0.4:
        settings["sample_weight"] = rng.uniform(0.2, 3, n) * rng.choice([1, 1, 100])
    constraints: list[bs.Constraint] = []
    if p >= 4 and rng.random() < 0.25:
        constraints.append(bs.Group([0, 2]))
    if p >= 4 and rng.random() < 0.25:
        constraints.append(bs.Exclude([p - 1]))
    if p >= 4 and rng.random() < 0.25 and (settings["k"] is None or settings["k"] >= 2):
        constraints.append(bs.Include([1]))
    return bs.Problem(X, y, constraints=constraints, **settings)


def drawn(seed: int, number: int) -> tuple[bs.Problem, bool, dict[str, Any], dict[str, Any]]:
    """A problem, whether it is a harsh one, and the settings of the solver and of the call."""
    rng = np.random.default_rng([seed, number])
    is_harsh = bool(rng.random() < _HARSH)
    while True:
        try:
            problem = random_problem(int(rng.integers(2**62))) if is_harsh else mild_problem(rng)
            break
        except bs.ProblemError:  # a column without variation
            continue
    solver: dict[str, Any] = {"tree": _TREES[rng.choice(3, p=[0.5, 0.2, 0.3])]}
    if rng.random() < 0.1:
        solver["node_limit"] = int(rng.integers(1, 6))
    call = {"threads": 1 + number % 2, "gap": float(rng.choice([1e-6, 0.0, 1e-2], p=[0.7, 0.2, 0.1]))}
    if rng.random() < 0.03:
        call["time_limit"] = 0.0
    return problem, is_harsh, solver, call


def run_problem(seed: int, number: int) -> tuple[Counter[str], list[str]]:
    """Solve, compare and check one problem: what is to be counted, and what is wrong."""
    problem, is_harsh, solver, call = drawn(seed, number)
    counts, wrong = Counter({"problems": 1}), list[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            try:
                result = bs.solve(problem, bs.BranchAndBound(**solver), **call)
            except bs.RefusedError:
                counts["refused by a tree, solved by another"] += 1
                solver["tree"] = "race"
                result = bs.solve(problem, bs.BranchAndBound(**solver), **call)
            wrong += _uncertified(problem, result, counts)
            wrong += _unlike_the_least(problem, result, is_harsh, counts)
        except bs.RefusedError:
            counts["refused"] += 1
        except Exception as error:  # whatever it is, it is to be told with its seed, and the others go on
            wrong.append(f"{type(error).__name__}: {error}")
    if wrong:
        counts["failures"] += 1
    again = f"problems --seed {seed} --first {number} --count 1"
    return counts, [f"FAILURE {again}: {text}; {solver} {call} {_shape(problem)}" for text in wrong]


def _shape(problem: bs.Problem) -> str:
    prices = f"λ0={problem.lambda0:.3g} λ1={problem.lambda1:.3g} λ2={problem.lambda2:.3g}"
    return f"n={problem.n} p={problem.p} k={problem.k} {prices}"


def _uncertified(problem: bs.Problem, result: bs.Result, counts: Counter[str]) -> list[str]:
    """What is wrong with the certificate, or with its absence: only dependent columns may have none."""
    if result.certificate is None:
        counts["no certificate"] += 1
        if result.proof != "backend":
            return [f"no certificate, and the proof is {result.proof}"]
        return ["no certificate, and the columns are safely independent"] if _is_definite(problem) else []
    verdict = bs.verify(result.certificate, problem.X, problem.y, problem.sample_weight)
    if not verdict.valid:
        return [f"certificate refused: {verdict.reason}"]
    counts["certificates valid"] += 1
    if verdict.dual_bound != result.dual_bound or verdict.objective < result.objective:
        return [f"certificate of [{verdict.dual_bound}, {verdict.objective}], the result has other numbers: {result}"]
    return []


def _is_definite(problem: bs.Problem) -> bool:
    """Tell whether floating point keeps the columns apart, so that nothing excuses a missing certificate."""
    scaled = ScaledProblem.of(problem)
    moments = scaled.gram + 2 * np.diag(scaled.ridge)
    norms = np.sqrt(np.diag(moments))
    return scaled.ridge.max() < _LARGEST_RIDGE and bool(
        np.linalg.eigvalsh(moments / np.outer(norms, norms))[0] > _DEFINITE
    )


def _unlike_the_least(problem: bs.Problem, result: bs.Result, is_harsh: bool, counts: Counter[str]) -> list[str]:
    """What enumeration contradicts: harsh problems in rational arithmetic, where the certificate leaves no room."""
    if not is_harsh:
        least = judge(problem)[0]
        room = 1e-8 * abs(least) + 1e-12 * values_scale(problem)
    elif is_plain(problem) and result.certificate is not None:
        least, room = least_objective(problem), 0
    else:
        return []
    counts["compared"] += 1
    wrong = []
    # The objective as computed may lie below the least by its rounding; that of a certificate may not.
    above = result.objective if not is_harsh else result.certificate.claims[0].objective
    if result.dual_bound > least + room:
        wrong.append(f"bound {result.dual_bound!r} above the least objective {float(least)!r}")
    if above < least - room:
        wrong.append(f"objective {above!r} below the least {float(least)!r}")
    if result.status == "optimal":
        counts["optimal"] += 1
        rounding = 1e-15 * problem.null_objective + 2e-12 * abs(result.objective)
        if result.objective > least + room + rounding + 2 * result.gap_tolerance * max(
            abs(least), 1e-12 * problem.null_objective
        ):
            wrong.append(f"objective {result.objective!r} called optimal; the least is {float(least)!r}")
    elif result.termination == "exhausted" and result.gap_tolerance > 0:
        counts["exhausted with a gap"] += 1
        if not is_harsh and least > 1e-6 * values_scale(problem) and _is_definite(problem):
            wrong.append(f"{result}: expected a closed gap")
    return wrong


def run_problems(arguments: argparse.Namespace) -> int:
    """Run random small problems and print the counts; return the number of failures."""
    numbers = range(arguments.first, arguments.first + arguments.count)
    counts, began = Counter[str](), time.perf_counter()
    shown = began
    with multiprocessing.get_context("spawn").Pool(arguments.jobs) if arguments.jobs > 1 else _Here() as pool:
        for more, failures in pool.imap(partial(run_problem, arguments.seed), numbers, chunksize=20):
            counts += more
            for failure in failures:
                print(failure, flush=True)
            if time.perf_counter() - shown > _SECONDS_BETWEEN_LINES:
                shown = time.perf_counter()
                done = f"{counts['problems']} of {arguments.count} problems, {counts['failures']} failures"
                print(f"{done}, {shown - began:.0f} s", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - began
    told = ", ".join(f"{name} {count}" for name, count in counts.items() if name != "failures")
    print(f"{told}; failures {counts['failures']}")
    print(f"{seconds:.1f} s, {1e3 * seconds / max(1, arguments.count):.1f} ms a problem")
    return counts["failures"]


class _Here:
    """A pool of this process alone."""

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @staticmethod
    def imap(function: Any, items: Any, chunksize: int) -> Any:
        return map(function, items)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two by name; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_subparsers(dest="which", required=True)
    small = which.add_parser("problems", help="random small problems against enumeration")
    small.add_argument("--count", type=int, default=20_000)
    small.add_argument("--first", type=int, default=0, help="number of the first problem")
    small.add_argument("--seed", type=int, default=0)
    small.add_argument("--jobs", type=int, default=1)
    small.set_defaults(run=run_problems)
    soak_hard.add_arguments(which.add_parser("hard", help="random hard instances against their limits"))
    chosen = parser.parse_args(arguments)
    return 1 if chosen.run(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
