"""Two columns, before and after: the whole text of each model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from formulations import SOS1, BigM, Formulation, Perspective, Problem

X = np.array([[1.0, 0], [0, 1], [1, 1]])
Y = np.array([1.0, 2, 2])

BIG_M_OF_ABSOLUTE_LOSS = r"""
\ Best subset selection, formulation big_m: minimise the objective.
\ Columns:
\   beta (2) beta_a ... beta_b_c: coefficients, in the user's units
\   z (2) z_a ... z_b_c: 1 where the column is in the model
\   surplus (3) surplus_0 ... surplus_2: how far the predictor is above the kink of the loss
\   shortfall (3) shortfall_0 ... shortfall_2: how far the predictor is below the kink of the loss
\ Rows:
\   rules (1) cardinality_0: the bound k on the number of columns, groups, and the other rules on the support
\   big_m_upper (2) big_m_upper_a ... big_m_upper_b_c: beta is within its bounds where z is 1, and zero where z is 0
\   big_m_lower (2) big_m_lower_a ... big_m_lower_b_c: beta is within its bounds where z is 1, and zero where z is 0
\   fit (3) fit_0 ... fit_2: predictor = kink + surplus - shortfall
\ Note: coefficients are bounded by: the problem's own bounds
\ Note: coefficients are bounded by: the points whose loss is at most UB
Minimize
 obj: + 1 surplus_0 + 1 surplus_1 + 1 surplus_2 + 1 shortfall_0 + 1 shortfall_1 + 1 shortfall_2
Subject To
 cardinality_0: + 1 z_a + 1 z_b_c <= 1
 big_m_upper_a: + 1 beta_a - 2 z_a <= 0
 big_m_upper_b_c: + 1 beta_b_c - 2 z_b_c <= 0
 big_m_lower_a: + 1 beta_a + 1.5 z_a >= 0
 big_m_lower_b_c: + 1 beta_b_c + 1.5 z_b_c >= 0
 fit_0: + 1 beta_a - 1 surplus_0 + 1 shortfall_0 = 1
 fit_1: + 1 beta_b_c - 1 surplus_1 + 1 shortfall_1 = 2
 fit_2: + 1 beta_a + 1 beta_b_c - 1 surplus_2 + 1 shortfall_2 = 2
Bounds
 -1.5 <= beta_a <= 2
 -1.5 <= beta_b_c <= 2
Binaries
 z_a z_b_c
End
"""

SOS1_OF_SQUARED_ERROR = r"""
\ Best subset selection, formulation sos1: minimise the objective.
\ Columns:
\   beta (2) beta_a ... beta_b_c: coefficients, in the user's units
\   z (2) z_a ... z_b_c: 1 where the column is in the model
\   out (2) out_a ... out_b_c: 1 where the column is out: 1 - z
\   objective_constant (1): fixed at 1, carries the constant of the objective
\ Rows:
\   rules (1) cardinality_0: the bound k on the number of columns, groups, and the other rules on the support
\   is_out (2) is_out_a ... is_out_b_c: out = 1 - z
\ Given: |beta_j| <= 0.5 (imposed as big_m)
\ Note: coefficients are bounded by: the points whose loss is at most UB
Minimize
 obj: - 3 beta_a - 4 beta_b_c + 0.25 z_a + 0.25 z_b_c + 4.5 objective_constant
   + [
   + 2 beta_a ^2 + 2 beta_a * beta_b_c + 2 beta_b_c ^2
   ] / 2
Subject To
 cardinality_0: + 1 z_a + 1 z_b_c <= 1
 is_out_a: + 1 z_a + 1 out_a = 1
 is_out_b_c: + 1 z_b_c + 1 out_b_c = 1
Bounds
 -0.5 <= beta_a <= 0.5
 -0.5 <= beta_b_c <= 0.5
 0 <= out_a <= 1
 0 <= out_b_c <= 1
 objective_constant = 1
Binaries
 z_a z_b_c
SOS
 sos_a: S1:: beta_a:1 out_a:2
 sos_b_c: S1:: beta_b_c:1 out_b_c:2
End
"""

NUMBER = re.compile(r"(?<![A-Za-z0-9_.])-?\d+\.?\d*(?:e-?\d+)?(?![A-Za-z0-9_.])")


def assert_same_text(found: str, expected: str) -> None:
    """The same words, and numbers that agree to 6 digits."""
    assert NUMBER.sub("#", found.strip()) == NUMBER.sub("#", expected.strip())
    numbers = ([float(n) for n in NUMBER.findall(text)] for text in (found, expected))
    np.testing.assert_allclose(*numbers, rtol=1e-6, atol=1e-9)


def text_of(formulation: Formulation, problem: Problem, tmp_path: Path) -> str:
    path = tmp_path / "model.lp"
    formulation.build(problem).write(path)
    return path.read_text()


def test_big_m(tmp_path: Path) -> None:
    settings = {"loss": "absolute", "fit_intercept": False, "feature_names": ["a", "b c"]}
    problem = Problem(X, Y, 1, bounds=(-1.5, 2), **settings)

    assert_same_text(text_of(BigM(programmes=False), problem, tmp_path), BIG_M_OF_ABSOLUTE_LOSS)


def test_sos1(tmp_path: Path) -> None:
    problem = Problem(X, Y, 1, lambda0=0.25, fit_intercept=False, feature_names=["a", "b c"])

    assert_same_text(text_of(SOS1(big_m=0.5), problem, tmp_path), SOS1_OF_SQUARED_ERROR)


@pytest.mark.parametrize(
    ("name", "formulation", "settings"),
    [
        ("perspective_of_squared_error", Perspective(), {"lambda1": 0.1}),
        ("big_m_of_logistic_loss", BigM(), {"loss": "logistic", "bounds": (-2, 2)}),
    ],
)
def test_longer_texts(name: str, formulation: Formulation, settings: dict[str, object], tmp_path: Path) -> None:
    y = np.array([1.0, -1, 1]) if "loss" in settings else Y
    problem = Problem(X, y, 1, fit_intercept=False, feature_names=["a", "b c"], **settings)
    expected = (Path(__file__).parent / f"{name}.lp").read_text()

    assert_same_text(text_of(formulation, problem, tmp_path), expected)
