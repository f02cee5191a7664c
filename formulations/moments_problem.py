"""A problem whose rows are known by their moments alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from formulations._types import IntVector, Vector
from formulations.arrays import NumberedNames
from formulations.constraints import Constraint
from formulations.errors import ProblemError
from formulations.moments import Moments
from formulations.problem import Problem

_ROUNDING = 4 * 2.0**-53  # of a mean: a column that varies less is constant


class MomentsProblem(Problem):
    """The problem of p + 2 rows that have the moments of the user's rows, and so the same objective.

    Made by `Problem.from_moments`. With an intercept the rows are about the means; only the intercept knows of them.
    """

    has_rows = False

    moments: Moments

    def __init__(
        self,
        moments: Moments,
        k: int | None = None,
        *,
        lambda0: float = 0.0,
        lambda1: float = 0.0,
        lambda2: float = 0.0,
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        constraints: Sequence[Constraint] = (),
        fit_intercept: bool = True,
        standardize: bool = False,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        object.__setattr__(self, "moments", moments)
        rows, weight = moments.representatives(is_centred=fit_intercept)
        super().__init__(
            rows[:, :-1],
            rows[:, -1],
            k,
            lambda0=lambda0,
            lambda1=lambda1,
            lambda2=lambda2,
            bounds=bounds,
            constraints=constraints,
            fit_intercept=fit_intercept,
            standardize=standardize,
            sample_weight=np.full(len(rows), weight),
            feature_names=feature_names or moments.feature_names or NumberedNames(moments.p),
        )

    @property
    def n(self) -> int:
        return self.moments.n

    @property
    def duplicate_columns(self) -> tuple[tuple[int, ...], ...]:
        """None: equal moments do not show that columns are equal."""
        return ()

    def intercept(self, coef: Vector) -> float:
        return self._level(coef) if self.fit_intercept else 0.0

    def objective(self, coef: Vector, intercept: float | None = None) -> float:
        profiled = super().objective(coef)
        if intercept is None:
            return profiled
        # About the means: the loss rises with the square of the distance from the best intercept.
        level = self._level(coef)
        change = (level - intercept) ** 2 - (level - self.intercept(coef)) ** 2
        return profiled + 0.5 * self.moments.weight * change

    def predict(self, coef: Vector, intercept: float | None = None) -> NoReturn:
        self._refuse("predict")

    def residuals(self, coef: Vector, intercept: float | None = None) -> NoReturn:
        self._refuse("residuals")

    def _refuse(self, what: str) -> NoReturn:
        raise ProblemError(
            f"{what} is asked of a problem from moments; expected one from rows, since the rows are not kept."
            " Apply coef and intercept to the rows themselves."
        )

    def _level(self, coef: Vector) -> float:
        means = self.moments.means
        return float(means[-1] - means[:-1] @ coef)

    def _flat_columns(self, rows: IntVector) -> IntVector:
        variances = np.diag(self.moments.about_means) / self.moments.weight
        size = self.moments.means if self.fit_intercept else 0.0
        if not self.fit_intercept:
            variances = variances + self.moments.means**2
        return np.flatnonzero((variances <= (_ROUNDING * np.abs(size)) ** 2)[:-1])
