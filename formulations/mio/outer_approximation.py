"""Outer approximation: a master problem in the indicators alone, whose cuts are bounds on the best fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.errors import ProblemError
from formulations.losses import SquaredLoss
from formulations.mio.builder import ModelBuilder
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from formulations.mio.relaxation import least_gain, relaxed
from formulations.mio.value_cuts import ValueCuts
from formulations.problem import Problem
from formulations.rules import FREE, IN, OUT, Status
from formulations.scaling import ScaledProblem

_EXACT = 1e-9  # of the null model: a point whose objective is understated by less is left alone
_SLACK = 1e-9  # of the incumbent's value, by which a column must be too dear to be fixed
_SWAPS = 3  # columns tried in place of each of the incumbent's, for the first cuts


@dataclass(frozen=True, eq=False)
class _Memory:
    """What `refine` needs: the cuts of this problem and what is already there."""

    scaled: ScaledProblem
    cuts: ValueCuts
    eta: int
    z: IntVector


@dataclass(frozen=True)
class OuterApproximation(Formulation):
    r"""Squared error as a convex function of the support, built from below by cuts.

    *Reformulates* :math:`\min_z f(z) + \lambda_0|z|`, f(z) the best fit of a support, as

    .. math:: \min_{z \in \{0,1\}^p,\,\eta}\; \eta + \lambda_0 |z| \quad\text{s.t.}\quad \eta \ge a_i - g_i^\top z

    with the cuts of `ValueCuts`, which hold for every z and are equalities at the support they were made from.

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
        scaled = ScaledProblem.of(problem)
        cuts = ValueCuts.of(scaled, scaled.lower, scaled.upper)
        if not cuts.is_bounded:
            raise ProblemError(
                "the columns of X depend on each other, with neither a ridge nor bounds; expected lambda2 > 0 or finite"
                " bounds, since cuts are infinite otherwise. Add lambda2, give bounds=(lo, hi), or drop columns."
            )
        status = problem.selection.system(problem.max_cardinality).start.copy()
        points = self._first_points(problem, scaled, cuts, coef, upper, status)
        builder = ModelBuilder(self.name)
        z = builder.add_columns(
            "z", [f"z_{name}" for name in problem.feature_names], meaning="1 where the column is in the model",
            lower=status == IN, upper=status != OUT, cost=problem.lambda0 * _weights(problem), integer=True,
        )  # fmt: skip
        eta = builder.add_columns(
            "eta", ["eta"], meaning="the best fit of the support, from below, in units of the null model's double",
            cost=scaled.unit,
        )  # fmt: skip
        _add_rules(builder, problem, z)
        memory = _Memory(scaled, cuts, int(eta[0]), z)
        rows, constants = _rows([cuts.cut(gamma) for gamma in points], memory, int(eta[0]) + 1)
        builder.add_rows(
            "cuts", [f"cut_{i}" for i in range(len(constants))], [(np.arange(rows.shape[1]), rows)],
            meaning="eta is at least a - g'z", lower=constants,
        )  # fmt: skip
        builder.memory = memory
        return builder.build()

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        memory = model.memory
        assert isinstance(memory, _Memory)
        found: dict[bytes, tuple[float, Vector]] = {}
        for values in points:
            z = np.round(values[memory.z])
            local = z[memory.scaled.columns]
            constant, gains = memory.cuts.cut(memory.cuts.best_point(np.flatnonzero(local)))
            if values[memory.eta] < constant - gains @ local - _EXACT:
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
        scaled = memory.scaled
        support = np.flatnonzero(values[memory.z][scaled.columns] > 0.5)
        return scaled.to_coef(support, memory.cuts.best_point(support)[support])

    def _first_points(
        self, problem: Problem, scaled: ScaledProblem, cuts: ValueCuts, coef: Vector, upper: float, status: Status
    ) -> list[Vector]:
        """Where the first cuts are made; fixes in ``status`` what the relaxation's cut decides."""
        chosen = np.flatnonzero(coef[scaled.columns])
        points = [cuts.best_point(chosen)]
        if not np.all(cuts.rho > 0):  # boxes alone: no proximal steps, and the cut at zero instead
            return [np.zeros(scaled.m), *points]
        k, lambda0 = float(scaled.k), scaled.lambda0
        if problem.selection.single:  # more columns may enter than are counted
            k, lambda0 = float(scaled.m), 0.0
        gamma, _ = relaxed(cuts, k, lambda0, points[0])
        constant, gains = cuts.cut(gamma)
        _fix(status, scaled, constant, gains - lambda0, k, upper / scaled.unit * (1 + _SLACK))
        outside = np.setdiff1d(np.argsort(-gains), chosen, assume_unique=True)[:_SWAPS]
        exchanged = [np.append(np.delete(chosen, i), j) for i in range(len(chosen)) for j in outside]
        return [gamma, *points, *(cuts.best_point(np.sort(support)) for support in exchanged)]


def _fix(status: Status, scaled: ScaledProblem, constant: float, net: Vector, k: float, upper: float) -> None:
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
        columns = scaled.columns[rule]
        status[columns[status[columns] == FREE]] = decision


def _rows(found: list[tuple[float, Vector]], memory: _Memory, n_columns: int) -> tuple[sparse.csr_matrix, Vector]:
    """Rows η + g'z ≥ a."""
    rows = np.zeros((len(found), n_columns))
    for row, (_, gains) in zip(rows, found, strict=True):
        row[memory.z[memory.scaled.columns]] = gains
        row[memory.eta] = 1.0
    return sparse.csr_matrix(rows), np.array([constant for constant, _ in found])


def _weights(problem: Problem) -> Vector:
    return problem.selection.system(problem.max_cardinality).weights


def _add_rules(builder: ModelBuilder, problem: Problem, z: IntVector) -> None:
    system = problem.selection.system(problem.max_cardinality)
    names = [f"{name}_{i}" for i, name in enumerate(system.names)]
    builder.add_rows("rules", names, [(z, system.A)], meaning="cardinality and constraints", upper=system.b)
