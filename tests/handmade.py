"""Small mixed-integer models made by hand, and their judge: every assignment, each a linear programme of scipy's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
from scipy import optimize

import bestsubset as bs
from bestsubset.run import Run
from formulations.mio.builder import ModelBuilder
from formulations.mio.model import Model, SOS1Set


def run(gap=1e-9, **settings):
    problem = bs.Problem([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0], k=1)  # a run needs one for its history's scale
    return Run(problem, gap=gap, **{"threads": 1, **settings})


def knapsack(seed, n=8, n_rows=3, unit=1.0):
    """Maximise a value under limits: binaries alone."""
    rng = np.random.default_rng(seed)
    builder = ModelBuilder("knapsack")
    cost = -rng.uniform(1, 10, n) * unit
    z = builder.add_columns("z", [f"z{j}" for j in range(n)], meaning="taken", upper=1, cost=cost, integer=True)
    A = rng.uniform(1, 10, (n_rows, n))
    names = [f"limit{i}" for i in range(n_rows)]
    builder.add_rows("limits", names, [(z, A)], meaning="limits", upper=A.sum(axis=1) / 2.5)
    builder.constant = 3.0 * unit
    return builder.build()


def absolute(seed, n=12, p=4, k=2, M=2.0, pairs=False, unit=1.0):
    """Absolute regression with at most k columns, by big-M rows or by sets of special order."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = unit * (X[:, :2] @ [1.0, -0.7] + 0.3 * rng.standard_normal(n) + 0.5)
    M = M * unit
    builder = ModelBuilder("absolute")
    names = [str(j) for j in range(p)]
    beta = builder.add_columns("beta", [f"beta{j}" for j in names], meaning="", lower=-M, upper=M)
    z = builder.add_columns("z", [f"z{j}" for j in names], meaning="", upper=1, integer=True)
    b = builder.add_columns("intercept", ["intercept"], meaning="", lower=-np.inf)
    above = builder.add_columns("above", [f"above{i}" for i in range(n)], meaning="", cost=1.0)
    below = builder.add_columns("below", [f"below{i}" for i in range(n)], meaning="", cost=1.0)
    parts = [(beta, X), (b, np.ones((n, 1))), (above, -1.0), (below, 1.0)]
    builder.add_rows("fit", [f"fit{i}" for i in range(n)], parts, meaning="", lower=y, upper=y)
    builder.add_rows("size", ["size"], [(z, np.ones((1, p)))], meaning="", upper=k)
    if pairs:
        out = builder.add_columns("out", [f"out{j}" for j in names], meaning="", upper=1)
        builder.add_rows("is_out", names, [(z, 1.0), (out, 1.0)], meaning="", lower=1, upper=1)
        for j in range(p):
            builder.sos1.append(SOS1Set(f"set{j}", (int(beta[j]), int(out[j])), (1.0, 2.0)))
    else:
        builder.add_rows("upper", names, [(beta, 1.0), (z, -M)], meaning="", upper=0)
        builder.add_rows("lower", names, [(beta, 1.0), (z, M)], meaning="", lower=0)
    return builder.build()


def master(seed, p=7, n_cuts=12, scale=1.0):
    """A binary master: η above cuts in z, of which at most three are 1."""
    rng = np.random.default_rng(seed)
    builder = ModelBuilder("master")
    z = builder.add_columns("z", [f"z{j}" for j in range(p)], meaning="", upper=1, integer=True)
    eta = builder.add_columns("eta", ["eta"], meaning="", lower=0, cost=1.0)
    gains = -scale * rng.uniform(0, 1, (n_cuts, p)) * rng.uniform(0, 1, (n_cuts, 1))
    least = scale * rng.uniform(0.5, 2.0, n_cuts)
    parts = [(eta, np.ones((n_cuts, 1))), (z, -gains)]
    builder.add_rows("cuts", [f"cut{i}" for i in range(n_cuts)], parts, meaning="", lower=least)
    builder.add_rows("size", ["size"], [(z, np.ones((1, p)))], meaning="", upper=3)
    builder.constant = 0.1 * scale
    return builder.build()


def exact_master(model: Model) -> Fraction:
    """The optimum of a master in rational arithmetic, of its doubles as they are."""
    p = len(model.block("z"))
    A = model.A.toarray()
    rows = [[Fraction(float(a)) for a in row[:p]] for row in A[:-1]]
    least = [Fraction(float(b)) for b in model.row_lower[:-1]]
    best = None
    for chosen in product((0, 1), repeat=p):
        if sum(chosen) > 3:
            continue
        gains = [sum(a for a, c in zip(row, chosen, strict=True) if c) for row in rows]
        eta = max(Fraction(0), *(b - gain for b, gain in zip(least, gains, strict=True)))
        best = eta if best is None else min(best, eta)
    return best + Fraction(model.constant)


def judge(model: Model) -> float:
    """The least objective over all binaries and all choices of the nonzero column of each set; inf if none."""
    binary = np.flatnonzero(model.is_integer)
    choices = [tuple(sos.columns) for sos in model.sos1]
    best = np.inf
    for values in product((0.0, 1.0), repeat=len(binary)):
        if np.any(values < model.lower[binary]) or np.any(values > model.upper[binary]):
            continue
        fixed = replace(model, lower=model.lower.copy(), upper=model.upper.copy())
        fixed.lower[binary] = fixed.upper[binary] = values
        for nonzero in product(*choices):
            best = min(best, _linear_programme(fixed, nonzero))
    return best


def _linear_programme(model: Model, nonzero) -> float:
    lower, upper = model.lower.copy(), model.upper.copy()
    for sos, kept in zip(model.sos1, nonzero, strict=True):
        for j in set(sos.columns) - {kept}:
            if lower[j] > 0 or upper[j] < 0:
                return np.inf
            lower[j] = upper[j] = 0.0
    if np.any(lower > upper):
        return np.inf
    bounded = [optimize.LinearConstraint(model.A, model.row_lower, model.row_upper)] if model.n_rows else []
    found = optimize.milp(model.cost, constraints=bounded, bounds=optimize.Bounds(lower, upper))
    return np.inf if found.x is None else float(found.fun) + model.constant
