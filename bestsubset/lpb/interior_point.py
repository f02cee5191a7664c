"""The linear programme of a node by a primal-dual interior-point method on its p × p normal equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from formulations._types import Matrix, Vector

_TO_THE_WALL = 0.995  # of the way
_ITERATIONS = 80


@dataclass(frozen=True, eq=False)
class NodeProgramme:
    r"""The relaxation of a node.

    .. math:: \min\; \sum_i [u_i s^+_i + d_i s^-_i] + \sum_j [c^+_j x_j + c^-_j y_j]
        \quad\text{s.t.}\quad b + \sum_j X_j(a_jx_j - e_jy_j) - s^+ + s^- = \kappa,\;
        \sum_j g_j(x_j + y_j) \le r,\; 0 \le x, y \le 1,\; s \ge 0.

    A free column has :math:`\beta_j = a_jx_j - e_jy_j`, a and -e being its bounds, and its place in the model is
    :math:`x_j + y_j`. A column that is in has x alone, with a the width of its interval. A column without bounds has
    a infinite: β is a free variable.

    Attributes
    ----------
    X : shape (n, m)
    kink, up, down : shape (n,)
    ahead, back : shape (m,)
        a and e; a column without bounds has a infinite, one with e = 0 has no y.
    cost_ahead, cost_back, places : shape (m,)
        c⁺, c⁻ and g.
    room : float
        r.
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
    """Where the method is: β, the share of each place, the multipliers of the rows, both objectives' distance."""

    beta: Vector
    shares: Vector
    u: Vector
    value: float
    gap: float
    iterations: int


Judge = Callable[[Point], bool]


def solve(programme: NodeProgramme, is_enough: Judge) -> Point:
    """Follow the central path until the judge has seen enough, or progress ends."""
    return _Path(programme).follow(is_enough)


class _Path:
    """The iterate and its Newton steps.

    For the multipliers :math:`z` of the signs and with :math:`D = 1/(s^+/z^+ + s^-/z^-)`, eliminating all but β, b and
    the multiplier μ of the row of places leaves

    .. math:: (X^\top DX + F^{-1})\\Delta\\beta + X^\top D1\\,\\Delta b + F^{-1}h\\,\\Delta\\mu = \\dots

    with F and h from the barriers of x and y. It is solved by one Cholesky factorisation, bordered by b and μ.
    """

    def __init__(self, programme: NodeProgramme) -> None:
        q = self.q = programme
        n, m = q.X.shape
        self.boxed = np.isfinite(q.ahead)
        self.a = np.where(self.boxed, q.ahead, 0.0)
        self.e = q.back
        self.two = self.e > 0  # a column with y
        share = 0.5
        total = float(q.places.sum()) * 2
        if total > 0:
            share = min(0.5, 0.5 * q.room / total)
        self.x = np.where(q.places > 0, share, 0.5)
        self.y = np.where(q.places > 0, share, 0.5)
        self.free_beta = np.zeros(m)
        self.b = 0.0
        beta = self.beta
        r = q.X @ beta - q.kink
        if q.has_intercept:
            self.b = -float(np.median(r))
            r = r + self.b
        size = float(np.abs(r).mean()) or 1.0
        self.sp, self.sm = np.maximum(r, 0.0) + 0.5 * size, np.maximum(-r, 0.0) + 0.5 * size
        middle, half = 0.5 * (q.up - q.down), 0.5 * (q.up + q.down)
        self.u = middle + 0.9 * half * r / np.sqrt(r * r + size * size)
        self.zp, self.zm = q.up - self.u, q.down + self.u
        self.has_row = bool(total > 0)
        self.mu, self.slack = 1.0, max(q.room - float(q.places @ (self.x + self.y)), 0.1 * max(q.room, 1e-3))
        v = q.X.T @ self.u
        push = max(float(np.abs(v * np.maximum(self.a, self.e)).mean()), 1e-6)
        if self.has_row:
            self.mu = push
        else:
            self.mu = 0.0
        dx = q.cost_ahead + self.a * v + self.mu * q.places
        dy = q.cost_back - self.e * v + self.mu * q.places
        self.xl, self.xu = np.maximum(dx, 0.0) + push, np.maximum(-dx, 0.0) + push
        self.yl, self.yu = np.maximum(dy, 0.0) + push, np.maximum(-dy, 0.0) + push

    @property
    def beta(self) -> Vector:
        return np.where(self.boxed, self.a * self.x - np.where(self.two, self.e * self.y, 0.0), self.free_beta)

    def complementarity(self) -> tuple[float, int]:
        """The sum of all products, and their number."""
        bx, by = self.boxed, self.two
        total = float(self.sp @ self.zp + self.sm @ self.zm)
        total += float((self.x * self.xl + (1 - self.x) * self.xu)[bx].sum())
        total += float((self.y * self.yl + (1 - self.y) * self.yu)[by].sum())
        count = 2 * len(self.sp) + 2 * int(bx.sum()) + 2 * int(by.sum())
        if self.has_row:
            total += self.mu * self.slack
            count += 1
        return total, count

    def point(self, iteration: int) -> Point:
        q = self.q
        beta = self.beta
        r = q.X @ beta + self.b - q.kink
        value = float(q.up @ np.maximum(r, 0.0) + q.down @ np.maximum(-r, 0.0))
        value += float(q.cost_ahead @ np.where(self.boxed, self.x, 0.0) + q.cost_back @ np.where(self.two, self.y, 0.0))
        shares = np.where(self.boxed, self.x, 0.0) + np.where(self.two, self.y, 0.0)
        return Point(beta, np.where(q.places > 0, shares, 1.0), self.u, value, self.complementarity()[0], iteration)

    def follow(self, is_enough: Judge) -> Point:
        for iteration in range(_ITERATIONS):
            point = self.point(iteration)
            if is_enough(point) or not self.step():
                return point
        return self.point(_ITERATIONS)

    def step(self) -> bool:
        q = self.q
        total, count = self.complementarity()
        tau = total / count
        if not np.isfinite(tau) or tau <= 1e-300:
            return False
        if not self.factorise():
            return False
        zero_n, zero_m = 0.0, 0.0
        d = self.direction(
            -self.sp * self.zp, -self.sm * self.zm, -self.x * self.xl, -(1 - self.x) * self.xu,
            -self.y * self.yl, -(1 - self.y) * self.yu, -self.mu * self.slack,
        )  # fmt: skip
        primal, dual = self.longest(d)
        after = self.complementarity_after(d, primal, dual)
        sigma = (after / total) ** 3 if after > 0 else 0.0
        aim = sigma * tau
        d = self.direction(
            aim - self.sp * self.zp - d["sp"] * d["zp"], aim - self.sm * self.zm - d["sm"] * d["zm"],
            aim - self.x * self.xl - d["x"] * d["xl"], aim - (1 - self.x) * self.xu + d["x"] * d["xu"],
            aim - self.y * self.yl - d["y"] * d["yl"], aim - (1 - self.y) * self.yu + d["y"] * d["yu"],
            aim - self.mu * self.slack - d["mu"] * d["slack"],
        )  # fmt: skip
        primal, dual = self.longest(d)
        primal, dual = min(1.0, _TO_THE_WALL * primal), min(1.0, _TO_THE_WALL * dual)
        if not (np.isfinite(primal) and np.isfinite(dual)) or max(primal, dual) < 1e-8:
            return False
        self.sp += primal * d["sp"]
        self.sm += primal * d["sm"]
        self.x += primal * d["x"]
        self.y += primal * d["y"]
        self.free_beta += primal * np.where(self.boxed, 0.0, d["beta"])
        self.b += primal * d["b"]
        self.slack += primal * d["slack"]
        self.u += dual * d["u"]
        self.mu += dual * d["mu"]
        self.zp += dual * d["zp"]
        self.zm += dual * d["zm"]
        self.xl += dual * d["xl"]
        self.xu += dual * d["xu"]
        self.yl += dual * d["yl"]
        self.yu += dual * d["yu"]
        return True

    def factorise(self) -> bool:
        q = self.q
        g = q.places
        self.D = 1.0 / (self.sp / self.zp + self.sm / self.zm)
        self.T = np.where(self.boxed, 1.0 / (self.xl / self.x + self.xu / (1 - self.x)), 0.0)
        self.S = np.where(self.two, 1.0 / (self.yl / self.y + self.yu / (1 - self.y)), 0.0)
        F = self.a**2 * self.T + self.e**2 * self.S
        self.iF = np.where(self.boxed, 1.0 / np.maximum(F, 1e-300), 0.0)
        self.h = g * (self.a * self.T - self.e * self.S)
        root = np.sqrt(self.D)
        scaled = q.X * root[:, None]
        H = scaled.T @ scaled
        H[np.diag_indices_from(H)] += self.iF + 1e-14 * np.diag(H)
        self.L, info = lapack.dpotrf(H, lower=1, overwrite_a=1)
        if info != 0:
            H = scaled.T @ scaled
            H[np.diag_indices_from(H)] += self.iF + 1e-9 * np.diag(H) + 1e-12
            self.L, info = lapack.dpotrf(H, lower=1, overwrite_a=1)
            if info != 0:
                return False
        self.XD1 = q.X.T @ self.D
        self.sD = float(self.D.sum())
        self.border = self.h * self.iF
        both = np.column_stack([self.XD1, self.border])
        self.K = lapack.dpotrs(self.L, both, lower=1)[0]
        # Schur complement of b and μ
        c = float((g * g * (self.T + self.S)).sum() - (self.h * self.border).sum()) + (
            self.slack / self.mu if self.has_row else 0.0
        )
        s11 = self.sD - float(self.XD1 @ self.K[:, 0])
        s12 = -float(self.XD1 @ self.K[:, 1])
        s22 = -c - float(self.border @ self.K[:, 1])
        self.schur = (s11, s12, s22)
        return True

    def direction(self, rsp, rsm, rxl, rxu, ryl, ryu, rrow):
        q = self.q
        g = q.places
        beta = self.beta
        rho = q.kink - (q.X @ beta + self.b - self.sp + self.sm) + rsp / self.zp - rsm / self.zm
        v = q.X.T @ self.u
        rdx = -(q.cost_ahead + self.a * v + self.mu * g - self.xl + self.xu)
        rdy = -(q.cost_back - self.e * v + self.mu * g - self.yl + self.yu)
        xix = rdx + rxl / self.x - rxu / (1 - self.x)
        xiy = rdy + ryl / self.y - ryu / (1 - self.y)
        tx, ty = self.T * xix, self.S * xiy
        ee = self.a * tx - self.e * ty
        rc = q.room - float(g @ (np.where(self.boxed, self.x, 0) + np.where(self.two, self.y, 0))) - self.slack
        XDr = q.X.T @ (self.D * rho)
        rhs = ee * self.iF + XDr - np.where(self.boxed, 0.0, v)
        z = lapack.dpotrs(self.L, rhs, lower=1)[0]
        db = dmu = 0.0
        s11, s12, s22 = self.schur
        rb = -float(self.u.sum()) + float(self.D @ rho) - float(self.XD1 @ z)
        rm = 0.0
        if self.has_row:
            rm = rc - rrow / self.mu - float(g @ (tx + ty)) + float(self.border @ ee) - float(self.border @ z)
        if q.has_intercept and self.has_row:
            det = s11 * s22 - s12 * s12
            db, dmu = (rb * s22 - s12 * rm) / det, (s11 * rm - s12 * rb) / det
        elif q.has_intercept:
            db = rb / s11
        elif self.has_row:
            dmu = rm / s22
        dbeta = z - self.K[:, 0] * db - self.K[:, 1] * dmu
        du = self.D * (q.X @ dbeta + db - rho)
        dv = q.X.T @ du
        dx = self.T * (xix - self.a * dv - g * dmu)
        dy = self.S * (xiy + self.e * dv - g * dmu)
        # T and S are huge where a coefficient rests on no bound: what rounding leaves is put right, β being exact.
        left = (dbeta - (self.a * dx - self.e * dy)) * self.iF
        dx = dx + self.a * self.T * left
        dy = dy - self.e * self.S * left
        d = {"beta": dbeta, "b": db, "mu": dmu, "u": du, "x": dx, "y": dy}
        d["sp"] = (rsp + self.sp * du) / self.zp
        d["sm"] = (rsm - self.sm * du) / self.zm
        d["zp"], d["zm"] = -du, du
        d["xl"] = (rxl - self.xl * dx) / self.x
        d["xu"] = (rxu + self.xu * dx) / (1 - self.x)
        d["yl"] = (ryl - self.yl * dy) / self.y
        d["yu"] = (ryu + self.yu * dy) / (1 - self.y)
        d["slack"] = (rrow - self.slack * dmu) / self.mu if self.has_row else 0.0
        return d

    def longest(self, d):
        primal = min(_reach(self.sp, d["sp"]), _reach(self.sm, d["sm"]),
                     _reach(self.x, d["x"]), _reach(1 - self.x, -d["x"]),
                     _reach(self.y, d["y"]), _reach(1 - self.y, -d["y"]))
        dual = min(_reach(self.zp, d["zp"]), _reach(self.zm, d["zm"]),
                   _reach(self.xl, d["xl"]), _reach(self.xu, d["xu"]),
                   _reach(self.yl, d["yl"]), _reach(self.yu, d["yu"]))
        if self.has_row:
            if d["slack"] < 0:
                primal = min(primal, -self.slack / d["slack"])
            if d["mu"] < 0:
                dual = min(dual, -self.mu / d["mu"])
        return min(primal, 1e3), min(dual, 1e3)

    def complementarity_after(self, d, primal, dual):
        primal, dual = min(1.0, primal), min(1.0, dual)
        total = float((self.sp + primal * d["sp"]) @ (self.zp + dual * d["zp"]))
        total += float((self.sm + primal * d["sm"]) @ (self.zm + dual * d["zm"]))
        bx, by = self.boxed, self.two
        x, y = self.x + primal * d["x"], self.y + primal * d["y"]
        total += float((x * (self.xl + dual * d["xl"]) + (1 - x) * (self.xu + dual * d["xu"]))[bx].sum())
        total += float((y * (self.yl + dual * d["yl"]) + (1 - y) * (self.yu + dual * d["yu"]))[by].sum())
        if self.has_row:
            total += (self.mu + dual * d["mu"]) * (self.slack + primal * d["slack"])
        return total


def _reach(values: Vector, steps: Vector) -> float:
    """How far along the steps the values stay positive."""
    worst = float((steps / values).min(initial=0.0))
    return -1.0 / worst if worst < 0 else 1e3
