"""How far a given model is from the best one."""

from __future__ import annotations

import numpy as np
import pytest

import bestsubset as bs
from tests.oracle import judge

rng = np.random.default_rng(0)
X = rng.standard_normal((50, 8))
y = X[:, :3] @ [1.0, -1.0, 0.5] + 0.6 * rng.standard_normal(50) + 2.0
PROBLEM = bs.Problem(X, y, 3)
LEAST, BEST = judge(PROBLEM)


def test_the_best_support_is_certified() -> None:
    distance = bs.certify(BEST[0], X, y, k=3)

    assert distance.is_optimal
    assert distance.objective == pytest.approx(LEAST)
    assert distance.excess == 0
    assert distance.best.support == BEST[0]
    assert "the best there is" in distance.statement()
    assert distance.best.verify().valid


@pytest.mark.parametrize("support", [(0,), (4, 5, 6), (0, 1, 7)])
def test_the_distance_of_a_worse_one_is_its_own(support: tuple[int, ...]) -> None:
    distance = bs.certify(list(support), X, y, k=3)
    own = PROBLEM.objective(distance.coef)

    assert tuple(np.flatnonzero(distance.coef)) == support
    assert distance.objective == pytest.approx(own)
    assert distance.dual_bound <= LEAST * (1 + 1e-9)
    assert distance.relative_gap == pytest.approx((own - LEAST) / own, rel=1e-5)
    assert distance.excess == pytest.approx(own - LEAST)
    assert not distance.is_optimal
    assert "x0, x1, x2" in distance.statement()


def test_coefficients_are_taken_as_they_are() -> None:
    coef = np.array([1.0, -1.0, 0.5, 0, 0, 0, 0, 0])
    distance = bs.certify(coef, PROBLEM)

    assert distance.objective == pytest.approx(PROBLEM.objective(coef))
    np.testing.assert_array_equal(distance.coef, coef)
    assert distance.objective > distance.best.objective


def test_a_result_of_another_solver_gets_a_certificate() -> None:
    result = bs.solve(PROBLEM, "mio")
    distance = bs.certify(result)

    assert result.certificate is None
    assert distance.best.certificate is not None
    assert distance.is_optimal


def test_a_limit_leaves_an_honest_distance() -> None:
    distance = bs.certify([0, 1, 2], X, y, k=3, time_limit=0)

    assert distance.dual_bound <= LEAST
    assert distance.relative_gap >= 0


def test_another_loss_is_certified_by_another_solver() -> None:
    distance = bs.certify([0, 1, 2], X, y, k=3, loss="absolute", solver="mio")

    assert distance.relative_gap <= 1e-6 or distance.excess > 0


@pytest.mark.parametrize(
    ("given", "settings", "word"),
    [
        ([0, 1, 2, 3], {}, "counts 4"),
        ([0, 9], {}, "between 0 and 7"),
        ([0.5, 0.5], {}, "between 0 and 7"),
        (np.full(8, np.nan), {"k": 8}, "NaN"),
        ([0], {"constraints": [bs.Exclude([0])]}, "constraint"),
        (np.eye(8)[0] * 3.0, {"bounds": (-1, 1)}, "bounds"),
    ],
)
def test_models_that_are_none_are_refused(given, settings: dict, word: str) -> None:
    with pytest.raises(bs.ProblemError, match=word):
        bs.certify(given, X, y, **{"k": 3, **settings})


def test_a_problem_is_given_once() -> None:
    with pytest.raises(bs.ProblemError, match="None"):
        bs.certify([0])
    with pytest.raises(bs.ProblemError, match="beside a problem"):
        bs.certify([0], PROBLEM, y)
    with pytest.raises(bs.ProblemError, match="beside a problem"):
        bs.certify([0], PROBLEM, lambda2=1.0)
    assert bs.certify([0], PROBLEM, k=1).best.problem.k == 1
