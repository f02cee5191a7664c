"""The smooth part of a problem as heuristics see it: values, gradients and fits on a few of its columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from scipy.linalg import lapack, lstsq

from formulations import Problem, ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.gram_rows import GramRows
from warmstarts.spectrum import Spectrum
from warmstarts.support_fit import fit_support

_DEPENDENT = 1e-10  # what is left of a unit column that the others explain


class Objective(ABC):
    r"""A smooth :math:`f(\gamma)` over columns of norm one: loss and ridge; λ0 is left to others.

    Attributes
    ----------
    scaled : ScaledProblem
        The columns and what binds them: blocks, included ones, sizes.
    diagonal : shape (m,)
        The curvature along each column, at zero.
    lambda1, lower, upper : shape (m,)
        What is beside f: weights of :math:`|\gamma_j|`, and bounds.
    """

    scaled: ScaledProblem
    diagonal: Vector
    lambda1: Vector
    lower: Vector
    upper: Vector

    @property
    def m(self) -> int:
        """Number of candidate columns."""
        return self.scaled.m

    @abstractmethod
    def at(self, support: IntVector, gamma: Vector) -> tuple[float, Vector]:
        """Return the value, and minus the gradient, shape (m,), at coefficients on a support."""

    @abstractmethod
    def curvature(self, support: IntVector, gamma: Vector, step: Vector) -> float:
        """Return the second derivative along a step, all three on the support."""

    @abstractmethod
    def fit(self, support: IntVector) -> Vector:
        """Return the best coefficients on a support."""

    @abstractmethod
    def everywhere(self, gamma: Vector) -> tuple[float, Vector]:
        """Return value and minus the gradient at coefficients on all columns."""

    @cached_property
    @abstractmethod
    def largest_curvature(self) -> float:
        """The largest second derivative along a unit step, for squared error everywhere: the L of gradient methods."""

    def fitted(self, support: IntVector) -> tuple[Vector, float, Vector]:
        """Return the best coefficients on a support, the value, and minus the gradient there."""
        gamma = self.fit(support)
        return gamma, *self.at(support, gamma)


class SquaredObjective(Objective):
    r""":math:`\tfrac12\|y - X\gamma\|^2 + \sum_j \rho_j\gamma_j^2` by its second moments, whole or by rows."""

    def __init__(self, source: GramRows) -> None:
        self.source, self.scaled, self.diagonal = source, source.scaled, source.diagonal
        self.lambda1, self.lower, self.upper = self.scaled.lambda1, self.scaled.lower, self.scaled.upper

    def at(self, support: IntVector, gamma: Vector) -> tuple[float, Vector]:
        if not len(support):
            return 0.5, self.source.c.copy()
        product = gamma @ self.source.whole_rows(support)
        return float(0.5 + gamma @ (0.5 * product[support] - self.source.c[support])), self.source.c - product

    def curvature(self, support: IntVector, gamma: Vector, step: Vector) -> float:
        return float(step @ (self.block(support) @ step))

    def fit(self, support: IntVector) -> Vector:
        if not len(support):
            return np.zeros(0)
        H, c = self.block(support), self.source.c[support]
        factor, gamma, failed = lapack.dposv(H, c)
        if failed or factor.diagonal().min() ** 2 < _DEPENDENT:
            gamma = lstsq(H, c, cond=_DEPENDENT, check_finite=False)[0]
        return np.asarray(gamma)

    def everywhere(self, gamma: Vector) -> tuple[float, Vector]:
        source = self.source
        if source.is_whole:
            product = source.rows @ gamma
        else:
            design = self.scaled.design
            product = design.correlate((design.whole() @ gamma)[:, None])[0] + 2.0 * self.scaled.ridge * gamma
        return float(0.5 + gamma @ (0.5 * product - source.c)), source.c - product

    @cached_property
    def largest_curvature(self) -> float:
        """By the power method, with a margin."""
        vector = self.source.c / np.linalg.norm(self.source.c)
        length = 1.0
        for _ in range(30):
            vector = self.source.c - self.everywhere(vector)[1]
            length = float(np.linalg.norm(vector))
            vector /= length
        return 1.05 * length

    @cached_property
    def spectrum(self) -> Spectrum:
        """The eigenvalues of the second moments: O(m³), or O(n²m) where there are more columns than rows."""
        return Spectrum(self.scaled)

    def block(self, support: IntVector) -> Matrix:
        """Return the second moments among some columns."""
        return self.source.whole_rows(support)[:, support]


class LossObjective(Objective):
    r"""Any smooth loss, the intercept profiled out: :math:`\min_b L(y, b + X\gamma) + \sum_j \rho_j\gamma_j^2`.

    The gradient of a minimum over b is the gradient at the best b; second derivatives hold b, so they are upper bounds.
    """

    def __init__(self, problem: Problem, scaled: ScaledProblem) -> None:
        self.problem, self.scaled = problem, scaled
        columns = scaled.columns
        self._norms = problem.column_norms[columns]
        self._Z = np.asarray((problem.X[:, columns] - problem.column_means[columns]) / self._norms)
        penalised = problem.penalty_scale[columns] / self._norms
        self._ridge = problem.lambda2 * penalised**2
        self.lambda1 = problem.lambda1 * penalised
        self.lower, self.upper = problem.lower[columns] * self._norms, problem.upper[columns] * self._norms
        at_zero = self._second_derivatives(np.zeros(problem.n))
        self.diagonal = at_zero @ self._Z**2 + 2.0 * self._ridge

    def at(self, support: IntVector, gamma: Vector) -> tuple[float, Vector]:
        problem = self.problem
        eta = self._predictor(self._Z[:, support] @ gamma)
        value = problem.loss.value(problem.y, eta, problem.sample_weight) + self._ridge[support] @ gamma**2
        slope = -(problem.loss.gradient(problem.y, eta, problem.sample_weight) @ self._Z)
        slope[support] -= 2.0 * self._ridge[support] * gamma
        return float(value), np.asarray(slope)

    def curvature(self, support: IntVector, gamma: Vector, step: Vector) -> float:
        second = self._second_derivatives(self._predictor(self._Z[:, support] @ gamma))
        return float(second @ (self._Z[:, support] @ step) ** 2 + 2.0 * self._ridge[support] @ step**2)

    def fit(self, support: IntVector) -> Vector:
        columns = self.scaled.columns[support]
        return np.asarray(fit_support(self.problem, columns)[columns] * self._norms[support])

    def everywhere(self, gamma: Vector) -> tuple[float, Vector]:
        return self.at(np.arange(self.m), gamma)

    @cached_property
    def largest_curvature(self) -> float:
        """At zero, where the loss of two classes is most curved."""
        second = self._second_derivatives(np.zeros(self.problem.n))
        return float(np.linalg.norm(np.sqrt(second)[:, None] * self._Z, 2) ** 2 + 2.0 * self._ridge.max())

    def _predictor(self, eta: Vector) -> Vector:
        if not self.problem.fit_intercept:
            return eta
        return np.asarray(eta + self.problem.loss.best_intercept(self.problem.y, eta, self.problem.sample_weight))

    def _second_derivatives(self, eta: Vector) -> Vector:
        return self.problem.loss.curvature(self.problem.y, eta, self.problem.sample_weight)
