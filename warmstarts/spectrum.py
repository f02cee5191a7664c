"""Eigenvalues of the second moments, for solving with them under many shifts."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import Matrix, Vector

_RANK = 1e-10  # of the largest eigenvalue: what is below counts as zero


class Spectrum:
    r"""The nonzero eigenvalues of :math:`H = X'X + 2\,\mathrm{diag}(\rho)` and their vectors.

    Attributes
    ----------
    values : shape (r,)
    vectors : shape (m, r)
    """

    values: Vector
    vectors: Matrix

    def __init__(self, scaled: ScaledProblem) -> None:
        if scaled.m <= scaled.n or scaled.ridge.any():
            values, vectors = linalg.eigh(scaled.gram + 2.0 * np.diag(scaled.ridge), check_finite=False)
        else:
            values, left = linalg.eigh(scaled.X @ scaled.X.T, check_finite=False)
            vectors = scaled.X.T @ (left / np.sqrt(np.maximum(values, _RANK * values[-1])))
        used = values > _RANK * values[-1]
        self.values, self.vectors = values[used], np.ascontiguousarray(vectors[:, used])

    def solve(self, shift: float, right: Vector) -> Vector:
        """Return (H + shift I)⁻¹ right, for a shift > 0."""
        share = self.values / (self.values + shift)
        return np.asarray((right - self.vectors @ (share * (right @ self.vectors))) / shift)

    def least_squares(self, right: Vector) -> Vector:
        """Return the solution of Hγ = right of least norm; of least squares where there is none."""
        return np.asarray(self.vectors @ ((right @ self.vectors) / self.values))

    def product(self, gamma: Vector) -> Vector:
        """Return Hγ."""
        return np.asarray(self.vectors @ (self.values * (gamma @ self.vectors)))
