"""The optimum of every linear model is that of all supports, each fitted on its own."""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from formulations import BigM, Formulation, Perspective, Problem, ProblemError, QuantileLoss
from tests.model_points import judged, random_problem, solve_by_highs

_ROUNDS = 60


def optimum(formulation: Formulation, problem: Problem, incumbent: np.ndarray | None = None) -> float:
    """Solve and refine until the model's optimum is attained by its point, to 1e-7."""
    model = formulation.build(problem, incumbent)
    for _ in range(_ROUNDS):
        bound, values = solve_by_highs(model)
        refined = formulation.refine(problem, model, [values])
        if refined is None:
            return bound
        model = refined
    raise AssertionError(f"not exact after {_ROUNDS} rounds")


@pytest.mark.parametrize(
    ("formulation", "loss", "count"),
    [
        (BigM(), "absolute", 50),
        (BigM(), QuantileLoss(0.3), 50),
        (BigM(), "hinge", 50),
        (Perspective(), "squared", 50),
        (BigM(), "logistic", 5),
    ],
    ids=str,
)
def test_optimum_is_that_of_all_supports(formulation: Formulation, loss: object, count: int) -> None:
    rng = np.random.default_rng(17)
    solved = 0
    while solved < count:
        try:
            # Where the classes can be separated no bound is proved: λ1 gives one.
            fixed = {"lambda1": float(rng.choice([0.1, 0.5]))} if loss in ("hinge", "logistic") else {}
            problem = random_problem(rng, loss, **fixed)
        except ProblemError:
            continue  # the constraints contradict each other
        solved += 1

        assert optimum(formulation, problem) == pytest.approx(judged(problem), rel=2e-6, abs=1e-8)


def test_ridge_where_there_are_more_columns_than_rows() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        X = rng.standard_normal((5, 6))
        problem = Problem(X, X[:, 0] + rng.standard_normal(5), 2, lambda2=0.3)

        assert optimum(Perspective(), problem) == pytest.approx(judged(problem), rel=1e-6)


def test_a_better_incumbent_leaves_the_optimum() -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        problem = random_problem(rng, "absolute", constraints=(), lambda0=0.2)
        model = BigM().build(problem)
        values = solve_by_highs(model)[1]
        best = BigM().recover(problem, values, model)
        again = BigM().build(problem, best)

        assert np.all(again.upper <= model.upper)
        assert solve_by_highs(again)[0] == pytest.approx(problem.objective(best), rel=1e-8)


def test_nearly_collinear_columns_need_bounds_that_are_proved() -> None:
    """The best pair has coefficients far above those of the best single column: twice the latter cuts it off."""
    rng = np.random.default_rng(4)
    a, noise = rng.standard_normal(40), rng.standard_normal(40)
    X = np.column_stack([a, a + 0.02 * noise, rng.standard_normal((40, 3))])
    y = noise + 0.1 * rng.standard_normal(40)  # is 50 (x_1 - x_0), nearly
    for loss, formulation in (("absolute", BigM()), ("squared", Perspective())):
        problem = Problem(X, y, 2, loss=loss)
        single = np.zeros(5)
        single[2] = 0.1
        proved = optimum(formulation, problem, single)
        naive = type(formulation)(big_m=2 * 0.1)

        assert proved == pytest.approx(judged(problem), rel=1e-6)
        assert optimum(naive, problem, single) > 3 * proved


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_a_dense_model_is_built_in_no_time(loss: str) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((500, 500))
    problem = Problem(
        X, X[:, 0] + rng.standard_normal(500), 5, loss=loss, lambda1=0.1, lambda2=0.1 * (loss == "squared")
    )
    formulation = Perspective() if loss == "squared" else BigM(big_m=5.0)
    with threadpool_limits(1):  # waiting threads would count
        start = time.process_time()
        model = formulation.build(problem)
        seconds = time.process_time() - start

    assert model.A.nnz > 250_000
    assert seconds < 3.0  # 0.3 for the one, 0.05 for the other
