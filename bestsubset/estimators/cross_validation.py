"""The size of the best subset, and its ridge, by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv

from bestsubset.estimators.base import SubsetEstimator
from bestsubset.estimators.regressor import BestSubsetRegressor
from bestsubset.sizes import Sizes
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, ProblemError
from formulations._types import IntVector, Matrix, Vector

_RULES = ("best", "one-standard-error")


class BestSubsetRegressorCV(RegressorMixin, SubsetEstimator):  # type: ignore[misc]
    """Best subset regression whose size and ridge are chosen by cross-validation.

    Each fold is searched once for each λ2, all sizes with one warm start; the chosen pair is fitted to all rows.

    Parameters
    ----------
    k : int or sequence of int
        Sizes to try: 1 … k, or those listed.
    lambda2s : sequence of float
        Ridges to try.
    cv : int, splitter or iterable of (train, test)
        As everywhere in scikit-learn.
    rule : {"best", "one-standard-error"}
        The pair with the best mean score; or the smallest size, and with it the largest λ2, whose mean is within one
        standard error of the best (Breiman, Friedman, Olshen and Stone 1984).
    scoring : str or callable
        A scorer of scikit-learn; larger is better.
    n_jobs : int, optional
        Processes, as in joblib.
    lambda1, loss, bounds, constraints, fit_intercept, standardize, solver, time_limit, gap, threads, random_state
        As in `BestSubsetRegressor`; ``time_limit`` is for each path and for the last fit.

    Attributes
    ----------
    cv_results_ : dict of arrays
        One entry for each pair: param_k, param_lambda2, mean_test_score, std_test_score, rank_test_score and
        split0_test_score, …
    best_params_ : dict
    best_score_ : float
        Mean score of the chosen pair.
    coef_, intercept_, result_
        Of the fit to all rows.
    """

    def __init__(
        self,
        k: int | Sequence[int] = 10,
        *,
        lambda2s: Sequence[float] = (0.0,),
        cv: Any = 5,
        rule: str = "best",
        scoring: Any = "neg_mean_squared_error",
        n_jobs: int | None = None,
        lambda1: float = 0.0,
        loss: str | Loss = "squared",
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        constraints: Sequence[Constraint] = (),
        fit_intercept: bool = True,
        standardize: bool = False,
        solver: Solver | str | None = None,
        time_limit: float | None = None,
        gap: float = 1e-6,
        threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.k = k
        self.lambda2s = lambda2s
        self.cv = cv
        self.rule = rule
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.lambda1 = lambda1
        self.loss = loss
        self.bounds = bounds
        self.constraints = constraints
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.solver = solver
        self.time_limit = time_limit
        self.gap = gap
        self.threads = threads
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BestSubsetRegressorCV:
        """Choose size and ridge, and fit; weights count in the fits and not in the scores."""
        if self.rule not in _RULES:
            raise ProblemError(f"rule is {self.rule!r}; expected one of {_RULES}. Choose one.")
        X, y = self._validated(X, y, y_numeric=True)
        y, weights = np.asarray(y, dtype=np.float64), self._weights(sample_weight, X)
        sizes, ridges = self._sizes(X.shape[1]), np.asarray(self.lambda2s, dtype=np.float64)
        folds = list(check_cv(self.cv).split(X, y))
        scores = Parallel(n_jobs=self.n_jobs)(
            delayed(self._scores)(X, y, weights, train, test, float(ridge), sizes)
            for train, test in folds
            for ridge in ridges
        )
        table = np.array(scores).reshape(len(folds), len(ridges), len(sizes))
        chosen = self._choose(table, sizes, ridges)
        self.best_params_ = {"k": int(sizes[chosen[1]]), "lambda2": float(ridges[chosen[0]])}
        self.best_score_ = float(table[:, chosen[0], chosen[1]].mean())
        final = self._regressor(int(sizes[chosen[1]]), float(ridges[chosen[0]]))
        names = getattr(self, "feature_names_in_", None)
        if names is not None:
            final.feature_names_in_ = names
        final._solve(*final._problem(X, y, weights, final.k))
        self.result_, self.coef_, self.intercept_ = final.result_, final.coef_, final.intercept_
        return self

    def predict(self, X: Any) -> Vector:
        """Return b + Xβ, shape (n,)."""
        return self._predictor(X)

    def _sizes(self, p: int) -> IntVector:
        sizes = np.arange(1, self.k + 1) if isinstance(self.k, int | np.integer) else np.asarray(self.k)
        if not len(sizes) or sizes.min() < 1:
            raise ProblemError(f"k is {self.k!r}; expected sizes >= 1. Give the largest size, or a list of sizes.")
        return np.unique(np.minimum(sizes, p)).astype(np.int64)

    def _regressor(self, k: int, lambda2: float) -> BestSubsetRegressor:
        return BestSubsetRegressor(
            k, lambda1=self.lambda1, lambda2=lambda2, loss=self.loss, bounds=self.bounds, constraints=self.constraints,
            fit_intercept=self.fit_intercept, standardize=self.standardize, solver=self.solver,
            time_limit=self.time_limit, gap=self.gap, threads=self.threads, random_state=self.random_state,
        )  # fmt: skip

    def _scores(
        self, X: Matrix, y: Vector, weights: Vector | None, train: IntVector, test: IntVector, ridge: float,
        sizes: IntVector,
    ) -> list[float]:  # fmt: skip
        """The scores of all sizes on one fold; a size that cannot be had there is as good as the largest that can."""
        regressor = self._regressor(int(sizes.max()), ridge)
        problem, kept = regressor._problem(X[train], y[train], None if weights is None else weights[train], regressor.k)
        search = Sizes(
            problem, solver=self.solver, time_limit=self.time_limit, gap=self.gap, threads=self.threads,
            random_state=self.random_state, certificate=False,
        )  # fmt: skip
        path = search.path()
        scorer, scores = get_scorer(self.scoring), []
        for size in sizes:
            result = path[min(max(int(size), min(path)), max(path))]
            model = _Fitted(np.zeros(len(kept)), result.intercept)
            model.coef[kept] = result.coef
            scores.append(float(scorer(model, X[test], y[test])))
        return scores

    def _choose(self, table: Any, sizes: IntVector, ridges: Vector) -> tuple[int, int]:
        """Keep the table, and choose by the rule: positions of λ2 and of the size."""
        mean, std = table.mean(axis=0), table.std(axis=0)
        pairs = [(ridge, size) for ridge in range(len(ridges)) for size in range(len(sizes))]
        self.cv_results_ = {
            "param_k": np.array([sizes[size] for _, size in pairs]),
            "param_lambda2": np.array([ridges[ridge] for ridge, _ in pairs]),
            "mean_test_score": mean.ravel(),
            "std_test_score": std.ravel(),
            "rank_test_score": rankdata(-mean.ravel(), method="min").astype(int),
            **{f"split{fold}_test_score": table[fold].ravel() for fold in range(len(table))},
        }
        best = max(pairs, key=lambda pair: mean[pair])
        if self.rule == "best":
            return best
        error = table[:, best[0], best[1]].std(ddof=1) / np.sqrt(len(table)) if len(table) > 1 else 0.0
        near = [pair for pair in pairs if mean[pair] >= mean[best] - error]
        return min(near, key=lambda pair: (sizes[pair[1]], -ridges[pair[0]]))


class _Fitted(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What a scorer asks of a model."""

    def __init__(self, coef: Vector, intercept: float) -> None:
        self.coef, self.intercept = coef, intercept

    def predict(self, X: Matrix) -> Vector:
        return np.asarray(X @ self.coef + self.intercept)
