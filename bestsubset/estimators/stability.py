"""How often predictors are chosen when the rows are drawn again: subsampling and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike

from bestsubset.api import best_subset
from formulations import Problem, ProblemError
from formulations._types import IntVector, Vector

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Frequencies:
    """The share of draws in which each predictor was chosen.

    Attributes
    ----------
    frequencies : shape (p,)
    feature_names : tuple of str
    n_draws : int
    mean_size : float
        Predictors chosen in a draw, on average: q.
    unproved : int
        Draws whose model was not proved to be the best of its rows.
    """

    frequencies: Vector
    feature_names: tuple[str, ...]
    n_draws: int
    mean_size: float
    unproved: int

    def selected(self, threshold: float = 0.6) -> tuple[int, ...]:
        """Return the columns chosen in at least this share of the draws."""
        return tuple(np.flatnonzero(self.frequencies >= threshold).tolist())

    def false_selections(self, threshold: float = 0.6) -> float:
        r"""Return a bound on the expected number of noise variables among `selected`.

        .. math:: E(V) \le \frac{q^2}{(2\pi - 1)\,p}

        for subsamples of half of the rows, if noise variables are exchangeable and the choice is no worse than guessing
        (Meinshausen and Bühlmann 2010, theorem 1); it says nothing for thresholds π of ½ or less.
        """
        if not 0.5 < threshold <= 1:
            raise ProblemError(f"threshold is {threshold}; expected 0.5 < threshold <= 1. Use 0.6 to 0.9.")
        return self.mean_size**2 / ((2 * threshold - 1) * len(self.frequencies))

    def table(self) -> pd.DataFrame:
        """Return one row a predictor, the most frequent first."""
        import pandas as pd

        frame = pd.DataFrame({"predictor": list(self.feature_names), "frequency": self.frequencies})
        return frame.sort_values("frequency", ascending=False, kind="stable", ignore_index=True)


def stability_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    n_subsamples: int = 100,
    fraction: float = 0.5,
    n_jobs: int | None = None,
    random_state: int = 0,
    **settings: Any,
) -> Frequencies:
    """Choose the best k predictors on many subsamples of the rows, and count.

    Parameters
    ----------
    X, y, k
        As in `best_subset`.
    n_subsamples : int
    fraction : float
        Of the rows in a subsample, drawn without replacement; ½ is what the theorem is about.
    n_jobs : int, optional
        Processes, as in joblib.
    random_state : int
        The draws are the same for the same number, however many processes there are.
    **settings
        Those of `best_subset`.

    Raises
    ------
    ProblemError
        If a number is out of range, or the data do not make a problem.

    Source
    ------
    Meinshausen and Bühlmann (2010), *Stability selection*, JRSS B 72.
    """
    if not 0 < fraction < 1:
        raise ProblemError(f"fraction is {fraction}; expected 0 < fraction < 1. Use 0.5.")

    def draw(rng: np.random.Generator, n: int) -> IntVector:
        return np.sort(rng.choice(n, size=max(2, int(fraction * n)), replace=False))

    return _counted(Problem(X, y, k, **_of_problem(settings)), draw, n_subsamples, n_jobs, random_state, settings)


def bootstrap_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    n_draws: int = 100,
    n_jobs: int | None = None,
    random_state: int = 0,
    **settings: Any,
) -> Frequencies:
    """Choose the best k predictors on bootstrap samples, n rows drawn with replacement each, and count.

    The arguments are those of `stability_selection`. Rows drawn twice count twice, as weights.

    Source
    ------
    Efron (1979); Sauerbrei and Schumacher (1992) for the frequencies of inclusion.
    """

    def draw(rng: np.random.Generator, n: int) -> IntVector:
        return np.sort(rng.integers(n, size=n))

    return _counted(Problem(X, y, k, **_of_problem(settings)), draw, n_draws, n_jobs, random_state, settings)


def _counted(
    problem: Problem,
    draw: Callable[[np.random.Generator, int], IntVector],
    n_draws: int,
    n_jobs: int | None,
    random_state: int,
    settings: dict[str, Any],
) -> Frequencies:
    if n_draws < 1:
        raise ProblemError(f"the number of draws is {n_draws}; expected a whole number >= 1. Use 100.")
    rngs = [np.random.default_rng(seed) for seed in np.random.SeedSequence(random_state).spawn(n_draws)]
    found = Parallel(n_jobs=n_jobs)(delayed(_chosen)(problem, draw(rng, problem.n), settings) for rng in rngs)
    counts = np.zeros(problem.p)
    for support, _ in found:
        counts[list(support)] += 1
    return Frequencies(
        counts / n_draws, tuple(problem.feature_names), n_draws, float(counts.sum() / n_draws),
        sum(not is_proved for _, is_proved in found),
    )  # fmt: skip


def _chosen(problem: Problem, rows: IntVector, settings: dict[str, Any]) -> tuple[tuple[int, ...], bool]:
    """The support on some rows, and whether it is proved; columns that are constant there are left out."""
    times = np.bincount(rows, minlength=problem.n)
    kept = np.flatnonzero(times)
    X = problem.X[kept]
    varying = np.flatnonzero(np.ptp(X, axis=0) > 0)
    if len(varying) < problem.p and (problem.constraints or settings.get("bounds") is not None):
        varying = np.arange(problem.p)
    k = min(problem.max_cardinality, len(varying))
    names = [problem.feature_names[j] for j in varying.tolist()]
    given = {**settings, "sample_weight": problem.sample_weight[kept] * times[kept], "feature_names": names}
    result = best_subset(X[:, varying], problem.y[kept], k, certificate=False, **given)
    return tuple(int(varying[j]) for j in result.support), result.status == "optimal"


def _of_problem(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that state the problem; those of the search are left to it."""
    from bestsubset.api import split_settings

    if "certificate" in settings:
        raise ProblemError("certificate is given; expected nothing of the kind, for draws have none. Drop it.")
    return split_settings(dict(settings))[0]
