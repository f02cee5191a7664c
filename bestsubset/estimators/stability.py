"""How often each column is selected when rows are left out or drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from bestsubset.api import split_settings
from bestsubset.estimators.constant_columns import without_constant_columns
from bestsubset.solve import solve
from bestsubset.status import Status, Termination
from formulations import Problem, ProblemError
from formulations._types import IntVector, Vector

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class SelectionFrequencies:
    """The columns selected on each of many draws of the rows.

    Attributes
    ----------
    selections : boolean array, shape (draws, p)
        Whether a draw's best model has a nonzero coefficient of a column.
    feature_names : sequence of str
    n_optimal : int
        Draws whose model is the best to the gap asked for; limits stopped the others.
    """

    selections: NDArray[np.bool_]
    feature_names: Sequence[str]
    n_optimal: int

    @cached_property
    def frequencies(self) -> Vector:
        """The share of draws that select each column, shape (p,)."""
        return np.asarray(self.selections.mean(axis=0))

    @property
    def mean_cardinality(self) -> float:
        """The number q of columns that a draw selects, on average."""
        return float(self.selections.sum(axis=1).mean())

    def selected(self, threshold: float) -> tuple[int, ...]:
        """Return the columns selected in at least this share of the draws, sorted.

        Raises
        ------
        ProblemError
            Unless ``0 < threshold <= 1``.
        """
        if not 0 < threshold <= 1:
            raise ProblemError(f"threshold is {threshold}; expected 0 < threshold <= 1. Use 0.75, say.")
        return tuple(int(j) for j in np.flatnonzero(self.frequencies >= threshold))

    def table(self) -> pd.DataFrame:
        """Return one row a column of X, the most frequent first: its name and its frequency."""
        import pandas as pd

        order = np.argsort(-self.frequencies, kind="stable")
        names = [self.feature_names[int(j)] for j in order]
        return pd.DataFrame({"feature": names, "frequency": self.frequencies[order]}, index=order)


@dataclass(frozen=True, eq=False)
class StabilitySelection(SelectionFrequencies):
    """`SelectionFrequencies` of subsamples, whose ``fraction`` of the rows is known."""

    fraction: float

    def expected_false_selections(self, threshold: float) -> float:
        r"""Return the bound :math:`q^2 / ((2\pi - 1) p)` on the expected number of falsely selected columns.

        For `selected` at the threshold π, with q columns selected on average (`mean_cardinality`) of p. It rests on
        what no data can show: that columns which do not matter are exchangeable, as far as being selected goes, and
        that the selection is no worse than a guess at random.

        Raises
        ------
        ProblemError
            Unless ``1/2 < threshold <= 1``, and the subsamples are halves, which the theorem is about.

        Source
        ------
        Meinshausen and Bühlmann (2010), theorem 1.
        """
        if not 0.5 < threshold <= 1:
            raise ProblemError(f"threshold is {threshold}; expected 1/2 < threshold <= 1. Use 0.75, say.")
        if self.fraction != 0.5:
            raise ProblemError(
                f"fraction is {self.fraction}; expected 0.5, which the bound is about. Draw halves of the rows."
            )
        q, p = self.mean_cardinality, int(self.selections.shape[1])
        return q**2 / ((2 * threshold - 1) * p)


def stability_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int | None = None,
    *,
    n_subsamples: int = 100,
    fraction: float = 0.5,
    n_jobs: int | None = None,
    random_state: int = 0,
    **given: Any,
) -> StabilitySelection:
    r"""Return how often each column is in the best model of a random part of the rows.

    Each subsample holds :math:`\lfloor fraction \cdot n \rfloor` rows, drawn without replacement. Columns that are
    constant there are not selected; a `Group` goes on without them.

    Parameters
    ----------
    X, y, k
        As in `best_subset`, with its other arguments as keywords; there are no certificates.
    n_subsamples : int
    fraction : float
        Of the rows, in each subsample.
    n_jobs : int, optional
        Subsamples side by side, by joblib; each search takes one thread unless ``threads`` says otherwise.
    random_state : int
        Seed of the subsamples: these are the same whatever ``n_jobs`` is.

    Raises
    ------
    ProblemError
        If an argument is out of range, or a subsample has no problem: its response is constant, say.

    Source
    ------
    Meinshausen and Bühlmann (2010).
    """
    problem, searching = _stated(X, y, k, given, n_jobs)
    n = problem.n
    size = int(fraction * n) if 0 < fraction < 1 else 0
    if size < 2:
        raise ProblemError(
            f"fraction is {fraction} of {n} rows; expected 0 < fraction < 1 and at least two rows. Use 0.5."
        )
    rng = np.random.default_rng(random_state)
    draws = [np.sort(rng.choice(n, size, replace=False)) for _ in _counted(n_subsamples, "n_subsamples")]
    return StabilitySelection(**_drawn(problem, draws, searching, n_jobs), fraction=fraction)


def bootstrap_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int | None = None,
    *,
    n_bootstraps: int = 100,
    n_jobs: int | None = None,
    random_state: int = 0,
    **given: Any,
) -> SelectionFrequencies:
    """Return how often each column is in the best model of n rows drawn with replacement.

    A row drawn several times counts with that weight. Arguments and errors are those of `stability_selection`.

    Source
    ------
    Efron (1979) for the bootstrap; Sauerbrei and Schumacher (1992) for frequencies of selection.
    """
    problem, searching = _stated(X, y, k, given, n_jobs)
    rng = np.random.default_rng(random_state)
    draws = [rng.integers(0, problem.n, problem.n) for _ in _counted(n_bootstraps, "n_bootstraps")]
    return SelectionFrequencies(**_drawn(problem, draws, searching, n_jobs))


def _stated(
    X: ArrayLike, y: ArrayLike, k: int | None, given: dict[str, Any], n_jobs: int | None
) -> tuple[Problem, dict[str, Any]]:
    """The problem of all rows, and the keywords of `solve`."""
    of_problem, searching = split_settings(dict(given))
    if n_jobs not in (None, 1):
        searching.setdefault("threads", 1)
    return Problem(X, y, k, **of_problem), {**searching, "certificate": False}


def _counted(count: int, name: str) -> range:
    if count < 1:
        raise ProblemError(f"{name} is {count}; expected a whole number >= 1. Use 100.")
    return range(count)


def _drawn(
    problem: Problem, draws: Sequence[IntVector], searching: dict[str, Any], n_jobs: int | None
) -> dict[str, Any]:
    """What each draw of the rows selects."""
    results = Parallel(n_jobs=n_jobs)(delayed(_support)(problem, rows, searching) for rows in draws)
    selections = np.zeros((len(draws), problem.p), dtype=bool)
    for draw, (support, _) in enumerate(results):
        selections[draw, list(support)] = True
    return {
        "selections": selections,
        "feature_names": problem.feature_names,
        "n_optimal": sum(is_optimal for _, is_optimal in results),
    }


def _support(problem: Problem, draw: IntVector, searching: dict[str, Any]) -> tuple[tuple[int, ...], bool]:
    result = solve(_of_rows(problem, draw), **searching)
    if result.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    return result.support, result.status is Status.OPTIMAL


def _of_rows(problem: Problem, draw: IntVector) -> Problem:
    """The same problem of other rows, those drawn twice with twice their weight."""
    rows, counts = np.unique(draw, return_counts=True)
    X, weights, names = problem.X[rows], counts * problem.sample_weight[rows], problem.feature_names
    return Problem(
        X,
        problem.y[rows],
        problem.k,
        lambda0=problem.lambda0,
        lambda1=problem.lambda1,
        lambda2=problem.lambda2,
        loss=problem.loss,
        bounds=(problem.lower, problem.upper),
        constraints=without_constant_columns(problem.constraints, X, weights, problem.fit_intercept, names),
        fit_intercept=problem.fit_intercept,
        standardize=problem.standardize,
        sample_weight=weights,
        feature_names=names,
    )
