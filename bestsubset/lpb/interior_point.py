"""The linear programme of a node by a primal-dual interior-point method on normal equations in the columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from formulations._types import Matrix, Vector

_TO_THE_WALL = 0.995  # of the way
_ITERATIONS = 80
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class NodeProgramme:
    r"""The relaxation of a node.

    .. math:: \min\; \sum_i [u_i s^+_i + d_i s^-_i] + \sum_j [c^+_j x_j + c^-_j y_j]
        \quad\text{s.t.}\quad b + \sum_j X_j(a_jx_j - e_jy_j) - s^+ + s^- = \kappa,\;
        \sum_j g_j(x_j + y_j) \le r,\; 0 \le x, y \le 1,\; s \ge 0.

    A free column has :math:`\beta_j = a_jx_j - e_jy_j`, a and -e being its bounds, and its place in the model is
    :math:`x_j + y_j`. A column that is in has x alone, with a the width of its interval.

    Attributes
    ----------
    X : shape (n, m)
    kink, up, down : shape (n,)
    ahead, back : shape (m,)
        a and e, finite.
    cost_ahead, cost_back, places : shape (m,)
        c⁺, c⁻ and g.
    room : float
        r > 0.
    has_intercept : bool
    """

    X: Matrix
    kink: Vector
    up: Vector
    down: Vector
    ahead: Vector
    back: Vector
    cost_ahead: Vector
    cost_back: Vector
    places: Vector
    room: float
    has_intercept: bool


class Point(NamedTuple):
    """Where the method is: coefficients, the share of each place, the multipliers of the rows, the value so far."""

    beta: Vector
    shares: Vector
    u: Vector
    value: float
    iterations: int


class _Direction(NamedTuple):
    values: Vector
    multipliers: Vector
    u: Vector
    b: float


Judge = Callable[[Point], bool]


def solve(programme: NodeProgramme, is_enough: Judge) -> Point:
    """Follow the central path until the judge has seen enough, or progress ends."""
    with np.errstate(all="ignore"):  # a step that is not finite ends the path
        path = _Path(programme)
        for iteration in range(_ITERATIONS):
            point = path.point(iteration)
            if is_enough(point) or not path.advance():
                break
        return point


class _Path:
    r"""The iterate and its Newton steps.

    All that has a sign is stacked in ``v``: s⁺, s⁻, x, 1 - x, y, 1 - y, and what is left of the room; ``z`` has the
    multipliers. Let :math:`D = 1/(s^+/z^+ + s^-/z^-)`, T and S the same of x and y, :math:`F = a^2T + e^2S` and
    :math:`h = g(aT - eS)`. With all else eliminated, the steps of β, b and the multiplier μ of the room solve

    .. math:: \begin{pmatrix} X^\top DX + F^{-1} & X^\top D1 & F^{-1}h\\ 1^\top DX & 1^\top D1 & 0\\
        h^\top F^{-1} & 0 & h^\top F^{-1}h - g^\top(T + S)g - r/\mu \end{pmatrix}

    with r what is left of the room: one Cholesky factorisation, bordered by b and μ. Mehrotra's predictor-corrector.
    """

    def __init__(self, programme: NodeProgramme) -> None:
        q = self.q = programme
        self.n, self.m = q.X.shape
        total = 2.0 * float(q.places.sum())
        share = min(0.5, 0.5 * q.room / total) if total > 0 else 0.5
        x = np.where(q.places > 0, share, 0.5)
        r = q.X @ ((q.ahead - q.back) * x) - q.kink
        self.b = -float(np.median(r)) if q.has_intercept else 0.0
        r = r + self.b
        size = float(np.abs(r).mean()) or 1.0
        left = max(q.room - 2.0 * float(q.places @ x), 0.1 * q.room)
        self.v = np.concatenate(
            [np.maximum(r, 0) + 0.5 * size, np.maximum(-r, 0) + 0.5 * size, x, 1 - x, x, 1 - x, [left]]
        )
        half = 0.5 * (q.up + q.down)
        self.u = 0.5 * (q.up - q.down) + 0.9 * half * r / np.sqrt(r * r + size * size)
        slope = q.X.T @ self.u
        push = max(float(np.abs(slope * np.maximum(q.ahead, q.back)).mean()), 1e-6)
        ahead = q.cost_ahead + q.ahead * slope + push * q.places
        back = q.cost_back - q.back * slope + push * q.places
        ends = [np.maximum(side, 0) + push for side in (ahead, -ahead, back, -back)]
        self.z = np.concatenate([q.up - self.u, q.down + self.u, *ends, [push]])

    def parts(self, stacked: Vector) -> list[Vector]:
        """The parts of a stacked vector: s⁺, s⁻, x, 1 - x, y, 1 - y, and the room left."""
        n, m = self.n, self.m
        ends = (0, n, 2 * n, 2 * n + m, 2 * n + 2 * m, 2 * n + 3 * m, 2 * n + 4 * m, 2 * n + 4 * m + 1)
        return [stacked[i:j] for i, j in pairwise(ends)]

    def point(self, iteration: int) -> Point:
        q = self.q
        _, _, x, _, y, _, _ = self.parts(self.v)
        beta = q.ahead * x - q.back * y
        r = q.X @ beta + self.b - q.kink
        value = float(np.where(r > 0, q.up, -q.down) @ r + q.cost_ahead @ x + q.cost_back @ y)
        return Point(beta, np.where(q.places > 0, x + y, 1.0), self.u, value, iteration)

    def advance(self) -> bool:
        """Take a step; False where there is none that helps."""
        v, z = self.v, self.z
        products = v * z
        total = float(products.sum())
        if not (np.isfinite(total) and total > _TINY and self.factorise()):
            return False
        step = self.direction(-products)
        primal, dual = min(1.0, _reach(v, step.values)), min(1.0, _reach(z, step.multipliers))
        after = float((v + primal * step.values) @ (z + dual * step.multipliers))
        aim = max(after / total, 0.0) ** 3 * total / len(v)
        step = self.direction(aim - products - step.values * step.multipliers)
        primal = min(1.0, _TO_THE_WALL * _reach(v, step.values))
        dual = min(1.0, _TO_THE_WALL * _reach(z, step.multipliers))
        if not (np.isfinite(step.values).all() and np.isfinite(step.multipliers).all()) or max(primal, dual) < 1e-8:
            return False
        self.v = v + primal * step.values
        self.b += primal * step.b
        self.z = z + dual * step.multipliers
        self.u = self.u + dual * step.u
        return True

    def factorise(self) -> bool:
        q = self.q
        sp, sm, x, xr, y, yr, left = self.parts(self.v)
        zp, zm, xl, xu, yl, yu, mu = self.parts(self.z)
        self.D = 1.0 / (sp / zp + sm / zm)
        self.T, self.S = 1.0 / (xl / x + xu / xr), 1.0 / (yl / y + yu / yr)
        self.F_inverse = 1.0 / np.maximum(q.ahead**2 * self.T + q.back**2 * self.S, _TINY)
        scaled = q.X * np.sqrt(self.D)[:, None]
        moments = scaled.T @ scaled
        diagonal = np.diag(moments).copy()
        for relative in (1e-14, 1e-9):  # a pivot lost to rounding is worth a step that is a little wrong
            H = moments.copy()
            H[np.diag_indices_from(H)] = diagonal * (1 + relative) + self.F_inverse
            self.factor, info = lapack.dpotrf(H, lower=1, overwrite_a=1)
            if info == 0:
                break
        else:
            return False
        self.column_b = q.X.T @ self.D
        self.column_mu = q.places * (q.ahead * self.T - q.back * self.S) * self.F_inverse
        self.solved = lapack.dpotrs(self.factor, np.column_stack([self.column_b, self.column_mu]), lower=1)[0]
        h = self.column_mu / self.F_inverse
        corner = float((q.places**2 * (self.T + self.S)).sum() - (h * self.column_mu).sum() + left[0] / mu[0])
        self.schur = (
            float(self.D.sum()) - float(self.column_b @ self.solved[:, 0]),
            -float(self.column_b @ self.solved[:, 1]),
            -corner - float(self.column_mu @ self.solved[:, 1]),
        )
        return True

    def direction(self, aims: Vector) -> _Direction:
        """The Newton step that changes each product v z by its aim, and takes what is left of the equations away."""
        q = self.q
        sp, sm, x, _, y, _, left = self.parts(self.v)
        zp, zm, xl, xu, yl, yu, mu = self.parts(self.z)
        quotients = aims / self.v
        _, _, rxl, rxu, ryl, ryu, _ = self.parts(quotients)
        rp, rm, *_, rroom = self.parts(aims / self.z)
        slope = q.X.T @ self.u
        row = q.kink - (q.X @ (q.ahead * x - q.back * y) + self.b - sp + sm) + rp - rm
        xi = -(q.cost_ahead + q.ahead * slope + mu * q.places - xl + xu) + rxl - rxu
        yi = -(q.cost_back - q.back * slope + mu * q.places - yl + yu) + ryl - ryu
        tx, sy = self.T * xi, self.S * yi
        own = q.ahead * tx - q.back * sy
        z = lapack.dpotrs(self.factor, own * self.F_inverse + q.X.T @ (self.D * row), lower=1)[0]
        to_b = -float(self.u.sum()) + float(self.D @ row) - float(self.column_b @ z)
        to_mu = q.room - float(q.places @ (x + y)) - float(left[0]) - float(rroom[0]) - float(q.places @ (tx + sy))
        to_mu += float(self.column_mu @ own) - float(self.column_mu @ z)
        db, dmu = self.border(to_b, to_mu)
        dbeta = z - self.solved[:, 0] * db - self.solved[:, 1] * dmu
        du = self.D * (q.X @ dbeta + db - row)
        turn = q.X.T @ du
        dx = self.T * (xi - q.ahead * turn - q.places * dmu)
        dy = self.S * (yi + q.back * turn - q.places * dmu)
        # T and S are huge where a coefficient rests on no bound: what rounding leaves there is mended, β being exact.
        lost = (dbeta - (q.ahead * dx - q.back * dy)) * self.F_inverse
        dx += q.ahead * self.T * lost
        dy -= q.back * self.S * lost
        multipliers = np.concatenate([-du, du, *self.ends(quotients, dx, dy), [dmu]])
        values = np.concatenate([rp + sp * du / zp, rm - sm * du / zm, dx, -dx, dy, -dy, rroom - left * dmu / mu])
        return _Direction(values, multipliers, du, db)

    def ends(self, quotients: Vector, dx: Vector, dy: Vector) -> list[Vector]:
        """The steps of the multipliers of x, 1 - x, y and 1 - y."""
        rates = self.parts(self.z / self.v)
        aims = self.parts(quotients)
        return [aims[k] - rates[k] * step for k, step in zip((2, 3, 4, 5), (dx, -dx, dy, -dy), strict=True)]

    def border(self, to_b: float, to_mu: float) -> tuple[float, float]:
        """The steps of b and μ from the Schur complement."""
        bb, bm, mm = self.schur
        if not self.q.has_intercept:
            return 0.0, to_mu / mm
        determinant = bb * mm - bm * bm
        return (to_b * mm - bm * to_mu) / determinant, (bb * to_mu - bm * to_b) / determinant


def _reach(values: Vector, steps: Vector) -> float:
    """How far along the steps the values stay positive; at most a thousand times."""
    worst = float((steps / values).min())
    return min(-1.0 / worst, 1e3) if worst < 0 else 1e3
