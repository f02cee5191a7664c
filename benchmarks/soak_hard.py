"""Hard instances under limits of time and memory: what `python -m benchmarks.soak hard` runs.

Each is solved with one thread and with two. No bound may exceed the best objective of either; a history may only
improve; certificates must hold; a solve may take its memory limit, its log and a constant; and nothing may stay.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import math
import sys
import time
import warnings
from dataclasses import dataclass
from itertools import combinations, count, pairwise
from pathlib import Path
from typing import Any

import numpy as np

import bestsubset as bs
from benchmarks.instances import _half_smallest_gain, planted, true_support

CONSTANT = 1e8  # bytes a solve may take besides: streams of a log stay in memory up to 16 MB each
LOGS = 4  # times the certificate's arrays: the log in parts, joined, and the certificate written from it
COPIES = 4  # of the data
TREND = 5e5  # bytes a solve may leave behind, on the median
_FIRST = 5  # instances, or half of them, before the trend is looked at
_LEAST_FOR_TREND = 10  # instances after them
_ROOM = 1e-9  # of the objective
_LATE = 5.0  # seconds beyond the time limit, certificate written
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Hard:
    """A problem, what it is in words, and the limits it is solved under."""

    name: str
    problem: bs.Problem
    time_limit: float
    memory_limit: float


def instance(seed: int, number: int, memory: float, time_limit: float | None) -> Hard:
    """Tall without ridge, or wide with little ridge or a box; five to twenty seconds; a smaller memory for some."""
    rng = np.random.default_rng([seed, number])
    seconds = float(rng.uniform(5, 20)) if time_limit is None else time_limit
    memory *= float(rng.choice([1.0, 0.2, 0.05]))
    kind = str(rng.choice(["ar", "const"]))
    if rng.random() < 0.5:
        p, k = int(rng.integers(40, 121)), int(rng.integers(8, 16))
        n, rho, snr = (
            int(rng.uniform(1.5, 5) * p),
            float(rng.choice([0.5, 0.9, 0.9])),
            float(rng.choice([0.1, 0.2, 0.5])),
        )
        X, y = planted(rng, n, p, k, kind, rho, snr)
        settings: dict[str, Any] = {"k": k}
    else:
        p, k = int(rng.integers(200, 2001)), int(rng.integers(6, 16))
        n, rho, snr = (
            int(rng.integers(50, min(500, p // 2) + 1)),
            float(rng.choice([0.1, 0.5])),
            float(rng.choice([1.0, 5.0])),
        )
        X, y = planted(rng, n, p, k, kind, rho, snr)
        X, y = X / np.linalg.norm(X, axis=0), y / np.linalg.norm(y)
        settings = {"lambda2": float(rng.choice([0.005, 0.02, 0.1]))}
        if rng.random() < 0.5:
            settings["k"] = k
        else:
            settings["lambda0"] = max(1e-4, _half_smallest_gain(X[:, true_support(p, k)], y, settings["lambda2"]))
        if rng.random() < 0.3:
            settings["bounds"] = (-0.4, 0.4)
            if rng.random() < 0.3:
                settings["lambda2"] = 0.0
    words = " ".join(f"{key}={value if key == 'bounds' else format(value, '.3g')}" for key, value in settings.items())
    name = f"{kind} {n}x{p} ρ={rho} snr={snr} {words}, {seconds:.1f} s, {memory / 1e6:.0f} MB"
    return Hard(name, bs.Problem(X, y, **settings), seconds, memory)


def resident(which: str = "VmRSS") -> int:
    """Bytes of this process in memory, or ("VmHWM") the most since `reset_peak`; 0 where the system does not tell."""
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(which + ":"):
                return int(line.split()[1]) * 1024
    return 0


def reset_peak() -> bool:
    """Let the peak begin anew; False where the system does not let us."""
    try:
        _RESET.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def settle() -> None:
    """Collect what is garbage, and give free memory back to the system, so that what stays is what is held."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def slope(values: list[int]) -> float:
    """The median of the slopes between all pairs: a few outliers are no trend."""
    return float(np.median([(values[j] - values[i]) / (j - i) for i, j in combinations(range(len(values)), 2)]))


class Soak:
    """Solves, one after another, with what was wrong and what was measured."""

    def __init__(self, largest_certificate: float) -> None:
        self.largest_certificate = largest_certificate
        self.failures = self.solves = self.closed = self.checked = self.too_large = self.without = 0
        self.bases: list[int] = []
        self.largest_excess = -math.inf  # of the peak over the memory allowed
        self.is_watched = reset_peak() and resident("VmHWM") > 0

    def run(self, hard: Hard, threads: tuple[int, int]) -> list[str]:
        """Solve an instance with each number of threads and return what is wrong."""
        wrong, results = list[str](), list[bs.Result]()
        for each in threads:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    result, found = self._solve(hard, each)
                    wrong += [f"threads={each}: {text}" for text in found]
                    results.append(result)
                except Exception as error:  # told with its seed, and the others go on
                    wrong.append(f"threads={each}: {type(error).__name__}: {error}")
        least = min((result.objective for result in results), default=math.inf)
        for result in results:
            if result.dual_bound > least + _ROOM * abs(least):
                wrong.append(f"bound {result.dual_bound!r} above the objective {least!r} of a run of the same instance")
        self.failures += bool(wrong)
        return wrong

    def _solve(self, hard: Hard, threads: int) -> tuple[bs.Result, list[str]]:
        problem = hard.problem
        solver = bs.BranchAndBound(memory_limit=hard.memory_limit)
        settle()
        before = resident()
        reset_peak()
        began = time.perf_counter()
        result = bs.solve(problem, solver, time_limit=hard.time_limit, threads=threads)
        seconds = time.perf_counter() - began
        wrong = []
        log = 0 if result.certificate is None else result.certificate.nbytes
        if self.is_watched:
            peak = resident("VmHWM") - before
            allowed = hard.memory_limit + LOGS * log + COPIES * problem.X.nbytes + CONSTANT
            self.largest_excess = max(self.largest_excess, peak - allowed)
            if peak > allowed:
                wrong.append(
                    f"peak {peak / 1e6:.0f} MB, allowed {allowed / 1e6:.0f} MB, certificate {log / 1e6:.1f} MB"
                )
            note = f"peak {peak / 1e6:.0f} of {allowed / 1e6:.0f} MB"
        else:
            note = "memory not watched"
        if seconds > hard.time_limit + _LATE:
            wrong.append(f"{seconds:.1f} s with a limit of {hard.time_limit:.1f} s")
        wrong += worsening(result)
        wrong += self._check(result, log)
        self.solves += 1
        self.closed += result.status == "optimal"
        whole = time.perf_counter() - began
        _tell(
            f"  threads={threads}: {result.termination}, gap {result.relative_gap:.2g}, {result.stats.nodes} nodes,"
            f" {seconds:.1f} s, certificate {log / 1e6:.2f} MB, {note}, checked after {whole:.1f} s"
        )
        return result, wrong

    def _check(self, result: bs.Result, size: int) -> list[str]:
        """Check the certificate unless it is too large."""
        if result.certificate is None:
            self.without += 1
            return [] if result.proof == "backend" else [f"no certificate, and the proof is {result.proof}"]
        if size > self.largest_certificate:
            self.too_large += 1
            return []
        self.checked += 1
        verdict = result.verify()
        return [] if verdict.valid else [f"certificate refused: {verdict.reason}"]

    def note_base(self) -> None:
        """Remember what the process holds between two instances."""
        settle()
        self.bases.append(resident())

    def trend(self) -> float | None:
        """Bytes that stay after each instance; None where too few were run."""
        later = self.bases[max(_FIRST, len(self.bases) // 2) :]  # a leak goes on; caches and the heap fill up once
        return slope(later) if self.is_watched and len(later) >= _LEAST_FOR_TREND else None


def worsening(result: bs.Result) -> list[str]:
    """Rows of the history that are worse than those before them."""
    wrong = []
    for (s, f, bound, nodes), (s_next, f_next, bound_next, nodes_next) in pairwise(result.rows):
        room = _ROOM * abs(f)
        if s_next < s or nodes_next < nodes or f_next > f + room or bound_next < bound - room:
            wrong.append(f"history worsens: {(s, f, bound, nodes)} to {(s_next, f_next, bound_next, nodes_next)}")
    return wrong


def _warm_up() -> None:
    """Compile or load all kernels, so that their memory is not counted as a solve's."""
    rng = np.random.default_rng(0)
    for n, p, settings in ((200, 40, {}), (30, 60, {"lambda2": 1.0})):
        X, y = planted(rng, n, p, 6, "ar", 0.9, 2.0)
        for tree in ("race", "perspective"):
            for threads in (1, 2):
                bs.solve(
                    bs.Problem(X, y, 6, **settings), bs.BranchAndBound(tree), time_limit=1, threads=threads
                ).verify()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``hard``."""
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=float, default=4e8, help="bytes; some instances get a fifth, or a twentieth")
    parser.add_argument("--first", type=int, default=0, help="number of the first instance")
    parser.add_argument("--instances", type=int, default=None, help="stop after so many")
    parser.add_argument("--time-limit", type=float, default=None, help="seconds for each solve; 5 to 20 unless given")
    parser.add_argument("--largest-certificate", type=float, default=5e7, help="bytes up to which one is checked")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run hard instances until the time is over and print what came out; return the number of failures."""
    _warm_up()
    soak, began = Soak(arguments.largest_certificate), time.perf_counter()
    for number in count(arguments.first):
        done = number - arguments.first
        if time.perf_counter() - began > 60 * arguments.minutes or done == arguments.instances:
            break
        hard = instance(arguments.seed, number, arguments.memory, arguments.time_limit)
        _tell(f"{number}: {hard.name}")
        again = f"hard --seed {arguments.seed} --memory {arguments.memory:g} --first {number} --instances 1"
        if arguments.time_limit is not None:
            again += f" --time-limit {arguments.time_limit:g}"
        for text in soak.run(hard, (1, 2) if done % 2 else (2, 1)):
            print(f"FAILURE {again}: {text}; {hard.name}", flush=True)
        soak.note_base()
    print(
        f"{len(soak.bases)} instances, {soak.solves} solves, {soak.closed} closed;"
        f" certificates: {soak.checked} checked, {soak.too_large} too large to check, {soak.without} none;"
        f" failures {soak.failures}"
    )
    trend = soak.trend()
    if soak.is_watched:
        print(f"peak memory over what is allowed, at most: {soak.largest_excess / 1e6:.0f} MB")
        bases = ", ".join(f"{base / 1e6:.0f}" for base in soak.bases)
        print(f"base after each instance: {bases} MB; trend {'unknown' if trend is None else f'{trend / 1e6:.3f} MB'}")
    if trend is not None and trend > TREND:
        print(f"FAILURE the base grows by {trend / 1e6:.2f} MB an instance; expected at most {TREND / 1e6:.2f} MB")
        soak.failures += 1
    return soak.failures
