"""Outer approximation: a master problem in the indicators alone, whose cuts are bounds on the best fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.coefficient_bounds import prove
from formulations.errors import ProblemError
from formulations.losses import SquaredLoss
from formulations.mio.builder import ModelBuilder
from formulations.mio.diagonal_split import DiagonalSplit
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from formulations.mio.relaxation import least_gain, relaxed
from formulations.mio.support_rows import add_rules, named
from formulations.problem import Problem
from formulations.rules import FREE, IN, OUT, Status

_EXACT = 1e-9  # of its own fit: a point whose fit is understated by less is left alone
_ROUNDING = 1e-14  # of a cut, in units of the response's squared norm
_SLACK = 1e-9  # of the incumbent's value, by which a column must be too dear to be fixed
_SWAPS = 30  # supports that differ from the incumbent's by one column, for the first cuts


@dataclass(frozen=True, eq=False)
class _Memory:
    """What `refine` needs: the parts of the objective, the proved bounds on γ, and where the columns are."""

    split: DiagonalSplit
    lower: Vector
    upper: Vector
    eta: int
    z: IntVector

    def cut(self, gamma: Vector) -> tuple[float, Vector]:
        return self.split.support_cut(gamma, self.lower, self.upper)

    def best_on(self, support: IntVector) -> Vector:
        return self.split.best_on(support, self.lower, self.upper)


@dataclass(frozen=True)
class OuterApproximation(Formulation):
    r"""Squared error as a convex function of the support, built from below by cuts.

    *Reformulates* :math:`\min_z f(z) + \lambda_0|z|`, f(z) the best fit of a support, as

    .. math:: \min_{z \in \{0,1\}^p,\,\eta}\; \eta + \lambda_0 |z| \quad\text{s.t.}\quad \eta \ge a_i - g_i^\top z

    with the cuts of `DiagonalSplit.support_cut`, which hold for every z that is as good as the incumbent and are
    equalities at the support they were made from.

    *Exact when* a master's solution has its own cut: each round adds those of the supports it met (`refine`), and each
    round's bound is valid. The first cuts come from the perspective relaxation, the incumbent and its best exchanges;
    columns that the relaxation's cut shows to be too dear, or indispensable, are fixed. Progress stalls where the
    relaxation is more than about two per cent below the optimum: then the gap says so.

    *Takes* squared error with a ridge, or more rows than columns, or bounds on every coefficient; all constraints.

    *Builds* p binaries, one continuous column, a row for each cut and each rule. Without continuous columns per row of
    data or coefficient, a master in integers alone (CP-SAT) can take it.

    *Size* does not depend on n.

    *Source* Duran and Grossmann (1986); Bertsimas and Van Parys (2020), algorithm 1, with cuts from any dual point, a
    diagonal taken out of the Gram matrix where there is no ridge, and fixing by reduced costs.
    """

    name: ClassVar[str] = "outer_approximation"

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.loss, SquaredLoss):
            return (
                f"outer_approximation takes no loss {problem.loss.name!r}; expected 'squared'."
                " Use BigM() for other losses."
            )
        if problem.p > 3000:
            return f"p is {problem.p}; expected at most 3000 columns for outer_approximation. Use BranchAndBound()."
        bounded = np.isfinite(problem.lower) & np.isfinite(problem.upper)
        rows = problem.n - int(problem.fit_intercept)
        if not (problem.lambda2 > 0 or bounded.all() or rows >= problem.p):
            return (
                f"X has {problem.n} rows and {problem.p} columns, with neither a ridge nor bounds; expected lambda2 > 0"
                " or finite bounds, since cuts are infinite otherwise. Add lambda2, or give bounds=(lo, hi)."
            )
        return None

    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        reason = self.refuses(problem)
        if reason is not None:
            raise ProblemError(reason)
        coef = np.zeros(problem.p) if incumbent is None else incumbent
        upper = problem.objective(coef)
        bounds, split = prove(problem, upper), DiagonalSplit.of(problem)
        scaled = split.scaled
        lower, above = bounds.lower[scaled.columns] / scaled.coef_unit, bounds.upper[scaled.columns] / scaled.coef_unit
        if not np.all((split.e > 0) | (np.isfinite(lower) & np.isfinite(above))):
            raise ProblemError(
                "the columns of X depend on each other, with neither a ridge nor bounds; expected lambda2 > 0 or finite"
                " bounds, since cuts are infinite otherwise. Add lambda2, give bounds=(lo, hi), or drop columns."
            )
        system = problem.selection.system(problem.max_cardinality)
        memory = _Memory(split, lower, above, problem.p, np.arange(problem.p))
        status = system.start.copy()
        points = _first_points(problem, memory, coef, upper, status)
        builder = ModelBuilder(self.name)
        z = builder.add_columns(
            "z", named("z", problem), meaning="1 where the column is in the model", lower=status == IN,
            upper=status != OUT, cost=problem.lambda0 * system.weights, integer=True,
        )  # fmt: skip
        meaning = "the best fit of the support from below, in units of twice the null model's loss"
        builder.add_columns("eta", ["eta"], meaning=meaning, cost=scaled.unit)
        add_rules(builder, system, z)
        rows, constants = _rows([memory.cut(gamma) for gamma in points], memory, problem.p + 1)
        builder.add_rows(
            "cuts", [f"cut_{i}" for i in range(len(constants))], [(np.arange(problem.p + 1), rows)],
            meaning="eta is at least a - g'z", lower=constants,
        )  # fmt: skip
        builder.notes.extend(f"coefficients are bounded by: {proof}" for proof in bounds.proofs)
        builder.memory = memory
        return builder.build()

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        memory = model.memory
        assert isinstance(memory, _Memory)
        found: dict[bytes, tuple[float, Vector]] = {}
        for values in points:
            z = np.round(values[memory.z])
            local = z[memory.split.scaled.columns]
            constant, gains = memory.cut(memory.best_on(np.flatnonzero(local)))
            value = constant - gains @ local
            if values[memory.eta] < value - _EXACT * abs(value) - _ROUNDING:
                found[z.tobytes()] = (constant, gains)
        if not found:
            return None
        rows, constants = _rows(list(found.values()), memory, model.n_columns)
        first = model.n_rows
        names = [f"cut_{first + i}" for i in range(len(constants))]
        return model.with_rows(rows, constants, np.full(len(constants), np.inf), names)

    def recover(self, problem: Problem, values: Vector, model: Model) -> Vector:
        memory = model.memory
        assert isinstance(memory, _Memory)
        scaled = memory.split.scaled
        support = np.flatnonzero(values[memory.z][scaled.columns] > 0.5)
        return scaled.to_coef(support, memory.best_on(support)[support])


def _first_points(problem: Problem, memory: _Memory, coef: Vector, upper: float, status: Status) -> list[Vector]:
    """Where the first cuts are made; fixes in ``status`` what the relaxation's cut decides."""
    split, scaled = memory.split, memory.split.scaled
    chosen = np.flatnonzero(coef[scaled.columns])
    here = memory.best_on(chosen)
    near = [memory.best_on(support) for support in split.neighbours(chosen, _SWAPS)]
    if not np.all(split.e > 0):  # bounds alone: no proximal steps, and the cut at zero instead
        return [np.zeros(scaled.m), here, *near]
    k, lambda0 = float(scaled.k), scaled.lambda0
    if problem.selection.single:  # more columns may enter than are counted
        k, lambda0 = float(scaled.m), 0.0
    gamma, _ = relaxed(split, k, lambda0, here)
    constant, gains = memory.cut(gamma)
    _fix(status, scaled.columns, constant, gains - lambda0, k, upper / scaled.unit * (1 + _SLACK))
    return [gamma, here, *near]


def _fix(status: Status, names: IntVector, constant: float, net: Vector, k: float, upper: float) -> None:
    """Decide columns without which, or with which, no model is as good as the incumbent."""
    order = np.argsort(-net, kind="stable")
    top = order[: int(k)]
    bound = constant - least_gain(net, k, 0.0)
    last = max(0.0, float(net[order[int(k) - 1]])) if int(k) <= len(net) else 0.0
    following = max(0.0, float(net[order[int(k)]])) if int(k) < len(net) else 0.0
    is_top = np.zeros(len(net), dtype=bool)
    is_top[top] = True
    with_it = bound + np.where(is_top, 0.0, last) - np.where(is_top, np.minimum(net, 0.0), net)
    without = bound + np.where(is_top, np.maximum(net, 0.0) - following, 0.0)
    for rule, decision in ((with_it > upper, OUT), (without > upper, IN)):
        columns = names[rule]
        status[columns[status[columns] == FREE]] = decision


def _rows(found: list[tuple[float, Vector]], memory: _Memory, n_columns: int) -> tuple[sparse.csr_matrix, Vector]:
    """Rows η + g'z ≥ a."""
    rows = np.zeros((len(found), n_columns))
    for row, (_, gains) in zip(rows, found, strict=True):
        row[memory.z[memory.split.scaled.columns]] = gains
        row[memory.eta] = 1.0
    return sparse.csr_matrix(rows), np.array([constant for constant, _ in found])
