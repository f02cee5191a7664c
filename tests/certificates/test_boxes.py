"""Boxes in certificates: searches that derive some are checked by both checkers; what is false of one is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.bnb import derived_boxes, engine
from bestsubset.certificates import exact
from bestsubset.certificates.certificate import Certificate
from tests.certificates.test_exact import claims_of, moments_of
from tests.oracle import judge

FORMS = [{"k": 3}, {"lambda0": 0.25}, {"k": 4, "lambda0": 0.1}, {"k": 3, "standardize": True}]
FORMS += [{"k": 3, "bounds": (-0.8, 0.6)}, {"k": 3, "lambda1": 0.05}, {"k": 2, "fit_intercept": False}]


@pytest.fixture(autouse=True)
def _forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The perspective tree, and boxes at once, whether they pay or not."""
    monkeypatch.setattr(engine, "has_definite_moments", lambda scaled: False)
    monkeypatch.setattr(engine, "_BEFORE_BOXES", 0.0)
    monkeypatch.setattr(engine, "_LARGE_GAP", 0.0)
    monkeypatch.setattr(derived_boxes, "_USEFUL", np.inf)


def wide(seed: int, n: int = 8, p: int = 9, **settings: object) -> bs.Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X[:, :3] @ [0.5, -0.4, 0.3] + 0.3 * rng.standard_normal(n)
    return bs.Problem(X, y, lambda2=0.02, **settings)


def verdicts(certificate: Certificate, problem: bs.Problem) -> list[bool]:
    """What the two checkers say."""
    checker = exact.Checker(moments_of(problem), claims_of(certificate))
    try:
        checker.check()
        is_proved = True
    except exact.RefusedError:
        is_proved = False
    return [bs.verify(certificate, problem.X, problem.y).valid, is_proved]


def boxed(**settings: object) -> tuple[bs.Problem, Certificate]:
    """A problem whose certificate has boxes."""
    for seed in range(50):
        problem = wide(seed, **(settings or {"k": 3}))
        certificate = bs.solve(problem).certificate
        if certificate is not None and len(certificate.claims[0].boxed) > 4:
            return problem, certificate
    raise AssertionError("no problem had boxes")


def changed(certificate: Certificate, **fields: object) -> Certificate:
    return replace(certificate, claims=(replace(certificate.claims[0], **fields),), verdict=None)


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_random_problems_against_enumeration(form: dict) -> None:
    boxes = 0
    for seed in range(12):
        problem = wide(seed, **form)
        result = bs.solve(problem)

        assert result.status == "optimal"
        assert result.objective == pytest.approx(judge(problem)[0], rel=1e-8)
        assert verdicts(result.certificate, problem) == [True, True]
        boxes += len(result.certificate.claims[0].boxed)
    assert boxes > 0


def test_survives_a_file(tmp_path) -> None:
    problem, certificate = boxed()
    certificate.save(tmp_path / "c")
    again = Certificate.load(tmp_path / "c")

    assert again.version == 2
    assert np.array_equal(again.claims[0].limits, certificate.claims[0].limits)
    assert verdicts(again, problem) == [True, True]
    assert len(exact.load(str(tmp_path / "c")).claims[0].boxed) == len(certificate.claims[0].boxed)


def test_a_file_without_boxes_is_of_version_1(tmp_path) -> None:
    _, certificate = boxed()
    nothing = changed(certificate, boxed=np.zeros(0, np.int32), limits=np.zeros(0))
    nothing.save(tmp_path / "c")

    assert Certificate.load(tmp_path / "c").version == 1


def test_a_tighter_box_is_refused() -> None:
    problem, certificate = boxed()
    for number in range(len(certificate.claims[0].limits)):
        limits = certificate.claims[0].limits.copy()
        limits[number] *= 0.9

        assert verdicts(changed(certificate, limits=limits), problem) == [False, False]


def test_another_multiplier_is_refused() -> None:
    problem, certificate = boxed()
    claim = certificate.claims[0]
    for number in range(len(claim.boxed)):
        values = claim.values.copy()
        values[claim.offsets[number] : claim.offsets[number + 1]] = 0

        assert verdicts(changed(certificate, values=values), problem) == [False, False]


def test_another_column_or_side_is_refused() -> None:
    problem, certificate = boxed()
    claim = certificate.claims[0]
    for change in (lambda s: ~s, lambda s: (s + 1) % problem.p):
        signed = claim.boxed.copy()
        signed[0] = change(int(signed[0]))

        assert verdicts(changed(certificate, boxed=signed), problem) == [False, False]


def test_no_box_may_use_itself_or_those_behind_it() -> None:
    """The best point lies beyond a box that only boxes behind it would prove."""
    problem = wide(1, k=3)
    certificate = bs.solve(problem).certificate
    claim = certificate.claims[0]
    j = int(claim.support[0])
    v = 0.5 * abs(float(claim.coef[0]))
    s = j if claim.coef[0] > 0 else -1 - j
    fields = {"boxed": np.array([s, s], np.int32), "limits": np.array([v, v])}
    offsets, nothing = np.zeros(4, np.int64), np.zeros(0)
    arrays = {"tree": np.array([1, 2], np.int16), "offsets": offsets, "columns": nothing.astype(np.int32)}
    circle = changed(certificate, values=nothing, diagonal=nothing, **arrays, **fields)

    assert verdicts(circle, problem) == [False, False]


def test_boxes_in_another_order_prove_nothing_false() -> None:
    problem, certificate = boxed()
    claim = certificate.claims[0]
    count = len(claim.boxed)
    order = np.arange(count)[::-1]
    parts = [slice(claim.offsets[i], claim.offsets[i + 1]) for i in [*order, *range(count, len(claim.offsets) - 1)]]
    ends = np.cumsum([0, *(part.stop - part.start for part in parts)])
    columns, values = (np.concatenate([a[part] for part in parts]) for a in (claim.columns, claim.values))
    arrays = {"boxed": claim.boxed[order], "limits": claim.limits[order], "columns": columns, "values": values}
    turned = changed(certificate, offsets=ends.astype(np.int64), **arrays)

    first, second = verdicts(turned, problem)
    assert first == second
    higher = changed(turned, dual_bound=claim.objective * 1.01)
    assert verdicts(higher, problem) == [False, False]


def test_a_missing_box_leaves_the_rest_without_it() -> None:
    problem, certificate = boxed()
    claim = certificate.claims[0]
    limits = claim.limits.copy()
    limits[:] = 1e6  # as good as none
    bare = changed(certificate, limits=limits)

    first, second = verdicts(bare, problem)
    assert first == second


def test_boxes_and_groups_do_not_go_together() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 9))
    problem = bs.Problem(X, X[:, 0] + rng.standard_normal(8), 3, lambda2=0.02, constraints=[bs.Group([0, 1])])
    certificate = bs.solve(problem).certificate
    one = changed(certificate, boxed=np.array([3], np.int32), limits=np.array([1e9]))
    if len(one.claims[0].offsets) < 2:
        one = changed(one, offsets=np.zeros(2, np.int64))

    assert verdicts(one, problem) == [False, False]


@pytest.mark.parametrize(
    "fields", [{"limits": [0.0]}, {"limits": [np.inf]}, {"boxed": [99]}, {"boxed": [0, 1]}], ids=repr
)
def test_malformed_boxes(fields: dict, tmp_path) -> None:
    _, certificate = boxed()
    arrays = {"boxed": np.array([0], np.int32), "limits": np.array([1.0])}
    arrays |= {name: np.array(value, arrays[name].dtype) for name, value in fields.items()}
    changed(certificate, **arrays).save(tmp_path / "c")

    with pytest.raises(bs.MalformedCertificate):
        Certificate.load(tmp_path / "c")
    with pytest.raises(exact.MalformedError):
        exact.load(str(tmp_path / "c"))
