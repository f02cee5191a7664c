"""The tree for losses with kinks: equal to the judge, true at every stop, its intervals and bounds by themselves."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.incumbent import ProblemIncumbent
from bestsubset.lpb.coefficient_boxes import CoefficientBoxes, derive
from bestsubset.lpb.dual_point import DualPoint, balanced
from bestsubset.lpb.rows import KinkedRows
from bestsubset.lpb.search import Search
from bestsubset.run import Run
from formulations import QuantileLoss
from tests.kinked_judge import judge

NUMBER = 190


def random_problem(seed: int) -> bs.Problem | None:
    """All losses and constraints in all forms; None where the constraints contradict each other."""
    rng = np.random.default_rng(seed)
    p = int(rng.integers(2, 7))
    n = int(rng.integers(5, 22))
    rho = rng.choice([0.0, 0.5, 0.95])
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    if rng.random() < 0.2:
        X = np.round(X) + np.eye(n, p)
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.6)) + rng.standard_normal(n)
    loss = ("absolute", QuantileLoss(0.25), "hinge")[seed % 3]
    settings: dict = {"fit_intercept": bool(rng.random() < 0.7), "standardize": bool(rng.random() < 0.3)}
    if loss == "hinge":
        y = np.where(y + 0.5 * rng.standard_normal(n) > 0, 1.0, -1.0)
        y[:2] = [1.0, -1.0]
    else:
        y = (y + rng.choice([0, 0, 1e3])) * rng.choice([1.0, 1.0, 1e-6, 1e5])
    scale = float(np.abs(y - np.median(y)).sum())
    settings["k"] = int(rng.integers(1, p + 1)) if rng.random() < 0.7 else None
    if settings["k"] is None or rng.random() < 0.3:
        settings["lambda0"] = scale * rng.choice([0.003, 0.03, 0.1])
    if rng.random() < 0.3:
        settings["lambda1"] = rng.choice([0.01, 0.1]) * n
    if rng.random() < 0.4:
        settings["sample_weight"] = rng.uniform(0.1, 3, n) * (rng.random(n) < 0.9) + 1e-3
    if rng.random() < 0.2:
        size = np.abs(y).mean()
        settings["bounds"] = [(-0.4 * size, 0.6 * size), (0.0, size), (-np.inf, 0.2 * size)][int(rng.integers(3))]
    choices: list[bs.Constraint] = [
        bs.Include([int(rng.integers(p))]),
        bs.Exclude([int(rng.integers(p))]),
        bs.AtMost([0, 1], 1),
        bs.AtLeast([0, p - 1], 1),
        bs.Implies(0, [1], "all"),
        bs.Implies(p - 1, sorted({0, p // 2} - {p - 1}), "any"),
        bs.Budget(tuple(rng.integers(0, 4, p).tolist()), 4.0),
        bs.ExcludePairs(float(rng.choice([0.3, 0.6]))),
        bs.Sign([int(rng.integers(p))], int(rng.choice([-1, 1]))),
        bs.Bounds([int(rng.integers(p))], -0.1, 0.3),
        bs.Group([0, p - 1]),
        bs.Group([0, p - 1], counts="one"),
    ]
    picked = rng.choice(len(choices), size=int(rng.choice([0, 1, 1, 2])), replace=False)
    try:
        return bs.Problem(X, y, loss=loss, constraints=[choices[i] for i in picked], **settings)
    except bs.ProblemError:
        return None


PROBLEMS = {seed: problem for seed in range(NUMBER + 60) if (problem := random_problem(seed)) is not None}


@cache
def least_objective(seed: int) -> float:
    return judge(PROBLEMS[seed])


def rounding(problem: bs.Problem) -> float:
    return 1e-7 * problem.null_objective


def test_there_are_enough_problems() -> None:
    assert len(PROBLEMS) >= 200
    assert {type(c) for problem in PROBLEMS.values() for c in problem.constraints} >= {
        bs.Include, bs.Exclude, bs.Group, bs.AtMost, bs.AtLeast, bs.Implies, bs.Budget, bs.Sign, bs.Bounds,
        bs.ExcludePairs,
    }  # fmt: skip


@pytest.mark.parametrize("seed", PROBLEMS)
def test_equals_the_judge(seed: int) -> None:
    problem = PROBLEMS[seed]
    least = least_objective(seed)
    result = bs.solve(problem)

    assert result.stats.solver == "lp_branch_and_bound"
    assert result.objective == pytest.approx(least, rel=1e-6, abs=rounding(problem))
    assert result.dual_bound <= least + rounding(problem) * 1e-2
    # Where classes are separable, or nearly, nothing bounds the coefficients, and the result says so.
    is_unbounded = problem.loss.name == "hinge" and problem.lambda1 == 0 and result.notes != ()
    assert result.status == "optimal" or result.objective <= rounding(problem) or is_unbounded
    assert result.proof == ("checked" if result.certificate is not None else "backend")


@pytest.mark.parametrize("seed", list(PROBLEMS)[:45])
def test_true_at_every_stop(seed: int) -> None:
    problem = PROBLEMS[seed]
    least = least_objective(seed)
    for limit in (1, 2, 5):
        result = bs.solve(problem, bs.LPBranchAndBound(node_limit=limit))

        assert result.dual_bound <= least + rounding(problem) * 1e-2
        assert result.objective >= least - rounding(problem)
    nothing = bs.solve(problem, time_limit=0)
    assert nothing.dual_bound <= least + rounding(problem) * 1e-2


@pytest.mark.parametrize("seed", list(PROBLEMS)[:90])
def test_any_dual_vector_bounds_the_loss(seed: int) -> None:
    """Whatever u is, no point has a loss below what u says."""
    problem = PROBLEMS[seed]
    rng = np.random.default_rng(seed)
    rows = KinkedRows.of(problem)
    u = rng.standard_normal(rows.n) * rng.choice([0.1, 1.0, 1e6])
    dual = DualPoint.of(rows, u)

    assert np.all(dual.u <= rows.up)
    assert np.all(dual.u >= -rows.down)
    assert not problem.fit_intercept or sum(map(_exact, dual.u)) == 0
    for _ in range(20):
        coef = rng.standard_normal(problem.p) * rng.choice([0.1, 1.0, 10.0])
        loss = problem.loss.value(problem.y, problem.predict(coef), problem.sample_weight)
        said = (dual.constant + dual.slopes @ (coef / rows.column_units)) * rows.unit
        assert said <= loss * (1 + 1e-9) + rounding(problem)


def _exact(value: float) -> Fraction:
    return Fraction(float(value))


def test_balanced_stays_in_its_box() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 40))
        least, most = -rng.random(n) * (rng.random(n) < 0.5), rng.random(n) * (rng.random(n) < 0.5)
        u = balanced(rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4), least, most, True)

        assert np.all((least <= u) & (u <= most))
        assert sum(map(_exact, u)) == 0


@pytest.mark.parametrize("loss", ["absolute", QuantileLoss(0.3), "hinge"])
def test_intervals_hold_every_good_point(loss: object) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 4))
    y = X @ [1.0, -2.0, 0.5, 0.0] + rng.standard_normal(60)
    problem = bs.Problem(X, np.where(y > 0, 1.0, -1.0) if loss == "hinge" else y, 4, loss=loss)
    rows, incumbent = KinkedRows.of(problem), ProblemIncumbent(problem)
    incumbent.offer(range(4))
    ceiling = 1.3 * incumbent.value
    boxes = CoefficientBoxes.of_user(rows)
    derive(rows, boxes, ceiling / rows.unit)
    lower, upper = boxes.lower * rows.column_units, boxes.upper * rows.column_units

    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    for _ in range(4000):  # points on the boundary of f <= ceiling, from the best one outwards
        direction = rng.standard_normal(4)
        near, far = 0.0, 1e4
        for _ in range(60):
            middle = 0.5 * (near + far)
            near, far = (
                (middle, far) if problem.objective(incumbent.coef + middle * direction) <= ceiling else (near, middle)
            )
        point = incumbent.coef + near * direction
        assert np.all((lower <= point) & (point <= upper))


def test_collinear_pair() -> None:
    """Two nearly equal columns whose difference is the response: coefficients far above what a greedy model has."""
    rng = np.random.default_rng(1)
    n = 40
    shared, difference = rng.standard_normal(n), rng.standard_normal(n)
    X = np.column_stack([shared, shared + 1e-3 * difference, *rng.standard_normal((3, n))])
    y = difference + 0.3 * X[:, 2] + 0.01 * rng.standard_normal(n)
    problem = bs.Problem(X, y, 2, loss="absolute")
    result = bs.solve(problem)

    assert result.support == (0, 1)
    assert np.abs(result.coef).max() > 900
    assert result.status == "optimal"
    assert result.objective == pytest.approx(judge(problem), rel=1e-6)
    search = Search(problem, Run(problem, time_limit=0.0), None)
    search.incumbent = ProblemIncumbent(problem)  # the model of nothing: the worst incumbent there is
    search.boxes.lower_ceiling(search.ceiling)
    derive(search.rows, search.boxes, search.ceiling)
    scaled = result.coef / search.rows.column_units
    assert np.all((search.boxes.lower <= scaled) & (scaled <= search.boxes.upper))


def test_wide_data() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((8, 10))
    y = X[:, 3] - X[:, 7] + 0.1 * rng.standard_normal(8)
    for settings in ({}, {"lambda1": 0.5}, {"bounds": (-2, 2)}):
        problem = bs.Problem(X, y, 2, loss="absolute", **settings)
        result = bs.solve(problem)

        assert result.status == "optimal"
        assert result.objective == pytest.approx(judge(problem), rel=1e-6)
        assert bool(result.notes) == (settings == {})


def test_separable_classes() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 5))
    y = np.where(X[:, 1] + X[:, 2] > 0, 1.0, -1.0)
    for k in (1, 2, 3):
        problem = bs.Problem(X, y, k, loss="hinge")
        result = bs.solve(problem)

        assert result.objective == pytest.approx(judge(problem), rel=1e-6, abs=1e-7)
        assert result.dual_bound <= judge(problem) + 1e-9


def test_refusals() -> None:
    X, y = np.eye(4, 2), np.arange(4.0)

    assert "lambda2" in (bs.LPBranchAndBound().refuses(bs.Problem(X, y, 1, lambda2=1.0, loss="absolute")) or "")
    assert "squared" in (bs.LPBranchAndBound().refuses(bs.Problem(X, y, 1)) or "")
    with pytest.raises(bs.ProblemError, match="node_limit"):
        bs.LPBranchAndBound(node_limit=0)


def test_an_interruption_leaves_a_true_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 15))
    problem = bs.Problem(X, X[:, :5].sum(axis=1) + 3 * rng.standard_normal(60), 4, loss="absolute")
    optimum = bs.solve(problem)
    calls = 0

    def interrupted(progress: bs.Progress) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyboardInterrupt

    result = bs.solve(problem, progress=interrupted)

    assert result.termination == "interrupted"
    assert result.dual_bound <= optimum.objective
    assert result.objective >= optimum.dual_bound
