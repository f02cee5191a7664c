"""Columns that are in every support are swept out of the problem before the search."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector


def project_out(scaled: ScaledProblem, included: IntVector, free: IntVector) -> tuple[Matrix, Vector, float]:
    r"""Sweep the included columns out of the ridge-augmented moments of the free ones.

    With :math:`G = X^\top X + 2\,\mathrm{diag}(\rho)` and :math:`c = X^\top y`, return the Schur complement
    :math:`G_{FF} - G_{FI}G_{II}^{+}G_{IF}`, the vector :math:`c_F - G_{FI}G_{II}^{+}c_I` and the residual sum
    of squares :math:`1 - c_I^\top G_{II}^{+}c_I`: twice the objective of a support S ∪ I is that sum less
    what S explains in the reduced moments.
    """
    rows = scaled.gram[free] if scaled.has_gram else scaled.gram_rows(free)
    G = rows[:, free]
    G[np.diag_indices_from(G)] += 2 * scaled.ridge[free]
    c = scaled.correlation[free].copy()
    if not len(included):
        return np.ascontiguousarray(G), c, 1.0
    transform = _whitening(scaled, included)
    cross = transform @ rows[:, included].T
    on_basis = transform @ scaled.correlation[included]
    G = G - cross.T @ cross
    return np.ascontiguousarray(0.5 * (G + G.T)), c - cross.T @ on_basis, float(1.0 - on_basis @ on_basis)


def _whitening(scaled: ScaledProblem, included: IntVector) -> Matrix:
    """The transform W with W'W the pseudo-inverse of G_II: it makes the included columns orthonormal."""
    gram = scaled.gram_rows(included)[:, included].copy()
    gram[np.diag_indices_from(gram)] += 2 * scaled.ridge[included]
    values, vectors = linalg.eigh(gram)
    keep = values > 1e-12 * values[-1]
    return np.asarray((vectors[:, keep] / np.sqrt(values[keep])).T)


def unit_diagonal(G: Matrix, c: Vector) -> tuple[Matrix, Vector]:
    """Scale moments so that the diagonal is one: best subsets do not change, conditioning is at its best."""
    scale = 1.0 / np.sqrt(np.diag(G))
    scaled = np.ascontiguousarray(scale[:, None] * G * scale)
    np.fill_diagonal(scaled, 1.0)
    return scaled, c * scale
