"""Random small problems with every kind of constraint on the support, alone and together."""

from __future__ import annotations

import numpy as np

import bestsubset as bs


def random_constraint(rng: np.random.Generator, p: int, kind: str) -> bs.Constraint:
    some = sorted(rng.choice(p, size=rng.integers(1, p + 1), replace=False).tolist())
    pair = rng.choice(p, size=2, replace=False).tolist()
    match kind:
        case "at most":
            return bs.AtMost(some, int(rng.integers(0, len(some) + 1)))
        case "at least":
            return bs.AtLeast(some, int(rng.integers(0, min(2, len(some)) + 1)))
        case "all":
            return bs.Implies(pair[0], some, "all")
        case "any":
            return bs.Implies(pair[0], [j for j in some if j != pair[0]] or [pair[1]], "any")
        case "budget":
            costs = rng.choice([0.0, 0.1, 0.5, 1.0, 2.5, 7.0], p)
            return bs.Budget(costs.tolist(), float(rng.choice([0.3, 1.0, 2.0, 3.5, 8.0])))
        case "pairs":
            return bs.ExcludePairs(float(rng.choice([0.3, 0.5, 0.8])))
        case "one":
            return bs.Group(some if len(some) > 1 else pair, counts="one")
        case "group":
            return bs.Group(pair)
        case "include":
            return bs.Include(some[:1])
        case "exclude":
            return bs.Exclude(some[:1])
        case "sign":
            return bs.Sign(some[:2], int(rng.choice([-1, 1])))
    raise AssertionError(kind)


RULES = ("at most", "at least", "all", "any", "budget", "pairs", "one")
OTHERS = ("group", "include", "exclude", "sign")


def random_ruled_problem(seed: int) -> bs.Problem | None:
    """Up to seven columns in every form; None where the constraints drawn contradict each other."""
    rng = np.random.default_rng(seed)
    kinds = [RULES[seed % len(RULES)]]
    kinds += rng.choice(RULES, rng.integers(0, 3)).tolist() + rng.choice(OTHERS, rng.integers(0, 2)).tolist()
    bounded = rng.random() < 0.2 or "sign" in kinds
    p = int(rng.integers(2, 5 if bounded else 8))
    n = int(rng.integers(3, 25))
    rho = rng.choice([0.0, 0.5, 0.9, 0.999])
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    if rng.random() < 0.3:
        X = np.round(X)
    X = X + np.eye(n, p)
    y = X @ rng.standard_normal(p) * rng.choice([0, 1, 3]) + rng.standard_normal(n)
    scale = float(np.var(y) * n)
    settings: dict = {"fit_intercept": bool(rng.random() < 0.7), "standardize": bool(rng.random() < 0.3)}
    settings["k"] = None if rng.random() < 0.25 else int(rng.integers(1, p + 1))
    settings["lambda2"] = float(rng.choice([0.0, 0.0, 0.01, 1.0]))
    if settings["k"] is None or rng.random() < 0.4:
        settings["lambda0"] = scale * float(rng.choice([0.001, 0.02, 0.1]))
    if bounded:
        settings["lambda1"] = float(np.sqrt(scale) * rng.choice([0.0, 0.05, 0.5]))
        settings["bounds"] = [None, (-0.3, 0.5), (0.0, 1.0)][rng.integers(3)]
    if rng.random() < 0.3:
        settings["sample_weight"] = rng.uniform(0.2, 3.0, n)
    try:
        problem = bs.Problem(X, y, constraints=[random_constraint(rng, p, kind) for kind in kinds], **settings)
    except bs.ProblemError:
        return None
    return problem if len(problem.selection.excluded) < p else None
