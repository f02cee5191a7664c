"""What the scripts of this folder share. Each runs in its peer's own environment, so this imports numpy alone.

A script hands `serve` three functions: ``load()`` imports the peer, ``warm_up(instance, setting)`` solves something
tiny so that nothing is compiled later, ``solve(instance, limit, setting)`` solves and returns an answer: a dictionary
of ``form``, ``support`` or ``coefficients``, ``objective``, ``bound``, ``nodes``, ``status``. Times are taken here, but
for a peer outside Python, which returns its ``seconds`` itself; its ``load()`` returns its version too.
What the peer prints goes to standard error; standard output carries one JSON line for each stage.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

GAP = 1e-4  # relative, asked of every peer
REPEATS, SHORT = 3, 5.0  # a solve of less than so many seconds is repeated, and the fastest counts
Answer = dict[str, Any]


class RefusedError(Exception):
    """The peer does not take the instance; the message says why."""


@dataclass(frozen=True)
class Instance:
    """An instance file, see ``instances.py``."""

    X: np.ndarray
    y: np.ndarray
    n: int
    p: int
    k: int
    form: str
    boxed: bool
    lambda0: float
    lambda2: float
    M: float
    support: list[int]
    F: float
    name: str

    @property
    def penalised(self) -> bool:
        return self.form == "penalised"

    @cached_property
    def half_square(self) -> float:
        return 0.5 * float(self.y @ self.y)

    @cached_property
    def warm_start(self) -> np.ndarray:
        """The heuristic's coefficients."""
        found = np.zeros(self.p)
        A = self.X[:, self.support]
        G = A.T @ A + 2 * self.lambda2 * np.eye(len(self.support))
        found[self.support] = np.linalg.solve(G, A.T @ self.y)
        return found

    def with_ridge_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The data, with the ridge as p further rows: ‖y − Xb‖² + 2λ2‖b‖² without a ridge."""
        if self.lambda2 == 0:
            return self.X, self.y
        rows = np.sqrt(2 * self.lambda2) * np.eye(self.p)
        return np.vstack([self.X, rows]), np.r_[self.y, np.zeros(self.p)]


def read(file: str) -> Instance:
    with np.load(file) as stored:
        X, y, setting = np.ascontiguousarray(stored["X"]), stored["y"], json.loads(str(stored["setting"]))
    return Instance(X=X, y=y.astype(float), **setting)


def tiny() -> tuple[np.ndarray, np.ndarray]:
    """Data to warm up with."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 25))
    y = X[:, 0] + X[:, 5] + 0.3 * rng.standard_normal(40)
    return X, y - y.mean()


def serve(
    package: str,
    load: Callable[[], Any],
    warm_up: Callable[[Instance, str], Any],
    solve: Callable[[Instance, float, str], Answer],
) -> None:
    """Read the command line, run the stages, print what came out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--setting", default="")
    parser.add_argument("--check", action="store_true", help="only import the peer and tell its version")
    arguments = parser.parse_args(sys.argv[1:] if "--check" not in sys.argv else ["-", "--check"])
    tell = _private_output()
    try:
        import_seconds, loaded = _seconds(load)
    except Exception as error:
        tell(stage="missing", reason=_one_line(error))
        return
    tell(stage="loaded", version=loaded if isinstance(loaded, str) else _version(package))
    if arguments.check:
        return
    instance = read(arguments.file)
    try:
        warm_up_seconds = _seconds(lambda: warm_up(instance, arguments.setting))[0]
        runs = _runs(lambda: solve(instance, arguments.limit, arguments.setting), tell)
    except RefusedError as reason:
        tell(stage="refused", reason=str(reason))
        return
    except (Exception, SystemExit) as error:
        tell(stage="failed", reason=_one_line(error))
        return
    seconds, answer = min(runs, key=lambda run: run[0])
    for name in ("support", "coefficients"):
        if answer.get(name) is not None:
            answer[name] = np.asarray(answer[name]).ravel().tolist()
    answer["objectives"] = [run[1].get("objective") for run in runs]
    times = {"seconds": seconds, "import_seconds": import_seconds, "warm_up_seconds": warm_up_seconds}
    tell(stage="done", **times, own_peak_mb=_peak_mb(), **answer)


def _runs(once: Callable[[], Answer], tell: Callable[..., None]) -> list[tuple[float, Answer]]:
    found: list[tuple[float, Answer]] = []
    while len(found) < REPEATS and (not found or found[-1][0] < SHORT):
        tell(stage="solving")
        seconds, answer = _seconds(once)
        found.append((answer.pop("seconds", seconds), answer))
    return found


def _seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    value = call()
    return time.perf_counter() - began, value


def _private_output() -> Callable[..., None]:
    """Keep standard output for ourselves: whatever the peer prints, C code included, goes to standard error."""
    ours = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**what: Any) -> None:
        print(json.dumps(what, default=lambda value: value.item()), file=ours, flush=True)

    return tell


def _peak_mb() -> float:
    """The most that was resident; from /proc where that is, since the other figure includes the parent's."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _version(package: str) -> str:
    try:
        return version(package) if package else ""
    except PackageNotFoundError:
        return ""


def _one_line(error: BaseException) -> str:
    """What went wrong, and in which file."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}".replace("\n", " ").strip()[:300] + where
