"""Best subset regression as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from bestsubset.estimators.base import SubsetEstimator
from formulations._types import Vector


class BestSubsetRegressor(RegressorMixin, SubsetEstimator):  # type: ignore[misc]
    r"""The best regression on at most k columns, with its proof.

    .. math:: \min_{\beta, b}\; L(y, b + X\beta) + \lambda_0\|\beta\|_0 + \lambda_1\|\beta\|_1 + \lambda_2\|\beta\|^2,
        \qquad \|\beta\|_0 \le k

    It predicts, and it selects: `transform` keeps the columns with a coefficient, so that it can stand in a pipeline
    before another estimator.

    Parameters
    ----------
    k : int or None
        At most this many columns; None, with ``lambda0``, leaves their number to the price.
    lambda0, lambda1, lambda2, loss, bounds, constraints, fit_intercept, standardize
        The problem, as in `Problem`; columns in constraints may be named where X is a data frame.
    solver, time_limit, gap, threads, random_state
        The search, as in `solve`.

    Attributes
    ----------
    coef_ : shape (p,)
    intercept_ : float
    result_ : Result
        With bound, gap and certificate. It is about the columns of X that are not constant.
    n_features_in_ : int
    feature_names_in_ : shape (p,)
        Where X is a data frame with names of columns.

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> X = np.array([[1.0, 0, 2], [0, 1, 1], [2, 1, 0], [1, 3, 1], [0, 2, 5]])
    >>> model = bs.BestSubsetRegressor(k=1).fit(X, X[:, 2] * 2)
    >>> model.get_support(indices=True)
    array([2])
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BestSubsetRegressor:
        """Find the best model; X has shape (n, p), y and ``sample_weight`` shape (n,).

        Raises
        ------
        ProblemError
            If the data or a parameter do not make a problem.
        RefusedError
            If the solver does not take the problem.
        """
        X, y = self._validated(X, y, y_numeric=True)
        problem = self._problem(X, np.asarray(y, dtype=np.float64), self._weights(sample_weight, X), self.k)
        self._solve(*problem)
        return self

    def predict(self, X: Any) -> Vector:
        """Return b + Xβ, shape (n,)."""
        return self._predictor(X)
