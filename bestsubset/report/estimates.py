r"""What least squares says of the chosen columns: standard errors, t statistics, p-values, confidence intervals.

They are the figures of any regression table, for a model that was fixed before the data were seen. Those of a model
selected on the same rows are too good: the selection kept the columns that looked strong in these rows (Berk, Brown,
Buja, Zhang and Zhao 2013, *Valid post-selection inference*, Annals of Statistics 41(2)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from formulations import Problem
from formulations._types import Data, Vector

if TYPE_CHECKING:
    from bestsubset.result import Result

_LEAST_PIVOT = 1e-11  # of a unit column: below it the column is one of those before it, but for rounding
_ALLOWANCE = 1e-9  # of a bound: how close to it a coefficient touches it


@dataclass(frozen=True, eq=False)
class Estimates:
    r"""Weighted least squares with an intercept or without.

    With weights w, rows of positive weight n, and m coefficients (the intercept one of them),

    .. math::
        \hat\beta = (X^\top W X)^{-1} X^\top W y, \quad \hat\sigma^2 = \frac{RSS}{n - m}, \quad
        se_j = \hat\sigma \sqrt{[(X^\top W X)^{-1}]_{jj}}, \quad t_j = \hat\beta_j / se_j,

    with p-values and intervals from Student's distribution with n - m degrees of freedom. The weights are precisions up
    to a factor (R's ``lm``); a row of weight 0 is no row.

    Attributes
    ----------
    coef, standard_error : shape (m,)
        The intercept first, if there is one.
    degrees_of_freedom : int
    sigma : float
        The residual standard error.
    """

    coef: Vector
    standard_error: Vector
    degrees_of_freedom: int
    sigma: float

    @property
    def t(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):  # a perfect fit has no error
            return self.coef / self.standard_error

    @property
    def p_value(self) -> Vector:
        """Two-sided."""
        from scipy.special import stdtr

        return np.asarray(2.0 * stdtr(self.degrees_of_freedom, -np.abs(self.t)))

    def interval(self, level: float) -> tuple[Vector, Vector]:
        """Return the lower and the upper ends of the confidence intervals."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.degrees_of_freedom, 0.5 + 0.5 * level)) * self.standard_error
        return self.coef - half, self.coef + half


def estimates(X: Data, y: Vector, sample_weight: Vector, fit_intercept: bool) -> Estimates | None:
    """Return the figures of least squares; None where the columns are dependent or the rows too few.

    X has shape (n, m), y and ``sample_weight`` shape (n,). Columns are dependent where one is a combination of those
    before it but for 1e-11 of its length about the mean.
    """
    used = sample_weight > 0
    root, columns, response = np.sqrt(sample_weight[used]), np.asarray(X[used], dtype=np.float64), y[used]
    weight = float(root @ root)
    means, mean = np.zeros(columns.shape[1]), 0.0
    if fit_intercept:
        means, mean = root**2 @ columns / weight, float(root**2 @ response) / weight
    columns, response = root[:, None] * (columns - means), root * (response - mean)
    left = len(root) - columns.shape[1] - int(fit_intercept)
    norms = np.sqrt(np.sum(columns**2, axis=0))
    if left <= 0 or not np.all(norms > 0):
        return None
    Q, R = np.linalg.qr(columns / norms)  # unit columns: a pivot tells how far each is from those before it
    if np.any(np.abs(np.diag(R)) < _LEAST_PIVOT):
        return None
    inverse = np.linalg.solve(R, np.eye(len(R))) / norms[:, None]
    coef = inverse @ (Q.T @ response)
    sigma = math.sqrt(float(np.sum((response - columns @ coef) ** 2)) / left)
    error = sigma * np.sqrt(np.sum(inverse**2, axis=1))
    if fit_intercept:
        coef = np.append(mean - means @ coef, coef)
        error = np.append(sigma * math.sqrt(1.0 / weight + float(np.sum((means @ inverse) ** 2))), error)
    return Estimates(coef, error, left, sigma)


def why_not(problem: Problem) -> str | None:
    """Say why the selected model is not that of least squares, whatever it is; None where it is."""
    if problem.loss.name != "squared":
        return f"the loss is {problem.loss.name}, not squared"
    if problem.lambda1 or problem.lambda2:
        return "the penalties lambda1 and lambda2 shrink the coefficients"
    if not problem.has_rows:
        return "the rows are not kept"
    return None


def of_selected(result: Result) -> Estimates | str:
    """Return the figures of the selected model as if it had been fixed before, or why there are none."""
    problem = result.problem
    reason = why_not(problem)
    if reason is not None:
        return reason
    if result.coef is None:
        return "there is no model"
    support = list(result.support)
    chosen = result.coef[support]
    for bound in (problem.lower[support], problem.upper[support]):
        if np.any(np.abs(chosen - bound) <= _ALLOWANCE * np.abs(chosen)):
            return "a coefficient is at its bound"
    found = estimates(problem.X[:, support], problem.y, problem.sample_weight, problem.fit_intercept)
    return found or "the chosen columns are dependent, or have too few rows"
