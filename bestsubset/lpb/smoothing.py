"""The loss with its kinks rounded off: minimisers whose slopes are dual vectors strictly inside their domain."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from bestsubset.lpb.rows import KinkedRows
from formulations._types import Matrix, Vector

_STEPS = 50
_FLAT = 1e-11


class Smoothed:
    r"""The loss :math:`L_\varepsilon(\eta) = \sum_i \tfrac{u_i-d_i}2 r_i + \tfrac{u_i+d_i}2\sqrt{r_i^2+\varepsilon^2}`,
    :math:`r = \eta - \kappa`, of some columns and the intercept.

    Its slopes lie strictly inside :math:`[-d, u]`.
    """

    def __init__(self, rows: KinkedRows, design: Matrix, width: float) -> None:
        self._middle, self._half = 0.5 * (rows.up - rows.down)[:, None], 0.5 * (rows.up + rows.down)[:, None]
        self._kink, self._width, self._design = rows.kink[:, None], width, design

    def slopes(self, theta: Matrix) -> Matrix:
        """The slopes at each column of coefficients, shape (n, number)."""
        r = self._design @ theta - self._kink
        return np.asarray(self._middle + self._half * r / np.sqrt(r * r + self._width**2))

    def values(self, theta: Matrix, pull: Matrix) -> Vector:
        r = self._design @ theta - self._kink
        loss = (self._middle * r + self._half * np.sqrt(r * r + self._width**2)).sum(axis=0)
        return np.asarray(loss - (pull * theta).sum(axis=0))

    def factor(self, theta: Vector) -> Matrix | None:
        """The Cholesky factor of the Hessian at some coefficients; None if it is singular."""
        r = self._design @ theta[:, None] - self._kink
        curvature = self._half * self._width**2 / (r * r + self._width**2) ** 1.5
        scaled = self._design * np.sqrt(curvature)
        lower, info = lapack.dpotrf(scaled.T @ scaled, lower=1)
        return None if info else lower

    def minimiser(self, theta: Vector) -> Vector | None:
        """Damped Newton steps; None where there is no minimiser, or none was reached."""
        none = np.zeros((len(theta), 1))
        value = self.values(theta[:, None], none)[0]
        for _ in range(_STEPS):
            lower = self.factor(theta)
            if lower is None:
                return None
            gradient = self._design.T @ self.slopes(theta[:, None])[:, 0]
            step = lapack.dpotrs(lower, gradient, lower=1)[0]
            length, slope = 1.0, float(gradient @ step)
            while length > 1e-6:
                following = theta - length * step
                reached = self.values(following[:, None], none)[0]
                if reached <= value - 1e-4 * length * slope:
                    break
                length *= 0.5
            else:
                return theta
            theta, value = following, reached
            if slope <= _FLAT * abs(value):
                return theta
        return None

    def tilted(self, theta: Matrix, pull: Matrix, lower: Matrix, steps: int) -> Matrix:
        """Minimise the loss less a linear pull, for many pulls at once, by steps with one shared Hessian.

        Each column has its own length of step, halved where it does not descend.
        """
        length = np.ones(theta.shape[1])
        values = self.values(theta, pull)
        for _ in range(steps):
            gradient = self._design.T @ self.slopes(theta) - pull
            following = theta - length * lapack.dpotrs(lower, gradient, lower=1)[0]
            reached = self.values(following, pull)
            better = reached < values
            theta = np.where(better, following, theta)
            values = np.where(better, reached, values)
            length = np.where(better, np.minimum(1.0, 1.5 * length), 0.4 * length)
        return theta
