"""Sets of special order keep the coefficients of columns that are out at zero: no bound is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.coefficient_bounds import BigMs, prove
from formulations.losses import LogisticLoss
from formulations.mio.builder import ModelBuilder
from formulations.mio.interface import Formulation
from formulations.mio.loss_rows import add_loss, refuses_loss, with_tangents
from formulations.mio.model import Model, SOS1Set
from formulations.mio.support_rows import add_imposed, add_penalties, add_support, named
from formulations.problem import Problem


@dataclass(frozen=True)
class SOS1(Formulation):
    r"""Of a coefficient and the slack :math:`1 - z_j` of its binary, at most one is not zero.

    Reformulates
    ------------
    :math:`\beta_j = 0` where :math:`z_j = 0`, as the set :math:`(\beta_j, 1 - z_j)` of special order, type 1.

    Exact when
    ----------
    Always, unless ``big_m`` is imposed, which the model then says. A logistic loss is exact in the limit of `refine`.

    Takes
    -----
    Every loss of the library, every constraint and penalty.

    Builds
    ------
    What `BigM` does, with the sets in the place of its rows. Bounds that can be proved bound the coefficients; those
    that cannot are infinite.

    Size
    ----
    p columns, p rows of two entries and p sets in the place of `BigM`'s 2 p rows.

    Source
    ------
    Bertsimas, King and Mazumder (2016), eq. (2.3); Beale and Tomlin (1970) for the sets.

    Parameters
    ----------
    big_m : float or tuple of float, optional
        The user's word that :math:`|\beta_j|` is at most this, one number or one a column.
    programmes : bool
        Whether to prove bounds by linear programmes, see `coefficient_bounds.prove`.
    """

    name: ClassVar[str] = "sos1"

    big_m: BigMs = None
    programmes: bool = False

    def refuses(self, problem: Problem) -> str | None:
        return refuses_loss(problem)

    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        coef = np.zeros(problem.p) if incumbent is None else incumbent
        bounds = prove(problem, problem.objective(coef), self.big_m, self.programmes)
        builder = ModelBuilder(self.name)
        beta, z = add_support(builder, problem, bounds)
        add_imposed(builder, bounds, self.big_m)
        out = builder.add_columns("out", named("out", problem), meaning="1 where the column is out: 1 - z", upper=1.0)
        meaning = "out = 1 - z"
        names = named("is_out", problem)
        builder.add_rows("is_out", names, [(z, 1.0), (out, 1.0)], meaning=meaning, lower=1.0, upper=1.0)
        for name, pair in zip(named("sos", problem), zip(beta.tolist(), out.tolist(), strict=True), strict=True):
            builder.sos1.append(SOS1Set(name, pair, (1.0, 2.0)))
        add_penalties(builder, problem, beta)
        add_loss(builder, problem, beta)
        return builder.build()

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        return with_tangents(problem, model, points) if isinstance(problem.loss, LogisticLoss) else None
