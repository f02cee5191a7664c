r"""Bounds on coefficients that follow from the incumbent, where a ridge is too weak to bound them well.

For any γ, all β with :math:`\beta_j \ge v > 0` have, in the notation of `perspective` and with h over the box known so
far,

.. math:: f \ge \tfrac12 yy - \tfrac12\gamma^\top Q\gamma - \sum_{i\ne j}^{k-1\ largest}(h_i(w_i) - \lambda_0)_+
          + \lambda_0 - \max_{b\ge v}[w_j b - \lambda_{1j} b - \rho_j b^2] .

Where that reaches the incumbent, no better point lies there: :math:`\beta_j < v`. The right-hand side is a parabola in
v, so that *every* γ proves some v; a good one is that of the relaxation with β_j pinned near it. What the relaxation
pays for a small coefficient is :math:`\lambda_0/M + \rho M` a unit with the bound M, and no less than
:math:`2\sqrt{\rho\lambda_0}` with the ridge alone: boxes pay below the *knee* :math:`\sqrt{\lambda_0/\rho}`, the more
the further. Each box is used in the derivation of all that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import linalg

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.perspective_state import FREE, IN, Node, Terms, Working
from bestsubset.bnb.quadratic import Quadratic
from formulations._types import IntVector, Matrix, Vector
from warmstarts.compilation import compiling

LARGEST = 2000  # columns: the time grows faster than their number
_ROUNDS, _ROUND = 6, 10  # looks and sweeps at the root
_TURNS, _SWEEPS = 3, 7  # looks and sweeps for each side of a column
_PASSES = 2
_SAMPLE = 16  # boxes, after which it is known whether they pay
_USEFUL = 0.9  # times the knee; beyond it the tree is halved at best, and boxes take as long as that saves
_MARGIN = 1 + 1e-9  # of a box, for rounding


class DerivedBoxes:
    """The boxes of one problem, one side of a column after another.

    Parameters
    ----------
    quadratic : Quadratic
    gram : Matrix
        Q on all its columns.
    target : float
        What an objective must be below to be of interest: the value at which the search prunes.
    gamma, mu : Vector, float
        Where the root's relaxation starts.
    fitting : int
        Columns that fit the response perfectly, if any do: as many as observations, and some more.
    log : TreeLog, optional
        Where the proofs go, for the certificate.
    """

    def __init__(
        self,
        quadratic: Quadratic,
        gram: Matrix,
        target: float,
        gamma: Vector,
        mu: float,
        fitting: int,
        log: TreeLog | None = None,
    ) -> None:
        q, m = quadratic, len(quadratic.c)
        self._quadratic, self._target, self.mu, self._fitting, self._log = q, target, mu, fitting, log
        self.lower, self.upper = q.lower.copy(), q.upper.copy()
        self._terms = Terms(
            gram, np.arange(m), q.diagonal, q.c, q.lambda1, q.rho, self.lower, self.upper, q.half_yy, q.lambda0,
            q.k, q.is_plain, False, False, 0.0, 0.0,
        )  # fmt: skip
        self._node = Node.of(np.where(q.included, IN, FREE).astype(np.int8), gamma.copy(), q.k)
        self._work = Working.of(m, m)
        self.values: list[float] = []

    def derive(self, is_out_of_time: Callable[[], bool]) -> Quadratic | None:
        """The problem with the boxes; None where they would not pay."""
        for turn in range(_PASSES):
            order = self._settle()
            for number, j in enumerate(order.tolist()):
                if is_out_of_time():
                    break
                self._bound(j)
                if turn == 0 and number == _SAMPLE and not self._pays():
                    return None
        q = self._quadratic
        return replace(q, lower=self.lower, upper=self.upper, boxes_follow=q.is_plain)

    def _settle(self) -> IntVector:
        """Solve the root's relaxation with the boxes so far; return the columns in the order of their turns.

        First those that the relaxation uses, those that it uses least leading: most of them are noise, and their boxes
        tell what boxes are worth.
        """
        from bestsubset.bnb.box_kernels import settle

        with compiling(settle):
            self.mu = settle(self._terms, self._node, self._work, self.mu, _ROUNDS, _ROUND)
        self._base = np.stack([self._work.gamma, self._work.w])
        if not self.values:
            self._fit = self._perfect_fit()
        self.gamma, self._w = self._node.gamma.copy(), self._node.w.copy()
        used = np.flatnonzero(self.gamma)
        rest = np.flatnonzero(self.gamma == 0)
        return np.concatenate([used[np.argsort(np.abs(self.gamma[used]))], rest[np.argsort(-np.abs(self._w[rest]))]])

    def _perfect_fit(self) -> Vector:
        """A γ with Qγ = c, on few columns; zero where there is none."""
        q, gram = self._quadratic, self._terms.rows
        fit = np.zeros(len(q.c))
        strong = np.argsort(-np.abs(self._node.gamma) - 1e-3 * np.abs(self._node.w), kind="stable")[: self._fitting]
        inverse = linalg.pinvh(gram[np.ix_(strong, strong)], rtol=1e-10)
        for _ in range(4):  # refined, since its errors are not accounted for
            fit[strong] += inverse @ (q.c[strong] - gram[strong] @ fit)
        return fit if np.max(np.abs(q.c - gram @ fit)) < 1e-14 else np.zeros_like(fit)

    def _bound(self, j: int) -> None:
        """Bound a column on the side where the relaxation has it or would have it."""
        from bestsubset.bnb.box_kernels import derive

        sign = np.sign(self.gamma[j] or self._w[j]) or 1.0
        old = self.upper[j] if sign > 0 else -self.lower[j]
        guess = np.median(self.values[-_SAMPLE:]) if self.values else np.sqrt(2 * self._target) / 2
        guess = min(max(guess, 1.2 * abs(self.gamma[j])), 0.95 * old)
        if not guess > 0:
            return
        with compiling(derive):
            v = derive(
                self._terms, self._node, self._work, self._base, self._fit, self.mu, self._target,
                j, sign, guess, _TURNS, _SWEEPS,
            )  # fmt: skip
        if not 0 < v < np.inf:
            return
        v *= _MARGIN
        self.values.append(min(v, old))
        if v >= 0.99 * old:
            return
        a = self._work.position[j]
        if sign > 0:
            self.upper[j] = v
            self._work.hi[a] = v if a >= 0 else self._work.hi[a]
        else:
            self.lower[j] = -v
            self._work.lo[a] = -v if a >= 0 else self._work.lo[a]
        if self._log is not None:
            self._log.add_box(j, sign * v, self._node.proof)

    def _pays(self) -> bool:
        knee = np.sqrt(self.mu / np.median(self._quadratic.rho))
        return bool(self.values) and bool(np.median(self.values) < _USEFUL * knee)
