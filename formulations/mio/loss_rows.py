"""The loss of a model: rows and costs that make it the user's, one function a kind of loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from formulations._types import IntVector, Vector
from formulations.losses import KinkedLoss, LogisticLoss, SquaredLoss
from formulations.mio.builder import ModelBuilder
from formulations.mio.model import Model
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

_TANGENTS = (-4.0, -1.5, 0.0, 1.5, 4.0)  # of the logistic loss, at the start
_EXACT = 1e-8  # of the objective: an understatement that counts as none


def refuses_loss(problem: Problem) -> str | None:
    """Return why the loss has no rows here, or None."""
    if isinstance(problem.loss, SquaredLoss | KinkedLoss | LogisticLoss):
        return None
    return (
        f"loss is {problem.loss.name!r}; expected squared, logistic, or one of two straight pieces (absolute, quantile,"
        " hinge). Use an engine that takes convex losses."
    )


def add_loss(builder: ModelBuilder, problem: Problem, beta: IntVector) -> None:
    """Add the loss of the coefficients ``beta``."""
    if isinstance(problem.loss, SquaredLoss):
        _add_squared(builder, problem, beta)
    elif isinstance(problem.loss, KinkedLoss):
        _add_kinked(builder, problem, problem.loss, beta)
    else:
        _add_logistic(builder, problem, beta)
    if problem.lambda2 and not isinstance(problem.loss, SquaredLoss):
        builder.notes.append("λ2 makes the objective quadratic: the solver must take convex quadratic objectives")


def _add_squared(builder: ModelBuilder, problem: Problem, beta: IntVector) -> None:
    r""":math:`\tfrac12 y^\top y - c^\top\beta + \tfrac12\beta^\top G\beta` about the means: no intercept is left."""
    scaled = ScaledProblem.of(problem)
    to_gamma = 1.0 / scaled.coef_unit
    columns = beta[scaled.columns]
    builder.constant += 0.5 * scaled.unit
    builder.add_cost(columns, -scaled.unit * to_gamma * scaled.correlation)
    builder.add_quadratic(columns, columns, scaled.unit * (to_gamma[:, None] * scaled.gram * to_gamma))
    if problem.fit_intercept:
        builder.notes.append("the intercept is profiled out: the response and the columns are about their means")


def _level(problem: Problem) -> float:
    """Where the response of a loss of residuals is measured from: a far one would cost digits."""
    if not (problem.fit_intercept and problem.loss.depends_on_residual_alone):
        return 0.0
    return float(problem.sample_weight @ problem.y / problem.sample_weight.sum())


def _predictor(
    builder: ModelBuilder, problem: Problem, beta: IntVector
) -> tuple[IntVector, list[tuple[IntVector, object]]]:
    """Rows of positive weight, and the parts of b + (X - means) β in them."""
    used = np.flatnonzero(problem.sample_weight > 0)
    parts: list[tuple[IntVector, object]] = [(beta, problem.X[used] - problem.column_means)]
    if problem.fit_intercept:
        level = _level(problem)
        meaning = f"intercept at the means of the columns, less {level:.17g}"
        b = builder.add_columns("intercept", ["intercept"], meaning=meaning, lower=-np.inf)
        parts.append((b, np.ones((len(used), 1))))
    return used, parts


def _add_kinked(builder: ModelBuilder, problem: Problem, loss: KinkedLoss, beta: IntVector) -> None:
    r"""η - surplus + shortfall = κ, the two priced by :math:`w_i u_i` and :math:`w_i d_i`."""
    used, parts = _predictor(builder, problem, beta)
    kink, up, down = (part[used] for part in loss.kinks(problem.y))
    w = problem.sample_weight[used]
    for name, price, sign in (("surplus", up, -1.0), ("shortfall", down, 1.0)):
        side = "above" if name == "surplus" else "below"
        columns = builder.add_columns(
            name,
            [f"{name}_{i}" for i in used],
            meaning=f"how far the predictor is {side} the kink of the loss",
            cost=w * price,
        )
        parts.append((columns, sign))
    aim = kink - _level(problem)
    meaning = "predictor = kink + surplus - shortfall"
    builder.add_rows("fit", [f"fit_{i}" for i in used], parts, meaning=meaning, lower=aim, upper=aim)


def _add_logistic(builder: ModelBuilder, problem: Problem, beta: IntVector) -> None:
    """η and a height t ≥ ℓ(η) by tangents, priced by the weights."""
    used, parts = _predictor(builder, problem, beta)
    names = [str(i) for i in used]
    eta = builder.add_columns("eta", [f"eta_{i}" for i in names], meaning="linear predictor", lower=-np.inf)
    height = builder.add_columns(
        "height",
        [f"height_{i}" for i in names],
        meaning="log(1 + exp(-y η)), from below by tangents",
        cost=problem.sample_weight[used],
    )
    parts.append((eta, -1.0))
    meaning = "the linear predictor"
    builder.add_rows("predictor", [f"predictor_{i}" for i in names], parts, meaning=meaning, lower=0.0, upper=0.0)
    for place in _TANGENTS:
        slope, below = _tangents(problem, used, np.full(len(used), place))
        builder.add_rows(
            f"tangent_at_{place:g}",
            [f"tangent_at_{place:g}_{i}" for i in names],
            [(height, 1.0), (eta, sparse.diags(-slope))],
            meaning=f"height is above the tangent at η = {place:g}",
            lower=below,
        )
    builder.notes.append("the logistic loss is understated by its tangents until they are refined at the optimum")


def _tangents(problem: Problem, used: IntVector, eta: Vector) -> tuple[Vector, Vector]:
    """Slopes and intercepts of the loss of each row, of weight one, at η."""
    y, ones = problem.y[used], np.ones(len(used))
    slope = problem.loss.gradient(y, eta, ones)
    return slope, np.logaddexp(0.0, -y * eta) - slope * eta


def with_tangents(problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
    """Return the model of a logistic loss with tangents at points, shape (N,) each, that understate the objective."""
    used = np.flatnonzero(problem.sample_weight > 0)
    height, eta = model.block("height"), model.block("eta")
    w, y = problem.sample_weight[used], problem.y[used]
    rows, below, names = [], [], []
    for turn, point in enumerate(points):
        short = np.logaddexp(0.0, -y * point[eta]) - point[height]
        if w @ np.maximum(short, 0.0) <= _EXACT * max(abs(model.objective(point)), 1e-12 * problem.null_objective):
            continue
        low = np.flatnonzero(short > 0)
        slope, least = _tangents(problem, used[low], point[eta[low]])
        where = np.arange(len(low))
        entries = (
            np.concatenate([np.ones(len(low)), -slope]),
            (np.tile(where, 2), np.concatenate([height[low], eta[low]])),
        )
        rows.append(sparse.csr_matrix(entries, shape=(len(low), model.n_columns)))
        below.append(least)
        names += [f"tangent_{model.n_rows}_{turn}_{i}" for i in used[low]]
    if not rows:
        return None
    lower = np.concatenate(below)
    return model.with_rows(sparse.vstack(rows, format="csr"), lower, np.full(len(lower), np.inf), names)
