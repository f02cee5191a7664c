"""The size, and the penalties, chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv

from bestsubset.estimators.classifier import BestSubsetClassifier
from bestsubset.estimators.held_out import PRICES, RULES, Grid, Rows, chosen, held_out, searched_grid, table_of
from bestsubset.estimators.linear_selector import LIMITS, LinearSelector
from bestsubset.estimators.regressor import BestSubsetRegressor
from bestsubset.path import Path
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, ProblemError


class CrossValidated(LinearSelector):
    """`fit` over a grid of sizes and prices; the classes below say what is fitted."""

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Choose by cross-validation, then find the best models of all data.

        Takes, raises and warns of what `BestSubsetRegressor.fit` does. With ``sample_weight`` the held-out scores are
        weighted too, so that a ``scoring`` of one's own must take it.
        """
        if self.rule not in RULES:
            raise ProblemError(f"rule is {self.rule!r}; expected one of {RULES}. Use 'best'.")
        X, target, weights = self._validated(X, y, sample_weight)
        labels = self.classes_[(target > 0).astype(int)] if is_classifier(self) else target
        rows = Rows(X, target, labels, weights, self._names())
        model = self._single()
        grid = self._grid(model, rows)
        scorer = check_scoring(model, self.scoring)
        splits = list(check_cv(self.cv, labels, classifier=is_classifier(self)).split(X, labels))
        folds = Parallel(n_jobs=self.n_jobs)(
            delayed(held_out)(model, rows.of(train), rows.of(test), grid, scorer) for train, test in splits
        )
        self.cv_results_ = table_of(grid, np.array(folds))
        self.best_index_ = chosen(self.cv_results_, len(folds), self.rule)
        self.best_params_: dict[str, float] = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        prices = {name: self.best_params_[name] for name in PRICES}
        searched = searched_grid(model, rows, Grid(grid.sizes, [prices]), certificate=self.certificate)
        self.path_ = Path(dict(zip(grid.sizes, searched, strict=True)))
        self._warn_of_limits()
        return self.adopt(self.path_[int(self.best_params_["k"])])

    def _single(self) -> LinearSelector:
        """The estimator of one size, whose threads give way to jobs that run side by side."""
        kind = BestSubsetClassifier if is_classifier(self) else BestSubsetRegressor
        given = self.get_params(deep=False)
        model = kind(**{name: clone(given[name], safe=False) for name in kind().get_params()})
        if is_classifier(self):
            model.classes_ = self.classes_
        if self.threads is None and self.n_jobs not in (None, 1):
            model.threads = 1
        return model

    def _grid(self, model: LinearSelector, rows: Rows) -> Grid:
        """The grid, without sizes below what the constraints force in."""
        p = rows.X.shape[1]
        given = [*range(1, self.k + 1)] if isinstance(self.k, Integral) else _listed(self.k)
        prices = [dict(zip(PRICES, pair, strict=True)) for pair in product(*map(_listed, (self.lambda0, self.lambda2)))]
        if not (given and prices) or None in given:
            raise ProblemError(
                f"the grid is k = {self.k}, lambda0 = {self.lambda0}, lambda2 = {self.lambda2}; expected at least one"
                " size and one of each price. Give a number, or a list of them."
            )
        sizes = sorted({min(k, p) for k in given})
        model.set_params(k=sizes[-1], **prices[0])
        least = model.stated(rows.X, rows.target, rows.weights, rows.names).selection.least_size
        return Grid([k for k in sizes if k >= least], prices)

    def _warn_of_limits(self) -> None:
        gaps = self.cv_results_["max_relative_gap"]
        stopped = [result for result in self.path_.values() if result.termination in LIMITS]
        if stopped or np.any(self.cv_results_["stopped_searches"]):
            worst = max([*gaps, *(result.relative_gap for result in stopped)])
            warnings.warn(
                f"Limits stopped searches with relative gaps of up to {worst:.2g}; expected at most {self.gap:g}."
                " Raise the limit, or judge by cv_results_ and path_.",
                ConvergenceWarning,
                stacklevel=3,
            )


def _listed(values: Any) -> list[Any]:
    return list(np.atleast_1d(np.asarray(values, dtype=object)))


class BestSubsetRegressorCV(CrossValidated, BestSubsetRegressor):
    r"""`BestSubsetRegressor` with its size, and its prices, chosen by cross-validation.

    On the training rows of each fold the best model of every size is found, for every pair of prices; it is scored on
    the rows held out. The best models of all data, at the prices chosen, are ``path_``.
    Parameters that are not told of here are those of `BestSubsetRegressor`.

    Parameters
    ----------
    k : int or sequence of int, default 5
        The sizes; a number means all from 1 up to it. Those above p count as p, and those below what the constraints
        force in are left out.
    lambda0, lambda2 : float or sequence of float
        The prices: every pair of them is tried with every size. A search starts from the model found at the prices
        before, so give them in order.
    time_limit : float, optional
        Seconds of each search: there is one for each fold and point of the grid.
    cv : int, splitter or iterable of (train, test), optional
        As in `sklearn.model_selection.check_cv`: five folds unless given.
    rule : {"best", "one-standard-error"}
        The highest mean score; or, of the points whose mean score is within one standard error (of the best point's
        mean, over the folds) of the highest, the one with the fewest columns, on average over the folds.
    scoring : str or callable, optional
        The estimator's own score unless given: R², or the accuracy of a classifier.
    n_jobs : int, optional
        Folds side by side, by joblib; each search then takes one thread unless ``threads`` says otherwise.

    Attributes
    ----------
    best_params_ : dict
        ``k``, ``lambda0`` and ``lambda2``.
    best_index_ : int
    best_score_ : float
        The mean score there.
    cv_results_ : dict of arrays, one entry a point
        As scikit-learn's: ``params``, ``param_k``, …, ``split0_test_score``, …, ``mean_test_score``,
        ``std_test_score``, ``rank_test_score``; also ``mean_cardinality``, and over the folds ``max_relative_gap`` and
        ``stopped_searches``, how many a limit stopped.
    path_ : Path
        The best models of all data, of every size, at the prices chosen.
    result_ : Result
        That of ``path_`` with the size chosen; ``coef_`` and all else are as of `BestSubsetRegressor`.

    Source
    ------
    The rule of one standard error: Breiman, Friedman, Olshen and Stone (1984), section 3.4.3.
    """

    def __init__(
        self,
        k: int | Sequence[int] = 5,
        *,
        lambda0: float | Sequence[float] = 0.0,
        lambda1: float = 0.0,
        lambda2: float | Sequence[float] = 0.0,
        loss: str | Loss = "squared",
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        constraints: Sequence[Constraint] = (),
        fit_intercept: bool = True,
        standardize: bool = False,
        solver: Solver | str | None = None,
        time_limit: float | None = None,
        gap: float = 1e-6,
        threads: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        certificate: bool = True,
        cv: Any = None,
        rule: str = "best",
        scoring: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            k,  # type: ignore[arg-type]  # a grid stands where one value did
            lambda0=lambda0,  # type: ignore[arg-type]
            lambda1=lambda1,
            lambda2=lambda2,  # type: ignore[arg-type]
            loss=loss,
            bounds=bounds,
            constraints=constraints,
            fit_intercept=fit_intercept,
            standardize=standardize,
            solver=solver,
            time_limit=time_limit,
            gap=gap,
            threads=threads,
            random_state=random_state,
            certificate=certificate,
        )
        self.cv = cv
        self.rule = rule
        self.scoring = scoring
        self.n_jobs = n_jobs


class BestSubsetClassifierCV(CrossValidated, BestSubsetClassifier):
    """`BestSubsetClassifier` with its size, and its prices, chosen by cross-validation.

    Parameters and attributes are those of `BestSubsetClassifier` and `BestSubsetRegressorCV`; folds are stratified.
    """

    def __init__(
        self,
        k: int | Sequence[int] = 5,
        *,
        lambda0: float | Sequence[float] = 0.0,
        lambda1: float = 1.0,
        lambda2: float | Sequence[float] = 0.0,
        loss: str | Loss = "hinge",
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        constraints: Sequence[Constraint] = (),
        fit_intercept: bool = True,
        standardize: bool = False,
        solver: Solver | str | None = None,
        time_limit: float | None = None,
        gap: float = 1e-6,
        threads: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        certificate: bool = True,
        cv: Any = None,
        rule: str = "best",
        scoring: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            k,  # type: ignore[arg-type]  # a grid stands where one value did
            lambda0=lambda0,  # type: ignore[arg-type]
            lambda1=lambda1,
            lambda2=lambda2,  # type: ignore[arg-type]
            loss=loss,
            bounds=bounds,
            constraints=constraints,
            fit_intercept=fit_intercept,
            standardize=standardize,
            solver=solver,
            time_limit=time_limit,
            gap=gap,
            threads=threads,
            random_state=random_state,
            certificate=certificate,
        )
        self.cv = cv
        self.rule = rule
        self.scoring = scoring
        self.n_jobs = n_jobs
