"""A problem of a loss with kinks in the units of the search: centred columns, all numbers about one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formulations import KinkedLoss, Problem
from formulations._types import IntVector, Matrix, Vector

ULP = 2.0**-53
_PRICE = 1 - 1e-12  # of λ1 s_j: s_j is a rounded root of a rounded sum


@dataclass(frozen=True, eq=False)
class KinkedRows:
    r"""The rows that carry weight, with

    .. math:: f(\beta, b)/\text{unit} = \sum_i [u_i(\eta_i-\kappa_i)_+ + d_i(\kappa_i-\eta_i)_+]
        + \sum_j \lambda_j|\beta_j| + \lambda_0|z|,\qquad \eta = b + X\beta.

    Columns are centred where there is an intercept, which absorbs the shift, and all scaling is by powers of two: an
    entry of X has the relative error of one subtraction, of κ, u and d one operation each.

    Attributes
    ----------
    X : shape (n, p)
    kink, up, down : shape (n,)
        κ, and the slopes u and d, weights included.
    price : shape (p,)
        λ1 s_j in these units, rounded down.
    lower, upper : shape (p,)
        The user's bounds in these units.
    lambda0 : float
        Rounded down.
    has_intercept : bool
    unit : float
        Of the objective: a power of two.
    weight_unit : float
        What a slope of one is here, in the user's units.
    column_units : shape (p,)
        What a coefficient of one is here, in the user's units.
    """

    X: Matrix
    kink: Vector
    up: Vector
    down: Vector
    price: Vector
    lower: Vector
    upper: Vector
    lambda0: float
    has_intercept: bool
    unit: float
    weight_unit: float
    column_units: Vector

    @classmethod
    def of(cls, problem: Problem) -> KinkedRows:
        """Scale a problem whose loss has kinks."""
        assert isinstance(problem.loss, KinkedLoss)
        used = np.flatnonzero(problem.sample_weight > 0)
        kink, up, down = (part[used] for part in problem.loss.kinks(problem.y))
        weights = problem.sample_weight[used]
        if problem.fit_intercept and problem.loss.depends_on_residual_alone:
            kink = kink - float(weights @ kink / weights.sum())
        unit_of_kink, unit_of_weight = _power(np.abs(kink).mean()), _power(weights.mean())
        X = np.asarray(problem.X[used] - problem.column_means, dtype=np.float64)
        spread = np.sqrt(np.einsum("ij,ij->j", X, X) / len(used))
        column_units = unit_of_kink / np.array([_power(s) for s in spread])
        unit = unit_of_kink * unit_of_weight
        return cls(
            X=X * (column_units / unit_of_kink),
            kink=kink / unit_of_kink,
            up=up * weights / unit_of_weight,
            down=down * weights / unit_of_weight,
            price=problem.lambda1 * problem.penalty_scale * column_units / unit * _PRICE,
            lower=problem.lower / column_units,
            upper=problem.upper / column_units,
            lambda0=problem.lambda0 / unit * (1 - 4 * ULP),
            has_intercept=problem.fit_intercept,
            unit=unit,
            weight_unit=unit_of_weight,
            column_units=column_units,
        )

    @property
    def n(self) -> int:
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        return int(self.X.shape[1])

    def part(self, columns: IntVector) -> Matrix:
        """The columns, one after another in memory."""
        return np.ascontiguousarray(self.X[:, columns])


def _power(size: float) -> float:
    """The power of two next to a positive number; one for zero."""
    return 2.0 ** round(math.log2(size)) if size > 0 and math.isfinite(size) else 1.0
