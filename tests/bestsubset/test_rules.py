"""Every constraint on the support in branch and bound and in enumeration, against every model."""

from __future__ import annotations

import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import bestsubset as bs
from bestsubset.certificates import exact
from tests.oracle import allowed_supports, judge, size_of, values_scale
from tests.rules import OTHERS, RULES, random_constraint, random_ruled_problem

SEEDS = 420
BATCH = 70


def tolerance(problem: bs.Problem, least: float) -> float:
    return 1e-8 * least + 1e-12 * values_scale(problem)


def problems(batch: int) -> list[tuple[int, bs.Problem]]:
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    return [(seed, problem) for seed in seeds if (problem := random_ruled_problem(seed)) is not None]


def table_of(problem: bs.Problem) -> exact.Table:
    weights = None if np.all(problem.sample_weight == 1.0) else problem.sample_weight.tolist()
    return exact.Table(problem.X.T.tolist(), problem.y.tolist(), weights)


def check_certificate(problem: bs.Problem, result: bs.Result, seed: int) -> None:
    """By both checkers, the exact one from a file."""
    assert result.certificate is not None
    verdict = result.verify()
    assert verdict.valid, (seed, verdict.reason)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.cert")
        result.certificate.save(path)
        exact.check_file(path, table_of(problem))


@pytest.mark.parametrize("batch", range(SEEDS // BATCH))
def test_random_problems_equal_the_judge_and_certify(batch: int) -> None:
    found = problems(batch)
    assert len(found) > 0.8 * BATCH
    for seed, problem in found:
        least, _ = judge(problem)
        for solver in (bs.BranchAndBound(), bs.Enumeration()):
            result = bs.solve(problem, solver)

            assert result.objective == pytest.approx(least, abs=tolerance(problem, least)), (seed, solver.name)
            assert result.dual_bound <= least + tolerance(problem, least), (seed, solver.name)
            assert result.status == "optimal", (seed, solver.name)
            assert holds(problem, result.support), (seed, solver.name)
            if isinstance(solver, bs.BranchAndBound) or result.certificate is not None:
                check_certificate(problem, result, seed)


def holds(problem: bs.Problem, support: tuple[int, ...]) -> bool:
    """Whether some model that the constraints allow, in the judge's words, has these columns."""
    return any(set(support) <= set(z) for z in allowed_supports(problem))


@pytest.mark.parametrize("batch", range(2))
def test_a_search_that_was_stopped_has_a_bound_that_holds(batch: int) -> None:
    for seed, problem in problems(batch):
        least, _ = judge(problem)
        result = bs.solve(problem, bs.BranchAndBound(node_limit=1 + seed % 3))

        assert result.dual_bound <= least + tolerance(problem, least), seed
        assert result.objective >= least - tolerance(problem, least), seed
        check_certificate(problem, result, seed)


def test_larger_problems_equal_enumeration() -> None:
    """Trees of some size: twelve columns, several rules."""
    rng = np.random.default_rng(3)
    nodes = 0
    for trial in range(12):
        p = 12
        X = rng.standard_normal((40, p)) + 0.8 * rng.standard_normal((40, 1))
        y = X[:, :5] @ [1, -1, 1, -1, 1] + 2 * rng.standard_normal(40)
        constraints = [bs.Implies(j, [j - 3, j - 4], ("all", "any")[trial % 2]) for j in range(5, p)]
        constraints += [bs.AtLeast([6, 7, 8], 1), bs.Budget(rng.uniform(0.5, 1.5, p).tolist(), 7.0)]
        form = [{"k": 5}, {"k": 6, "lambda2": 1.0}, {"lambda0": 5.0}][trial % 3]
        problem = bs.Problem(X, y, constraints=constraints, **form)
        least = bs.solve(problem, bs.Enumeration()).objective
        result = bs.solve(problem)

        assert result.objective == pytest.approx(least, rel=1e-9)
        assert result.status == "optimal"
        check_certificate(problem, result, trial)
        nodes += result.stats.nodes
    assert nodes > 100


@pytest.mark.parametrize("constraint", [bs.Sign([1], -1), bs.Group([0, 3], counts="one")], ids=str)
def test_the_certificate_tells_what_it_is_about(constraint: bs.Constraint) -> None:
    X, y = random_data(0)
    ruled = bs.solve(bs.Problem(X, y, 3, constraints=[constraint, bs.AtMost([0, 1, 2], 1)])).certificate
    plain = bs.solve(bs.Problem(X, y, 3)).certificate

    assert ruled.features == ["rules"]
    assert ruled.settings["rules"] == [{"columns": [0, 1, 2], "coefs": [1.0] * 3, "limit": 1.0}]
    assert plain.features == []
    assert "rules" not in plain.settings


def random_data(seed: int, n: int = 24, p: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, :3] @ [1.0, -1.0, 0.5] + rng.standard_normal(n)


# Other losses.


def least_of(problem: bs.Problem, z: tuple[int, ...]) -> float:
    """The least objective on a model, by general methods of scipy on the objective as it is stated."""
    if problem.loss.name == "logistic":
        return smooth_value(problem, z)
    return by_linear_programme(problem, z)


def smooth_value(problem: bs.Problem, z: tuple[int, ...]) -> float:
    def value(theta: np.ndarray) -> float:
        eta = problem.X[:, z] @ theta[: len(z)] + theta[-1]
        penalty = problem.lambda2 * theta[: len(z)] @ theta[: len(z)]
        return problem.sample_weight @ np.logaddexp(0, -problem.y * eta) + penalty

    return optimize.minimize(value, np.zeros(len(z) + 1), method="BFGS", options={"gtol": 1e-7}).fun


def by_linear_programme(problem: bs.Problem, z: tuple[int, ...]) -> float:
    """Σ w t with t above every piece of the loss at b + xβ."""
    n, s = problem.n, len(z)
    ones, unit = np.ones((n, 1)), np.eye(n)
    X, y = problem.X[:, z], problem.y[:, None]
    if problem.loss.name == "hinge":
        rows = np.hstack([-y * X, -y * ones, -unit])
        return _programme(problem, rows, -np.ones(n), s)
    level = getattr(problem.loss, "tau", getattr(problem.loss, "level", 0.5))
    up, down = (1.0, 1.0) if problem.loss.name == "absolute" else (level, 1 - level)
    above = np.hstack([-up * X, -up * ones, -unit])  # up (y - η) <= t
    below = np.hstack([down * X, down * ones, -unit])
    return _programme(problem, np.vstack([above, below]), np.concatenate([-up * problem.y, down * problem.y]), s)


def _programme(problem: bs.Problem, rows: np.ndarray, limits: np.ndarray, s: int) -> float:
    cost = np.concatenate([np.zeros(s + 1), problem.sample_weight])
    bounds = [(None, None)] * (s + 1) + [(0, None)] * problem.n
    return optimize.linprog(cost, A_ub=rows, b_ub=limits, bounds=bounds).fun


@pytest.mark.parametrize("loss", ["absolute", "quantile", "hinge", "logistic"])
def test_enumeration_of_other_losses(loss: str) -> None:
    rng = np.random.default_rng(5)
    for trial in range(6):
        X, y = random_data(trial, p=5)
        response = np.where(y > np.median(y), 1.0, -1.0) if loss in ("hinge", "logistic") else y
        kinds = [RULES[trial], *rng.choice([*RULES, *OTHERS[:3]], 1)]
        try:
            constraints = [random_constraint(rng, 5, kind) for kind in kinds]
            form = {"k": 3, "lambda0": [0.0, 0.3][trial % 2], "lambda2": 0.1 if loss == "logistic" else 0.0}
            problem = bs.Problem(X, response, loss=loss, constraints=constraints, **form)
        except bs.ProblemError:
            continue
        least = min(least_of(problem, z) + problem.lambda0 * size_of(problem, z) for z in allowed_supports(problem))
        result = bs.solve(problem, bs.Enumeration())

        assert result.objective == pytest.approx(least, rel=1e-6)
        assert result.dual_bound <= least * (1 + 1e-7)
        assert result.status == "optimal"
        assert result.proof == "backend"
        assert "bound is lower" in result.notes[0]


def test_enumeration_refuses_what_no_linear_programme_fits() -> None:
    X, y = random_data(0)
    with pytest.raises(bs.RefusedError, match=r"lambda2 is 1\.0 with the loss 'absolute'"):
        bs.solve(bs.Problem(X, y, 2, loss="absolute", lambda2=1.0), bs.Enumeration())


def test_enumeration_counts_models() -> None:
    X, y = random_data(0)
    count = bs.Enumeration().count

    assert count(bs.Problem(X, y, 2)) == 15
    assert count(bs.Problem(X, y, 2, lambda0=1.0)) == 22
    assert count(bs.Problem(X, y, 2, constraints=[bs.Group([0, 1, 2])])) == 1 + 3 + 3
    assert count(bs.Problem(X, y, 2, constraints=[bs.Group([0, 1, 2], counts="one")])) == 1 + 4 + 6
    assert count(bs.Problem(X, y, 2, constraints=[bs.AtMost([0, 1], 1)])) == 22  # at most
    result = bs.solve(bs.Problem(X, y, 2, constraints=[bs.AtMost([0, 1], 1)]), bs.Enumeration())
    assert result.stats.nodes == 21
    with pytest.raises(bs.RefusedError, match="enumeration would visit 22 supports"):
        bs.solve(bs.Problem(X, y, 2, constraints=[bs.AtMost([0, 1], 1)]), bs.Enumeration(max_supports=200_000))


# What else knows of rules.


def test_a_downdating_tree_alone_refuses_rules() -> None:
    X, y = random_data(0)
    with pytest.raises(bs.RefusedError, match="rules"):
        bs.solve(bs.Problem(X, y, 2, constraints=[bs.AtMost([0, 1], 1)]), bs.BranchAndBound(tree="downdating"))


def test_a_path_begins_at_the_least_model() -> None:
    X, y = random_data(1)
    path = bs.best_path(X, y, k_max=4, constraints=[bs.AtLeast([3, 4, 5], 2)])

    assert list(path) == [2, 3, 4]
    assert path.certificate is not None
    assert bs.verify(path.certificate, X, y).valid


def test_copies_that_a_rule_tells_apart_are_no_ties() -> None:
    X, y = random_data(2)
    X[:, 5] = X[:, 0]
    assert bs.best_subset(X, y, k=2).ties == ((0, 5),)
    assert bs.best_subset(X, y, k=2, constraints=[bs.Implies(5, [4])]).ties == ()


def test_a_start_that_breaks_a_rule_is_mended() -> None:
    X, y = random_data(3)
    problem = bs.Problem(X, y, 3, constraints=[bs.Implies(0, [4, 5])])
    assert bs.solve(problem, start=[0, 1, 2]).objective == pytest.approx(judge(problem)[0])


def test_wide_data_with_rules_are_enumerated() -> None:
    X, y = random_data(4, n=8, p=12)
    problem = bs.Problem(X, y, 2, constraints=[bs.AtMost(range(0, 12, 2), 1)])
    assert bs.solve(problem).objective == pytest.approx(judge(problem)[0])


def test_pairs_are_named_as_what_the_claim_rests_on() -> None:
    X, y = random_data(5)
    X[:, 4] += 3 * X[:, 1]
    result = bs.solve(bs.Problem(X, y, 3, constraints=[bs.ExcludePairs(0.8)]))

    assert result.assumptions == ("the 1 pair of columns found to be too highly correlated",)
    assert "given the 1 pair of columns" in result.statement()
    assert result.certificate.settings["rules"] == [{"columns": [1, 4], "coefs": [1.0, 1.0], "limit": 1.0}]


def test_no_time_at_all_leaves_a_model_and_a_bound() -> None:
    X, y = random_data(6, n=60, p=20)
    problem = bs.Problem(X, y, 5, constraints=[bs.Implies(j, [j - 1]) for j in range(1, 20)])
    result = bs.solve(problem, time_limit=0)

    assert 0 < result.dual_bound <= result.objective
    assert problem.selection.completion(result.support) is not None
    assert result.verify().valid


def test_sums_are_rounded_once() -> None:
    """Three times 0.1 is more than 0.3 in exact arithmetic and in a loop; ten times 0.1 is 1, rounded once."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 10))
    y = X.sum(axis=1) + 0.1 * rng.standard_normal(40)
    whole = bs.solve(bs.Problem(X, y, 10, constraints=[bs.Budget([0.1] * 10, 1.0)]))
    short = bs.solve(bs.Problem(X, y, 10, constraints=[bs.Budget([0.1] * 10, np.nextafter(1.0, 0.0))]))

    assert whole.cardinality == 10
    assert short.cardinality == 9
    for result in (whole, short):
        check_certificate(result.problem, result, 0)


# Real data.


def heredity(names: tuple[str, ...], rule: str) -> list[bs.Constraint]:
    """A square or a product enters only with its factors."""
    factors = [name.replace("^2", "").split("*") for name in names]
    return [
        bs.Implies(j, sorted({names.index(factor) for factor in factors[j]}), rule)
        for j, name in enumerate(names)
        if factors[j] != [name]
    ]


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("all", "age sex bmi bp s3 s5 age*sex bmi*bp"),
        ("any", "sex bmi bp s1 s2 s5 age*sex bmi*bp"),
    ],
)
def test_diabetes_under_heredity(rule: str, chosen: str) -> None:
    from benchmarks.real_data import diabetes_second_order

    data = diabetes_second_order()
    constraints = heredity(data.names, rule)
    result = bs.best_subset(data.X, data.y, k=8, constraints=constraints, feature_names=data.names)

    assert result.status == "optimal"
    assert " ".join(result.support_names) == chosen
    assert result.verify().valid


def test_hitters_within_a_budget() -> None:
    frame = pd.read_csv(Path(__file__).parent.parent / "data" / "hitters.csv")
    X, y = frame.drop(columns="y"), frame["y"]
    costs = np.where(X.columns.str.startswith("C"), 3.0, 1.0)  # figures of the whole career are dear
    problem = bs.Problem(X, y, 6, constraints=[bs.Budget(costs.tolist(), 9.0)])
    result = bs.solve(problem)

    assert result.status == "optimal"
    assert costs[list(result.support)].sum() <= 9
    assert result.verify().valid
    dear = np.flatnonzero(costs > 1)
    with_two = min(
        (bs.best_subset(X, y, k=6, constraints=[bs.Include(pair), bs.Exclude(set(dear) - set(pair))]).objective)
        for pair in map(list, combinations(dear.tolist(), 2))
    )
    assert result.objective <= with_two * (1 + 1e-9)
