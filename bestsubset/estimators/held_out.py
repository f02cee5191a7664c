"""The points of a grid, each judged on the rows of a fold that its search has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from bestsubset.estimators.linear_selector import LIMITS, LinearSelector
from bestsubset.result import Result
from bestsubset.status import Termination
from formulations import ProblemError
from formulations._types import Data, IntVector, Vector

PRICES = ("lambda0", "lambda2")
RULES = ("best", "one-standard-error")


@dataclass(frozen=True)
class Rows:
    """The data as checked: ``target`` is the response as the problem takes it, ``y`` as a scorer does."""

    X: Data
    target: Vector
    y: Any
    weights: Vector | None
    names: Sequence[str] | None

    def of(self, rows: IntVector) -> Rows:
        weights = None if self.weights is None else self.weights[rows]
        return Rows(self.X[rows], self.target[rows], self.y[rows], weights, self.names)


@dataclass(frozen=True)
class Grid:
    """Every pair of prices, and for each every size, in ascending order."""

    sizes: Sequence[int]
    prices: Sequence[dict[str, float]]

    def points(self) -> list[dict[str, float]]:
        return [{"k": k, **price} for price in self.prices for k in self.sizes]


def searched_grid(model: LinearSelector, rows: Rows, grid: Grid, *, certificate: bool) -> Iterator[Result]:
    """Yield the result of each point of a grid.

    A search starts from the model of its size at the prices before, or from that of the size before: never from one
    that has seen other rows, which would let held-out rows into an answer that a limit cuts short.
    """
    model = copy(model)
    known: dict[int, Result] = {}
    last: Result | None = None
    for price in grid.prices:
        model.set_params(k=grid.sizes[-1], certificate=certificate, **price)
        largest = model.stated(rows.X, rows.target, rows.weights, rows.names)
        for k in grid.sizes:
            last = known[k] = model.searched(largest.with_k(k), known.get(k, last))
            if last.termination is Termination.INTERRUPTED:
                raise KeyboardInterrupt
            yield last


def held_out(model: LinearSelector, train: Rows, test: Rows, grid: Grid, scorer: Any) -> list[tuple[float, ...]]:
    """For each point of the grid: score on the test rows, cardinality, relative gap, whether a limit stopped it."""
    weighted = {} if test.weights is None else {"sample_weight": test.weights}
    return [
        (
            scorer(model.adopt(result), test.X, test.y, **weighted),
            result.cardinality,
            result.relative_gap,
            result.termination in LIMITS,
        )
        for result in searched_grid(model, train, grid, certificate=False)
    ]


def table_of(grid: Grid, folds: Vector) -> dict[str, Any]:
    """What the folds say of each point, in the form of scikit-learn's searches; ``folds``: fold, point, figure."""
    points = grid.points()
    scores, sizes, gaps, stopped = np.moveaxis(folds, -1, 0)
    mean = scores.mean(axis=0)
    return {
        "params": points,
        **{f"param_{name}": np.array([point[name] for point in points]) for name in ("k", *PRICES)},
        **{f"split{number}_test_score": split for number, split in enumerate(scores)},
        "mean_test_score": mean,
        "std_test_score": scores.std(axis=0),
        "rank_test_score": rankdata(-mean, method="min").astype(int),
        "mean_cardinality": sizes.mean(axis=0),
        "max_relative_gap": gaps.max(axis=0),
        "stopped_searches": stopped.sum(axis=0).astype(int),
    }


def chosen(table: dict[str, Any], n_folds: int, rule: str) -> int:
    """The point of the highest mean score, or of the fewest columns within one standard error of it."""
    mean = table["mean_test_score"]
    best = int(np.argmax(mean))
    if rule == "best":
        return best
    if n_folds < 2:
        raise ProblemError(f"cv has {n_folds} fold; expected two or more for a standard error. Use rule='best'.")
    error = table["std_test_score"][best] / np.sqrt(n_folds - 1)  # that of the mean, from the sample's deviation
    within = np.flatnonzero(mean >= mean[best] - error)
    return int(min(within, key=lambda point: (table["mean_cardinality"][point], -mean[point])))
