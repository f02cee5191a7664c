"""Random problems of all forms: the search equals the judge, and its bound never exceeds the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bestsubset as bs
from tests.oracle import judge, values_scale

PLAIN = 500
BOUNDED = 60


@st.composite
def problems(draw: st.DrawFn, bounded: bool) -> bs.Problem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p = draw(st.integers(1, 5 if bounded else 9))
    n = draw(st.integers(4, 25))
    rho = draw(st.sampled_from([0.0, 0.5, 0.9, 0.999]))
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    if draw(st.booleans()):
        X = np.round(X)  # ties, duplicates and dependencies
    X += 1e-3 * rng.standard_normal((n, p)) * draw(st.sampled_from([0.0, 1.0])) + np.eye(n, p)
    y = X @ rng.standard_normal(p) * draw(st.sampled_from([0.0, 1.0, 3.0])) + rng.standard_normal(n)
    scale = float(np.var(y) * n)
    arguments: dict = {"fit_intercept": draw(st.booleans()), "standardize": draw(st.booleans())}
    arguments["k"] = draw(st.one_of(st.none(), st.integers(1, min(p, 3) if bounded else p)))
    arguments["lambda2"] = draw(st.sampled_from([0.0, 0.0, 0.01, 1.0]))
    if arguments["k"] is None or draw(st.booleans()):
        arguments["lambda0"] = scale * draw(st.sampled_from([0.001, 0.02, 0.1]))
    if bounded:
        arguments["lambda1"] = draw(st.sampled_from([0.0, 0.05, 0.5]))
        arguments["bounds"] = draw(st.sampled_from([None, (-0.3, 0.5), (0.0, 1.0), (-np.inf, np.inf)]))
    if draw(st.booleans()):
        arguments["sample_weight"] = rng.uniform(0.2, 3.0, n)
    constraints: list[bs.Constraint] = []
    if p >= 4 and draw(st.booleans()):
        constraints.append(bs.Group([0, 2]))
    if p >= 4 and draw(st.booleans()):
        constraints.append(bs.Exclude([p - 1]))
    if p >= 4 and draw(st.booleans()) and (arguments["k"] is None or arguments["k"] >= 2):
        constraints.append(bs.Include([1]))
    return bs.Problem(X, y, constraints=constraints, **arguments)


def check(problem: bs.Problem) -> None:
    least, _ = judge(problem)
    rounding = 1e-8 * least + 1e-12 * values_scale(problem)
    for solver in (bs.BranchAndBound(), bs.BranchAndBound(tree="perspective")):
        if solver.refuses(problem) is not None:
            continue
        result = bs.solve(problem, solver)

        assert result.objective == pytest.approx(least, abs=rounding)
        assert result.dual_bound <= least + rounding
        assert result.status == "optimal"


def examples(count: int) -> settings:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=checks)


@examples(PLAIN)
@given(data=st.data())
def test_plain_and_ridge(data: st.DataObject) -> None:
    check(_valid(data, bounded=False))


@examples(BOUNDED)
@given(data=st.data())
def test_bounds_and_l1(data: st.DataObject) -> None:
    check(_valid(data, bounded=True))


def _valid(data: st.DataObject, bounded: bool) -> bs.Problem:
    """Draw until the problem is one: rounding X may have made a column constant."""
    from hypothesis import reject

    try:
        return data.draw(problems(bounded))
    except bs.ProblemError:
        reject()
