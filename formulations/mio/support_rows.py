"""What the models have in common: coefficients, binaries, the rules on them, and the penalties."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.coefficient_bounds import CoefficientBounds
from formulations.mio.builder import ModelBuilder
from formulations.problem import Problem
from formulations.rules import IN, OUT


def named(prefix: str, problem: Problem) -> list[str]:
    """Return a name for each column of the problem: ``beta_age``."""
    return [f"{prefix}_{name}" for name in problem.feature_names]


def add_support(builder: ModelBuilder, problem: Problem, bounds: CoefficientBounds) -> tuple[IntVector, IntVector]:
    r"""Add β within its bounds, z at the price λ0 a counted column, and :math:`Az \le b` of the problem's rules."""
    rules = problem.selection.system(problem.max_cardinality)
    beta = builder.add_columns(
        "beta",
        named("beta", problem),
        meaning="coefficients, in the user's units",
        lower=bounds.lower,
        upper=bounds.upper,
    )
    z = builder.add_columns(
        "z",
        named("z", problem),
        meaning="1 where the column is in the model",
        lower=np.where(rules.start == IN, 1.0, 0.0),
        upper=np.where(rules.start == OUT, 0.0, 1.0),
        cost=problem.lambda0 * rules.weights,
        integer=True,
    )
    names = [f"{name}_{i}" for i, name in enumerate(rules.names)]
    meaning = "the bound k on the number of columns, groups, and the other rules on the support"
    builder.add_rows("rules", names, [(z, rules.A)], meaning=meaning, upper=rules.b)
    builder.notes.extend(f"coefficients are bounded by: {proof}" for proof in bounds.proofs)
    return beta, z


def add_imposed(builder: ModelBuilder, bounds: CoefficientBounds, big_m: float | tuple[float, ...] | None) -> None:
    """Say on the model what the user imposed, where that is not proved."""
    if not bounds.is_imposed:
        return
    if isinstance(big_m, tuple):
        builder.imposed.append("|β_j| ≤ M_j (imposed as big_m)")
    else:
        builder.imposed.append(f"|β_j| ≤ {big_m:g} (imposed as big_m)")


def add_penalties(builder: ModelBuilder, problem: Problem, beta: IntVector) -> None:
    r"""Add :math:`\lambda_1 \sum s_j|\beta_j|` with columns a ≥ ±β, and :math:`\lambda_2 \sum s_j^2\beta_j^2`."""
    scale = problem.penalty_scale
    if problem.lambda1:
        size = builder.add_columns(
            "absolute", named("abs", problem), meaning="|β|, priced by λ1", cost=problem.lambda1 * scale
        )
        for sign, name in ((1.0, "above"), (-1.0, "below")):
            names = named(f"abs_{name}", problem)
            builder.add_rows(f"abs_{name}", names, [(size, 1.0), (beta, sign)], meaning="|β| is at least ∓β", lower=0.0)
    if problem.lambda2:
        builder.add_quadratic(beta, beta, sparse.diags(2 * problem.lambda2 * scale**2))


def add_big_m_rows(
    builder: ModelBuilder, problem: Problem, lower: Vector, upper: Vector, beta: IntVector, z: IntVector
) -> None:
    r"""Add :math:`lo_j z_j \le \beta_j \le hi_j z_j`: a column out has the coefficient zero."""
    for name, bound, limit in (("big_m_upper", upper, {"upper": 0.0}), ("big_m_lower", lower, {"lower": 0.0})):
        rows = [(beta, 1.0), (z, sparse.diags(-bound))]
        meaning = "β is within its bounds where z is 1, and zero where z is 0"
        builder.add_rows(name, named(name, problem), rows, meaning=meaning, **limit)  # type: ignore[arg-type]
