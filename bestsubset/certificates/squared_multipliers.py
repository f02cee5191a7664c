r"""The multipliers of squared error: the bound of FORMAT.md, section 4.

For γ with :math:`S = \sum_j\nu_j|\gamma_j|` the computed w is wrong by at most :math:`\nu_j\delta`,
:math:`\delta = (\varepsilon + \gamma_{s+4})(\nu_y + S)` for s nonzeros, since
:math:`|M_{ij}| \le \nu_i\nu_j`; h grows with \|w\|, and sums are inflated by what they can lose.
"""

from __future__ import annotations

import numpy as np

from bestsubset.certificates.certificate import Claim
from bestsubset.certificates.moments import UNIT, Matrix, Moments, Vector, gamma
from bestsubset.certificates.multiplier_leaves import Integers, Multipliers
from bestsubset.certificates.tokens import Refusal, TokenError


class SquaredMultipliers(Multipliers):
    """Combinations γ of columns."""

    def __init__(self, claim: Claim, moments: Moments, box: float, excluded: list[int]) -> None:
        self._moments = moments
        self._is_excluded = np.zeros(moments.p, dtype=bool)
        self._is_excluded[excluded] = True
        is_ridge = not len(claim.diagonal)
        self._diagonal = moments.ridge if is_ridge else moments.of_diagonal(claim.diagonal)
        super().__init__(claim, moments, box, self._diagonal, moments.ridge_error if is_ridge else 0.0)

    def _evaluated(self, numbers: Integers) -> tuple[Vector, Matrix, Vector]:
        m, p = self._moments, self._moments.p
        row, columns, values, counts = self._entries(numbers)
        values = m.of_coefficients(columns, values)
        is_used = np.zeros(p, dtype=bool)
        is_used[columns] = True
        used = np.flatnonzero(is_used)
        local = (np.cumsum(is_used) - 1)[columns]
        dense = np.zeros((len(numbers), len(used)))
        dense[row, local] = values
        named = np.zeros(dense.shape, dtype=bool)
        named[row, local] = True
        if np.count_nonzero(named) != len(row):
            raise TokenError("a multiplier names a column twice")
        if self._is_excluded[used].any():  # nothing is known of Q there
            raise Refusal(f"a multiplier names excluded columns: {used[self._is_excluded[used]].tolist()}")
        rows = m.rows(used)
        w = m.correlation[:p] - dense @ rows[:, :p]
        # D takes part in Q only: its share of w is added by column.
        w[:, used] += dense * self._diagonal[used]
        size = np.abs(dense) @ m.nu[used] * (1 + gamma(len(used) + 4))
        nu_y = m.nu[-1]
        rounding = m.error + gamma(int(counts.max(initial=0)) + 8)
        delta = rounding * (nu_y + 2 * size)
        explained = np.einsum("ij,ij->i", dense, m.correlation[used] - w[:, used])
        lost = m.error * nu_y**2 + size * (m.error * nu_y + delta) + gamma(len(used) + 8) * size * (nu_y + 2 * size)
        base = 0.5 * m.correlation[p] - 0.5 * explained - 0.5 * lost * (1 + 16 * UNIT)
        return base - 8 * UNIT * nu_y * (nu_y + size), w, delta
