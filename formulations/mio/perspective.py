"""A mixed-integer linear model of squared error with the strength of the perspective relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.coefficient_bounds import BigMs, prove, require_finite
from formulations.losses import SquaredLoss
from formulations.mio import relaxation
from formulations.mio.builder import ModelBuilder
from formulations.mio.diagonal_split import SMALLEST, DiagonalSplit
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from formulations.mio.support_rows import add_big_m_rows, add_imposed, add_sizes, add_support
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

_STEPS = (-2.0, -1.0, 1.0, 2.0)  # between the first tangents, in radii of the set of improving points
_RATIOS = (-2.0, -1.5, -1.0, 1.0, 1.5, 2.0)  # of the first perspective tangents to the relaxation's ray
_NEIGHBOURS = 10  # supports one swap from the incumbent's, where the model is exact from the start
_SAME = 1e-7  # of the largest coefficient: points that differ by less make one cut
_EXACT = 1e-8  # of the objective: an understatement that counts as none


@dataclass(frozen=True)
class Perspective(Formulation):
    r"""Squared error by tangents of its squares, the separable ones in their perspective.

    Reformulates
    ------------
    With :math:`R^\top R = G - D`, in units where columns and response have norm one: :math:`\gamma_j^2` by
    :math:`s_j \ge \gamma_j^2/z_j`, that is :math:`s_j \ge 2t\gamma_j - t^2 z_j` for every t, and :math:`r_i^2` with
    :math:`r = R\gamma` by :math:`u_i \ge 2t r_i - t^2`. D is the ridge with what the moments can spare where
    n > p. Cuts :math:`\theta \ge a - g^\top z` make the model exact at chosen supports.

    Exact when
    ----------
    After `refine`, which makes it exact at the supports of the points it is given. The bound of the model is valid at
    any time.

    Takes
    -----
    Squared error with independent columns or with a ridge; every constraint and penalty.

    Builds
    ------
    A mixed-integer linear model whose first tangents are at the incumbent, at its best swaps, and at the relaxation.

    Size
    ----
    3 p + 2 min(n, p) columns; min(n, p) rows of p entries, and some 10 p + 18 min(n, p) short ones; λ1 adds p columns
    and 2 p rows.

    Source
    ------
    Frangioni and Gentile (2006, 2007); Bertsimas and Van Parys (2020) for the cuts in z.

    Parameters
    ----------
    big_m : float or tuple of float, optional
        The user's word that :math:`|\beta_j|` is at most this, one number or one a column.
    """

    name: ClassVar[str] = "perspective"

    big_m: BigMs = None

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.loss, SquaredLoss):
            return f"loss is {problem.loss.name!r}; expected 'squared'. Use BigM or SOS1, which take every loss."
        if len(problem.selection.excluded) == problem.p:
            return "Exclude leaves no column; expected at least one candidate. Exclude fewer columns."
        if not problem.lambda2 and not DiagonalSplit.of(problem).e.all():
            return (
                "The columns are linearly dependent and lambda2 is 0; expected independent columns or a ridge, from"
                " which the perspective takes its strength. Add lambda2, or use SOS1 or BigM."
            )
        return None

    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        coef = np.zeros(problem.p) if incumbent is None else incumbent
        upper = problem.objective(coef)
        bounds = prove(problem, upper, self.big_m)
        require_finite(problem, bounds, coef)
        split = DiagonalSplit.of(problem)
        builder = ModelBuilder(self.name)
        beta, z = add_support(builder, problem, bounds)
        add_imposed(builder, bounds, self.big_m)
        unit = np.ones(problem.p)
        unit[split.scaled.columns] = split.scaled.coef_unit
        add_big_m_rows(builder, problem, bounds, beta, z, unit)
        parts = _add_parts(builder, problem, split, beta, z)
        gamma = coef[split.scaled.columns] / split.scaled.coef_unit
        _add_first_tangents(builder, problem, split, parts, gamma, upper / split.scaled.unit)
        builder.notes.append("squares are understated by their tangents until they are refined at the optimum")
        return builder.build()

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        split = DiagonalSplit.of(problem)
        scaled = split.scaled
        beta, z = model.block("beta")[scaled.columns], model.block("z")[scaled.columns]
        lower, upper = model.lower[beta] / scaled.coef_unit, model.upper[beta] / scaled.coef_unit
        cuts = _Cuts(model, beta, z, scaled.coef_unit)
        for point in points:
            support = np.flatnonzero(point[z] > 0.5)
            best = split.best_on(support, lower, upper)
            gamma = np.where(point[z] > 0.5, point[beta] / scaled.coef_unit, 0.0)
            least = min(_value(problem, scaled, at, scaled.columns[support]) for at in (best, gamma))
            if least - model.objective(point) <= _EXACT * abs(least) + 1e-12 * problem.null_objective:
                continue
            for at in (best, gamma) if np.abs(best - gamma).max() > _SAME * np.abs(best).max() else (best,):
                cuts.add_tangents(split.R @ at, at)
                cuts.add_support_cut(*split.support_cut(at, lower, upper))
        return cuts.added()


def _value(problem: Problem, scaled: ScaledProblem, gamma: Vector, support: IntVector) -> float:
    """The objective of γ where λ0 is paid for a support."""
    coef = scaled.to_coef(np.arange(scaled.m), gamma)
    if not problem.lambda0:
        return problem.objective(coef)
    spared = problem.selection.size(support) - problem.selection.charged(np.flatnonzero(coef))
    return problem.objective(coef) + problem.lambda0 * spared


@dataclass(frozen=True, eq=False)
class _Parts:
    """Columns of the model; those of the candidates alone, but for `form` and `square`, one a row of R."""

    beta: IntVector
    z: IntVector
    ratio: IntVector
    form: IntVector
    square: IntVector
    total: IntVector


def _add_parts(
    builder: ModelBuilder, problem: Problem, split: DiagonalSplit, all_beta: IntVector, all_z: IntVector
) -> _Parts:
    """Add the columns, r = Rγ, and θ, at least the sum of loss and penalties."""
    scaled = split.scaled
    beta, z = all_beta[scaled.columns], all_z[scaled.columns]
    names = [f"ratio_{problem.feature_names[j]}" for j in scaled.columns]
    forms = range(len(split.R))
    ratio = builder.add_columns("ratio", names, meaning="at least β² / z in units of the standardised data")
    meaning = "r = Rβ in units of the standardised data: their squares are a part of the loss"
    form = builder.add_columns("form", [f"form_{i}" for i in forms], meaning=meaning, lower=-np.inf)
    square = builder.add_columns("square", [f"square_{i}" for i in forms], meaning="at least r²")
    meaning = "loss and penalties but λ0, in units of the squared norm of the response"
    total = builder.add_columns("total", ["total"], meaning=meaning, cost=scaled.unit)
    rows = [f"form_{i}" for i in forms]
    parts = [(beta, split.R / scaled.coef_unit), (form, -1.0)]
    builder.add_rows("form", rows, parts, meaning="r = Rβ", lower=0.0, upper=0.0)
    terms = [
        (total, np.ones((1, 1))),
        (beta, (split.c / scaled.coef_unit)[None, :]),
        (square, np.full((1, len(form)), -0.5)),
        (ratio, -split.e[None, :]),
    ]
    if problem.lambda1:
        size = add_sizes(builder, problem, all_beta)[scaled.columns]
        terms.append((size, -(scaled.lambda1 / scaled.coef_unit)[None, :]))
    meaning = "total is at least the sum of its parts"
    builder.add_rows("total", ["total"], terms, meaning=meaning, lower=split.constant)
    return _Parts(beta, z, ratio, form, square, total)


def _add_first_tangents(
    builder: ModelBuilder, problem: Problem, split: DiagonalSplit, parts: _Parts, gamma: Vector, upper: float
) -> None:
    """Add tangents at the incumbent, at the relaxation's point and around them, and cuts in z at both."""
    relaxed, z = relaxation.relaxed(split, float(split.scaled.k), split.scaled.lambda0, gamma)
    between = (z > 0) & (z < 1)
    # The relaxation leaves the columns between out and in at one level of √e |γ| / z.
    level = float(np.median((np.sqrt(split.e) * np.abs(relaxed))[between] / z[between])) if between.any() else 0.0
    lower, above = (builder.bounds(parts.beta)[side] / split.scaled.coef_unit for side in (0, 1))
    cuts = [split.support_cut(at, lower, above) for at in (relaxed, gamma)]
    bound = cuts[0][0] - float(np.sort(cuts[0][1])[-split.scaled.k :].sum())
    radius = np.sqrt(2 * max(upper - bound, 0.0))  # no better point's Rγ is farther from the relaxation's
    here, there = (split.R @ at for at in (gamma, relaxed))
    near = [split.best_on(s, lower, above) for s in split.neighbours(np.flatnonzero(gamma), _NEIGHBOURS)]
    cuts += [split.support_cut(at, lower, above) for at in near]
    places = [here, there, 2 * there - here, *(here + step * radius for step in _STEPS)]
    if len(split.R) == split.scaled.m:  # where n < p these rows cost more than they bring
        places += [split.R @ at for at in near]
    for turn, place in enumerate(map(_rounded, places)):
        rows = [(parts.square, 1.0), (parts.form, sparse.diags(-2 * place))]
        names = [f"square_{turn}_{i}" for i in range(len(place))]
        builder.add_rows(f"square_{turn}", names, rows, meaning="square is above a tangent of r²", lower=-(place**2))
    ray = level / np.sqrt(split.e)  # γ / z of every column that the relaxation leaves between out and in
    slopes = [gamma, relaxed / np.maximum(z, 1e-6), *(ratio * ray for ratio in _RATIOS), *near]
    names = [problem.feature_names[j] for j in split.scaled.columns]
    for turn, slope in enumerate(slopes):
        used = np.flatnonzero(slope**2 >= SMALLEST)
        at = sparse.diags(-2 * slope[used] / split.scaled.coef_unit[used])
        rows = [(parts.ratio[used], 1.0), (parts.beta[used], at), (parts.z[used], sparse.diags(slope[used] ** 2))]
        meaning = "ratio is above a tangent of β² / z"
        builder.add_rows(f"ratio_{turn}", [f"ratio_{turn}_{names[i]}" for i in used], rows, meaning=meaning, lower=0.0)
    for turn, (constant, gains) in enumerate(cuts):
        rows = [(parts.total, np.ones((1, 1))), (parts.z, gains[None, :])]
        meaning = "total is above its least value over all coefficients of a support, relaxed"
        builder.add_rows(f"support_{turn}", [f"support_{turn}"], rows, meaning=meaning, lower=constant)


def _rounded(place: Vector) -> Vector:
    """Where to put tangents of squares: at zero, where the slope would be too small an entry."""
    return np.where(np.abs(place) < SMALLEST, 0.0, place)


class _Cuts:
    """Rows to be added to a model, entry by entry."""

    def __init__(self, model: Model, beta: IntVector, z: IntVector, coef_unit: Vector) -> None:
        self.model, self.beta, self.z, self.coef_unit = model, beta, z, coef_unit
        self.matrices: list[sparse.coo_matrix] = []
        self.lower: list[Vector] = []
        self.names: list[str] = []

    def add_tangents(self, form: Vector, gamma: Vector) -> None:
        """Tangents of the squares at r, and of the ratios of the columns that are in at γ."""
        form = _rounded(form)
        square, ratio = self.model.block("square"), self.model.block("ratio")
        self._add("square", [(square, np.ones(len(form))), (self.model.block("form"), -2 * form)], -(form**2))
        used = np.flatnonzero(gamma**2 >= SMALLEST)
        t = gamma[used]
        parts = [
            (ratio[used], np.ones(len(used))),
            (self.beta[used], -2 * t / self.coef_unit[used]),
            (self.z[used], t**2),
        ]
        self._add("ratio", parts, np.zeros(len(used)))

    def add_support_cut(self, constant: float, gains: Vector) -> None:
        columns = np.concatenate([self.model.block("total"), self.z])
        row = sparse.coo_matrix(
            (np.concatenate([[1.0], gains]), (np.zeros(len(columns), dtype=np.int64), columns)),
            shape=(1, self.model.n_columns),
        )
        self._keep("support", row, np.array([constant]))

    def _add(self, kind: str, parts: list[tuple[IntVector, Vector]], lower: Vector) -> None:
        """One row for each entry of ``lower``, with one entry of each part."""
        n = len(lower)
        entries = np.concatenate([values for _, values in parts])
        where = (np.tile(np.arange(n), len(parts)), np.concatenate([columns for columns, _ in parts]))
        self._keep(kind, sparse.coo_matrix((entries, where), shape=(n, self.model.n_columns)), lower)

    def _keep(self, kind: str, rows: sparse.coo_matrix, lower: Vector) -> None:
        first = self.model.n_rows + sum(len(part) for part in self.lower)
        self.matrices.append(rows)
        self.lower.append(lower)
        self.names += [f"{kind}_cut_{first + i}" for i in range(len(lower))]

    def added(self) -> Model | None:
        if not self.lower:
            return None
        lower = np.concatenate(self.lower)
        rows = sparse.vstack(self.matrices, format="csr")
        return self.model.with_rows(rows, lower, np.full(len(lower), np.inf), self.names)
