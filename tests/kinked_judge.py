"""The judge of losses with kinks: every support the constraints allow, each a linear programme of its own.

The statement of the problem is written out again here on purpose, straight from its definition.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.optimize import linprog

import bestsubset as bs


def judge(problem: bs.Problem) -> float:
    """Return the least objective over all allowed models; ``inf`` if there is none."""
    least = np.inf
    k = problem.p if problem.k is None else problem.k
    for size in range(problem.p + 1):
        for model in combinations(range(problem.p), size):
            counted = size_of(problem, model)
            if counted <= k and is_allowed(problem, set(model)):
                least = min(least, best_value(problem, list(model)) + problem.lambda0 * counted)
    return least


def size_of(problem: bs.Problem, model: tuple[int, ...]) -> int:
    whole = [c for c in problem.constraints if isinstance(c, bs.Group) and c.counts == "one"]
    return len(model) - sum(len(c.columns) - 1 for c in whole if set(c.columns) <= set(model))


def is_allowed(problem: bs.Problem, model: set[int]) -> bool:
    return all(_obeys(problem, constraint, model) for constraint in problem.constraints)


def _obeys(problem: bs.Problem, constraint: bs.Constraint, model: set[int]) -> bool:
    columns = set(getattr(constraint, "columns", ()))
    match constraint:
        case bs.Include():
            return columns <= model
        case bs.Exclude():
            return not columns & model
        case bs.Group():
            return columns <= model or not columns & model
        case bs.AtMost():
            return len(columns & model) <= constraint.count
        case bs.AtLeast():
            return len(columns & model) >= constraint.count
        case bs.Budget():
            return sum(constraint.costs[j] for j in model) <= constraint.limit
        case bs.Implies():
            present = [j in model for j in constraint.parents]
            return constraint.child not in model or (all(present) if constraint.rule == "all" else any(present))
        case bs.ExcludePairs():
            w, X = problem.sample_weight, problem.X
            X = X - (w @ X) / w.sum() if problem.fit_intercept else X
            G = (X * w[:, None]).T @ X
            return all(
                abs(G[i, j]) <= constraint.threshold * np.sqrt(G[i, i] * G[j, j]) for i, j in combinations(model, 2)
            )
    return True


def slopes(problem: bs.Problem) -> tuple[np.ndarray, np.ndarray]:
    """Prices of a row's surplus and shortfall beside the response."""
    y, loss = problem.y, problem.loss
    if loss.name == "absolute":
        return np.ones(len(y)), np.ones(len(y))
    if loss.name == "quantile":
        return np.full(len(y), 1 - loss.tau), np.full(len(y), loss.tau)
    return (y < 0).astype(float), (y > 0).astype(float)


def best_value(problem: bs.Problem, model: list[int]) -> float:
    """Loss and λ1 term of the best coefficients, the model being given."""
    w, n, m = problem.sample_weight, problem.n, len(model)
    X = problem.X[:, model]
    mean = (w @ problem.X) / w.sum() if problem.fit_intercept else np.zeros(problem.p)
    s = np.sqrt((w @ (problem.X - mean) ** 2) / w.sum()) if problem.standardize else np.ones(problem.p)
    up, down = slopes(problem)
    price = problem.lambda1 * s[model]
    intercept = [(None, None) if problem.fit_intercept else (0, 0)]
    # A linear programme has absolute tolerances: the response of a regression is brought to a size of one.
    level = np.median(problem.y) if problem.fit_intercept and problem.loss.name != "hinge" else 0.0
    unit = 1.0 if problem.loss.name == "hinge" else np.abs(problem.y - level).mean()
    found = linprog(
        np.concatenate([price, price, [0.0], w * up, w * down]),
        A_eq=np.hstack([X, -X, np.ones((n, 1)), -np.eye(n), np.eye(n)]),
        b_eq=(problem.y - level) / unit,
        bounds=[
            *((0, high / unit) for high in problem.upper[model]),
            *((0, -low / unit) for low in problem.lower[model]),
            *intercept,
            *[(0, None)] * (2 * n),
        ],
        method="highs",
    )
    assert found.status == 0, (m, found.message)
    return float(found.fun) * unit
