"""The judge: every support, each fitted from the user's data by code that shares nothing with the library.

The statement of the problem is written out again here on purpose, straight from its definition.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np

from formulations import (
    AtLeast,
    AtMost,
    Bounds,
    Budget,
    Exclude,
    ExcludePairs,
    Group,
    Implies,
    Include,
    Sign,
)


def judge(problem):
    """Return (least objective, list of all supports within 1e-9 of it) over every allowed support."""
    values = {}
    for support in allowed_supports(problem):
        values[support] = best_value(problem, list(support), size_of(problem, support))
    least = min(values.values())
    close = [s for s, v in values.items() if v <= least + 1e-9 * abs(least) + 1e-13 * values_scale(problem)]
    return least, close


def values_scale(problem):
    w, y = problem.sample_weight, problem.y
    mean = (w @ y) / w.sum() if problem.fit_intercept else 0.0
    return 0.5 * w @ (y - mean) ** 2


def allowed_supports(problem):
    k = problem.p if problem.k is None else problem.k
    correlation = correlations(problem)
    as_one = any(isinstance(constraint, Group) and constraint.counts == "one" for constraint in problem.constraints)
    for size in range((problem.p if as_one else k) + 1):  # only such groups make more than k columns count k or less
        for support in combinations(range(problem.p), size):
            chosen = set(support)
            if size_of(problem, support) <= k and all(obeys(c, chosen, correlation) for c in problem.constraints):
                yield support


def obeys(constraint, z, correlation):
    """Whether a model of exactly the columns z obeys a constraint: its own words, written anew."""
    match constraint:
        case Include(columns):
            return z.issuperset(columns)
        case Exclude(columns):
            return not z.intersection(columns)
        case Group(columns):
            return len(z.intersection(columns)) in (0, len(set(columns)))
        case AtMost(columns, count):
            return len(z.intersection(columns)) <= count
        case AtLeast(columns, count):
            return len(z.intersection(columns)) >= count
        case Implies(child, parents, "all"):
            return child not in z or z.issuperset(parents)
        case Implies(child, parents, "any"):
            return child not in z or len(z.intersection(parents)) > 0
        case Budget(costs, limit):
            return sum(Fraction(costs[j]) for j in z) <= Fraction(limit)
        case ExcludePairs(threshold):
            return all(abs(correlation[i, j]) <= threshold for i, j in combinations(sorted(z), 2))
        case Sign() | Bounds():
            return True  # they are about coefficients
    raise AssertionError(constraint)


def size_of(problem, support):
    """What a model counts: its columns, but a group of those that count as one once."""
    groups = [constraint for constraint in problem.constraints if isinstance(constraint, Group)]
    counted, seen = 0, set()
    for j in support:
        if j in seen:
            continue
        together, as_one = {j}, True
        while True:  # groups that share columns are one
            near = [g for g in groups if together.intersection(g.columns)]
            grown = together.union(*(g.columns for g in near))
            as_one = all(g.counts == "one" for g in near)
            if grown == together:
                break
            together = grown
        seen |= together
        counted += 1 if as_one else len(together)
    return counted


def correlations(problem):
    w, X = problem.sample_weight, problem.X
    if problem.fit_intercept:
        X = X - (w @ X) / w.sum()
    moments = (X * w[:, None]).T @ X
    scale = np.sqrt(np.diag(moments))
    return moments / np.outer(scale, scale)


def best_value(problem, support, size=None):
    """The least objective on a support that counts ``size``, by least squares or by trying every face.

    Each column counts unless the size is given.
    """
    size = len(support) if size is None else size
    w, X, y = problem.sample_weight, problem.X, problem.y
    if problem.fit_intercept:
        X = X - (w @ X) / w.sum()
        y = y - (w @ y) / w.sum()
    s = np.sqrt((w @ X**2) / w.sum()) if problem.standardize else np.ones(problem.p)
    root = np.sqrt(w)
    A, b, s = (X * root[:, None])[:, support], y * root, s[support]
    l1, l2 = problem.lambda1 * s, problem.lambda2 * s**2
    lo, hi = problem.lower[support], problem.upper[support]

    def value(coef):
        r = b - A @ coef
        return 0.5 * r @ r + l1 @ np.abs(coef) + l2 @ coef**2 + problem.lambda0 * size

    if not l1.any() and not np.isfinite(lo).any() and not np.isfinite(hi).any():
        stacked = np.vstack([A, np.diag(np.sqrt(2 * l2))])
        target = np.concatenate([b, np.zeros(len(support))])
        scale = np.linalg.norm(stacked, axis=0)
        scale[scale == 0] = 1.0
        coef = np.linalg.lstsq(stacked / scale, target, rcond=1e-13)[0] / scale if support else np.zeros(0)
        return value(coef)
    best = np.inf
    # Each coefficient is free with a sign, zero, or at a bound: solve on every such face, keep what is feasible.
    for face in product("+-0lu", repeat=len(support)):
        coef = np.zeros(len(support))
        free = np.array([f in "+-" for f in face], dtype=bool)
        for i, f in enumerate(face):
            coef[i] = {"l": lo[i], "u": hi[i]}.get(f, 0.0)
        if not np.all(np.isfinite(coef)):
            continue
        if free.any():
            sign = np.array([1.0 if f == "+" else -1.0 for f in face])[free]
            H = A[:, free].T @ A[:, free] + 2 * np.diag(l2[free])
            g = A[:, free].T @ (b - A @ coef) - l1[free] * sign
            scale = 1 / np.sqrt(np.diag(H))
            coef[free] = scale * np.linalg.lstsq(scale[:, None] * H * scale, scale * g, rcond=1e-13)[0]
            if l1.any() and np.any(coef[free] * sign < 0):
                continue
        slack = 1e-12 * (1 + np.abs(coef))
        if np.all(coef >= lo - slack) and np.all(coef <= hi + slack):
            best = min(best, value(coef))
    return best
