"""The contract of every loss: Fenchel-Young, the slope, the best intercept."""

from __future__ import annotations

import numpy as np
import pytest

from formulations import Loss, ProblemError, SquaredLoss
from formulations.losses import by_name
from formulations.losses.interface import members

LOSSES = [cls() for cls in members().values()]


@pytest.fixture(params=LOSSES, ids=lambda loss: loss.name)
def loss(request: pytest.FixtureRequest) -> Loss:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def weights_with_a_zero(rng: np.random.Generator, n: int) -> np.ndarray:
    weights = rng.uniform(0.1, 2.0, n)
    weights[0] = 0.0
    return weights


def test_fenchel_young_holds_at_any_dual_point(loss: Loss, rng: np.random.Generator) -> None:
    for _ in range(50):
        y, eta, u = rng.standard_normal((3, 7))
        weights = rng.uniform(0.1, 2.0, 7)

        total = loss.value(y, eta, weights) + loss.conjugate(y, u, weights)

        assert total >= u @ eta - 1e-12 * abs(total)


def test_fenchel_young_is_an_equality_at_the_gradient(loss: Loss, rng: np.random.Generator) -> None:
    for _ in range(50):
        y, eta = rng.standard_normal((2, 7))
        weights = weights_with_a_zero(rng, 7)
        u = loss.gradient(y, eta, weights)

        total = loss.value(y, eta, weights) + loss.conjugate(y, u, weights)

        assert total == pytest.approx(u @ eta, rel=1e-12, abs=1e-12)


def test_gradient_is_the_slope(loss: Loss, rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 7))
    weights = weights_with_a_zero(rng, 7)
    step = 1e-6

    slopes = [
        (loss.value(y, eta + step * e, weights) - loss.value(y, eta - step * e, weights)) / (2 * step)
        for e in np.eye(7)
    ]

    assert loss.gradient(y, eta, weights) == pytest.approx(slopes, abs=1e-8)


def test_best_intercept_is_where_the_gradient_sums_to_zero(loss: Loss, rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 7))
    weights = weights_with_a_zero(rng, 7)

    b = loss.best_intercept(y, eta, weights)

    assert loss.gradient(y, eta + b, weights).sum() == pytest.approx(0.0, abs=1e-12)


def test_value_is_never_below_its_tangent(loss: Loss, rng: np.random.Generator) -> None:
    y, eta, other = rng.standard_normal((3, 7))
    weights = weights_with_a_zero(rng, 7)

    tangent = loss.value(y, eta, weights) + loss.gradient(y, eta, weights) @ (other - eta)

    assert loss.value(y, other, weights) >= tangent


def test_conjugate_is_infinite_where_a_row_without_weight_is_pulled() -> None:
    assert SquaredLoss().conjugate(np.ones(2), np.array([1.0, 0.0]), np.array([0.0, 1.0])) == np.inf


def test_squared_loss_is_half_the_weighted_sum_of_squares() -> None:
    y, eta, weights = np.array([1.0, 2.0, 4.0]), np.array([0.0, 2.0, 1.0]), np.array([2.0, 5.0, 1.0])

    # 0.5 * (2 * 1 + 5 * 0 + 1 * 9) = 5.5
    assert SquaredLoss().value(y, eta, weights) == 5.5


def test_a_loss_is_found_by_its_name_and_passes_through() -> None:
    loss = SquaredLoss()

    assert by_name("squared") == loss
    assert by_name(loss) is loss


def test_file_name_is_the_members_name() -> None:
    assert {cls.__module__.rsplit(".", 1)[1] for cls in members().values()} == set(members())


def test_unknown_loss_lists_what_would_have_worked() -> None:
    with pytest.raises(ProblemError, match=r"loss is 'squarred'; expected one of .*Did you mean 'squared'"):
        by_name("squarred")
