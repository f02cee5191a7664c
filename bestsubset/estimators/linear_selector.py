"""What the estimators share: parameters in, a problem stated, its result kept, columns selected."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from bestsubset.estimators.constant_columns import without_constant_columns
from bestsubset.result import Result
from bestsubset.solve import solve
from bestsubset.solvers import Solver
from bestsubset.status import Termination
from formulations import Constraint, Loss, Problem, ProblemError
from formulations._types import BoolVector, Data, Vector
from formulations.arrays import column_names

LIMITS = (Termination.TIME_LIMIT, Termination.NODE_LIMIT, Termination.MEMORY_LIMIT, Termination.INTERRUPTED)

_NUMBERS = (np.float64, np.float32)  # kinds that stay as they are; all else becomes the first
_MOST_ENTRIES = 500_000_000  # of a sparse matrix made dense: 4 GB of float64
_SEEDS = 2**31 - 1


class LinearSelector(SelectorMixin, BaseEstimator):
    """A linear model of few columns, found by `solve`, that serves as a selector of these columns too."""

    def __init__(
        self,
        k: int | None,
        *,
        lambda0: float,
        lambda1: float,
        lambda2: float,
        loss: str | Loss,
        bounds: tuple[ArrayLike, ArrayLike] | None,
        constraints: Sequence[Constraint],
        fit_intercept: bool,
        standardize: bool,
        solver: Solver | str | None,
        time_limit: float | None,
        gap: float,
        threads: int | None,
        random_state: Any,
        certificate: bool,
    ) -> None:
        self.k = k
        self.lambda0 = lambda0
        self.lambda1 = lambda1
        self.lambda2 = lambda2
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
        self.certificate = certificate

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Find the best model of the data.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix, shape (n, p)
        y : array-like, shape (n,)
        sample_weight : array-like, shape (n,), optional
            The weights of the rows, non-negative; 1 unless given.

        Raises
        ------
        ProblemError
            If the data or a parameter is out of range; see `Problem`.
        RefusedError
            If the solver does not take the problem; the message says what would.

        Warns
        -----
        ConvergenceWarning
            If a limit stopped the search before its gap was closed: ``result_`` says how far it came.
        """
        data, target, weights = self._validated(X, y, sample_weight)
        result = self.searched(self.stated(data, target, weights, self._names()))
        if result.termination in LIMITS:
            warnings.warn(
                f"The search stopped at its {result.termination} with a relative gap of {result.relative_gap:.2g};"
                f" expected at most {result.gap_tolerance:g}. Raise the limit, or judge by result_.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self.adopt(result)

    def stated(self, X: Data, y: Vector, sample_weight: Vector | None, names: Sequence[str] | None) -> Problem:
        """The problem of checked data, constant columns excluded; without any price or bound, k is p."""
        given = column_names(X, names, X.shape[1])
        k = X.shape[1] if self.k is None and self.lambda0 == 0 else self.k
        return Problem(
            X,
            y,
            min(k, X.shape[1]) if isinstance(k, Integral) else k,
            lambda0=self.lambda0,
            lambda1=self.lambda1,
            lambda2=self.lambda2,
            loss=self.loss,
            bounds=self.bounds,
            constraints=without_constant_columns(self.constraints, X, sample_weight, self.fit_intercept, given),
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            sample_weight=sample_weight,
            feature_names=names,
        )

    def searched(self, problem: Problem, start: Result | None = None) -> Result:
        """The result of `solve` with the settings of this estimator."""
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(_SEEDS)
        return solve(
            problem,
            self.solver,
            time_limit=self.time_limit,
            gap=self.gap,
            start=start,
            threads=self.threads,
            random_state=int(seed),
            certificate=self.certificate,
        )

    def adopt(self, result: Result) -> Self:
        """Take a result's model as one's own."""
        assert result.coef is not None  # every search begins with the least model allowed
        self.result_ = result
        self.support_: BoolVector = result.coef != 0
        self.coef_ = result.coef
        self.intercept_: Any = result.intercept
        return self

    def _validated(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> tuple[Data, Vector, Vector | None]:
        """X dense, the response as the problem takes it, and the weights."""
        raise NotImplementedError

    def _checked(self, X: Any, y: Any, sample_weight: ArrayLike | None, **rules: Any) -> tuple[Any, Any, Any]:
        X, y = validate_data(self, X, y, accept_sparse="csc", dtype=_NUMBERS, ensure_min_samples=2, **rules)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        return _dense(X), y, sample_weight

    def _names(self) -> Sequence[str] | None:
        return getattr(self, "feature_names_in_", None)

    def _linear_predictor(self, X: Any) -> Vector:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=_NUMBERS, reset=False)
        return np.asarray(X @ self.result_.coef + self.result_.intercept)

    def _get_support_mask(self) -> BoolVector:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(X: Any) -> Data:
    if not sparse.issparse(X):
        return np.asarray(X)
    n, p = X.shape
    if n * p > _MOST_ENTRIES:
        raise ProblemError(
            f"X is sparse, {n} by {p}; expected at most {_MOST_ENTRIES} entries, since the search works on a dense one."
            " Select columns first, or pass a memory-mapped float32 array."
        )
    return np.asarray(X.toarray())
