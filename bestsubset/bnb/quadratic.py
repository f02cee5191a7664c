"""The problem as the perspective tree takes it: a quadratic, with prices and a ridge on single columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from formulations._types import BoolVector, IntVector, Vector

_ERROR_OF_W = 4e-15


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The data of the problem in `perspective`; all vectors have shape (m,).

    ``boxes_follow`` says that the box only repeats what the incumbent implies: no better point lies outside.
    """

    c: Vector
    diagonal: Vector
    half_yy: float
    k: int
    lambda0: float
    lambda1: Vector
    rho: Vector
    lower: Vector
    upper: Vector
    included: BoolVector
    boxes_follow: bool = False

    def restricted_to(self, keep: IntVector) -> Quadratic:
        """The same problem on some of the columns."""
        return replace(
            self,
            c=self.c[keep],
            diagonal=self.diagonal[keep],
            k=min(self.k, len(keep)),
            lambda1=self.lambda1[keep],
            rho=self.rho[keep],
            lower=self.lower[keep],
            upper=self.upper[keep],
            included=self.included[keep],
        )

    @property
    def is_plain(self) -> bool:
        """No λ1 and no box that matters to a support: it is valued by one Cholesky factorisation."""
        has_box = np.isfinite(self.lower).any() or np.isfinite(self.upper).any()
        return not (self.lambda1.any() or (has_box and not self.boxes_follow))

    @property
    def rounding(self) -> float:
        r"""What rounding may add to a dual bound of the scaled problem.

        An error δ in each w_j changes :math:`\sum h_j(w_j)` over k columns by
        :math:`\delta\sum|w_j|/(2\rho_j) \le \delta\sqrt{\textstyle\sum h_j}\sqrt{k/\rho_{min}}`; what matters is
        :math:`\sum h_j \le \tfrac12`.
        """
        rho = self.rho[self.rho > 0]
        smallest = float(rho.min()) if len(rho) else 1.0
        return 1e-13 * self.half_yy + _ERROR_OF_W * float(np.sqrt(0.5 * self.k / smallest))
