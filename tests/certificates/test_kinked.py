"""Certificates of losses with kinks: both checkers accept what the search hands out, and refuse what is false of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact
from bestsubset.certificates.certificate import Certificate, array_digest
from tests.bestsubset.test_lp_branch_and_bound import PROBLEMS, least_objective
from tests.certificates import make_files
from tests.certificates.test_exact import claims_of

LIMITED = list(PROBLEMS)[:60]


def exactly(problem: bs.Problem, certificate: Certificate) -> exact.Kinked:
    bounds = certificate.lower, certificate.upper
    lower, upper = (None if b is None else b.tolist() for b in bounds)
    weights = problem.sample_weight.tolist()
    return exact.Kinked(problem.X.T.tolist(), problem.y.tolist(), weights, certificate.settings, lower, upper)


def verdicts(problem: bs.Problem, certificate: Certificate) -> list[bool]:
    """What the two checkers say."""
    checker = exact.Checker(exactly(problem, certificate), claims_of(certificate))
    try:
        checker.check()
        is_proved = True
    except exact.RefusedError:
        is_proved = False
    return [bs.verify(certificate, problem.X, problem.y, problem.sample_weight).valid, is_proved]


def changed(certificate: Certificate, **fields: object) -> Certificate:
    return replace(certificate, claims=(replace(certificate.claims[0], **fields),), verdict=None)


def certified(loss: str | bs.Loss = "absolute", **settings: object) -> tuple[bs.Problem, Certificate]:
    """A problem whose certificate has boxes and a tree."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 6)) + 0.8 * rng.standard_normal((60, 1))
    y = X[:, :3] @ [1.0, -1.0, 0.5] + 1.5 * rng.standard_normal(60)
    y = np.sign(y) if loss == "hinge" else y
    problem = bs.Problem(X, y, loss=loss, **(settings or {"k": 2}))
    certificate = bs.solve(problem).certificate
    assert certificate is not None
    assert certificate.claims[0].together == 12
    return problem, certificate


@pytest.mark.parametrize("seed", PROBLEMS)
def test_random_problems(seed: int) -> None:
    problem = PROBLEMS[seed]
    result = bs.solve(problem)
    certificate = result.certificate
    if certificate is None:  # nothing bounds a coefficient but by what a part of the columns says
        assert result.proof == "backend"
        pytest.skip("no certificate: the intervals of some node are proved for its columns alone")

    assert result.proof == "checked"
    assert verdicts(problem, certificate) == [True, True]
    assert certificate.claims[0].dual_bound <= least_objective(seed) + 1e-9 * problem.null_objective
    assert certificate.claims[0].objective >= least_objective(seed) - 1e-7 * problem.null_objective


def test_most_have_a_certificate() -> None:
    found = [bs.solve(problem).certificate is not None for problem in PROBLEMS.values()]

    assert np.mean(found) >= 0.9


@pytest.mark.parametrize("seed", LIMITED)
def test_at_a_limit(seed: int) -> None:
    problem = PROBLEMS[seed]
    for limit in (1, 3):
        certificate = bs.solve(problem, bs.LPBranchAndBound(node_limit=limit)).certificate
        if certificate is not None:
            assert verdicts(problem, certificate) == [True, True]


@pytest.mark.parametrize("loss", ["absolute", bs.QuantileLoss(0.3), "hinge"])
def test_survives_a_file(tmp_path, loss: str | bs.Loss) -> None:
    problem, certificate = certified(loss)
    certificate.save(tmp_path / "c")
    again = Certificate.load(tmp_path / "c")

    assert again.version == 2
    assert again.features == ["boxes", "dual"]
    assert verdicts(problem, again) == [True, True]
    assert exact.load(str(tmp_path / "c")).claims[0].together == 12


def test_a_tighter_box_is_refused() -> None:
    problem, certificate = certified()
    for number in range(len(certificate.claims[0].limits)):
        limits = certificate.claims[0].limits.copy()
        limits[number] *= 0.9

        assert verdicts(problem, changed(certificate, limits=limits)) == [False, False]


def test_a_dual_vector_outside_its_domain_is_refused() -> None:
    problem, certificate = certified()
    claim = certificate.claims[0]
    for factor in (1.5, -1.0):
        assert verdicts(problem, changed(certificate, values=claim.values * factor)) == [False, False]


def test_a_dual_vector_that_does_not_sum_to_zero_is_refused() -> None:
    """With an intercept such a vector proves nothing, however little is missing."""
    problem, certificate = certified()
    claim = certificate.claims[0]
    values = claim.values.copy()
    values[0] = np.nextafter(values[0], 0.0)

    assert verdicts(problem, changed(certificate, values=values)) == [False, False]


def test_boxes_that_lean_on_each_other_are_refused_one_by_one() -> None:
    """The slopes of the first ones are no exact unit vectors: without the others nothing bounds what they leave."""
    problem, certificate = certified()

    assert verdicts(problem, changed(certificate, together=0)) == [False, False]


def test_too_small_a_ball_is_refused() -> None:
    """All boxes at once, halved: each is proved inside the others only if it is no smaller than what it says."""
    problem, certificate = certified()
    limits = certificate.claims[0].limits.copy()
    limits[:12] /= 2

    assert verdicts(problem, changed(certificate, limits=limits)) == [False, False]


def test_another_loss_is_refused() -> None:
    problem, certificate = certified(bs.QuantileLoss(0.3))
    for settings in ({"tau": 0.7}, {"loss": "absolute", "tau": None}, {"fit_intercept": False, "tau": 0.2}):
        other = replace(certificate, settings={**certificate.settings, **settings}, verdict=None)

        assert verdicts(problem, other) == [False, False]


def test_what_holds_for_squared_error_alone_is_refused() -> None:
    problem, certificate = certified()
    for tree in ([2, 0, 7], [5, 2, 0, 1, 0, 0], [6, 0, 1, 0], [0]):
        assert verdicts(problem, changed(certificate, tree=np.array(tree, dtype=np.int16))) == [False, False]


def test_a_raised_bound_is_refused() -> None:
    problem, certificate = certified()
    claim = certificate.claims[0]
    raised = changed(certificate, dual_bound=claim.objective * 1.001, objective=claim.objective * 1.002)

    assert verdicts(problem, raised) == [False, False]


def test_numbers_that_floating_point_cannot_hold_are_checked_exactly() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    problem = bs.Problem(X, y * 1e-120, k=1, loss="absolute")
    result = bs.solve(problem)

    assert result.certificate is not None
    assert result.certificate.verdict.exact_leaves == result.certificate.verdict.leaves > 0


def claimed(
    X: list, y: list, weights: object = None, k: int = 1, coef: float = 0.0, multiplier: float | list = 0.0,
    objective: float = 1e9, dual_bound: float = 0.0, **settings: object,
) -> tuple[Certificate, tuple]:  # fmt: skip
    """A certificate by hand: one multiplier, one leaf, and column 0 as the incumbent's if it has a coefficient."""
    data = np.array(X, dtype=float), np.array(y, dtype=float), weights
    template = make_files.read(make_files.VALID, "absolute")
    support, values = np.flatnonzero([coef]).astype(np.int32), np.atleast_1d(multiplier)
    claim = replace(
        template.claims[0], k=k, objective=objective, dual_bound=dual_bound, support=support,
        coef=np.full(len(support), coef),
        tree=np.array([1, 0], dtype=np.int16), offsets=np.array([0, len(values)]),
        columns=np.arange(len(values), dtype=np.int32), values=values, boxed=np.zeros(0, dtype=np.int32),
        limits=np.zeros(0), together=0,
    )  # fmt: skip
    digest = None if weights is None else array_digest(np.asarray(weights))
    digests = {"X": array_digest(data[0]), "y": array_digest(data[1]), "sample_weight": digest}
    source = {"n": len(y), "p": data[0].shape[1], **digests}
    new = template.settings | {"fit_intercept": False} | settings
    names = [f"x{j}" for j in range(data[0].shape[1])]
    return replace(template, data_source=source, settings=new, feature_names=names, claims=(claim,)), data


# What floating point loses, and would have accepted if nobody looked: all of these are false.
FALSE = {
    # One row, one column, an exact fit: the least objective is 0. X'u is lost by underflow.
    "underflow of X'u": claimed(
        [[2.0**-295]], [2.0**130], multiplier=-(2.0**-794), objective=2.0**131, dual_bound=2.0**-665
    ),
    # The square of X'u is lost: an infinite height was no number, and was left out of sums.
    "underflow of a square": claimed([[1.0, 0.0, 0.0]], [1.0], multiplier=-(2.0**-600), dual_bound=2.0**-601),
    "underflow of a square in a group": claimed(
        [[1.0, 1.0, 0.0]], [1.0], k=2, multiplier=-(2.0**-600), dual_bound=2.0**-601, groups=[[0, 1]]
    ),
    # The λ1 term is 1; s is lost by underflow, of the column or of what has a weight of it.
    "underflow of s": claimed([[2.0**-600]], [1.0], coef=2.0**600, objective=0.5, lambda1=1.0, standardize=True),
    "underflow of s beside a weight of zero": claimed(
        [[1.0], [2.0**-600]], [0.0, 1.0], np.array([0.0, 1.0]), coef=2.0**600, objective=0.5, lambda1=1.0,
        standardize=True,
    ),
    # The loss is small, but it is not 0.
    "underflow of a loss": claimed([[1e-80]], [0.0], np.array([1e-89]), coef=1e-300, objective=0.0),
    "underflow of a quantile": claimed(
        [[1.0]], [0.0], np.array([0.4]), coef=-(2.0**1000), objective=1e-30, loss="quantile", tau=2.0**-1074
    ),
    # In single precision 2τ would be more than it is.
    "weights in single precision": claimed(
        [[0.0]], [1.0], np.array([2.0], dtype=np.float32), multiplier=-0.60000002, dual_bound=0.60000001,
        loss="quantile", tau=0.3,
    ),
    "slopes whose sum overflows": claimed(
        [[1.0], [2.0]], [1.0, 1.0], multiplier=[1e308, 1e308], dual_bound=1.0, fit_intercept=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSE)
def test_what_floating_point_loses_is_refused(tmp_path, what: str) -> None:
    certificate, (X, y, weights) = FALSE[what]
    certificate.save(tmp_path / "c")
    table = exact.Table(X.T.tolist(), y.tolist(), None if weights is None else weights.tolist())

    assert not bs.verify(certificate, X, y, weights).valid
    with pytest.raises(exact.RefusedError):
        exact.check_file(str(tmp_path / "c"), table)
