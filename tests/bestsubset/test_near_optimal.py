"""Lists of near-optimal models: exactly those that an enumeration of all supports finds, each claim checked."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact
from tests.bestsubset.test_real_data import data, oracle
from tests.certificates.test_exact import claims_of, moments_of

SETS = [
    "auto_mpg", "college_apps", "concrete", "credit_balance", "diabetes10", "hitters", "longley", "mtcars", "prostate",
    "swiss",
]  # fmt: skip


def enumerated(X: np.ndarray, y: np.ndarray, k: int, ridge: float = 0.0) -> list[tuple[float, tuple[int, ...]]]:
    """Objectives of all supports of a size, with an intercept, straight from the definition; best first."""
    n = len(y)
    y = y - y.mean()
    X = X - X.mean(axis=0)
    found = []
    for z in combinations(range(X.shape[1]), k):
        A = np.vstack([X[:, z], np.sqrt(2 * ridge) * np.eye(k)])
        b = np.append(y, np.zeros(k))
        left = b - A @ np.linalg.lstsq(A, b, rcond=None)[0]
        found.append((0.5 * float(left @ left), z))
    assert n == len(X)
    return sorted(found)


def random_data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = int(rng.integers(2, 10))
    n = int(rng.integers(p + 3, 30))
    X = rng.standard_normal((n, p)) + rng.choice([0.0, 1.0, 5.0]) * rng.standard_normal((n, 1))
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.5)) + rng.choice([0.3, 3.0]) * rng.standard_normal(n)
    return X * 10.0 ** rng.choice([-3, 0, 3], p), y * rng.choice([1.0, 1e4])


def both_checkers_accept(near: bs.NearOptimal) -> bool:
    checker = exact.Checker(moments_of(near.problem), claims_of(near.certificate))
    checker.check()
    return near.verify().valid


@pytest.mark.parametrize("seed", range(220))
def test_the_best_ones_of_random_data(seed: int) -> None:
    X, y = random_data(seed)
    rng = np.random.default_rng(seed)
    k, n_best = int(rng.integers(1, X.shape[1] + 1)), int(rng.integers(1, 9))
    ridge = float(rng.choice([0.0, 0.0, 0.5])) if np.ptp(np.abs(X).mean(axis=0)) < 10 else 0.0
    expected = enumerated(X, y, k, ridge)[:n_best]
    near = bs.near_optimal(X, y, k, n_best=n_best, lambda2=ridge)

    assert [m.objective for m in near] == pytest.approx([value for value, _ in expected], rel=1e-8, abs=1e-10)
    assert [m.support for m in near] == [z for _, z in expected]
    assert near.is_complete
    if seed % 4 == 0:
        assert both_checkers_accept(near)
    else:
        assert near.verify().valid


@pytest.mark.parametrize("name", SETS)
def test_the_best_three_of_every_size_are_the_exact_oracles(name: str) -> None:
    X, y = data(name)
    sizes = oracle(name)["sizes"]
    near = bs.near_optimal(X, y, [int(k) for k in sizes], n_best=3)
    found = {int(k): [m for m in near if m.k == int(k)] for k in sizes}

    for k, size in sizes.items():
        models = found[int(k)]
        assert [list(m.support) for m in models] == [entry["support"] for entry in size["best"]]
        assert [m.rss for m in models] == pytest.approx([float(entry["rss_exact"]) for entry in size["best"]], rel=1e-8)
    assert near.is_complete
    assert near.verify().valid


@pytest.mark.parametrize("seed", range(40))
def test_all_within_a_tolerance(seed: int) -> None:
    X, y = random_data(seed + 1000)
    k = min(3, X.shape[1])
    expected = enumerated(X, y, k)
    for within in (0.0, 0.02, 0.3):
        near = bs.near_optimal(X, y, k, within=within)
        limit = expected[0][0] * (1 + within)
        # What stands on the limit but for rounding may be in or out.
        surely = [z for value, z in expected if value <= limit * (1 - 1e-9)] or [expected[0][1]]
        perhaps = [z for value, z in expected if value <= limit * (1 + 1e-9)]

        assert set(surely) <= set(near.supports) <= set(perhaps)
        assert near.is_complete
        # No model is worse than the empty one: where the limit is, the bound is about nothing more.
        assert near.bounds[k] >= min(limit, near.problem.null_objective) * (1 - 1e-8)
        assert near.verify().valid


@pytest.mark.parametrize("loss", ["absolute", "squared"])
@pytest.mark.parametrize("seed", range(6))
def test_where_the_tree_cannot_list(seed: int, loss: str) -> None:
    """Other losses, and λ1: by parts, against the models of each support."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((20, 5))
    y = X[:, 0] - X[:, 1] + rng.standard_normal(20)
    problem = bs.Problem(X, y, 2, loss=loss, lambda1=0.1 if loss == "squared" else 0.0)
    near = bs.near_optimal(problem, n_best=4)
    values = sorted(
        bs.solve(bs.Problem(X, y, 2, loss=loss, lambda1=problem.lambda1, constraints=[bs.Include(z)])).objective
        for z in combinations(range(5), 2)
    )[:4]

    assert [m.objective for m in near] == pytest.approx(values, rel=1e-6)
    assert near.is_complete
    assert near.certificate is None
    with pytest.raises(bs.RefusedError, match="no certificate"):
        near.verify()


def test_by_parts_obeys_constraints() -> None:
    X, y = data("mtcars")
    constraints = [bs.Group(["wt", "hp"]), bs.AtMost(["cyl", "disp"], 1)]
    near = bs.near_optimal(X, y, 3, n_best=6, constraints=constraints)
    names = list(X.columns)
    wt, hp, cyl, disp = (names.index(name) for name in ("wt", "hp", "cyl", "disp"))
    allowed = [
        (value, z)
        for value, z in enumerated(X.to_numpy(float), y.to_numpy(float), 3)
        if (wt in z) == (hp in z) and not (cyl in z and disp in z)
    ]

    assert [m.objective for m in near] == pytest.approx([value for value, _ in allowed[:6]], rel=1e-7)
    assert near.is_complete


def test_included_and_excluded_columns() -> None:
    X, y = data("prostate")
    near = bs.near_optimal(X, y, 3, n_best=5, constraints=[bs.Include([4]), bs.Exclude([0])])
    expected = [(v, z) for v, z in enumerated(X.to_numpy(float), y.to_numpy(float), 3) if 4 in z and 0 not in z][:5]

    assert [m.support for m in near] == [z for _, z in expected]
    assert near.verify().valid


def test_a_list_that_leaves_one_out_is_refused() -> None:
    from dataclasses import replace

    X, y = data("prostate")
    near = bs.near_optimal(X, y, 3, n_best=5)
    claim = near.certificate.claims[0]
    short = replace(claim, listed=claim.listed[4:])
    certificate = replace(near.certificate, claims=(short,), verdict=None)

    assert not bs.verify(certificate, X, y)
    assert bs.verify(near.certificate, X, y)


def test_a_stopped_list_says_so_and_its_bound_is_true() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 30)) + rng.standard_normal((60, 1))
    y = X @ rng.standard_normal(30) + 20 * rng.standard_normal(60)
    whole = bs.near_optimal(X, y, 8, n_best=15)
    stopped = bs.near_optimal(X, y, 8, n_best=15, time_limit=0)

    assert whole.is_complete
    assert not stopped.is_complete
    assert "stopped before it was proved complete" in stopped.statement()
    unlisted = [m.objective for m in whole if m.support not in stopped.supports]
    assert all(value >= stopped.bounds[8] * (1 - 1e-12) for value in unlisted)


def test_tables() -> None:
    X, y = data("mtcars")
    near = bs.near_optimal(X, y, [2, 3], n_best=4)
    table = near.table()

    assert list(table.columns) == ["k", "rank", "objective", "rss", "r2", "support"]
    assert table["rank"].tolist() == [1, 2, 3, 4, 1, 2, 3, 4]
    for model, names in zip(near, table["support"], strict=True):
        assert tuple(X.columns[list(model.support)]) == names
    frequencies = near.inclusion_frequencies()
    assert frequencies.sum() == pytest.approx((2 * 4 + 3 * 4) / 8)
    assert frequencies["wt"] == np.mean([list(X.columns).index("wt") in z for z in near.supports])


def test_bad_input() -> None:
    X, y = data("mtcars")
    with pytest.raises(bs.ProblemError, match="n_best is 0"):
        bs.near_optimal(X, y, 2, n_best=0)
    with pytest.raises(bs.ProblemError, match="both given"):
        bs.near_optimal(X, y, 2, n_best=3, within=0.1)
    with pytest.raises(bs.ProblemError, match="within is -1"):
        bs.near_optimal(X, y, 2, within=-1)
    with pytest.raises(bs.ProblemError, match="y or k is None"):
        bs.near_optimal(X)
