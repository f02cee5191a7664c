"""What the papers claim of exchanges, splittings, gates and rounding, at a small scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from formulations import Group, Problem, ScaledProblem
from tests.warmstarts.instances import ar1, enumerated_optimum, least_value, scale
from warmstarts import (
    ADMM,
    ContinuousSparsification,
    CoordinateSwaps,
    DiscreteFirstOrder,
    HardConcrete,
    IterativeHardThresholding,
    MultiStart,
    PenaltyDecomposition,
    Portfolio,
    RelaxationRounding,
    Splicing,
    refit,
)
from warmstarts.coordinate_swaps import _Path
from warmstarts.gram_rows import GramRows
from warmstarts.objective import SquaredObjective
from warmstarts.relaxation_rounding import _shares

PLANTED = [2, 9, 17]


def value(scaled: ScaledProblem, support: np.ndarray) -> float:
    return scaled.value(support, refit(scaled, support))


def objective_of(scaled: ScaledProblem) -> SquaredObjective:
    return SquaredObjective(GramRows(scaled))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def optima(heuristic: object, rho: float, snr: float, trials: int = 30) -> int:
    """In how many small instances the enumerated optimum is proposed."""
    found = 0
    for seed in range(trials):
        scaled = scale(ar1(60, 14, rho, snr, 500 + seed, k=4), 4)
        support = heuristic.supports(scaled, [4], rng())[4]
        found += value(scaled, support) <= enumerated_optimum(scaled, 4)[0] + 1e-9
    return found


def test_splicing_reaches_the_optimum_of_small_instances() -> None:
    assert optima(Splicing(), 0.0, 5.0) >= 28
    assert optima(MultiStart(starts=10), 0.8, 1.0) >= optima(Splicing(), 0.8, 1.0) + 5


def test_splicing_ends_where_no_exchange_by_sacrifices_is_better() -> None:
    for seed in range(6):
        scaled = scale(ar1(50, 12, 0.7, 1.0, seed), 4)
        support = Splicing(exchanges=4).supports(scaled, [4], rng())[4]
        gamma = np.linalg.lstsq(scaled.X[:, support], scaled.y, rcond=None)[0]
        slope = scaled.X.T @ (scaled.y - scaled.X[:, support] @ gamma)
        others = np.setdiff1d(np.arange(12), support)
        for count in range(1, 5):
            stay = support[np.argsort(np.abs(gamma))[count:]]
            enter = others[np.argsort(-np.abs(slope[others]))[:count]]
            trial = tuple(np.concatenate([stay, enter]).tolist())
            assert least_value(scaled.X, scaled.y, scaled.ridge, trial) >= value(scaled, support) - 1e-12


def test_a_threshold_on_the_fall_stops_splicing_early() -> None:
    scaled = scale(ar1(50, 18, 0.8, 1.0, 1003), 5)
    values = [value(scaled, Splicing(tau=tau).supports(scaled, [5], rng())[5]) for tau in (0.0, 0.5)]
    assert values[0] < values[1]


def test_coordinate_swaps_end_where_no_single_swap_is_better() -> None:
    for seed in range(6):
        path = _Path(CoordinateSwaps(), objective_of(scale(ar1(50, 12, 0.8, 1.0, seed), 6)))
        path.follow(5)
        scaled, lambda0 = path.objective.scaled, 0.002
        while path.drop(lambda0) or path.add(lambda0) or path.swap():
            pass
        held = np.zeros(12)
        held[path.support] = path.gamma

        def penalised(gamma: np.ndarray, scaled: ScaledProblem = scaled, lambda0: float = lambda0) -> float:
            return float(0.5 * np.sum((scaled.y - scaled.X @ gamma) ** 2) + lambda0 * np.count_nonzero(gamma))

        end = penalised(held)
        for j in range(12):  # one coordinate, the others fixed
            for leaving in [None, *path.support]:
                if leaving == j:
                    continue
                trial = held.copy()
                trial[j] = 0.0
                if leaving is not None:
                    trial[leaving] = 0.0
                assert penalised(trial) >= end - 1e-10 or leaving is not None
                trial[j] = scaled.X[:, j] @ (scaled.y - scaled.X @ trial)
                if leaving is None or j not in path.support:
                    assert penalised(trial) >= end - 1e-10


def test_swaps_help_coordinate_descent() -> None:
    class _Still(_Path):
        def swap(self) -> bool:
            return False

    moved = still = 0.0
    for seed in range(12):
        scaled = scale(ar1(50, 18, 0.9, 1.0, seed), 5)
        paths = [cls(CoordinateSwaps(), objective_of(scaled)) for cls in (_Path, _Still)]
        for path in paths:
            path.follow(5)
        moved, still = moved + min(paths[0].value.values()), still + min(paths[1].value.values())
    assert moved < still


def test_the_discrete_first_order_method_gains_by_starts() -> None:
    assert optima(DiscreteFirstOrder(), 0.5, 1.0) >= optima(DiscreteFirstOrder(starts=1), 0.5, 1.0) + 5


def test_the_copies_of_admm_meet_at_a_best_fit() -> None:
    for seed in range(5):
        scaled = scale(ar1(60, 15, 0.7, 2.0, seed), 4)
        objective = objective_of(scaled)
        rounds = list(ADMM(max_iterations=3000).iterations(objective, 4))
        support, z, gamma = rounds[-1]
        assert len(rounds) < 3000
        assert np.linalg.norm(gamma - z) <= 1e-9 * np.linalg.norm(z)
        assert np.count_nonzero(z) == 4
        tail = {tuple(support.tolist()) for support, _, _ in rounds[-10:]}
        assert tail == {tuple(support.tolist())}
        # A growing ϱ stops the copies a little before the fit is exact; the proposal is fitted again.
        assert value(scaled, support) <= objective.at(support, z[support])[0] <= value(scaled, support) * 1.5
        best = ADMM(max_iterations=3000).supports(scaled, [4], rng())[4]
        assert value(scaled, best) <= value(scaled, support) + 1e-12


def test_admm_keeps_groups_whole() -> None:
    X, y = ar1(60, 9, 0.3, 5.0, 3, k=3)
    problem = Problem(X, X[:, 3] + 0.2 * X[:, 4] - X[:, 8] + 0.1 * y, 3, constraints=[Group([3, 4])])
    assert np.flatnonzero(ADMM()(problem)).tolist() == [3, 4, 8]


def test_penalty_decomposition_is_never_above_its_feasible_point() -> None:
    better = 0
    for seed in range(12):
        scaled = scale(ar1(60, 15, 0.7, 2.0, seed), 4)
        support = PenaltyDecomposition().supports(scaled, [4], rng())[4]
        begun = np.argsort(-np.abs(scaled.X.T @ scaled.y))[:4]
        assert value(scaled, support) <= value(scaled, begun) + 1e-12
        better += value(scaled, support) < value(scaled, begun) - 1e-9
    assert better >= 6


def test_the_expected_number_of_gates_is_that_of_draws() -> None:
    gates = HardConcrete()
    log_alpha = np.array([-2.0, 0.0, 1.5])
    noise = np.random.default_rng(0).logistic(size=(200_000, 3))
    z, slope = gates.gates(log_alpha, noise)
    assert (z > 0.0).mean(axis=0) == pytest.approx(gates.open_probability(log_alpha), abs=4e-3)
    rise = (gates.gates(log_alpha + 1e-5, noise)[0] - gates.gates(log_alpha - 1e-5, noise)[0]) / 2e-5
    assert slope.mean(axis=0) == pytest.approx(rise.mean(axis=0), rel=1e-3)
    assert z.min() == 0.0
    assert z.max() == 1.0


def logistic_instance() -> Problem:
    draws = np.random.default_rng(4)
    X = draws.standard_normal((400, 25))
    eta = X[:, PLANTED] @ np.array([2.0, -2.0, 1.5]) + 0.5
    return Problem(X, np.where(draws.random(400) < 1.0 / (1.0 + np.exp(-eta)), 1.0, -1.0), 3, loss="logistic")


@pytest.mark.parametrize("heuristic", [HardConcrete(), ContinuousSparsification()], ids=lambda h: h.name)
def test_trained_gates_reach_the_planted_support(heuristic: HardConcrete | ContinuousSparsification) -> None:
    draws = np.random.default_rng(1)
    X = draws.standard_normal((120, 40))
    y = X[:, PLANTED] @ np.array([1.0, -1.0, 0.8]) + 0.5 * draws.standard_normal(120)
    scaled = scale((X, y), 3)
    assert heuristic.supports(scaled, [3], rng())[3].tolist() == PLANTED
    worth = heuristic.worths(objective_of(scaled), rng())[1]
    assert np.sort(worth)[-3] > 20 * np.sort(worth)[-4]  # the gates alone tell, before any rounding
    assert np.flatnonzero(heuristic(logistic_instance())).tolist() == PLANTED


def test_the_perspective_relaxation_is_at_its_minimum() -> None:
    for seed in range(4):
        scaled = scale(ar1(40, 7, 0.6, 1.0, seed, k=3), 3, lambda2=2.0)
        heuristic = RelaxationRounding(max_iterations=5000)
        z = heuristic.relaxed(objective_of(scaled), 3)
        H = scaled.X.T @ scaled.X + 2.0 * np.diag(scaled.ridge)
        d = 2.0 * scaled.ridge + 0.999 * (np.linalg.eigvalsh(H)[0] - 2.0 * scaled.ridge.max())
        c = scaled.X.T @ scaled.y

        def relaxed(z: np.ndarray, H: np.ndarray = H, d: np.ndarray = d, c: np.ndarray = c) -> float:
            return float(-0.5 * c @ np.linalg.solve(H - np.diag(d) + np.diag(d / np.maximum(z, 1e-9)), c))

        judge = optimize.minimize(
            relaxed,
            np.full(7, 3 / 7),
            bounds=[(1e-9, 1.0)] * 7,
            constraints={"type": "ineq", "fun": lambda z: 3.0 - z.sum()},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        assert z.sum() <= 3.0 + 1e-6
        assert relaxed(z) == pytest.approx(judge.fun, abs=1e-5)


def test_shares_are_cut_at_one_and_add_up() -> None:
    strength = np.array([10.0, 1.0, 1.0, 2.0, 0.0])
    z = _shares(strength, np.zeros(5, dtype=bool), 2)
    assert z == pytest.approx([1.0, 0.25, 0.25, 0.5, 0.0], abs=1e-8)
    z = _shares(strength, np.array([False, True, False, False, False]), 3)
    assert z == pytest.approx([1.0, 1.0, 1 / 3, 2 / 3, 0.0], abs=1e-8)


def test_rounding_at_random_finds_what_the_largest_miss() -> None:
    assert optima(RelaxationRounding(), 0.8, 1.0) > optima(RelaxationRounding(draws=0), 0.8, 1.0)


def test_a_portfolio_is_as_good_as_its_best_member() -> None:
    members = ("splicing", "coordinate_swaps", IterativeHardThresholding(step="accelerated"))
    for seed in range(6):
        scaled = scale(ar1(50, 14, 0.9, 1.0, seed), 5)
        together = Portfolio(members).supports(scaled, [3, 5], rng())
        for size in (3, 5):
            alone = [Portfolio((member,)).supports(scaled, [size], rng())[size] for member in members]
            assert value(scaled, together[size]) == pytest.approx(min(value(scaled, s) for s in alone), abs=1e-12)
