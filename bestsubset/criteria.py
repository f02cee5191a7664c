r"""Criteria that trade the size of a model against its residual sum of squares: smaller is better, for all of them.

With m = size + 1 parameters (the size without an intercept) and n rows,

=========  ==============================================================  =============================
aic        :math:`n\log(RSS/n) + 2m`                                        Akaike (1974)
aicc       AIC :math:`+ 2m(m+1)/(n-m-1)`                                    Hurvich and Tsai (1989)
bic        :math:`n\log(RSS/n) + m\log n`                                   Schwarz (1978)
ebic       BIC :math:`+ 2\log\binom{p}{size}`                               Chen and Chen (2008), γ = 1
hqic       :math:`n\log(RSS/n) + 2m\log\log n`                              Hannan and Quinn (1979)
cp         :math:`RSS/\hat\sigma^2 - n + 2m`                                Mallows (1973)
adj_r2     :math:`-R^2_{adj} = RSS\,(n - b)/(TSS\,(n - m)) - 1`             Theil (1961)
=========  ==============================================================  =============================

where :math:`\hat\sigma^2` is the residual variance with all columns and b is 1 with an intercept. Constants that do not
depend on the model are left out, as in R's ``extractAIC``. For a given size each is a price a place: choosing by AIC
among models of Gaussian errors with a *known* variance σ² is :math:`\lambda_0 = \sigma^2`, by BIC
:math:`\lambda_0 = \tfrac12\sigma^2\log n` in :math:`\tfrac12 RSS + \lambda_0|z|`; where the variance is estimated, the
logarithm takes its place, and no single λ0 will do.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from formulations import Problem, ProblemError, ScaledProblem

_ALIASES = {"adjusted_r2": "adj_r2", "adjr2": "adj_r2"}


@dataclass(frozen=True)
class Sample:
    """What criteria know of the data.

    Attributes
    ----------
    n, p : int
    has_intercept : bool
    total : float
        TSS, about the mean with an intercept.
    noise : float
        The residual variance with all columns; NaN unless n exceeds their number.
    """

    n: int
    p: int
    has_intercept: bool
    total: float
    noise: float

    @classmethod
    def of(cls, problem: Problem) -> Sample:
        """Describe the data of a problem."""
        total = problem.total_sum_of_squares
        return cls(problem.n, problem.p, problem.fit_intercept, total, _noise(problem))


class Criterion(Protocol):
    """A price of a model, which grows with its residual sum of squares; NaN where it is not defined."""

    def __call__(self, size: int, rss: float, sample: Sample) -> float: ...


def aic(size: int, rss: float, sample: Sample) -> float:
    return _deviance(rss, sample) + 2 * _parameters(size, sample)


def aicc(size: int, rss: float, sample: Sample) -> float:
    m = _parameters(size, sample)
    left = sample.n - m - 1
    return aic(size, rss, sample) + 2 * m * (m + 1) / left if left > 0 else math.nan


def bic(size: int, rss: float, sample: Sample) -> float:
    return _deviance(rss, sample) + math.log(sample.n) * _parameters(size, sample)


def ebic(size: int, rss: float, sample: Sample) -> float:
    log_models = math.lgamma(sample.p + 1) - math.lgamma(size + 1) - math.lgamma(sample.p - size + 1)
    return bic(size, rss, sample) + 2 * log_models


def hqic(size: int, rss: float, sample: Sample) -> float:
    if sample.n < 3:
        return math.nan
    return _deviance(rss, sample) + 2 * math.log(math.log(sample.n)) * _parameters(size, sample)


def cp(size: int, rss: float, sample: Sample) -> float:
    return rss / sample.noise - sample.n + 2 * _parameters(size, sample) if sample.noise > 0 else math.nan


def adj_r2(size: int, rss: float, sample: Sample) -> float:
    left = sample.n - _parameters(size, sample)
    if left <= 0 or not sample.total > 0:
        return math.nan
    return rss / sample.total * (sample.n - int(sample.has_intercept)) / left - 1


CRITERIA: dict[str, Criterion] = {
    "aic": aic, "aicc": aicc, "bic": bic, "ebic": ebic, "hqic": hqic, "cp": cp, "adj_r2": adj_r2,
}  # fmt: skip


def by_name(criterion: str | Callable[[int, float, int, int], float]) -> Criterion:
    """Return a criterion of this file, or the user's ``callable(size, rss, n, p)``.

    Raises
    ------
    ProblemError
        If no criterion has that name.
    """
    if callable(criterion):
        of_user = criterion
        return lambda size, rss, sample: float(of_user(size, rss, sample.n, sample.p))
    name = _ALIASES.get(criterion, criterion)
    if name not in CRITERIA:
        close = difflib.get_close_matches(str(criterion), CRITERIA, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Pass one of these, or a callable(size, rss, n, p)."
        raise ProblemError(f"criterion is {criterion!r}; expected one of {sorted(CRITERIA)}. {hint}")
    return CRITERIA[name]


def threshold(criterion: Criterion, size: int, value: float, sample: Sample) -> float:
    """Return a residual sum of squares from which on a model of that size is no better than ``value``.

    It is the least such number but for rounding, found by bisection; infinite where every model of the size is better,
    zero where none is.
    """

    def is_better(rss: float) -> bool:
        return criterion(size, rss, sample) < value  # NaN is not

    low, high = 0.0, max(sample.total, 1e-300)
    if not is_better(math.ulp(0.0)):
        return 0.0
    if is_better(high):
        return math.inf
    while high > math.nextafter(low, math.inf):
        middle = math.sqrt(low * high) if low > 0 and high > 4 * low else 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if is_better(middle) else (low, middle)
    return high


def _parameters(size: int, sample: Sample) -> int:
    return size + int(sample.has_intercept)


def _deviance(rss: float, sample: Sample) -> float:
    # log(0) of a perfect fit is -inf by meaning, not by accident.
    return sample.n * math.log(rss / sample.n) if rss > 0 else -math.inf


def _noise(problem: Problem) -> float:
    """The residual variance with all columns; NaN where there are not enough rows."""
    import numpy as np

    rank = problem.p + int(problem.fit_intercept)
    if problem.n <= rank:
        return math.nan
    scaled = ScaledProblem.of(problem)
    residual = scaled.y - scaled.X @ np.linalg.lstsq(scaled.X, scaled.y, rcond=None)[0]
    return scaled.unit * float(residual @ residual) / (problem.n - rank)
