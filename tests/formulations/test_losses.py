"""The contract of every loss: Fenchel-Young, the slope, the best intercept."""

from __future__ import annotations

import numpy as np
import pytest

from formulations import AbsoluteLoss, HingeLoss, LogisticLoss, Loss, ProblemError, QuantileLoss, SquaredLoss
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


def response(loss: Loss, numbers: np.ndarray) -> np.ndarray:
    """The numbers, or their signs where the loss wants two classes."""
    return numbers if loss.check_response(numbers) is None else np.sign(numbers)


def test_fenchel_young_holds_at_any_dual_point(loss: Loss, rng: np.random.Generator) -> None:
    for _ in range(50):
        y, eta, u = rng.standard_normal((3, 7))
        y = response(loss, y)
        weights = rng.uniform(0.1, 2.0, 7)

        total = loss.value(y, eta, weights) + loss.conjugate(y, u, weights)

        assert total >= u @ eta - 1e-12 * abs(total)


def test_fenchel_young_is_an_equality_at_the_gradient(loss: Loss, rng: np.random.Generator) -> None:
    for _ in range(50):
        y, eta = rng.standard_normal((2, 7))
        y = response(loss, y)
        weights = weights_with_a_zero(rng, 7)
        u = loss.gradient(y, eta, weights)

        total = loss.value(y, eta, weights) + loss.conjugate(y, u, weights)

        assert total == pytest.approx(u @ eta, rel=1e-12, abs=1e-12)


def test_gradient_is_the_slope(loss: Loss, rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 7))
    y = response(loss, y)
    weights = weights_with_a_zero(rng, 7)
    step = 1e-6

    slopes = [
        (loss.value(y, eta + step * e, weights) - loss.value(y, eta - step * e, weights)) / (2 * step)
        for e in np.eye(7)
    ]

    assert loss.gradient(y, eta, weights) == pytest.approx(slopes, abs=1e-8)


def test_curvature_is_the_slope_of_the_gradient(loss: Loss, rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 7))
    y = response(loss, y)
    weights = weights_with_a_zero(rng, 7)
    step = 1e-6

    change = loss.gradient(y, eta + step, weights) - loss.gradient(y, eta - step, weights)

    assert loss.curvature(y, eta, weights) == pytest.approx(change / (2 * step), abs=1e-8)


def test_no_intercept_is_better_than_the_best(loss: Loss, rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 7))
    y = response(loss, y)
    weights = weights_with_a_zero(rng, 7)

    b = loss.best_intercept(y, eta, weights)

    least = loss.value(y, eta + b, weights)
    for step in (1e-6, 1e-3, 0.1, 1.0, 10.0):
        assert least <= loss.value(y, eta + b + step, weights) + 1e-13
        assert least <= loss.value(y, eta + b - step, weights) + 1e-13


def test_best_intercept_of_the_absolute_error_is_the_median(rng: np.random.Generator) -> None:
    y, eta = rng.standard_normal((2, 9))

    assert AbsoluteLoss().best_intercept(y, eta, np.ones(9)) == np.median(y - eta)
    assert AbsoluteLoss().best_intercept(y[:8], eta[:8], np.ones(8)) == np.median(y[:8] - eta[:8])


def test_kinked_losses_by_hand() -> None:
    y, eta, weights = np.array([1.0, -1.0, 1.0]), np.array([0.5, 0.5, 3.0]), np.array([2.0, 1.0, 4.0])

    # absolute: 2 * .5 + 1 * 1.5 + 4 * 2; check loss at .25: .25 * 2 * .5 + .75 * (1.5 + 8); hinge: 2 * .5 + 1 * 1.5
    assert AbsoluteLoss().value(y, eta, weights) == 10.5
    assert QuantileLoss(0.25).value(y, eta, weights) == 7.375
    assert HingeLoss().value(y, eta, weights) == 2.5


def test_logistic_loss_by_hand() -> None:
    value = LogisticLoss().value(np.array([1.0, -1.0]), np.array([0.0, 2.0]), np.array([1.0, 3.0]))

    assert value == pytest.approx(np.log(2) + 3 * np.log1p(np.exp(2)), rel=1e-15)


@pytest.mark.parametrize("loss", [HingeLoss(), LogisticLoss()], ids=lambda loss: loss.name)
def test_classes_are_minus_one_and_one(loss: Loss) -> None:
    assert loss.check_response(np.array([1.0, -1.0])) is None
    assert "Pass 2 * y - 1" in str(loss.check_response(np.array([0.0, 1.0])))
    assert "y holds 3; expected the classes -1 and +1" in str(loss.check_response(np.array([1.0, 3.0])))


@pytest.mark.parametrize("tau", [0.0, 1.0, -0.5, np.nan])
def test_a_quantile_lies_between_zero_and_one(tau: float) -> None:
    with pytest.raises(ProblemError, match="expected 0 < tau < 1"):
        QuantileLoss(tau)


def test_value_is_never_below_its_tangent(loss: Loss, rng: np.random.Generator) -> None:
    y, eta, other = rng.standard_normal((3, 7))
    y = response(loss, y)
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
