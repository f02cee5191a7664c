r"""How far a coefficient can be from zero at a point of small loss: bounds of the level set :math:`\{f \le UB\}`.

Each function returns two-sided bounds in the user's units, or raises `Unbounded` with the reason. The arithmetic is in
double precision, and every bound is widened by what that can have lost.

Sources: Bertsimas, King and Mazumder (2016), section 2.3, for the ellipsoid; Neumaier and Shcherbina (2004) for safe
bounds from approximate dual points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from formulations._types import IntVector, Matrix, Vector
from formulations.losses import KinkedLoss
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

_UNIT = 2.0**-53  # of rounding
_SINGULAR = 1e-9  # smallest eigenvalue of unit-diagonal moments below which they count as singular
_DEPENDENT = 1e-9  # smallest singular value, of the largest, below which columns count as dependent


class Unbounded(Exception):  # noqa: N818  # a finding, not a failure
    """The level set is unbounded, or cannot be told from an unbounded one in double precision."""


def ellipsoid(problem: Problem, upper: float) -> tuple[Vector, Vector]:
    r"""Bounds of the coefficients where squared error and ridge are at most ``upper``.

    With :math:`H = G + 2\Lambda`, gradient g at any point :math:`\tilde\gamma` and q the quadratic,

    .. math:: |\gamma_j - \tilde\gamma_j| \le \frac{\|g\|}{\lambda_{min}}
              + \sqrt{2\left(UB - q(\tilde\gamma) + \frac{\|g\|^2}{2\lambda_{min}}\right) [H^{-1}]_{jj}},

    so that the minimiser need not be exact.
    """
    scaled = ScaledProblem.of(problem)
    centre, spread, smallest, largest = _least_squares(scaled)
    X, ridge = scaled.X, 2 * scaled.ridge
    size = scaled.n + scaled.m + 10
    residual = scaled.y - X @ centre
    value = 0.5 * float(residual @ residual + ridge @ centre**2)
    lost = 4 * size * _UNIT * (1.0 + float(np.abs(centre).sum())) * (1 + float(ridge.max()))
    defect = float(linalg.norm(ridge * centre - X.T @ residual)) + np.sqrt(scaled.m) * lost
    spread = spread + 10 * size * _UNIT * largest / smallest**2  # the inverse's error, in norm
    room = max(upper / scaled.unit - value, 0.0) + defect**2 / (2 * smallest) + lost * (1.0 + defect)
    radius = defect / smallest + np.sqrt(2 * room * spread)
    radius += 1e-9 * (radius + np.abs(centre))
    lower, above = np.zeros(problem.p), np.zeros(problem.p)
    lower[scaled.columns] = (centre - radius) * scaled.coef_unit
    above[scaled.columns] = (centre + radius) * scaled.coef_unit
    return lower, above


def _least_squares(scaled: ScaledProblem) -> tuple[Vector, Vector, float, float]:
    """Minimiser, diagonal of the inverse of H, and bounds on the extreme eigenvalues of H."""
    ridge = 2 * scaled.ridge
    largest = scaled.m + float(ridge.max())  # the trace of G, whose columns have norm one
    if scaled.n < scaled.m and np.all(ridge > 0):  # by Woodbury's identity, of order n
        smallest = float(ridge.min())
        if smallest < _SINGULAR:
            raise Unbounded(f"the ridge is only {smallest:.1e} of the columns' squared norm")
        X = scaled.X
        factor = linalg.cho_factor(np.eye(scaled.n) + (X / ridge) @ X.T)
        centre = (X.T @ linalg.cho_solve(factor, scaled.y)) / ridge
        explained = np.einsum("ij,ij->j", X, linalg.cho_solve(factor, X)) / ridge
        return centre, (1.0 - explained) / ridge, smallest, largest
    H = scaled.gram + np.diag(ridge)
    unit = 1.0 / np.sqrt(np.diag(H))
    eigenvalues = linalg.eigvalsh(unit[:, None] * H * unit)
    if eigenvalues[0] < _SINGULAR:
        raise Unbounded("the columns are linearly dependent, or too nearly so for double precision")
    inverse = linalg.inv(unit[:, None] * H * unit) * unit[:, None] * unit
    centre = inverse @ scaled.correlation
    centre += inverse @ (scaled.correlation - H @ centre)
    return centre, np.diag(inverse).copy(), 0.9 * float(eigenvalues[0]), largest  # H >= its unit-diagonal form


@dataclass(frozen=True, eq=False)
class _Kinks:
    """Rows of positive weight: standardised columns and the intercept, kinks, and the prices of the two sides."""

    Z: Matrix
    kink: Vector
    up: Vector
    down: Vector
    columns: IntVector
    unit: Vector


def kinked(problem: Problem, upper: float, programmes: bool) -> tuple[Vector, Vector]:
    r"""Bounds of the coefficients where a loss of two slopes is at most ``upper``.

    For every h and τ with :math:`-\tau w_i d_i \le h_i \le \tau w_i u_i`

    .. math:: \theta_j = h^\top Z\theta + v^\top\theta \le h^\top\kappa + \tau\,UB + \|v\|_1\|\theta\|_\infty,
              \qquad v = e_j - Z^\top h,

    where θ holds the coefficients and the intercept. h comes from the pseudo-inverse of Z or, with ``programmes``, from
    the linear programme :math:`\max \pm\theta_j` over the level set, two for each column; it need not be exact, since
    the small v of all columns together give :math:`\|\theta\|_\infty \le \max_j a_j / (1 - \max_j\|v_j\|_1)`.

    A logistic loss is bounded from below by the loss of kinks at 0 and slopes 0 and 1, its asymptotes.
    """
    rows = _kinks(problem)
    if rows.Z.shape[0] < rows.Z.shape[1] or np.linalg.cond(rows.Z) > 1 / _DEPENDENT:
        raise Unbounded("the columns are linearly dependent, or too nearly so for double precision")
    is_one_sided = bool(np.any((rows.up == 0) | (rows.down == 0)))
    if is_one_sided and not programmes:
        raise Unbounded("a loss that is flat on one side takes two linear programmes a column; set programmes=True")
    duals = _duals_of_programmes(rows, upper) if programmes else _duals_of_inverse(rows)
    n = len(rows.kink)
    reach, leak = [], []
    for target, (h, tau) in duals:
        inside = np.clip(h, -tau * rows.down, tau * rows.up)
        rounding = 2 * (n + 2) * _UNIT
        sizes = np.abs(rows.Z).T @ np.abs(inside)
        leak.append(float(np.sum(np.abs(target - rows.Z.T @ inside) + rounding * sizes)))
        dot = float(inside @ rows.kink) + rounding * float(np.abs(inside) @ np.abs(rows.kink))
        reach.append(dot + tau * upper * (1 + rounding))
    worst = max(leak)
    if worst > 0.5:
        raise Unbounded("its linear programmes were not solved accurately")
    all_reach = max(0.0, *reach) / (1 - worst)
    bounds = (np.array(reach) + np.array(leak) * all_reach).reshape(-1, 2)
    bounds += 1e-9 * np.abs(bounds)
    lower, above = np.zeros(problem.p), np.zeros(problem.p)
    kept = slice(0, len(rows.columns))
    above[rows.columns] = bounds[kept, 0] * rows.unit
    lower[rows.columns] = -bounds[kept, 1] * rows.unit
    return lower, above


def _kinks(problem: Problem) -> _Kinks:
    used = np.flatnonzero(problem.sample_weight > 0)
    columns = np.setdiff1d(np.arange(problem.p), problem.selection.excluded)
    w = problem.sample_weight[used]
    if isinstance(problem.loss, KinkedLoss):
        kink, up, down = (part[used] for part in problem.loss.kinks(problem.y))
    else:
        y = problem.y[used]
        kink, up, down = np.zeros(len(used)), np.where(y < 0, 1.0, 0.0), np.where(y > 0, 1.0, 0.0)
    if problem.loss.depends_on_residual_alone and problem.fit_intercept:
        kink = kink - w @ kink / w.sum()  # the intercept is about this level: no digits are lost to a far one
    unit = np.sqrt(w.sum()) / problem.column_norms[columns]
    Z = (problem.X[np.ix_(used, columns)] - problem.column_means[columns]) * unit
    if problem.fit_intercept:
        Z = np.column_stack([Z, np.ones(len(used))])
    return _Kinks(Z, kink, w * up, w * down, columns, unit)


Dual = tuple[Vector, tuple[Vector, float]]


def _duals_of_inverse(rows: _Kinks) -> list[Dual]:
    """For each coordinate, upwards and downwards: its unit vector with sign, h of the pseudo-inverse, and least τ."""
    found: list[Dual] = []
    for target, h in zip(np.eye(rows.Z.shape[1]), linalg.pinv(rows.Z), strict=True):
        for sign in (1.0, -1.0):
            up, down = np.maximum(sign * h, 0.0) / rows.up, np.maximum(-sign * h, 0.0) / rows.down
            found.append((sign * target, (sign * h, float(max(up.max(), down.max())))))
    return found


def _duals_of_programmes(rows: _Kinks, upper: float) -> list[Dual]:
    """The same with h and τ from the dual of max ±θ_j over the level set."""
    from scipy import optimize  # slow to import, and needed here alone

    n, m = rows.Z.shape
    unit = sparse.identity(n, format="csr")
    A = sparse.hstack([sparse.csr_matrix(rows.Z), -unit, unit], format="csc")
    budget = sparse.csr_matrix(np.concatenate([np.zeros(m), rows.up, rows.down])[None, :])
    bounds = [(None, None)] * m + [(0, None)] * (2 * n)
    found: list[Dual] = []
    for target in np.eye(m):
        for sign in (1.0, -1.0):
            goal = np.concatenate([-sign * target, np.zeros(2 * n)])
            answer = optimize.linprog(
                goal, A_ub=budget, b_ub=[upper], A_eq=A, b_eq=rows.kink, bounds=bounds, method="highs-ds"
            )
            if answer.status == 3:
                raise Unbounded("some coefficients can grow without limit at no loss: a plane separates the classes")
            if answer.x is None:
                raise Unbounded("its linear programmes were not solved")
            found.append((sign * target, (-answer.eqlin.marginals, max(0.0, -float(answer.ineqlin.marginals[0])))))
    return found
