"""The best coefficients on a support for any loss; squared error has its own way, see `refit`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import optimize, sparse

from formulations import KinkedLoss, Problem, ProblemError, ScaledProblem, SquaredLoss
from formulations._types import IntVector, Matrix, Vector
from warmstarts.refit import refit

_FLAT = 1e-10  # of the objective: a decrease of Newton's method that ends it
_STEPS = 100


def fit_support(problem: Problem, support: Iterable[int]) -> Vector:
    """Return coefficients, shape (p,), that minimise the problem's objective among those of a support.

    Squared error by (bounded, ℓ1-penalised) least squares, kinked losses by a linear programme, smooth ones by Newton's
    method. The intercept is left out: the problem profiles it.

    Raises
    ------
    ProblemError
        For a kinked loss with ``lambda2``.
    """
    columns = np.unique(np.fromiter(support, dtype=np.int64))
    if isinstance(problem.loss, SquaredLoss):
        scaled = ScaledProblem.of(problem)
        local = np.searchsorted(scaled.columns, columns)
        return scaled.to_coef(local, refit(scaled, local))
    coef = np.zeros(problem.p)
    if len(columns):
        fit = _linear_programme if isinstance(problem.loss, KinkedLoss) else _newton
        coef[columns] = np.clip(fit(problem, columns), problem.lower[columns], problem.upper[columns])
    return coef


def _centred(problem: Problem, columns: IntVector) -> Matrix:
    return np.asarray(problem.X[:, columns] - problem.column_means[columns], dtype=np.float64)


def _linear_programme(problem: Problem, columns: IntVector) -> Vector:
    """Minimise Σ w (u·surplus + d·shortfall) + λ1 Σ s|β| over β = β⁺ - β⁻ and the intercept."""
    assert isinstance(problem.loss, KinkedLoss)
    if problem.lambda2 > 0:
        raise ProblemError(
            f"lambda2 is {problem.lambda2} with the loss {problem.loss.name!r}; expected 0, so that a support is fitted"
            " by a linear programme. Use lambda1, or bounds."
        )
    used = np.flatnonzero(problem.sample_weight > 0)
    weights = problem.sample_weight[used]
    kink, up, down = (part[used] for part in problem.loss.kinks(problem.y))
    X = _centred(problem, columns)[used]
    n, s = X.shape
    kink = kink - (float(np.median(kink)) if problem.fit_intercept else 0.0)
    # The tolerances of the linear programme are absolute: all is brought to a size of about one.
    unit, mean_weight = float(np.abs(kink).mean()) or 1.0, float(weights.mean())
    spread = np.sqrt(np.einsum("ij,ij->j", X, X) / n)
    spread[spread == 0] = 1.0
    price = problem.lambda1 * problem.penalty_scale[columns] / spread / mean_weight
    lower, upper = problem.lower[columns] * spread / unit, problem.upper[columns] * spread / unit
    weights, kink, X = weights / mean_weight, kink / unit, X / spread
    ones = np.full((n, int(problem.fit_intercept)), 1.0)
    identity = sparse.identity(n, format="csr")
    free = [(None, None)] * ones.shape[1]
    found = optimize.linprog(
        np.concatenate([price, price, np.zeros(ones.shape[1]), weights * up, weights * down]),
        A_eq=sparse.hstack([sparse.csr_matrix(np.hstack([X, -X, ones])), -identity, identity], format="csr"),
        b_eq=kink,
        bounds=[*((0, h) for h in upper), *((0, -l) for l in lower), *free, *[(0, None)] * (2 * n)],  # noqa: E741
        method="highs-ds",
    )
    if found.x is None:
        raise ArithmeticError(f"a linear programme of {n} rows was not solved: {found.message}")
    return np.asarray((found.x[:s] - found.x[s : 2 * s]) * unit / spread)


def _newton(problem: Problem, columns: IntVector) -> Vector:
    """A smooth loss with ridge by damped Newton steps; with bounds or λ1 by quasi-Newton steps in a box."""
    bounded = np.isfinite(problem.lower[columns]).any() or np.isfinite(problem.upper[columns]).any()
    if bounded or problem.lambda1 > 0:
        return _in_a_box(problem, columns)
    X = _centred(problem, columns)
    design = np.column_stack([X, np.ones(len(X))]) if problem.fit_intercept else X
    ridge = np.zeros(design.shape[1])
    ridge[: len(columns)] = 2 * problem.lambda2 * problem.penalty_scale[columns] ** 2
    theta = np.zeros(design.shape[1])
    if problem.fit_intercept:
        theta[-1] = problem.loss.best_intercept(problem.y, np.zeros(problem.n), problem.sample_weight)

    def value(at: Vector) -> float:
        return problem.loss.value(problem.y, design @ at, problem.sample_weight) + 0.5 * float(ridge @ at**2)

    now = value(theta)
    for _ in range(_STEPS):
        eta = design @ theta
        gradient = design.T @ problem.loss.gradient(problem.y, eta, problem.sample_weight) + ridge * theta
        curvature = problem.loss.curvature(problem.y, eta, problem.sample_weight)
        hessian = design.T @ (design * curvature[:, None]) + np.diag(ridge)
        step = np.linalg.lstsq(hessian, gradient, rcond=1e-14)[0]
        length = 1.0
        while length > 1e-8 and not (following := value(theta - length * step)) <= now:
            length *= 0.5
        if length <= 1e-8:
            break
        theta, decrease, now = theta - length * step, now - following, following
        if decrease <= _FLAT**2 * abs(now):
            break
    return theta[: len(columns)]


def _in_a_box(problem: Problem, columns: IntVector) -> Vector:
    """β = β⁺ - β⁻ within bounds, by L-BFGS-B from zero."""
    X = _centred(problem, columns)
    s = len(columns)
    scale = problem.penalty_scale[columns]
    ones = np.ones((len(X), int(problem.fit_intercept)))

    def value_and_slope(point: Vector) -> tuple[float, Vector]:
        beta = point[:s] - point[s : 2 * s]
        eta = X @ beta + ones @ point[2 * s :]
        value = problem.loss.value(problem.y, eta, problem.sample_weight)
        pull = problem.loss.gradient(problem.y, eta, problem.sample_weight)
        slope = X.T @ pull + 2 * problem.lambda2 * scale**2 * beta
        price = problem.lambda1 * scale
        value += float(problem.lambda2 * (scale**2 @ beta**2) + price @ (point[:s] + point[s : 2 * s]))
        return value, np.concatenate([slope + price, price - slope, ones.T @ pull])

    lower, upper = problem.lower[columns], problem.upper[columns]
    bounds = [*((0, h) for h in upper), *((0, -l) for l in lower), *[(None, None)] * ones.shape[1]]  # noqa: E741
    options = {"maxiter": 2000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-10}
    found = optimize.minimize(
        value_and_slope, np.zeros(2 * s + ones.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.asarray(found.x[:s] - found.x[s : 2 * s])
