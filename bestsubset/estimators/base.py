"""What the estimators share: their parameters, a validated problem, and the columns of its solution as a selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from bestsubset.result import Result
from bestsubset.solve import solve
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, Problem, ProblemError
from formulations._types import BoolVector, Matrix, Vector


class SubsetEstimator(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """A model of a subset of the columns; as a transformer it keeps the columns it chose.

    Constant columns get the coefficient 0: with an intercept they say nothing. A k above the number of columns means
    all of them. Sparse X is turned into an array.
    """

    k: Any
    result_: Result
    coef_: Vector
    intercept_: float

    def __init__(
        self,
        k: int | None = 5,
        *,
        lambda0: float = 0.0,
        lambda1: float = 0.0,
        lambda2: float = 0.0,
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

    def _validated(self, X: Any, y: Any, **checks: Any) -> tuple[Matrix, Any]:
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, ensure_min_samples=2, **checks)
        return (X.toarray() if sparse.issparse(X) else X), y

    def _weights(self, sample_weight: Any, X: Matrix) -> Vector | None:
        return None if sample_weight is None else np.asarray(_check_sample_weight(sample_weight, X))

    def _problem(self, X: Matrix, y: Vector, sample_weight: Vector | None, k: int | None) -> tuple[Problem, BoolVector]:
        """State the problem on the columns that vary; where there are constraints or bounds, on all of them."""
        names = getattr(self, "feature_names_in_", None)
        kept = np.ones(X.shape[1], dtype=bool)
        if self.bounds is None and not len(self.constraints):
            used = X if sample_weight is None else X[sample_weight > 0]
            kept = np.ptp(used, axis=0) > 0 if self.fit_intercept else np.any(used != 0, axis=0)
        if not kept.any():
            raise ProblemError("X has no column that varies; expected at least one. Drop the constant columns.")
        problem = Problem(
            X[:, kept], y, None if k is None else min(k, int(kept.sum())),
            lambda0=self.lambda0, lambda1=self.lambda1, lambda2=self.lambda2, loss=self.loss, bounds=self.bounds,
            constraints=self.constraints, fit_intercept=self.fit_intercept, standardize=self.standardize,
            sample_weight=sample_weight, feature_names=None if names is None else [str(n) for n in names[kept]],
        )  # fmt: skip
        return problem, kept

    def _solve(self, problem: Problem, kept: BoolVector) -> None:
        """Solve and keep the result, with the coefficients of all columns of X."""
        result = solve(
            problem, self.solver, time_limit=self.time_limit, gap=self.gap, threads=self.threads,
            random_state=self.random_state,
        )  # fmt: skip
        if result.coef is None:
            raise ProblemError(f"the solver found no model ({result.termination}); expected one. Raise time_limit.")
        self.result_ = result
        self.coef_ = np.zeros(len(kept))
        self.coef_[kept] = result.coef
        self.intercept_ = result.intercept

    def _predictor(self, X: Any) -> Vector:
        """η = b + Xβ."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_ + self.intercept_)

    def _get_support_mask(self) -> BoolVector:
        check_is_fitted(self)
        return np.asarray(self.coef_ != 0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags
