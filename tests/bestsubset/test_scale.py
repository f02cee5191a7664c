"""Large data: single precision, mapped files, blocks and moments give the answers of float64 rows in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact, write
from formulations import columns, design
from tests.instances import NASTY, data

FORMS = {
    "k": {"k": 3},
    "ridge and lambda0": {"lambda0": 2.0, "lambda2": 1.0},
    "box": {"k": 3, "bounds": (-0.6, 0.4)},
    "lambda1": {"k": 2, "lambda1": 1.0},
}
WIDE = {"k": {"k": 3, "lambda2": 5.0}, "lambda0": {"lambda0": 1.0, "lambda2": 5.0}, "box": {"k": 2, "bounds": (-1, 1)}}


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few columns or rows, and no design small enough to be held."""
    for function in (columns.column_blocks, columns.row_blocks):
        monkeypatch.setattr(function, "__defaults__", (256,))
    monkeypatch.setattr(columns, "BLOCK", 256)
    monkeypatch.setattr(design, "DENSE", 0)


def as_given(kind, X, folder: Path):
    if kind == "float32":
        return X.astype(np.float32)
    dtype = np.float32 if kind == "mapped float32" else np.float64
    mapped = np.memmap(folder / "X", dtype=dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    return mapped


def checked_exactly(result) -> None:
    problem, certificate = result.problem, result.certificate
    settings = write._settings(problem, True)
    moments = exact.Moments(
        problem.X.T.tolist(), problem.y.tolist(), problem.sample_weight.tolist(), settings,
        problem.lower.tolist(), problem.upper.tolist(),
    )  # fmt: skip
    names = exact.Claim._fields
    exact.Checker(moments, [exact.Claim(*(getattr(c, name) for name in names)) for c in certificate.claims]).check()


@pytest.mark.parametrize("kind", ["float32", "mapped float32", "mapped float64"])
@pytest.mark.parametrize("form", FORMS)
def test_the_answer_is_that_of_the_float64_copy(form, kind, tmp_path) -> None:
    X, y = data(3, n=40)
    given = as_given(kind, X, tmp_path)
    result = bs.best_subset(given, y, **FORMS[form])
    copy = bs.best_subset(given.astype(np.float64), y, **FORMS[form])

    assert (result.support, result.objective, result.dual_bound) == (copy.support, copy.objective, copy.dual_bound)
    assert result.certificate.digest == copy.certificate.digest
    assert bs.verify(result.certificate, given, y).valid
    assert bs.verify(copy.certificate, given, y).valid
    assert bs.verify(result.certificate, given.astype(np.float64), y).valid
    checked_exactly(result)


def test_a_file_of_a_single_precision_problem_is_checked(tmp_path) -> None:
    X, y = data(4, n=40)
    X = X.astype(np.float32)
    bs.best_subset(X, y, k=3).certificate.save(tmp_path / "single.cert")
    certificate = bs.Certificate.load(tmp_path / "single.cert")
    other = X.copy()
    other[3, 2] = np.nextafter(other[3, 2], np.float32(9.0))

    assert bs.verify(certificate, X, y).valid
    assert "digests differ" in bs.verify(certificate, other, y).reason


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", NASTY)
def test_blocks_do_not_change_an_answer(name) -> None:
    fewest = min(2, NASTY[name](lambda0=1.0).p)
    for settings in ({"k": fewest}, {"k": fewest, "lambda0": 1.0, "lambda2": 0.5}):
        blocked = bs.solve(NASTY[name](**settings))
        judge = bs.solve(blocked.problem, bs.Enumeration())
        null = blocked.problem.null_objective

        assert blocked.objective == pytest.approx(judge.objective, rel=1e-6, abs=1e-9 * null), (name, settings)
        assert blocked.dual_bound <= judge.objective * (1 + 1e-9) + 1e-12 * null, (name, settings)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("form", WIDE)
def test_wide_problems_in_blocks_are_proved(form, kind) -> None:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((40, 900)).astype(kind)
    y = X[:, [1, 400, 800]].sum(axis=1) + 0.3 * rng.standard_normal(40)
    result = bs.best_subset(X, y, time_limit=20, **WIDE[form])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "DENSE", 2**24)
        whole = bs.best_subset(X, y, time_limit=20, **WIDE[form])

    assert result.objective == pytest.approx(whole.objective, rel=1e-9)
    assert (result.status, whole.status) == ("optimal", "optimal")
    assert result.verify().valid


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_moments_have_the_answer_of_their_rows(form, fit_intercept) -> None:
    X, y = data(6, n=60)
    moments = bs.Moments.from_chunks((X[a : a + 17], y[a : a + 17]) for a in range(0, 60, 17))
    result = bs.solve(bs.Problem.from_moments(moments, fit_intercept=fit_intercept, **FORMS[form]))
    rows = bs.best_subset(X, y, fit_intercept=fit_intercept, **FORMS[form])

    assert result.support == rows.support
    assert result.objective == pytest.approx(rows.objective, rel=1e-10)
    assert result.coef == pytest.approx(rows.coef, abs=1e-10)
    assert result.intercept == pytest.approx(rows.intercept, abs=1e-10)
    assert (result.r2, result.rss) == pytest.approx((rows.r2, rows.rss), rel=1e-10)
    assert (result.proof, result.certificate, result.status) == ("backend", None, "optimal")
    shrunken = result.problem.lambda1 or result.problem.lambda2
    assert ("shrink" if shrunken else "the rows are not kept") in str(result.summary())
    assert result.statement()


def test_a_path_of_moments_has_the_criteria_of_its_rows() -> None:
    X, y = data(7, n=60)
    problem = bs.Problem.from_moments(bs.Moments.from_chunks([(X, y)]), k=4)
    path = bs.Path({k: bs.solve(problem.with_k(k)) for k in range(1, 5)})

    pd = pytest.importorskip("pandas")
    pd.testing.assert_frame_equal(path.table(), bs.best_path(X, y, k_max=4).table(), rtol=1e-7, atol=1e-9)


def test_dependent_columns_are_found_in_moments() -> None:
    X, y = data(2)
    X[:, 7] = X[:, 0] + X[:, 1] - 3 * X[:, 2]
    result = bs.solve(bs.Problem.from_moments(bs.Moments.from_chunks([(X, y)]), k=3))

    assert result.objective == pytest.approx(bs.best_subset(X, y, k=3).objective, rel=1e-9)
    assert result.dual_bound <= result.objective
