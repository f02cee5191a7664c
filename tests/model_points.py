"""Points of models, completed from coefficients; a solver for linear models; and a judge of all losses."""

from __future__ import annotations

from itertools import combinations

import highspy
import numpy as np
from scipy import optimize

from formulations import (
    AtLeast,
    AtMost,
    Bounds,
    Budget,
    Exclude,
    Group,
    Implies,
    Include,
    KinkedLoss,
    Model,
    Problem,
    ScaledProblem,
    Sign,
    SquaredLoss,
)
from tests.oracle import best_value


def completed(problem: Problem, model: Model, coef: np.ndarray, support: list[int]) -> np.ndarray:
    """The model's columns at some coefficients and a support, each computed from what the block means."""
    x = np.zeros(model.n_columns)
    used = np.flatnonzero(problem.sample_weight > 0)
    level = 0.0
    if problem.fit_intercept and problem.loss.depends_on_residual_alone:
        level = float(problem.sample_weight @ problem.y / problem.sample_weight.sum())
    best = problem.intercept(coef)
    eta = (best + problem.X @ coef)[used] - level
    z = np.zeros(problem.p)
    z[support] = 1.0
    values = {
        "beta": coef,
        "z": z,
        "abs": np.abs(coef),
        "out": 1 - z,
        "intercept": best + problem.column_means @ coef - level,
        "eta": eta,
        "height": np.logaddexp(0.0, -problem.y[used] * eta),
    }
    if isinstance(problem.loss, KinkedLoss):
        beyond = eta - (problem.loss.kinks(problem.y)[0][used] - level)
        values |= {"surplus": np.maximum(beyond, 0), "shortfall": np.maximum(-beyond, 0)}
    if model.has_block("form"):
        scaled = ScaledProblem.of(problem)
        gamma = coef[scaled.columns] / scaled.coef_unit
        values["ratio"] = gamma**2
        x[model.block("beta")] = coef
        rows = next(b for b in model.row_blocks if b.name == "form").indices
        values["form"] = (model.A @ x)[rows] - model.row_lower[rows]
        values["square"] = values["form"] ** 2
        charged = problem.selection.charged(np.flatnonzero(coef))
        values["total"] = (problem.objective(coef) - problem.lambda0 * charged) / scaled.unit
    for block in model.column_blocks:
        x[block.indices] = values[block.name]
    return x


def solve_by_highs(model: Model, seconds: float = 60.0) -> tuple[float, np.ndarray]:
    """The optimum of a linear model, to a relative gap of 1e-9."""
    assert model.Q is None
    assert not model.sos1
    h = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "mip_rel_gap": 1e-9, "mip_abs_gap": 0.0, "time_limit": seconds}
    for part in ("mip", "primal", "dual"):
        options[f"{part}_feasibility_tolerance"] = 1e-9
    for option, value in options.items():
        h.setOptionValue(option, value)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.offset_ = model.n_columns, model.n_rows, model.constant
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.lower, model.upper
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = model.A.indptr, model.A.indices, model.A.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in model.is_integer]
    h.passModel(lp)
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return h.getInfo().objective_function_value, np.array(h.getSolution().col_value)


def judged(problem: Problem) -> float:
    """The least objective over all supports that the problem allows, each fitted by a general method."""
    selection = problem.selection
    return min(
        fitted(problem, list(support)) + problem.lambda0 * selection.size(support)
        for size in range(problem.p + 1)
        for support in combinations(range(problem.p), size)
        if selection.allows(support) and selection.size(support) <= problem.max_cardinality
    )


def fitted(problem: Problem, support: list[int]) -> float:
    """The least loss and λ1, λ2 penalties on a support."""
    if isinstance(problem.loss, KinkedLoss):
        return _by_linear_programme(problem, support)
    if isinstance(problem.loss, SquaredLoss):
        return float(best_value(problem, support)) - problem.lambda0 * len(support)
    return _by_descent(problem, support)


def _by_linear_programme(problem: Problem, support: list[int]) -> float:
    kink, up, down = problem.loss.kinks(problem.y)
    n, s, w = problem.n, len(support), problem.sample_weight
    X, price = problem.X[:, support], problem.lambda1 * problem.penalty_scale[support]
    ones = np.ones((n, int(problem.fit_intercept)))
    A = np.hstack([X, -X, ones, -np.eye(n), np.eye(n)])
    cost = np.concatenate([price, price, 0 * ones[0], w * up, w * down])
    sides = [*((0, h) for h in problem.upper[support]), *((0, -lo) for lo in problem.lower[support])]
    bounds = [*sides, *[(None, None)] * ones.shape[1], *[(0, None)] * (2 * n)]
    assert len(sides) == 2 * s
    return float(optimize.linprog(cost, A_eq=A, b_eq=kink, bounds=bounds).fun)


def _by_descent(problem: Problem, support: list[int]) -> float:
    """A smooth loss, β = β⁺ - β⁻, by a quasi-Newton method in a box, in units of the columns' deviations."""
    s, unit = len(support), problem.X[:, support].std(axis=0)
    X = problem.X[:, support] / unit
    scale, lower, upper = (a[support] for a in (problem.penalty_scale, problem.lower, problem.upper))
    scale, lower, upper = scale / unit, lower * unit, upper * unit
    w, ones = problem.sample_weight, np.ones(problem.n) * problem.fit_intercept

    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        beta = v[:s] - v[s : 2 * s]
        eta = X @ beta + ones * v[-1]
        pull = problem.loss.gradient(problem.y, eta, w)
        slope = X.T @ pull + 2 * problem.lambda2 * scale**2 * beta
        price = problem.lambda1 * scale
        total = problem.loss.value(problem.y, eta, w) + problem.lambda2 * (scale**2 @ beta**2)
        return total + price @ (v[:s] + v[s : 2 * s]), np.concatenate([slope + price, price - slope, [ones @ pull]])

    bounds = [*((0, h) for h in upper), *((0, -lo) for lo in lower), (None, None)]
    point = np.zeros(2 * s + 1)
    for _ in range(2):
        options = {"maxiter": 3000, "maxfun": 30000, "ftol": 1e-16, "gtol": 1e-9}
        answer = optimize.minimize(value, point, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        point = answer.x
    return float(answer.fun)


def random_problem(rng: np.random.Generator, loss: object = None, p: int = 4, n: int = 12, **fixed: object) -> Problem:
    """A small problem with random data, penalties, bounds and constraints; squared error where no loss is given."""
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-1, 2, p) + rng.integers(-1, 2)
    y = X @ (rng.standard_normal(p) / X.std(axis=0)) + rng.standard_normal(n) + rng.integers(-2, 3)
    loss = loss or SquaredLoss()
    if loss in ("hinge", "logistic"):
        y = np.where(rng.random(n) < 0.25, -1.0, 1.0) * np.where(y > np.median(y), 1.0, -1.0)
    kinds = [
        lambda: Include([int(rng.integers(p))]),
        lambda: Exclude([int(rng.integers(p))]),
        lambda: Group(rng.choice(p, 2, replace=False).tolist(), counts=str(rng.choice(["columns", "one"]))),
        lambda: AtMost(rng.choice(p, 3, replace=False).tolist(), 1),
        lambda: AtLeast(rng.choice(p, 2, replace=False).tolist(), 1),
        lambda: Implies(0, [int(rng.integers(1, p))]),
        lambda: Budget(rng.integers(1, 4, p).tolist(), 5.0),
        lambda: Sign([int(rng.integers(p))], 1),
        lambda: Bounds([int(rng.integers(p))], -0.1, 0.2),
    ]
    constraints = [kinds[i]() for i in rng.choice(len(kinds), rng.integers(0, 3), replace=False)]
    settings: dict[str, object] = {
        "k": int(rng.integers(2, p + 1)),
        "lambda0": float(rng.choice([0.0, 0.3])),
        "lambda1": float(rng.choice([0.0, 0.0, 0.2])),
        "standardize": bool(rng.random() < 0.3),
        "fit_intercept": bool(rng.random() < 0.7),
        "sample_weight": rng.integers(0, 3, n).astype(float) + 0.5 * (np.arange(n) < p + 4),
        "constraints": constraints,
        "loss": loss,
    }
    return Problem(X, y, **(settings | fixed))
