"""Best subset classification of two classes as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from bestsubset.estimators.base import SubsetEstimator
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, ProblemError
from formulations._types import Matrix, Vector


def _is_logistic(self: BestSubsetClassifier) -> bool:
    return getattr(self.loss, "name", self.loss) == "logistic"


class BestSubsetClassifier(ClassifierMixin, SubsetEstimator):  # type: ignore[misc]
    r"""The best linear classifier of two classes on at most k columns.

    The hinge loss, the default, is searched by `LPBranchAndBound`, with a certificate where the classes overlap; the
    logistic loss as a mixed-integer model in rounds of tangent cuts, which is slow beyond some tens of columns and ends
    with a backend's word. For more classes put it into `sklearn.multiclass.OneVsRestClassifier`.

    Parameters
    ----------
    k : int or None
    lambda0, lambda1, lambda2, bounds, constraints, fit_intercept, standardize
        As in `BestSubsetRegressor`; the hinge loss takes no ``lambda2``.
    loss : {"hinge", "logistic"}
    solver, time_limit, gap, threads, random_state

    Attributes
    ----------
    classes_ : shape (2,)
    coef_ : shape (p,)
        Of the score, positive for ``classes_[1]``.
    intercept_ : float
    result_ : Result
    """

    classes_: Any

    def __init__(
        self,
        k: int | None = 5,
        *,
        lambda0: float = 0.0,
        lambda1: float = 0.0,
        lambda2: float = 0.0,
        loss: str | Loss = "hinge",
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
        super().__init__(
            k, lambda0=lambda0, lambda1=lambda1, lambda2=lambda2, loss=loss, bounds=bounds, constraints=constraints,
            fit_intercept=fit_intercept, standardize=standardize, solver=solver, time_limit=time_limit, gap=gap,
            threads=threads, random_state=random_state,
        )  # fmt: skip

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BestSubsetClassifier:
        """Find the best classifier; y holds two labels of any kind.

        Raises
        ------
        ProblemError
            If there are not two classes, or the data or a parameter do not make a problem.
        """
        X, y = self._validated(X, y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        weights = self._weights(sample_weight, X)
        used = y if weights is None else y[weights > 0]
        self.classes_ = np.unique(y)
        if len(self.classes_) > 2:
            # scikit-learn knows this sentence.
            raise ProblemError(f"Only binary classification is supported. The type of the target is {kind}.")
        if len(np.unique(used)) < 2:
            raise ProblemError("y has one class; expected two classes to tell apart. Look at how rows were chosen.")
        signs = np.where(y == self.classes_[1], 1.0, -1.0)
        self._solve(*self._problem(X, signs, weights, self.k))
        return self

    def decision_function(self, X: Any) -> Vector:
        """Return the scores b + Xβ, shape (n,); positive for ``classes_[1]``."""
        return self._predictor(X)

    def predict(self, X: Any) -> Any:
        """Return the labels, shape (n,)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int)]

    @available_if(_is_logistic)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Matrix:
        """Return the probabilities of both classes, shape (n, 2); with the logistic loss alone."""
        second = expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
