"""Random problems of every form, in many units, some with nearly dependent columns."""

from __future__ import annotations

import numpy as np

import bestsubset as bs


def random_problem(seed: int) -> bs.Problem:
    """Up to six columns: k, λ0, λ1, λ2, boxes, weights, groups, forced columns, units from 1e-30 to 1e30."""
    rng = np.random.default_rng(seed)
    bounded = rng.random() < 0.25
    p = int(rng.integers(1, 6 if bounded else 7))
    n = int(rng.integers(3, 25))
    rho = rng.choice([0, 0.5, 0.9, 0.999, 1 - 1e-7])
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    if rng.random() < 0.3:
        X = np.round(X)  # ties, duplicates and dependencies
    X = X + np.eye(n, p) * rng.choice([1e-3, 1.0])
    y = X @ rng.standard_normal(p) * rng.choice([0, 1, 3]) + rng.standard_normal(n)
    offset = rng.choice([0, 0, 1e3, 1e6])
    X = (X + offset) * 10.0 ** rng.choice([0, 0, 0, -30, 30, -8, 8, 5], p)
    y = (y + offset) * 10.0 ** rng.choice([0, 0, -30, 30, 9, -9])
    if rng.random() < 0.15:
        X[:, -1] = X[:, 0] * 2
    settings: dict = {"fit_intercept": bool(rng.random() < 0.6), "standardize": bool(rng.random() < 0.4)}
    settings["k"] = None if rng.random() < 0.25 else int(rng.integers(1, p + 1))
    in_y, in_X = np.var(y) * n, n if settings["standardize"] else (np.var(X, axis=0) * n).mean()
    if rng.random() < 0.5:
        settings["lambda2"] = float(in_X * rng.choice([1e-9, 0.01, 1.0]))
    if settings["k"] is None or rng.random() < 0.4:
        settings["lambda0"] = float(in_y * rng.choice([0.001, 0.02, 0.1]))
    if bounded:
        settings["lambda1"] = float(np.sqrt(in_y * in_X) * rng.choice([0, 0.05, 0.3]))
        box = np.sqrt(in_y / (np.var(X, axis=0) * n + 1e-300))
        if rng.random() < 0.6:
            settings["bounds"] = (-0.3 * box, 0.5 * box) if rng.random() < 0.5 else (0 * box, box)
    if rng.random() < 0.4:
        settings["sample_weight"] = rng.uniform(0.2, 3, n) * 10.0 ** rng.choice([0, -30, 20])
    constraints: list[bs.Constraint] = []
    if p >= 4 and rng.random() < 0.4:
        constraints.append(bs.Group([0, 2]))
    if p >= 4 and rng.random() < 0.3:
        constraints.append(bs.Exclude([p - 1]))
    if p >= 4 and rng.random() < 0.3 and (settings["k"] is None or settings["k"] >= 2):
        constraints.append(bs.Include([1]))
    return bs.Problem(X, y, constraints=constraints, **settings)


def random_solver(seed: int) -> bs.Solver:
    """One of our solvers, sometimes with a limit that stops it."""
    rng = np.random.default_rng(seed)
    solvers = [
        bs.BranchAndBound(),
        bs.BranchAndBound(tree="perspective"),
        bs.BranchAndBound(node_limit=int(rng.integers(1, 6))),
        bs.Enumeration(),
    ]
    return solvers[rng.integers(len(solvers))]


def is_plain(problem: bs.Problem) -> bool:
    """Tell whether the least objective is known in rational arithmetic."""
    return not (problem.lambda1 or np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any())
