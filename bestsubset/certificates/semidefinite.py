r"""Is a matrix positive semidefinite, rounding included? (FORMAT.md, section 7)

Let A be of order m with :math:`|\tilde A_{ij} - A_{ij}| \le \varepsilon\nu_i\nu_j` and :math:`A_{jj} \le \nu_j^2`.
If Cholesky's factorisation of :math:`\tilde A - \sigma\,\mathrm{diag}(\nu^2)` ends in floating point, it is an exact
one of a matrix that differs by no more than :math:`\gamma\nu_i\nu_j` an entry,
:math:`\gamma = \gamma_{m+2}/(1-\gamma_{m+2})` (Demmel 1989; Higham 2002, theorem 10.3). Errors of η an entry move
eigenvalues of the scaled matrix by at most mη, so that A is positive semidefinite for
:math:`\sigma = m(\varepsilon + 2\gamma)` (Rump 2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bestsubset.certificates.moments import UNIT, Columns, Matrix, Moments, Vector, gamma


def shift(order: int, error: float) -> float:
    """σ: what is taken off a diagonal of ν² before a matrix is factored."""
    rounding = gamma(order + 2)
    return order * (error + 2 * rounding / (1 - rounding) + 2 * UNIT) * (1 + 8 * UNIT)


def is_semidefinite(A: Matrix, nu: Vector, error: float) -> bool:
    """Tell whether the matrix that A stands for is certainly positive semidefinite."""
    try:
        np.linalg.cholesky(A - np.diag(shift(len(A), error) * nu**2))
    except np.linalg.LinAlgError:
        return False
    return True


def are_semidefinite(A: NDArray[np.float64], nu: Matrix, error: float) -> NDArray[np.bool_]:
    """The same of many matrices of one order, shape (count, order, order)."""
    order = A.shape[-1]
    A = A.copy()
    diagonal = np.arange(order)
    A[:, diagonal, diagonal] -= shift(order, error) * nu**2
    good = np.ones(len(A), dtype=bool)
    for step in range(order):
        pivot = A[:, step, step]
        good &= pivot > 0
        row = A[:, step, step + 1 :] / np.sqrt(np.where(good, pivot, 1.0))[:, None]
        A[:, step + 1 :, step + 1 :] -= row[:, :, None] * row[:, None, :]
    return good


def is_below(moments: Moments, d: Vector, columns: Columns) -> bool:
    """Tell whether M - diag(d) is certainly positive semidefinite on some columns."""
    block = moments.matrix[np.ix_(columns, columns)] - np.diag(d[columns])
    # One more rounding on the diagonal, of a number below ν² where the answer is yes.
    return is_semidefinite(block, moments.nu[columns], moments.error + UNIT)


def share_below(moments: Moments, columns: Columns) -> float:
    """Return a θ so that M - θ diag(ν²) is certainly positive semidefinite on some columns; 0 if none was found."""
    nu = moments.nu[columns]
    block = moments.matrix[np.ix_(columns, columns)]
    smallest = float(np.linalg.eigvalsh(block / np.outer(nu, nu))[0]) if len(columns) else 1.0
    for fraction in (0.5, 0.1):
        theta = fraction * smallest
        if theta > 0 and is_semidefinite(block - np.diag(theta * nu**2), nu, moments.error + 2 * UNIT):
            return theta
    return 0.0
