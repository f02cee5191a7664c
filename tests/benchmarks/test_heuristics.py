"""The league of the heuristics and the curves beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import bestsubset as bs
from benchmarks.heuristics import Match, scored
from benchmarks.phase_transition import donoho_tanner, success
from formulations import ScaledProblem
from tests.warmstarts.instances import ar1
from warmstarts import BasisPursuit


def test_the_threshold_is_where_soft_thresholding_stops_contracting() -> None:
    """The minimax risk of soft thresholding of ρδ-sparse vectors equals δ at the threshold (Donoho and others 2011)."""
    for delta in (0.1, 0.5, 0.9):
        epsilon = donoho_tanner(delta) * delta
        z = np.linspace(0.0, 6.0, 60_001)
        tail = 2.0 * ((1.0 + z**2) * norm.cdf(-z) - z * norm.pdf(z))
        risk = np.min(epsilon * (1.0 + z**2) + (1.0 - epsilon) * tail)
        assert risk == pytest.approx(delta, abs=1e-6)


def test_basis_pursuit_recovers_below_the_threshold_and_fails_above() -> None:
    assert success(BasisPursuit(), 0.5, 0.2) == 1.0
    assert success(BasisPursuit(), 0.5, 0.6) == 0.0


def test_a_score_is_exact_only_with_a_proof() -> None:
    problem = bs.Problem(*ar1(60, 12, 0.0, 20.0, 0, k=3), 3)
    scaled = ScaledProblem.of(problem)
    proved = bs.solve(problem)
    best = scored("restarts", Match(problem, ("all",)), scaled, proved)
    assert best.exact is True
    assert best.gap <= 1e-6
    stopped = replace(proved, status=bs.Status.FEASIBLE)
    assert scored("restarts", Match(problem, ("all",)), scaled, stopped).exact is None
