"""Data too large to be copied: the passes in blocks say what whole matrices say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formulations import Exclude, Problem, ProblemError, ScaledProblem, columns, design
from formulations.arrays import NumberedNames
from formulations.design import BlockedDesign, DenseDesign, scaled_design

RNG = np.random.default_rng(5)
WIDE = RNG.standard_normal((13, 57)) * RNG.uniform(0.1, 9.0, 57) + RNG.standard_normal(57)
TALL = RNG.standard_normal((211, 7)) + 3.0
WEIGHTS = RNG.uniform(0.2, 3.0, 211)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few columns or rows, and no design small enough to be held."""
    for function in (columns.column_blocks, columns.row_blocks):
        monkeypatch.setattr(function, "__defaults__", (64,))
    monkeypatch.setattr(columns, "BLOCK", 64)
    monkeypatch.setattr(design, "DENSE", 0)


def both(X: Any, root: Any, is_centred: bool, names: Any = None) -> tuple[DenseDesign, BlockedDesign]:
    used = X if names is None else X[:, names]
    weights = root**2
    means = weights @ used / weights.sum() if is_centred else np.zeros(used.shape[1])
    dense, norms = scaled_design(X.astype(np.float64), names, means, root, is_centred)
    blocked = BlockedDesign(X, names, means, root, is_centred, threads=2)
    assert isinstance(dense, DenseDesign)
    assert blocked.norms == pytest.approx(norms, rel=1e-14)
    return dense, blocked


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("is_centred", [True, False])
@pytest.mark.parametrize("is_weighted", [True, False])
@pytest.mark.parametrize("X", [WIDE, np.asfortranarray(WIDE), TALL], ids=["wide", "fortran", "tall"])
@pytest.mark.parametrize("names", [None, np.array([0, 2, 3, 6])], ids=["all", "some"])
def test_blocks_say_what_the_whole_says(X: Any, is_weighted: Any, is_centred: Any, kind: Any, names: Any) -> None:
    root = np.sqrt(WEIGHTS[: len(X)]) if is_weighted else np.ones(len(X))
    with pytest.MonkeyPatch.context() as patch:
        for function in (columns.column_blocks, columns.row_blocks):
            patch.setattr(function, "__defaults__", (64,))
        dense, blocked = both(X.astype(kind), root, is_centred, names)
        chosen = np.array([3, 0])
        v = np.linspace(-1.0, 1.0, len(X))
        near = {"rel": 1e-12, "abs": 1e-13}

        assert (blocked.n, blocked.m) == (dense.n, dense.m)
        assert blocked.whole() == pytest.approx(dense.whole(), **near)
        assert blocked.columns(chosen) == pytest.approx(dense.columns(chosen), **near)
        assert blocked.correlate(v[:, None]) == pytest.approx(dense.correlate(v[:, None]), **near)
        assert blocked.gram_rows(chosen) == pytest.approx(dense.gram()[chosen], **near)
        assert blocked.gram() == pytest.approx(dense.gram(), **near)
        R = blocked.triangle(v)
        data = np.column_stack([dense.whole(), v])
        assert pytest.approx(data.T @ data, rel=1e-10, abs=1e-12) == R.T @ R


def test_a_mean_far_from_zero_is_taken_off_twice() -> None:
    X = WIDE + 1e9
    dense, blocked = both(X, np.ones(len(X)), True)

    assert blocked.whole() == pytest.approx(dense.whole(), abs=1e-12)
    assert np.abs(blocked.whole().sum(axis=0)).max() < 1e-10


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("settings", [{}, {"fit_intercept": False}, {"sample_weight": WEIGHTS[:13]}], ids=str)
def test_a_blocked_problem_is_the_same_problem(settings: dict[str, Any]) -> None:
    y = RNG.standard_normal(13)
    extra: dict[str, Any] = {"k": 3, "lambda2": 0.5, "constraints": [Exclude([4])], "standardize": True, **settings}
    blocked = Problem(WIDE, y, **extra)
    scaled = ScaledProblem.of(blocked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "DENSE", 2**24)
        patch.setattr(columns, "BLOCK", 2**20)
        dense = Problem(WIDE, y, **extra)
        whole = ScaledProblem.of(dense)

    assert scaled.design.is_blocked
    assert not whole.design.is_blocked
    assert blocked.column_means == pytest.approx(dense.column_means)
    assert scaled.correlation == pytest.approx(whole.correlation)
    assert scaled.ridge == pytest.approx(whole.ridge)
    assert blocked.digest == dense.digest


def test_single_precision_is_kept_and_stands_for_itself() -> None:
    X, y = WIDE.astype(np.float32), RNG.standard_normal(13)
    single, double = Problem(X, y, k=2), Problem(X.astype(np.float64), y, k=2)
    coef = np.zeros(57)
    coef[[1, 5]] = 0.3, -2.0

    assert np.shares_memory(single.X, X)
    assert single.digest == double.digest
    assert single.objective(coef) == double.objective(coef)
    assert single.column_means.dtype == single.column_norms.dtype == np.float64
    assert np.array_equal(ScaledProblem.of(single).X, ScaledProblem.of(double).X)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_mapped_file_is_not_copied(tmp_path: Path, kind: Any) -> None:
    mapped: Any = np.memmap(tmp_path / "X", dtype=kind, mode="w+", shape=WIDE.shape)
    mapped[:] = WIDE
    problem = Problem(mapped, RNG.standard_normal(13), k=2)

    assert problem.X.dtype == kind
    assert np.shares_memory(problem.X, mapped)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_entries_that_are_not_finite_are_named(kind: Any, fit_intercept: bool) -> None:
    X = WIDE.astype(kind)
    X[[2, 5], 40], X[1, 3] = np.nan, np.inf

    with pytest.raises(ProblemError, match=r"column 'x3' \(1\), 'x40' \(2\); expected finite"):
        Problem(X, RNG.standard_normal(13), k=2, fit_intercept=fit_intercept)


def test_numbered_names_are_those_of_the_columns() -> None:
    names = NumberedNames(12)

    assert names == tuple(f"x{j}" for j in range(12))
    assert list(names) == list(tuple(names))
    assert (names[11], names[-1], names[2:4]) == ("x11", "x11", ("x2", "x3"))
    assert names.index("x10") == 10
    assert "x11" in names
    assert not any(name in names for name in ("x12", "x01", "y1", "x", 3))
    assert (repr(names), hash(names)) == (repr(tuple(names)), hash(tuple(names)))
    with pytest.raises(ValueError, match="no column's name"):
        names.index("x12")
    with pytest.raises(IndexError):
        names[12]
