"""The best model of any size by a criterion, with a proof for all sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bestsubset.api import split_settings
from bestsubset.certificates.verdict import Verdict
from bestsubset.certificates.write import join
from bestsubset.criteria import Criterion, Sample, by_name, threshold
from bestsubset.gap import relative_gap
from bestsubset.report.progress import shown
from bestsubset.result import Result, Stats
from bestsubset.sizes import Sizes
from bestsubset.status import Status, Termination
from formulations import Problem, ProblemError
from warmstarts import ForwardStepwise, Restarts

if TYPE_CHECKING:
    import pandas as pd

_ROUNDING = 1e-9  # of a criterion recomputed from bounds that were rounded once more

_STOPPED = (Termination.TIME_LIMIT, Termination.NODE_LIMIT, Termination.MEMORY_LIMIT, Termination.INTERRUPTED)

CriterionName = str | Callable[[int, float, int, int], float]


@dataclass(frozen=True, eq=False)
class BestBy(Result):
    """The best model by a criterion: the result of its size, and what is proved of the others.

    Attributes
    ----------
    criterion : str
    value : float
        The criterion of the model; smaller is better (for adjusted R², its negative).
    value_bound : float
        No model of one to the largest size looked at has a smaller one; the empty one is compared with directly.
    searches : dict of int to Result
        What was found and proved of each size that could matter; its bound stops where the criterion does not care.
    """

    criterion: str = ""
    value: float = math.nan
    value_bound: float = math.nan
    searches: dict[int, Result] = field(default_factory=dict)
    _price: Criterion | None = None

    def verify(self) -> Verdict:
        """Check the certificate, and that its bounds prove ``value_bound``."""
        verdict = super().verify()
        if not verdict:
            return verdict
        claims = self.certificate.claims if self.certificate is not None else ()
        bounds = {claim.k: v.dual_bound for claim, v in zip(claims, verdict.claims, strict=True)}
        proved = _value_bound(self._price, self.sample, bounds, self._sizes)
        if not proved >= self.value_bound - _ROUNDING * (1 + abs(self.value_bound)):
            return replace(verdict, valid=False, reason=f"the bounds prove a {self.criterion} of {proved} only")
        return verdict

    @property
    def sample(self) -> Sample:
        return Sample.of(self.problem)

    @property
    def _sizes(self) -> range:
        return Sizes(self.problem.with_k(max(self.searches))).sizes

    def table(self) -> pd.DataFrame:
        """Return one row a size searched: k, rss of the best model known, its criterion, and what is proved of both."""
        import pandas as pd

        sample, price = self.sample, self._price
        assert price is not None
        rows = []
        for k, result in sorted(self.searches.items()):
            bound = min(2 * result.dual_bound, result.rss)
            rows.append((k, result.rss, bound, price(result.cardinality, result.rss, sample), price(k, bound, sample)))
        return pd.DataFrame(rows, columns=["k", "rss", "rss_bound", self.criterion, f"{self.criterion}_bound"])

    def statement(self) -> str:
        """Return the claim in a sentence or two."""
        name, shown = self.criterion, f"{self.value:.6f}"
        found = f"The one found, with {self.cardinality} of these {self.problem.p} predictors, has {shown}"
        seconds = f"{max(self.stats.seconds, 0.001):.3g} s"
        scope = f"of at most {max(self.searches)} predictors"
        if self.status is Status.OPTIMAL:
            return f"No model {scope} has a {name} below {shown}. {found}. Proved in {seconds}."
        return (
            f"Stopped after {seconds}: not proved to be the best. {found}."
            f" What is proved: no model {scope} has a {name} below {self.value_bound:.6f}."
        )


def best_by(X: ArrayLike, y: ArrayLike, criterion: CriterionName = "bic", **settings: Any) -> BestBy:
    r"""Return the best model of any size by a criterion, proved to be that.

    Each size k is searched only for residual sums of squares with which it could still beat the best model known:
    below the threshold where :math:`F(k, RSS) = F^*`. Sizes that could not beat it with the residual sum of squares of
    *all* columns are not searched at all. So one search for the criterion is far cheaper than the best models of all
    sizes, of which it asks only whether they matter (Hofmann, Gatu, Kontoghiorghes, Colubi and Zeileis 2020).

    Parameters
    ----------
    X, y
        As in `best_subset`.
    criterion : {"bic", "aic", "aicc", "ebic", "hqic", "cp", "adjusted_r2"} or callable
        See `bestsubset.criteria`. A callable takes (size, rss, n, p) and must grow with rss.
    k_max : int, optional
        The largest size to look at; all sizes with which the data can tell models apart unless given.
    **settings
        Those of `best_subset` but k and the penalties.

    Raises
    ------
    ProblemError
        If no criterion has that name, if it is not defined for these data, or if the data have no more rows than
        columns and ``k_max`` is not given: large models then fit perfectly.

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 8))
    >>> y = X[:, 1] - X[:, 4] + 0.5 * rng.standard_normal(50)
    >>> bs.best_by(X, y, "bic").support
    (1, 4)
    """
    k_max = settings.pop("k_max", None)
    problem_settings, solve_settings = split_settings(settings)
    _refuse_penalties(problem_settings)
    price = by_name(criterion)
    problem = Problem(X, y, 1, **problem_settings)
    name = criterion if isinstance(criterion, str) else getattr(criterion, "__name__", "criterion")
    largest = problem.with_k(_largest(problem, k_max))
    with shown(solve_settings.pop("progress", None)) as listener:
        return _Search(largest, price, name, k_max is None, {**solve_settings, "progress": listener}).run()


class _Search:
    def __init__(
        self, largest: Problem, price: Criterion, name: str, has_floor: bool, settings: dict[str, Any]
    ) -> None:
        self.sizes = Sizes(largest, **settings)
        self.price, self.name, self.has_floor = price, name, has_floor
        self.sample = Sample.of(largest)
        self.results: dict[int, Result] = {}

        self.best, self.best_k = math.inf, 0

    def run(self) -> BestBy:
        """Search the size that looks best first, then the others while they can matter."""
        problem, sizes = self.sizes.largest, self.sizes.sizes
        if not problem.selection.least_size:
            self._offer(0, 0, problem.total_sum_of_squares)
        floor = 2 * self._search(problem.max_cardinality, math.inf).dual_bound if self.has_floor else 0.0
        for heuristic in (ForwardStepwise(), Restarts()):  # the first says which sizes are worth the second
            found = self.sizes.warm_up(heuristic, [k for k in sizes if self._threshold(k) > floor])
            for k, rss in found.items():
                self._offer(k, k, rss * (1 + _ROUNDING))
        if self.best_k:  # from now on what the models found are worth, to the last digit
            first = self._threshold(self.best_k)
            self.best = math.inf
            self._search(self.best_k, first, len(sizes))
            if not problem.selection.least_size:
                self._offer(0, 0, problem.total_sum_of_squares)
        for number, k in enumerate(sizes):
            if k not in self.results and self._threshold(k) > floor:
                result = self._search(k, self._threshold(k), len(sizes) - number)
                if result.termination is Termination.INTERRUPTED:
                    break
        return self._result()

    def _threshold(self, k: int) -> float:
        return threshold(self.price, k, self.best, self.sample)

    def _search(self, k: int, rss: float, searches_left: int = 1) -> Result:
        result = self.sizes.search(k, 0.5 * rss, searches_left)
        self.results[k] = result
        if result.coef is not None:
            self._offer(k, result.cardinality, result.rss)
        return result

    def _offer(self, k: int, size: int, rss: float) -> None:
        value = self.price(size, rss, self.sample)
        if value < self.best:
            self.best, self.best_k = value, k

    def _result(self) -> BestBy:
        if math.isinf(self.best):
            raise ProblemError(
                f"{self.name} is {self.best} for the best model; expected a number. Lower k_max, or use bic."
            )
        results = self.results
        bounds = {k: result.dual_bound for k, result in results.items()}
        bound = min(self.best, _value_bound(self.price, self.sample, bounds, self.sizes.sizes))
        winner = self._winner()
        is_closed = self._is_closed(bounds)
        last = next((r.termination for r in results.values() if r.termination in _STOPPED), Termination.EXHAUSTED)
        certificates = [r.certificate for r in results.values() if r.certificate is not None]
        stats = Stats(
            winner.stats.solver, sum(r.stats.seconds for r in results.values()),
            sum(r.stats.nodes for r in results.values()), max(r.stats.threads for r in results.values()),
            winner.stats.versions,
        )  # fmt: skip
        own: dict[str, Any] = {f.name: getattr(winner, f.name) for f in fields(Result)}
        own |= {
            "status": Status.OPTIMAL if is_closed else Status.FEASIBLE,
            "termination": Termination.GAP_CLOSED if is_closed else last,
            "certificate": join(certificates) if len(certificates) == len(results) else None,
            "stats": stats,
        }
        return BestBy(
            **own, criterion=self.name, value=self.best, value_bound=bound, searches=results, _price=self.price
        )

    def _winner(self) -> Result:
        if self.best_k:
            return self.results.get(self.best_k) or self._search(self.best_k, self._threshold(self.best_k))
        smallest = self.results[min(self.results)]
        problem = smallest.problem
        coef = np.zeros(problem.p)
        return replace(
            smallest, coef=coef, intercept=problem.intercept(coef), objective=problem.objective(coef),
            dual_bound=min(smallest.dual_bound, problem.objective(coef)),
        )  # fmt: skip

    def _is_closed(self, bounds: dict[int, float]) -> bool:
        """Whether every size is proved up to its threshold, to the relative gap asked for."""
        null = self.sizes.largest.null_objective
        best = bounds.copy()
        for k in self.sizes.sizes:
            best[k] = max((b for size, b in bounds.items() if size >= k), default=0.0)
        thresholds = {k: self._threshold(k) for k in self.sizes.sizes}
        return all(
            rss < math.inf and relative_gap(0.5 * rss, best[k], null) <= self.sizes.gap for k, rss in thresholds.items()
        )


def _value_bound(price: Criterion | None, sample: Sample, bounds: dict[int, float], sizes: range) -> float:
    """The least that the criterion can be: a bound for models of some size is one for all smaller ones."""
    assert price is not None
    least = math.inf
    for k in sizes:
        rss = 2 * max((bound for size, bound in bounds.items() if size >= k), default=0.0)
        least = min(least, price(k, rss, sample))
    return least


def _largest(problem: Problem, k_max: int | None) -> int:
    allowed = problem.p - len(problem.selection.excluded)
    if k_max is not None:
        return min(k_max, allowed)
    if problem.n - int(problem.fit_intercept) <= allowed:
        raise ProblemError(
            f"k_max is None with {problem.n} rows and {allowed} columns; expected more rows than columns, since a model"
            " of as many columns as rows fits perfectly. Give k_max."
        )
    return allowed


def _refuse_penalties(settings: dict[str, Any]) -> None:
    for name in ("lambda0", "lambda1", "lambda2"):
        if settings.get(name):
            raise ProblemError(
                f"{name} is {settings[name]} beside a criterion; expected 0: the criterion is the penalty. Drop one."
            )
    if settings.get("loss", "squared") != "squared":
        raise ProblemError(f"loss is {settings['loss']!r} with a criterion; expected 'squared'. Use lambda0.")
