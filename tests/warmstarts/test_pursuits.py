"""What the papers claim of pursuits and thresholding: exact recovery, and agreement with another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp

from formulations import Problem, ScaledProblem
from tests.warmstarts.instances import ar1, enumerated_optimum, scale
from warmstarts import (
    BasisPursuit,
    BeamSearch,
    BidirectionalStepwise,
    CoSaMP,
    ForwardStepwise,
    GeneralizedOMP,
    GradientSupportPursuit,
    HardThresholdingPursuit,
    Heuristic,
    IterativeHardThresholding,
    LassoPath,
    MatchingPursuit,
    OrthogonalMatchingPursuit,
    SmoothedL0,
    SubspacePursuit,
    batch_pursuit,
    refit,
)
from warmstarts.gram_rows import GramRows
from warmstarts.lasso_path import lasso_knots
from warmstarts.objective import LossObjective, SquaredObjective


def value(scaled: ScaledProblem, support: np.ndarray) -> float:
    return scaled.value(support, refit(scaled, support))


def sensing(n: int, m: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gaussian measurements of a sparse vector with normal coefficients, without noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, m)) / np.sqrt(n)
    truth = np.sort(rng.choice(m, k, replace=False))
    return X, X[:, truth] @ rng.standard_normal(k), truth


def recovered(heuristic: Heuristic, n: int, m: int, k: int, trials: int = 15) -> int:
    count = 0
    for seed in range(trials):
        X, y, truth = sensing(n, m, k, seed)
        scaled = scale((X, y), k, fit_intercept=False)
        found = heuristic.supports(scaled, [k], np.random.default_rng(0))[k]
        count += set(truth) >= set(found[np.abs(refit(scaled, found)) > 1e-9].tolist()) and value(scaled, found) < 1e-16
    return count


RECOVER = [
    (OrthogonalMatchingPursuit(), 14),
    (GeneralizedOMP(), 14),
    (CoSaMP(), 15),
    (SubspacePursuit(), 15),
    (GradientSupportPursuit(), 15),
    (GradientSupportPursuit(debias=False), 15),
    (IterativeHardThresholding(max_iterations=300), 12),
    (IterativeHardThresholding(max_iterations=300, step="accelerated"), 12),
    (HardThresholdingPursuit(), 14),
    (HardThresholdingPursuit(step="constant"), 12),
    (SmoothedL0(), 15),
    (BasisPursuit(), 15),
]


@pytest.mark.parametrize(("heuristic", "wanted"), RECOVER, ids=[repr(heuristic) for heuristic, _ in RECOVER])
def test_sparse_vectors_are_recovered_from_gaussian_measurements(heuristic: Heuristic, wanted: int) -> None:
    assert recovered(heuristic, 80, 160, 12) >= wanted


def test_smoothed_l0_recovers_where_basis_pursuit_no_longer_does() -> None:
    slow = SmoothedL0(decrease=0.8, steps=10)
    assert recovered(slow, 50, 100, 18) > recovered(BasisPursuit(), 50, 100, 18)


def test_smoothed_l0_bears_noise_and_more_rows_than_columns() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 40))
    y = X[:, [3, 8, 21]] @ np.array([1.0, -1.0, 0.7]) + 0.5 * rng.standard_normal(200)
    scaled = scale((X, y), 3)
    objective = SquaredObjective(GramRows(scaled))
    gamma = SmoothedL0().coefficients(objective, 3)
    others = np.setdiff1d(np.arange(40), [3, 8, 21])
    plain = objective.spectrum.least_squares(objective.source.c)
    assert np.abs(gamma[others]).sum() < 0.2 * np.abs(plain[others]).sum()
    least, there = objective.everywhere(plain)[0], objective.everywhere(gamma)[0]
    assert 2.0 * (there - least) <= 2.0 * least * 37 / 160 * (1 + 1e-9)


def test_basis_pursuit_reaches_the_least_sum_of_absolute_coefficients() -> None:
    for seed in range(5):
        X, y, truth = sensing(20, 40, 8, seed)
        scaled = scale((X, y), 8, fit_intercept=False)
        gamma = BasisPursuit().coefficients(SquaredObjective(GramRows(scaled)))
        assert scaled.X @ gamma == pytest.approx(scaled.y, abs=1e-7)
        assert np.abs(gamma).sum() <= np.abs(refit(scaled, truth)).sum() + 1e-7
        # Strong duality: some u with |X'u| <= 1 has u'y equal to the sum.
        support = np.flatnonzero(np.abs(gamma) > 1e-8)
        u = np.linalg.lstsq(scaled.X[:, support].T, np.sign(gamma[support]), rcond=None)[0]
        if np.abs(scaled.X.T @ u).max() <= 1 + 1e-7:
            assert u @ scaled.y == pytest.approx(np.abs(gamma).sum(), abs=1e-6)


def test_basis_pursuit_with_noise_obeys_the_limit_on_correlations() -> None:
    scaled = scale(ar1(80, 15, 0.5, 2.0, 3), 4)
    objective = SquaredObjective(GramRows(scaled))
    gamma = BasisPursuit(noise=0.1).coefficients(objective)
    assert np.abs(objective.everywhere(gamma)[1]).max() <= 0.1 + 1e-6
    assert np.abs(gamma).sum() < np.abs(objective.spectrum.least_squares(objective.source.c)).sum()


@pytest.mark.parametrize(("n", "p", "rho"), [(50, 30, 0.5), (40, 120, 0.3), (200, 60, 0.9)])
def test_orthogonal_matching_pursuit_is_that_of_scikit_learn(n: int, p: int, rho: float) -> None:
    for seed in range(8):
        scaled = scale(ar1(n, p, rho, 2.0, seed, k=6), 10)
        proposals = OrthogonalMatchingPursuit().supports(scaled, range(1, 11), np.random.default_rng(0))
        for size in (1, 4, 10):
            theirs = orthogonal_mp(scaled.X, scaled.y, n_nonzero_coefs=size)
            assert proposals[size].tolist() == np.flatnonzero(theirs).tolist()
            assert refit(scaled, proposals[size]) == pytest.approx(theirs[proposals[size]], abs=1e-9)


def test_many_responses_are_pursued_as_one_by_one() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((30, 64))
    X /= np.linalg.norm(X, axis=0)
    truth = np.zeros((64, 200))
    for i in range(200):
        truth[rng.choice(64, 4, replace=False), i] = rng.standard_normal(4)
    Y = X @ truth + 0.01 * rng.standard_normal((30, 200))
    assert batch_pursuit(X, Y, 5) == pytest.approx(orthogonal_mp(X, Y, n_nonzero_coefs=5), abs=1e-9)
    stretched = batch_pursuit(3.0 * X, Y, 5)
    assert 3.0 * stretched == pytest.approx(batch_pursuit(X, Y, 5), abs=1e-9)


def test_many_responses_end_where_nothing_is_left() -> None:
    X = np.column_stack([np.eye(6), np.eye(6)[:, 0]])
    Y = np.column_stack([2.0 * X[:, 1], np.zeros(6), X[:, 0] - X[:, 4]])
    coef = batch_pursuit(X, Y, 4)
    assert X @ coef == pytest.approx(Y, abs=1e-12)
    assert np.count_nonzero(coef, axis=0).tolist() == [1, 0, 2]


def test_matching_pursuit_takes_the_same_columns_first_but_does_not_fit_them() -> None:
    for seed in range(5):
        scaled = scale(ar1(60, 20, 0.0, 5.0, seed), 3)
        mp, omp = (h.supports(scaled, [1, 3], np.random.default_rng(0)) for h in (MatchingPursuit(), OMP))
        assert mp[1].tolist() == omp[1].tolist()
        w, entered = scaled.X.T @ scaled.y, []
        while len(set(entered)) < 3 or int(np.argmax(np.abs(w))) in entered:
            entered.append(int(np.argmax(np.abs(w))))
            w -= w[entered[-1]] * (scaled.X.T @ scaled.X)[entered[-1]]
        assert mp[3].tolist() == sorted(set(entered))


OMP = OrthogonalMatchingPursuit()


@pytest.mark.parametrize("step", ["constant", "normalised", "accelerated"])
def test_thresholding_ends_at_a_fixed_point(step: str) -> None:
    for seed in range(5):
        scaled = scale(ar1(60, 15, 0.5, 2.0, seed), 5)
        objective = SquaredObjective(GramRows(scaled))
        support = IterativeHardThresholding(max_iterations=3000, step=step).threshold(objective, 5)
        gamma, _, slope = objective.fitted(support)
        others = np.setdiff1d(np.arange(15), support)
        # No column outside may be steeper than L times the least coefficient inside (Beck and Eldar 2013).
        assert np.abs(slope[others]).max() <= objective.largest_curvature * np.abs(gamma).min() * (1 + 1e-3)


def test_over_relaxation_gets_further_in_as_many_steps() -> None:
    counts = {
        step: recovered(IterativeHardThresholding(max_iterations=10, step=step), 80, 160, 12, trials=40)
        for step in ("constant", "normalised", "accelerated")
    }
    assert counts["accelerated"] > counts["normalised"] > counts["constant"], counts


def test_pursuits_of_a_logistic_model_reach_the_planted_support() -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((400, 25))
    eta = X[:, [2, 9, 17]] @ np.array([2.0, -2.0, 1.5]) + 0.5
    y = np.where(rng.random(400) < 1.0 / (1.0 + np.exp(-eta)), 1.0, -1.0)
    problem = Problem(X, y, 3, loss="logistic")
    for heuristic in (IterativeHardThresholding(), HardThresholdingPursuit(), GradientSupportPursuit()):
        assert np.flatnonzero(heuristic(problem)).tolist() == [2, 9, 17]


@pytest.mark.parametrize("kind", ["squared", "logistic"])
def test_slopes_are_those_of_finite_differences(kind: str) -> None:
    X, y = ar1(40, 6, 0.5, 2.0, 0, k=3)
    weights = np.linspace(0.5, 2.0, 40)
    problem = Problem(
        X, np.sign(y) if kind == "logistic" else y, 3, loss=kind, lambda2=0.7, standardize=True, sample_weight=weights
    )
    scaled = ScaledProblem.of(problem)
    objective = SquaredObjective(GramRows(scaled)) if kind == "squared" else LossObjective(problem, scaled)
    gamma = np.linspace(-0.3, 0.4, 6)
    _, slope = objective.everywhere(gamma)
    for j, step in enumerate(1e-6 * np.eye(6)):
        rise = (objective.everywhere(gamma + step)[0] - objective.everywhere(gamma - step)[0]) / 2e-6
        assert -slope[j] == pytest.approx(rise, rel=1e-5, abs=1e-7)
    support = np.array([1, 4])
    fitted, least, slope = objective.fitted(support)
    assert np.abs(slope[support]).max() < 1e-6 * np.abs(objective.at(support, 0.0 * fitted)[1]).max()
    assert least < objective.at(support, 1.01 * fitted)[0]
    for step in np.eye(2):
        ends = [objective.at(support, fitted + h * step)[0] for h in (-1e-3, 0.0, 1e-3)]
        second = (ends[0] - 2.0 * ends[1] + ends[2]) / 1e-6
        if kind == "squared":
            assert objective.curvature(support, fitted, step) == pytest.approx(second, rel=1e-4)


def test_the_lasso_path_obeys_the_optimality_conditions_at_each_knot() -> None:
    for seed in range(6):
        scaled = scale(ar1(40, 60 if seed % 2 else 12, 0.8, 1.0, seed), 12, lambda2=0.5 * (seed % 3))
        objective = SquaredObjective(GramRows(scaled))
        before = np.inf
        knots = 0
        for lambda1, support, gamma in lasso_knots(objective):
            if len(support) > 20:
                break
            assert lambda1 < before
            before, knots = lambda1, knots + 1
            slope = objective.at(support, gamma)[1]
            assert np.abs(slope).max() <= lambda1 + 1e-9
            assert np.abs(slope[support]) == pytest.approx(lambda1, abs=1e-9)
            held = gamma != 0.0
            assert np.all(np.sign(gamma[held]) == np.sign(slope[support][held]))
        assert knots >= 8


def test_the_lasso_path_proposes_the_best_of_its_supports() -> None:
    scaled = scale(ar1(60, 15, 0.7, 1.0, 3), 6)
    objective = SquaredObjective(GramRows(scaled))
    met = [support for _, support, _ in lasso_knots(objective) if len(support) <= 6]
    found = LassoPath().supports(scaled, [6], np.random.default_rng(0))[6]
    assert value(scaled, found) <= min(value(scaled, support) for support in met) + 1e-12


def test_a_beam_of_one_is_forward_selection_and_a_wide_one_enumeration() -> None:
    for seed in range(6):
        scaled = scale(ar1(40, 9, 0.9, 1.0, seed), 4)
        rng = np.random.default_rng(0)
        forward = ForwardStepwise().supports(scaled, range(1, 5), rng)
        narrow = BeamSearch(width=1, branches=1).supports(scaled, range(1, 5), rng)
        wide = BeamSearch(width=200, branches=9).supports(scaled, range(1, 5), rng)
        for size in range(1, 5):
            assert narrow[size].tolist() == forward[size].tolist()
            assert value(scaled, wide[size]) == pytest.approx(enumerated_optimum(scaled, size)[0], abs=1e-12)


def test_no_removal_beats_the_table_of_bidirectional_selection() -> None:
    better = 0
    for seed in range(12):
        scaled = scale(ar1(40, 14, 0.9, 1.0, seed, k=6), 8)
        rng = np.random.default_rng(0)
        both = BidirectionalStepwise().supports(scaled, range(1, 9), rng)
        forward = ForwardStepwise().supports(scaled, range(1, 9), rng)
        for size in range(2, 9):
            shorter = min(value(scaled, np.delete(both[size], i)) for i in range(size))
            assert value(scaled, both[size - 1]) <= shorter + 1e-11
            better += value(scaled, both[size]) < value(scaled, forward[size]) - 1e-9
    assert better > 20
