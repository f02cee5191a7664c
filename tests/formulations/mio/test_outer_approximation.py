"""Outer approximation: cuts against every support, and the whole loop with a master solved by enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from formulations import AtMost, Exclude, Group, Implies, Include, Problem, ProblemError
from formulations.mio.diagonal_split import DiagonalSplit
from formulations.mio.model import Model
from formulations.mio.outer_approximation import OuterApproximation
from formulations.mio.relaxation import relaxed
from tests.oracle import best_value, judge

P = 6
SETTINGS = [
    {"k": 3},
    {"lambda0": 1.0},
    {"k": 2, "lambda0": 0.5, "lambda2": 0.3},
    {"k": 3, "lambda2": 2.0, "standardize": True},
    {"k": 2, "lambda1": 1.5},
    {"k": 3, "bounds": (-0.3, 0.8)},
    {"k": 3, "fit_intercept": False},
    {"k": 3, "constraints": [Include([5]), Exclude([0])]},
    {"lambda0": 0.8, "constraints": [Group([0, 3]), Include([1])]},
    {"k": 4, "constraints": [Group([1, 2])], "lambda2": 0.1},
]
WIDE = [{"k": 2, "lambda2": 0.5}, {"k": 2, "bounds": (-1, 1)}, {"lambda0": 0.3, "lambda2": 0.2, "bounds": (-1, 0.5)}]


def problem(seed: int, n: int = 25, **settings: object) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, P)) + 0.7 * rng.standard_normal((n, 1)) + 2
    y = X @ rng.choice([0, 0, 1, -0.5], P) + rng.standard_normal(n)
    return Problem(X, y, **settings)


def master_by_enumeration(model: Model) -> np.ndarray:
    """The best point of a master: every z, with the least eta that its cuts allow."""
    z, eta = model.block("z"), model.block("eta")[0]
    A = model.A.toarray()
    best, best_value = None, np.inf
    for chosen in product((0.0, 1.0), repeat=len(z)):
        values = np.zeros(model.n_columns)
        values[z] = chosen
        if np.any(values[z] < model.lower[z]) or np.any(values[z] > model.upper[z]):
            continue
        bounds = (model.row_lower - A @ values)[A[:, eta] > 0]
        values[eta] = max(0.0, bounds.max())
        if model.violation(values) <= 1e-9 and model.objective(values) < best_value:
            best, best_value = values, model.objective(values)
    assert best is not None
    return best


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_a_cut_is_below_every_support_and_touches_its_own(seed: int, settings: dict[str, object]) -> None:
    stated = problem(seed, **settings)
    split = DiagonalSplit.of(stated)
    scaled = split.scaled
    bounds = scaled.lower, scaled.upper
    rng = np.random.default_rng(seed)
    supports = [np.flatnonzero(z) for z in product((0, 1), repeat=scaled.m)]
    fits = []
    for support in supports:
        user = scaled.columns[support]
        fits.append(best_value(stated, list(user)) / scaled.unit - scaled.lambda0 * len(user))
    for gamma in [*rng.standard_normal((10, scaled.m)), np.zeros(scaled.m)]:
        constant, gains = split.support_cut(gamma, *bounds)
        for support, fit in zip(supports, fits, strict=True):
            assert constant - gains[support].sum() <= fit + 1e-12
    for support, fit in zip(supports, fits, strict=True):
        constant, gains = split.support_cut(split.best_on(support, *bounds), *bounds)
        assert constant - gains[support].sum() == pytest.approx(fit, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(("n", "settings"), [*((25, s) for s in SETTINGS), *((5, s) for s in WIDE)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_loop_ends_at_the_optimum_with_bounds_below_it(seed: int, n: int, settings: dict[str, object]) -> None:
    stated = problem(seed, n, **settings)
    least, _ = judge(stated)
    formulation = OuterApproximation()

    model = formulation.build(stated)
    for _ in range(2**P):
        point = master_by_enumeration(model)
        assert model.objective(point) <= least * (1 + 1e-9)
        refined = formulation.refine(stated, model, [point])
        if refined is None:
            break
        model = refined

    coef = formulation.recover(stated, point, model)
    assert refined is None
    assert model.objective(point) == pytest.approx(least, rel=1e-7)
    assert stated.objective(coef) == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_a_good_incumbent_fixes_columns_and_loses_no_better_model(seed: int) -> None:
    stated = problem(seed, 60, k=2, constraints=[AtMost([0, 1], 1), Implies(2, [3], "any")])
    best, coef = np.inf, np.zeros(P)
    for z in product((0, 1), repeat=P):
        support = np.flatnonzero(z)
        if len(support) <= 2 and stated.selection.allows(support) and best_value(stated, list(support)) < best:
            A = stated.X[:, support] - stated.X[:, support].mean(0)
            best, coef = best_value(stated, list(support)), np.zeros(P)
            coef[support] = np.linalg.lstsq(A, stated.y - stated.y.mean())[0]
    formulation = OuterApproximation()

    model = formulation.build(stated, coef)
    z = model.block("z")

    assert np.all((model.lower[z] <= (coef != 0)) & ((coef != 0) <= model.upper[z]))
    assert model.objective(master_by_enumeration(model)) <= best * (1 + 1e-9)


def test_fixing_decides_most_columns_where_the_relaxation_is_tight() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 40))
    y = X[:, :4].sum(axis=1) + 0.5 * rng.standard_normal(300)
    stated = Problem(X, y, 4)
    coef = np.zeros(40)
    coef[:4] = np.linalg.lstsq(X[:, :4] - X[:, :4].mean(0), y - y.mean())[0]

    model = OuterApproximation().build(stated, coef)
    z = model.block("z")

    assert np.sum(model.upper[z] == 0) >= 30
    assert np.all(model.upper[z][:4] == 1)


def test_the_relaxation_closes_its_own_gap() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 30)) + rng.standard_normal((80, 1))
    split = DiagonalSplit.of(Problem(X, X[:, ::6].sum(axis=1) + rng.standard_normal(80), 5))
    free = np.full(30, np.inf)

    gamma, z = relaxed(split, 5.0, 0.0, np.zeros(30))
    constant, gains = split.support_cut(gamma, -free, free)

    bound = constant - np.sort(gains)[-5:].sum()
    used = z > 0
    smooth = split.constant - split.c @ gamma + 0.5 * np.sum((split.R @ gamma) ** 2)
    value = smooth + np.sum(split.e[used] * gamma[used] ** 2 / z[used])
    assert z.sum() <= 5 + 1e-9
    assert np.all((z >= 0) & (z <= 1))
    assert bound <= value + 1e-12
    assert value - bound <= 1e-6


@pytest.mark.parametrize(
    ("settings", "n", "words"),
    [
        ({"k": 2, "loss": "absolute"}, 20, "takes no loss 'absolute'; expected 'squared'. Use BigM()"),
        ({"k": 2}, 5, "5 rows and 6 columns, with neither a ridge nor bounds"),
    ],
)
def test_refusals_name_the_reason(settings: dict[str, object], n: int, words: str) -> None:
    stated = problem(0, n, **settings)

    assert words in str(OuterApproximation().refuses(stated))
    with pytest.raises(ProblemError):
        OuterApproximation().build(stated)
