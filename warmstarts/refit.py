"""The coefficients of a support, to working precision, and the choice among supports by their values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import BoolVector, IntVector, Matrix, Vector
from formulations.design import DenseDesign

_MANY = 4  # supports for which compressing the rows pays
_NARROW = 200  # columns up to which it does
_KKT_TOLERANCE = 1e-13
_EPS = float(np.finfo(np.float64).eps)


def refit(scaled: ScaledProblem, support: IntVector) -> Vector:
    r"""Return the best coefficients on a support.

    .. math::
        \min_{\gamma \in R^S}\; \tfrac12\|y - X_S\gamma\|^2
            + \sum_{j \in S} \left[\rho_j\gamma_j^2 + \lambda_{1j}|\gamma_j|\right]
        \quad\text{s.t.}\quad lo_S \le \gamma \le hi_S

    Without λ1 and bounds this is (ridge) least squares, of minimal norm where columns are dependent.
    Otherwise a primal active-set method: minimise exactly over the face of the current signs and
    bounds, stopping at the first sign or bound that is met; where the optimality conditions fail,
    one sweep of coordinate descent moves to a better face. Every step lowers the objective, so no
    face comes back.

    Parameters
    ----------
    scaled : ScaledProblem
    support : array of int, shape (s,)
        Local columns.

    Returns
    -------
    array, shape (s,)
        Coefficients in the order of ``support``; exact zeros where λ1 or a bound of zero puts them.

    Source
    ------
    Nocedal and Wright (2006), Numerical Optimization, algorithm 16.3, with signs as further faces.
    """
    if not len(support):
        return np.zeros(0)
    gamma = _least_squares(scaled, support)
    if scaled.is_plain:
        return gamma
    lower, upper, lambda1 = scaled.lower[support], scaled.upper[support], scaled.lambda1[support]
    if not lambda1.any() and np.all((lower <= gamma) & (gamma <= upper)):
        return gamma
    return _Faces(*_augmented(scaled, support), lambda1, lower, upper).minimise(np.clip(gamma, lower, upper))


def forced_columns(scaled: ScaledProblem) -> IntVector:
    """Return the columns that every support holds, sorted."""
    return np.flatnonzero(scaled.included)


def best_of(scaled: ScaledProblem, supports: Iterable[IntVector]) -> IntVector:
    """Return the support of the least value after `refit`, the smallest allowed one among the candidates.

    The smallest allowed support is `forced_columns`: empty unless columns are included. The first of
    equals wins.
    """
    candidates = list(supports)
    if len(candidates) > _MANY:
        scaled = compressed(scaled)
    best = forced_columns(scaled)
    best_value = scaled.value(best, refit(scaled, best))
    for proposal in candidates:
        support = np.asarray(proposal, dtype=np.int64)
        value = scaled.value(support, refit(scaled, support))
        if value < best_value:
            best, best_value = support, value
    return best


def compressed(scaled: ScaledProblem) -> ScaledProblem:
    """Return an equal problem, of m + 1 rows where columns are few: [X y] = QR, and Q keeps norms."""
    if scaled.n <= 2 * scaled.m or scaled.m > _NARROW:
        return scaled
    R = scaled.design.triangle(scaled.y)
    return replace(scaled, design=DenseDesign(np.ascontiguousarray(R[:, :-1])), y=np.ascontiguousarray(R[:, -1]))


def _augmented(scaled: ScaledProblem, support: IntVector) -> tuple[Matrix, Vector]:
    """Return A, b with ½‖b - Aγ‖² = ½‖y - Xγ‖² + Σ ργ²."""
    X = scaled.design.columns(support)
    ridge = scaled.ridge[support]
    if not ridge.any():
        return X, scaled.y
    rows = np.diag(np.sqrt(2.0 * ridge))
    return np.vstack([X, rows]), np.concatenate([scaled.y, np.zeros(len(support))])


def _least_squares(scaled: ScaledProblem, support: IntVector) -> Vector:
    A, b = _augmented(scaled, support)
    solution = linalg.lstsq(A, b, cond=max(A.shape) * _EPS, check_finite=False)[0]
    return np.asarray(solution, dtype=np.float64)


class _Faces:
    """Minimises ½‖b - Aγ‖² + λ1'|γ| in a box; a face is a set of signs and of active bounds."""

    def __init__(self, A: Matrix, b: Vector, lambda1: Vector, lower: Vector, upper: Vector) -> None:
        self.A, self.b, self.lambda1, self.lower, self.upper = A, b, lambda1, lower, upper
        self.curvature = np.einsum("ij,ij->j", A, A)

    def minimise(self, gamma: Vector) -> Vector:
        value = self._value(gamma)
        best, stalls = gamma, 0
        for _ in range(50 + 20 * len(gamma)):
            gamma = self._descend_face(gamma)
            reached = self._value(gamma)
            stalls = 0 if reached < value else stalls + 1
            if reached <= value:
                best, value = gamma, reached
            if self._violation(gamma) <= _KKT_TOLERANCE * (1.0 + np.abs(gamma).sum()) or stalls > 3:
                break
            gamma = self._sweep(gamma)
        return best

    def _value(self, gamma: Vector) -> float:
        residual = self.b - self.A @ gamma
        return float(0.5 * residual @ residual + self.lambda1 @ np.abs(gamma))

    def _violation(self, gamma: Vector) -> float:
        """The steepest descent along a coordinate, from the one-sided derivatives."""
        gradient = self.A.T @ (self.b - self.A @ gamma)
        up = gradient - self.lambda1 * np.where(gamma >= 0.0, 1.0, -1.0)
        down = -gradient - self.lambda1 * np.where(gamma <= 0.0, 1.0, -1.0)
        slopes = np.maximum(np.where(gamma < self.upper, up, 0.0), np.where(gamma > self.lower, down, 0.0))
        return float(slopes.max(initial=0.0))

    def _free(self, gamma: Vector) -> BoolVector:
        inside = (gamma > self.lower) & (gamma < self.upper)
        return np.asarray(inside & ((gamma != 0.0) | (self.lambda1 == 0.0)))

    def _descend_face(self, gamma: Vector) -> Vector:
        """Return the minimiser over the face of γ, or over the subface that the way there runs into."""
        for _ in range(2 * len(gamma) + 2):
            free = np.flatnonzero(self._free(gamma))
            if not len(free):
                return gamma
            step, bounded = self._face_step(gamma, free)
            length, at, stop = self._first_stop(gamma, free, step)
            blocked = at >= 0 and (length < 1.0 or not bounded)
            gamma = gamma.copy()
            gamma[free] += (length if blocked else 1.0) * step
            if not blocked:
                return gamma
            gamma[free[at]] = stop
        return gamma

    def _face_step(self, gamma: Vector, free: IntVector) -> tuple[Vector, bool]:
        """Return the step to the face's minimiser; or a ray without end, where columns are dependent."""
        U, sizes, Vt = linalg.svd(self.A[:, free], full_matrices=False, check_finite=False)
        rank = int(np.count_nonzero(sizes > max(self.A.shape) * _EPS * sizes[0]))
        U, sizes, V = U[:, :rank], sizes[:rank], Vt[:rank].T
        pull = self.lambda1[free] * np.sign(gamma[free])
        unseen = pull - V @ (V.T @ pull)
        if rank < len(free) and linalg.norm(unseen) > 1e-9 * linalg.norm(pull):
            return -unseen, False
        residual = self.b - self.A @ gamma
        return np.asarray(V @ ((U.T @ residual - (V.T @ pull) / sizes) / sizes)), True

    def _first_stop(self, gamma: Vector, free: IntVector, step: Vector) -> tuple[float, int, float]:
        """Return the length of step to the first sign change or bound, its position in ``free`` and value."""
        now, lambda1 = gamma[free], self.lambda1[free]
        bound = np.where(step > 0.0, self.upper[free], self.lower[free])
        crosses = (lambda1 > 0.0) & (now * step < 0.0)
        stop = np.where(crosses, 0.0, bound)
        lengths = np.full(len(free), np.inf)
        moving = (step != 0.0) & np.isfinite(stop)
        lengths[moving] = (stop[moving] - now[moving]) / step[moving]
        at = int(np.argmin(lengths))
        return (float(lengths[at]), at, float(stop[at])) if np.isfinite(lengths[at]) else (np.inf, -1, 0.0)

    def _sweep(self, gamma: Vector) -> Vector:
        """One sweep of exact coordinate minimisation."""
        gamma = gamma.copy()
        residual = self.b - self.A @ gamma
        for j in range(len(gamma)):
            column = self.A[:, j]
            target = float(column @ residual) + self.curvature[j] * gamma[j]
            shrunk = np.sign(target) * max(abs(target) - self.lambda1[j], 0.0) / self.curvature[j]
            moved = min(max(shrunk, self.lower[j]), self.upper[j])
            if moved != gamma[j]:
                residual -= (moved - gamma[j]) * column
                gamma[j] = moved
        return gamma
