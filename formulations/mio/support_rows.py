"""What the models have in common: coefficients, binaries, the rules on them, and the penalties."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.coefficient_bounds import BigMs, CoefficientBounds
from formulations.mio.builder import ModelBuilder
from formulations.problem import Problem
from formulations.rules import IN, OUT, RuleSystem


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
    add_rules(builder, rules, z)
    builder.notes.extend(f"coefficients are bounded by: {proof}" for proof in bounds.proofs)
    return beta, z


def add_rules(builder: ModelBuilder, rules: RuleSystem, z: IntVector) -> None:
    r"""Add :math:`Az \le b`."""
    names = [f"{name}_{i}" for i, name in enumerate(rules.names)]
    meaning = "the bound k on the number of columns, groups, and the other rules on the support"
    builder.add_rows("rules", names, [(z, rules.A)], meaning=meaning, upper=rules.b)


def add_imposed(builder: ModelBuilder, bounds: CoefficientBounds, big_m: BigMs) -> None:
    """Say on the model what the user imposed, where that is not proved."""
    if not bounds.is_imposed:
        return
    if isinstance(big_m, tuple):
        builder.imposed.append("|β_j| ≤ M_j (imposed as big_m)")
    else:
        builder.imposed.append(f"|β_j| ≤ {big_m:g} (imposed as big_m)")


def add_penalties(builder: ModelBuilder, problem: Problem, beta: IntVector) -> None:
    r"""Add :math:`\lambda_1 \sum s_j|\beta_j|` and :math:`\lambda_2 \sum s_j^2\beta_j^2` to the objective."""
    scale = problem.penalty_scale
    if problem.lambda1:
        builder.add_cost(add_sizes(builder, problem, beta), problem.lambda1 * scale)
    if problem.lambda2:
        builder.add_quadratic(beta, beta, sparse.diags(2 * problem.lambda2 * scale**2))


def add_sizes(builder: ModelBuilder, problem: Problem, beta: IntVector) -> IntVector:
    """Add columns a ≥ ±β; return their indices."""
    size = builder.add_columns("abs", named("abs", problem), meaning="at least |β|, for the price λ1")
    for sign, name in ((-1.0, "abs_plus"), (1.0, "abs_minus")):
        rows = [(size, 1.0), (beta, sign)]
        builder.add_rows(name, named(name, problem), rows, meaning=f"abs is at least {'+-'[sign > 0]}β", lower=0.0)
    return size


def add_big_m_rows(
    builder: ModelBuilder,
    problem: Problem,
    bounds: CoefficientBounds,
    beta: IntVector,
    z: IntVector,
    unit: Vector | float = 1.0,
) -> None:
    r"""Add :math:`lo_j z_j \le \beta_j \le hi_j z_j`, divided by ``unit``: a column out has the coefficient zero."""
    inverse = 1.0 / np.broadcast_to(unit, (problem.p,))
    sides = (("big_m_upper", bounds.upper, {"upper": 0.0}), ("big_m_lower", bounds.lower, {"lower": 0.0}))
    for name, bound, limit in sides:
        rows = [(beta, sparse.diags(inverse)), (z, sparse.diags(-bound * inverse))]
        meaning = "β is within its bounds where z is 1, and zero where z is 0"
        builder.add_rows(name, named(name, problem), rows, meaning=meaning, **limit)
