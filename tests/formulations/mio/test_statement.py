"""Every model states the problem: the same objective at the same point, and only what the rules allow is feasible."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from formulations import SOS1, BigM, Formulation, Perspective, Problem, ProblemError, QuantileLoss, SquaredLoss
from formulations.coefficient_bounds import prove
from tests.model_points import completed, random_problem
from warmstarts.support_fit import fit_support

CASES = [
    *[
        (BigM(), loss, lambda2)
        for loss in ("squared", "absolute", QuantileLoss(0.3), "hinge")
        for lambda2 in (0.0, 0.2)
    ],
    *[(SOS1(), loss, lambda2) for loss in ("squared", "absolute", "logistic") for lambda2 in (0.0, 0.2)],
    (BigM(), "logistic", 0.2),
    (Perspective(), "squared", 0.0),
    (Perspective(), "squared", 0.2),
]


def named(case: tuple[Formulation, object, float]) -> str:
    return f"{case[0].name}-{case[1]}-{case[2]}"


def random_problems(case: tuple[Formulation, object, float], count: int) -> list[Problem]:
    """Problems whose incumbent is the empty model, for which all bounds can be proved."""
    rng = np.random.default_rng(11)
    found: list[Problem] = []
    while len(found) < count:
        try:
            problem = random_problem(rng, case[1], lambda2=case[2], bounds=(-3.0, 4.0))
        except ProblemError:
            continue  # the constraints contradict each other
        found.append(problem)
    return found


@pytest.mark.parametrize("case", CASES, ids=named)
def test_objective_is_the_users(case: tuple[Formulation, object, float]) -> None:
    rng = np.random.default_rng(3)
    for problem in random_problems(case, 12):
        model = case[0].build(problem)
        for size in range(problem.p + 1):
            for support in combinations(range(problem.p), size):
                if not problem.selection.allows(support):
                    continue
                coef = np.zeros(problem.p)
                coef[list(support)] = rng.uniform(0.1, 2.0, size)
                point = completed(problem, model, coef, list(support))

                assert model.objective(point) == pytest.approx(problem.objective(coef), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_is_feasible(case: tuple[Formulation, object, float]) -> None:
    """Better points than the incumbent are feasible where the rules allow their support, and infeasible where not."""
    seen = {True: 0, False: 0}
    for problem in random_problems(case, 4 if case[1] == "logistic" else 12):
        model = case[0].build(problem)
        for size in range(1, problem.p + 1):
            for support in combinations(range(problem.p), size):
                is_allowed = problem.selection.allows(support)
                is_allowed &= problem.selection.size(support) <= problem.max_cardinality
                coef = fitted(problem, list(support))
                if np.any(coef[list(support)] == 0) or problem.objective(coef) > problem.null_objective:
                    continue
                violation = model.violation(completed(problem, model, coef, list(support)))
                seen[is_allowed] += 1

                assert violation <= 1e-9 if is_allowed else violation >= 0.5
    assert min(seen.values()) >= 5


def fitted(problem: Problem, support: list[int]) -> np.ndarray:
    """Good coefficients, of another problem where this one has a ridge and kinks."""
    if isinstance(problem.loss, SquaredLoss) or not problem.lambda2 or problem.loss.name == "logistic":
        return fit_support(problem, support)
    used = {"lambda1": problem.lambda1 + 0.3, "loss": problem.loss, "bounds": (problem.lower, problem.upper)}
    settings = {"fit_intercept": problem.fit_intercept, "sample_weight": problem.sample_weight}
    return fit_support(Problem(problem.X, problem.y, problem.p, **used, **settings), support)


@pytest.mark.parametrize("formulation", [BigM(), SOS1(), Perspective()], ids=lambda f: f.name)
def test_recover_takes_columns_that_are_in(formulation: Formulation) -> None:
    problem = random_problem(np.random.default_rng(5), constraints=(), lambda2=0.1, k=3)
    model = formulation.build(problem)
    values = np.zeros(model.n_columns)
    values[model.block("beta")] = [1.0, 2.0, 3.0, 1e-9]
    values[model.block("z")] = [1.0, 0.0, 1 - 1e-7, 1e-9]

    assert formulation.recover(problem, values, model).tolist() == [1.0, 0.0, 3.0, 0.0]


def test_an_imposed_big_m_is_said() -> None:
    problem = random_problem(np.random.default_rng(5), constraints=(), k=3, lambda1=0.0)
    tight, wide = BigM(big_m=0.01).build(problem), BigM(big_m=1e6).build(problem)

    assert tight.imposed == ("|β_j| ≤ 0.01 (imposed as big_m)",)
    assert np.abs(tight.upper[tight.block("beta")]).max() == 0.01
    assert wide.imposed == ()  # the proved bounds are within
    assert wide.upper.tolist() == BigM().build(problem).upper.tolist()
    assert SOS1(big_m=(0.01,) * 4).build(problem).imposed == ("|β_j| ≤ M_j (imposed as big_m)",)


RNG = np.random.default_rng(0)
WIDE = RNG.standard_normal((6, 10)), RNG.standard_normal(6)
CLASSES = np.where(WIDE[1] > 0, 1.0, -1.0)
SEPARABLE = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([-1.0, -1, 1, 1])
TWINS = np.column_stack([np.arange(8.0), np.arange(8.0) + 3e-4 * np.sin(np.arange(8.0) ** 2)])


@pytest.mark.parametrize(
    ("formulation", "problem", "reason"),
    [
        (BigM(), Problem(*WIDE, 2), "linearly dependent.*Add lambda2"),
        (BigM(), Problem(*WIDE, 2, loss="absolute"), "linearly dependent.*SOS1"),
        (Perspective(), Problem(*WIDE, 2), "infinite.*linearly dependent"),
        (BigM(), Problem(*SEPARABLE, 1, loss="hinge"), "a plane separates the classes"),
        (BigM(), Problem(*SEPARABLE, 1, loss="logistic"), "a plane separates the classes"),
        (BigM(programmes=False), Problem(*SEPARABLE, 1, loss="hinge"), "set programmes=True"),
        (BigM(), Problem(TWINS, np.arange(8.0) + np.cos(np.arange(8.0)), 1), "at most 10000 times"),
        (BigM(big_m=-1), Problem(*SEPARABLE, 1), "big_m is -1; expected a positive number"),
        (SOS1(big_m=(1.0, 2.0)), Problem(*SEPARABLE, 1), "one for each of the 1 columns"),
    ],
)
def test_what_cannot_be_proved_is_refused(formulation: Formulation, problem: Problem, reason: str) -> None:
    with pytest.raises(ProblemError, match=reason):
        formulation.build(problem)


@pytest.mark.parametrize(
    ("formulation", "problem", "reason"),
    [
        (Perspective(), Problem(*WIDE, 2), "linearly dependent and lambda2 is 0"),
        (Perspective(), Problem(WIDE[0], CLASSES, 2, loss="hinge"), "expected 'squared'"),
        (Perspective(), Problem(*WIDE, 2, lambda2=0.1), None),
        (BigM(), Problem(WIDE[0], CLASSES, 2, loss="logistic"), None),
        (SOS1(), Problem(*WIDE, 2), None),
    ],
)
def test_refusals(formulation: Formulation, problem: Problem, reason: str | None) -> None:
    refused = formulation.refuses(problem)

    assert refused is None if reason is None else reason in str(refused)


def test_sos1_needs_no_bound() -> None:
    model = SOS1().build(Problem(*WIDE, 2, loss="absolute"))

    assert np.isinf(model.upper[model.block("beta")]).all()
    assert prove(Problem(*WIDE, 2, loss="absolute"), 1.0).missing
