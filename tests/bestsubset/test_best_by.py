"""The best model by a criterion: equal to the best of all supports, and proved for all sizes."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

import bestsubset as bs
from tests.bestsubset.test_real_data import data as frames

NAMES = ["aic", "aicc", "bic", "ebic", "hqic", "cp", "adjusted_r2"]
SETS = ["mtcars", "swiss", "prostate", "longley"]


def price(name: str, size: int, rss: float, n: int, p: int, intercept: bool, tss: float, noise: float) -> float:
    """Written out again from the textbooks; smaller is better."""
    m = size + intercept
    fit = n * math.log(rss / n)
    match name:
        case "aic":
            return fit + 2 * m
        case "aicc":
            return fit + 2 * m * n / (n - m - 1) if n > m + 1 else math.inf
        case "bic":
            return fit + m * math.log(n)
        case "ebic":
            return fit + m * math.log(n) + 2 * math.log(math.comb(p, size))
        case "hqic":
            return fit + 2 * m * math.log(math.log(n))
        case "cp":
            return rss / noise - n + 2 * m
        case _:
            return (rss / (n - m)) / (tss / (n - intercept)) - 1 if n > m else math.inf


def all_supports(X: np.ndarray, y: np.ndarray, intercept: bool, k_max: int) -> dict[tuple[int, ...], float]:
    n, p = X.shape
    ones = np.ones((n, 1)) if intercept else np.zeros((n, 0))
    found = {}
    for size in range(k_max + 1):
        for z in combinations(range(p), size):
            A = np.hstack([ones, X[:, z]])
            left = y - A @ np.linalg.lstsq(A, y, rcond=None)[0] if A.shape[1] else y
            found[z] = float(left @ left)
    return found


def best(name: str, X: np.ndarray, y: np.ndarray, intercept: bool = True, k_max: int | None = None) -> float:
    n, p = X.shape
    found = all_supports(X, y, intercept, p if k_max is None else k_max)
    noise = found[tuple(range(p))] / (n - p - intercept) if k_max is None and n > p + intercept else math.nan
    return min(price(name, len(z), rss, n, p, intercept, found[()], noise) for z, rss in found.items())


def random_data(seed: int) -> tuple[np.ndarray, np.ndarray, bool]:
    rng = np.random.default_rng(seed)
    p = int(rng.integers(2, 8))
    n = int(rng.integers(p + 3, 30))
    X = rng.standard_normal((n, p)) + rng.choice([0.0, 1.0, 4.0]) * rng.standard_normal((n, 1))
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.5)) + rng.standard_normal(n) * rng.choice([0.1, 1, 5])
    return X * rng.choice([1.0, 1e-4, 1e4]), y * rng.choice([1.0, 1e3]), bool(rng.random() < 0.8)


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    X, y = frames(name)
    return X.to_numpy(dtype=float), y.to_numpy(dtype=float)


def is_proved(result: bs.BestBy) -> bool:
    return result.certificate is not None and result.verify().valid


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(30))
def test_random_data(seed: int, name: str) -> None:
    X, y, intercept = random_data(seed)
    result = bs.best_by(X, y, name, fit_intercept=intercept)

    assert result.value == pytest.approx(best(name, X, y, intercept), rel=1e-9, abs=1e-7)
    assert result.status == "optimal"
    assert result.value_bound <= result.value + 1e-9
    assert is_proved(result)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", SETS)
def test_real_data(data: str, name: str) -> None:
    X, y = load(data)
    result = bs.best_by(X, y, name)

    assert result.value == pytest.approx(best(name, X, y), rel=1e-9)
    assert result.status == "optimal"
    assert is_proved(result)


def test_a_callable() -> None:
    X, y, _ = random_data(3)
    result = bs.best_by(X, y, lambda size, rss, n, p: n * math.log(rss) + 3 * size)
    found = all_supports(X, y, True, X.shape[1])

    assert result.value == pytest.approx(min(len(y) * math.log(rss) + 3 * len(z) for z, rss in found.items()))


def test_equals_the_best_of_a_path() -> None:
    X, y = load("hitters")
    path = bs.best_path(X, y, X.shape[1])

    for name in ("bic", "aic", "cp", "adj_r2"):
        assert bs.best_by(X, y, name).support == path.select(name).support


def test_the_empty_model_can_win() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    result = bs.best_by(X, y, "ebic")

    assert result.support == ()
    assert result.value == pytest.approx(best("ebic", X, y))
    assert result.intercept == pytest.approx(y.mean())
    assert result.status == "optimal"


def test_wide_data_need_a_largest_size() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((10, 12))
    y = X[:, 0] - X[:, 5] + 0.3 * rng.standard_normal(10)
    with pytest.raises(bs.ProblemError, match="Give k_max"):
        bs.best_by(X, y)

    result = bs.best_by(X, y, "bic", k_max=3)
    assert result.value == pytest.approx(best("bic", X, y, k_max=3))


def test_constraints_hold() -> None:
    X, y = load("mtcars")
    constraints = [bs.Include([0]), bs.Group([2, 3])]
    result = bs.best_by(X, y, "bic", constraints=constraints)
    n, p = X.shape
    found = all_supports(X, y, True, p)
    allowed = {z: rss for z, rss in found.items() if 0 in z and ((2 in z) == (3 in z))}

    assert result.value == pytest.approx(
        min(n * math.log(rss / n) + (len(z) + 1) * math.log(n) for z, rss in allowed.items())
    )
    assert {0} <= set(result.support)


def test_a_stopped_search_says_so_and_its_bound_is_true() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 40)) + rng.standard_normal((80, 1))
    y = X @ rng.standard_normal(40) + 20 * rng.standard_normal(80)
    stopped, whole = bs.best_by(X, y, "aic", time_limit=0), bs.best_by(X, y, "aic")

    assert whole.status == "optimal"
    assert stopped.status == "feasible"
    assert stopped.value_bound <= whole.value + 1e-9
    assert stopped.value >= whole.value - 1e-9
    assert "not proved" in stopped.statement()


def test_a_certificate_of_too_little_is_refused() -> None:
    """The bounds of the certificate must prove the bound on the criterion: raised by hand, it is refused."""
    from dataclasses import replace

    X, y = load("mtcars")
    result = bs.best_by(X, y)

    assert not replace(result, value_bound=result.value_bound + 0.1).verify()


def test_names_and_penalties() -> None:
    X, y = load("mtcars")
    with pytest.raises(bs.ProblemError, match="Did you mean 'bic'"):
        bs.best_by(X, y, "bicc")
    with pytest.raises(bs.ProblemError, match=r"lambda2 is 0\.1 beside a criterion"):
        bs.best_by(X, y, lambda2=0.1)


def test_a_table_of_what_is_proved() -> None:
    X, y = load("mtcars")
    table = bs.best_by(X, y).table()

    assert list(table.columns) == ["k", "rss", "rss_bound", "bic", "bic_bound"]
    assert (table["rss_bound"] <= table["rss"] * (1 + 1e-12)).all()
