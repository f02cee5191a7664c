"""From one problem with lists to its runs: one for each combination of what is listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from bestsubset.batch.complaints import Complain
from bestsubset.batch.fields import MAX_RUNS
from bestsubset.batch.spec import ProblemSpec
from bestsubset.batch.table import Table
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, Problem


@dataclass(frozen=True, eq=False)
class Parts:
    """What all runs of a problem share: its file, the data, loaded once, and everything that is not listed."""

    file: Path
    spec: ProblemSpec
    table: Table
    constraints: tuple[Constraint, ...]
    losses: tuple[Loss, ...]
    solver: Solver | None
    start: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class BatchRun:
    """One run of a problem in a specification: a `Problem`, a solver, and the settings of `bestsubset.solve`.

    ``name`` holds what is particular to the run, as in ``"diabetes/k=5/lambda2=0.1"``.
    """

    name: str
    parts: Parts
    k: int | None
    lambda0: float
    lambda1: float
    lambda2: float
    loss: Loss

    @property
    def spec(self) -> ProblemSpec:
        """The problem as written, with its criterion and its outputs."""
        return self.parts.spec

    @property
    def solver(self) -> Solver | None:
        """The solver; None leaves the choice to `bestsubset.solve`."""
        return self.parts.solver

    def problem(self) -> Problem:
        """State the problem; the data are not copied.

        Raises
        ------
        ProblemError
            If the data and the fields make no problem together.
        """
        spec, table = self.parts.spec, self.parts.table
        return Problem(
            table.design.X,
            table.y,
            self.k,
            lambda0=self.lambda0,
            lambda1=self.lambda1,
            lambda2=self.lambda2,
            loss=self.loss,
            bounds=(spec.bounds.lower, spec.bounds.upper),
            constraints=self.parts.constraints,
            fit_intercept=spec.fit_intercept,
            standardize=spec.standardize,
            sample_weight=table.sample_weight,
            feature_names=table.design.names,
        )

    def settings(self) -> dict[str, Any]:
        """Return the keywords of `bestsubset.solve`, beside the problem and the solver."""
        spec = self.parts.spec
        return {
            "time_limit": spec.limits.time_limit,
            "gap": spec.limits.gap,
            "threads": spec.limits.threads,
            "start": self.parts.start,
            "random_state": spec.random_state,
            "certificate": spec.outputs.certificate,
        }


def check_count(spec: ProblemSpec, complain: Complain) -> None:
    """Complain where the lists multiply to more runs than can be meant."""
    sizes = {name: len(getattr(spec, name) or [None]) for name in ("tau", "lambda0", "lambda1", "lambda2", "k")}
    count = prod(sizes.values())
    if count <= MAX_RUNS:
        return
    longest = max(sizes, key=lambda name: sizes[name])
    factors = " x ".join(f"{size} {name}" for name, size in sizes.items() if size > 1)
    complain((longest,), f"the lists make {count:,} runs ({factors}); expected at most {MAX_RUNS:,}. Shorten them.")


def runs(parts: Parts) -> Iterator[BatchRun]:
    """Yield the runs of a problem: the sizes innermost, since they have the most in common."""
    spec = parts.spec
    grid: list[list[Any]] = [list(parts.losses), spec.lambda0, spec.lambda1, spec.lambda2, spec.k or [None]]
    for loss, lambda0, lambda1, lambda2, k in product(*grid):
        values = {
            "k": (k, spec.k),
            "tau": (getattr(loss, "tau", None), spec.tau),
            "lambda0": (lambda0, spec.lambda0),
            "lambda1": (lambda1, spec.lambda1),
            "lambda2": (lambda2, spec.lambda2),
        }
        varied = [f"{name}={_short(value)}" for name, (value, listed) in values.items() if listed and len(listed) > 1]
        yield BatchRun("/".join([spec.name, *varied]), parts, k, lambda0, lambda1, lambda2, loss)


def _short(value: float) -> str:
    """A number as people write it, all of its digits kept."""
    return repr(int(value) if float(value).is_integer() and abs(value) < 1e15 else value)
