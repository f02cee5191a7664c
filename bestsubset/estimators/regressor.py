"""Best subset regression as an estimator of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from bestsubset.estimators.linear_selector import LinearSelector
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, ProblemError
from formulations._types import Data, Vector
from formulations.losses import by_name


class BestSubsetRegressor(RegressorMixin, LinearSelector):
    r"""The best linear model with at most k columns, and the proof that it is the best.

    The problem is that of `Problem`, whose parameters these are up to ``standardize``; the others are those of
    `solve`. As a step of a pipeline it selects columns: `transform` keeps those of the model.

    Parameters
    ----------
    k : int or None, default 5
        At most this many nonzero coefficients; p where it is more than the p columns of X. None sets no bound: the
        number is left to ``lambda0``, and without that price every column may enter, as with k = p.
    lambda0, lambda1, lambda2 : float
        The price of a column, and the weights of the absolute and of the squared coefficients, in units of the
        objective: half a sum over the rows, not a mean.
    loss : {"squared", "absolute", "quantile"} or Loss
        An instance such as ``QuantileLoss(0.9)``; one of the residual alone.
    bounds : pair of scalars or arrays, optional
        ``(lo, hi)`` with ``lo <= 0 <= hi``, imposed on every coefficient.
    constraints : sequence of Constraint
        Columns by index, or by name where X is a data frame (``x0, x1, …`` otherwise).
    fit_intercept, standardize : bool
    solver : Solver or str, optional
        The one meant for the loss unless given.
    time_limit : float, optional
        Seconds of each fit.
    gap : float
        Relative gap at which the search may stop.
    threads : int, optional
        All cores unless given: set 1 where fits run side by side already.
    random_state : int, RandomState or None
        Seed of the warm starts. What is proved does not depend on it.
    certificate : bool
        Log the search, so that ``result_`` comes with a certificate where the solver can give one.

    Attributes
    ----------
    coef_ : array, shape (p,)
    intercept_ : float
    support_ : boolean array, shape (p,)
        The columns with a nonzero coefficient; `get_support` gives indices too.
    n_features_in_ : int
    feature_names_in_ : array of str, shape (p,)
        Where X is a data frame whose columns all have names.
    result_ : Result
        With its bound, gap and certificate. It holds the problem, hence X and y themselves where they were float
        arrays: change them, and the certificate is about other numbers.

    Notes
    -----
    A column that is constant in the rows of positive weight can be in no model; it is excluded, and its coefficient
    is 0. A `Group` goes on without it, so that a level of a factor may be missing from a fold.

    A sparse X is made dense for the fit, up to 500 million entries, and stays sparse in `predict` and `transform`.

    Source
    ------
    Bertsimas, King and Mazumder (2016).

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> X = np.random.default_rng(0).standard_normal((50, 8))
    >>> model = bs.BestSubsetRegressor(k=2).fit(X, X[:, 1] - 2 * X[:, 6])
    >>> model.get_support(indices=True)
    array([1, 6])
    """

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
        random_state: int | np.random.RandomState | None = 0,
        certificate: bool = True,
    ) -> None:
        super().__init__(
            k,
            lambda0=lambda0,
            lambda1=lambda1,
            lambda2=lambda2,
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

    def predict(self, X: Any) -> Vector:
        """Return the intercept plus X @ coef, shape (n,)."""
        return self._linear_predictor(X)

    def _validated(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> tuple[Data, Vector, Vector | None]:
        loss = by_name(self.loss)
        if not loss.depends_on_residual_alone:
            raise ProblemError(
                f"loss is {loss.name!r}; expected one of the residual alone, such as 'squared'."
                " Use BestSubsetClassifier for two classes."
            )
        X, y, weights = self._checked(X, y, sample_weight, y_numeric=True)
        return X, np.asarray(y, dtype=np.float64), weights
