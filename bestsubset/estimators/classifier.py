"""Best subset classification of two classes as an estimator of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from bestsubset.estimators.linear_selector import LinearSelector
from bestsubset.result import Result
from bestsubset.solvers import Solver
from formulations import Constraint, LogisticLoss, Loss, ProblemError
from formulations._types import Data, Matrix, Vector
from formulations.losses import by_name


def _is_logistic(model: BestSubsetClassifier) -> bool:
    if not isinstance(by_name(model.loss), LogisticLoss):
        raise AttributeError(f"loss is {model.loss!r}; expected 'logistic' for probabilities. Use decision_function.")
    return True


class BestSubsetClassifier(ClassifierMixin, LinearSelector):
    r"""The best linear classifier of two classes with at most k columns.

    The problem is that of `Problem` for the classes -1 and +1, which stand for ``classes_[0]`` and ``classes_[1]``.
    Parameters that are not told of here are those of `BestSubsetRegressor`. More than two classes are refused:
    ``OneVsRestClassifier(BestSubsetClassifier())`` selects columns for each of them.

    Parameters
    ----------
    k : int or None, default 5
    lambda1 : float, default 1
        Without a penalty or bounds, separable classes have many best models, or none.
    lambda2 : float
        0 with the hinge loss, whose search is by linear programmes.
    loss : {"hinge", "logistic", "squared"} or Loss
        Hinge and squared loss have searches of their own, and squared loss (least squares on -1 and +1, as in
        scikit-learn's ``RidgeClassifier``) a certificate. Logistic loss goes to a mixed-integer solver, which is slow:
        set a ``time_limit``.

    Attributes
    ----------
    classes_ : array, shape (2,)
    coef_ : array, shape (1, p)
    intercept_ : array, shape (1,)
    support_, n_features_in_, feature_names_in_, result_
        As of `BestSubsetRegressor`.

    Source
    ------
    Dedieu, Hazimeh and Mazumder (2021), for classes with a bound on the number of columns.

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> X = np.random.default_rng(0).standard_normal((50, 8))
    >>> y = np.where(X[:, 1] > X[:, 6], "high", "low")
    >>> bs.BestSubsetClassifier(k=2).fit(X, y).get_support(indices=True)
    array([1, 6])
    """

    def __init__(
        self,
        k: int | None = 5,
        *,
        lambda0: float = 0.0,
        lambda1: float = 1.0,
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

    def decision_function(self, X: Any) -> Vector:
        """Return the intercept plus X @ coef, shape (n,): positive where ``classes_[1]`` is predicted."""
        return self._linear_predictor(X)

    def predict(self, X: Any) -> Any:
        """Return the class of each row, shape (n,)."""
        is_second = self.decision_function(X) > 0
        return self.classes_[is_second.astype(int)]

    @available_if(_is_logistic)
    def predict_proba(self, X: Any) -> Matrix:
        """Return the probability of each class, shape (n, 2): for the logistic loss alone."""
        eta = self.decision_function(X)
        return np.column_stack([expit(-eta), expit(eta)])

    @available_if(_is_logistic)
    def predict_log_proba(self, X: Any) -> Matrix:
        """Return the logarithms of `predict_proba`, shape (n, 2)."""
        eta = self.decision_function(X)
        return np.column_stack([log_expit(-eta), log_expit(eta)])

    def adopt(self, result: Result) -> Self:
        super().adopt(result)
        self.coef_ = self.coef_[None, :]
        self.intercept_ = np.array([result.intercept])
        return self

    def _validated(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> tuple[Data, Vector, Vector | None]:
        X, y, weights = self._checked(X, y, sample_weight)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":  # the words are those that scikit-learn asks for
            raise ProblemError(
                f"Only binary classification is supported. The type of the target is {kind}; expected two classes."
                " Wrap it in OneVsRestClassifier."
            )
        self.classes_ = np.unique(y)
        present = np.unique(y if weights is None else y[weights > 0])
        if len(present) < 2:
            raise ProblemError(
                f"y has one class, {present.tolist()}, in the rows of positive weight; expected two classes."
                " There is nothing to tell apart."
            )
        return X, np.where(y == self.classes_[1], 1.0, -1.0), weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
