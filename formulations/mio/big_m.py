"""Binaries bound the coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.coefficient_bounds import BigMs, prove, require_finite
from formulations.losses import LogisticLoss
from formulations.mio.builder import ModelBuilder
from formulations.mio.interface import Formulation
from formulations.mio.loss_rows import add_loss, refuses_loss, with_tangents
from formulations.mio.model import Model
from formulations.mio.support_rows import add_big_m_rows, add_imposed, add_penalties, add_support
from formulations.problem import Problem


@dataclass(frozen=True)
class BigM(Formulation):
    r"""A column that is out has the coefficient zero, by bounds on the coefficients.

    Reformulates
    ------------
    :math:`\beta_j = 0` where :math:`z_j = 0`, as :math:`lo_j z_j \le \beta_j \le hi_j z_j`.

    Exact when
    ----------
    The bounds hold at some optimum: they are proved from the incumbent's objective, or imposed as ``big_m``, which the
    model then says. A logistic loss is exact in the limit of `refine`.

    Takes
    -----
    Every loss of the library, every constraint and penalty, where finite bounds can be proved.

    Builds
    ------
    Squared error, or λ2: a quadratic objective and binaries. Absolute, quantile and hinge loss: a mixed-integer linear
    model with a surplus and a shortfall for each row. Logistic loss: a height above tangents for each row.

    Size
    ----
    2 p columns and 2 p rows; for other than squared error 2 n more columns and n more rows with p + 1 entries; λ1 adds
    p columns and 2 p rows.

    Source
    ------
    Bertsimas, King and Mazumder (2016), eqs. (2.1) and (2.4).

    Parameters
    ----------
    big_m : float or tuple of float, optional
        The user's word that :math:`|\beta_j|` is at most this, one number or one a column.
    programmes : bool, optional
        Whether to prove bounds by linear programmes, see `coefficient_bounds.prove`.
    """

    name: ClassVar[str] = "big_m"

    big_m: BigMs = None
    programmes: bool | None = None

    def refuses(self, problem: Problem) -> str | None:
        return refuses_loss(problem)

    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        coef = np.zeros(problem.p) if incumbent is None else incumbent
        programmes = self.programmes if self.big_m is None else bool(self.programmes)
        bounds = prove(problem, problem.objective(coef), self.big_m, programmes)
        require_finite(problem, bounds, coef)
        builder = ModelBuilder(self.name)
        beta, z = add_support(builder, problem, bounds)
        add_imposed(builder, bounds, self.big_m)
        add_big_m_rows(builder, problem, bounds, beta, z)
        add_penalties(builder, problem, beta)
        add_loss(builder, problem, beta)
        return builder.build()

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        return with_tangents(problem, model, points) if isinstance(problem.loss, LogisticLoss) else None
