"""Moments summed up chunk by chunk are those of all rows, and so is the problem that they state."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formulations import Moments, Problem, ProblemError

RNG = np.random.default_rng(11)
N, P = 500, 5
X = RNG.standard_normal((N, P)) * np.array([1.0, 10.0, 0.1, 1.0, 1.0])
Y = X @ np.array([1.0, 0.2, 0.0, 0.0, -1.0]) + RNG.standard_normal(N)
WEIGHTS = RNG.uniform(0.1, 3.0, N)
COEF = np.array([1.5, 0.0, -0.3, 0.0, 0.7])
EACH = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])


def chunks(X: Any, y: Any, weights: Any, size: int = 64) -> Any:
    for start in range(0, len(y), size):
        part = slice(start, start + size)
        yield (X[part], y[part]) if weights is None else (X[part], y[part], weights[part])


def exact_moments(X: Any, y: Any, weights: Any) -> tuple[np.ndarray, np.ndarray]:
    """Means and second moments about them, in rational arithmetic."""
    Z = [[Fraction(float(v)) for v in column] for column in np.column_stack([X, y]).T]
    w = [Fraction(1)] * len(y) if weights is None else [Fraction(float(v)) for v in weights]
    means = [sum(a * b for a, b in zip(w, column, strict=True)) / sum(w) for column in Z]
    centred = [[v - m for v in column] for column, m in zip(Z, means, strict=True)]
    about = [[sum(c * s * t for c, s, t in zip(w, a, b, strict=True)) for b in centred] for a in centred]
    return np.array(means, dtype=float), np.array(about, dtype=float)


@EACH
@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("order", ["as drawn", "sorted"])
def test_moments_are_exact_to_1e_10(shift: float, weights: Any, order: str) -> None:
    rows = np.arange(N) if order == "as drawn" else np.argsort(X[:, 1])
    A, b = X[rows] + shift, Y[rows] - shift
    moments = Moments.from_chunks(chunks(A, b, weights))
    means, about = exact_moments(A, b, weights)
    scale = np.sqrt(np.outer(np.diag(about), np.diag(about)))

    assert moments.n == N
    assert moments.means == pytest.approx(means, rel=1e-15, abs=1e-15)
    assert np.abs((moments.about_means - about) / scale).max() < 1e-13


@EACH
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_the_problem_has_the_objective_of_its_rows(shift: float, fit_intercept: bool, weights: Any) -> None:
    A = X + shift
    settings: dict[str, Any] = {"lambda0": 0.3, "lambda1": 0.2, "lambda2": 0.1, "standardize": True}
    settings["fit_intercept"] = fit_intercept
    rows = Problem(A, Y, k=3, sample_weight=weights, **settings)
    problem = Problem.from_moments(Moments.from_chunks(chunks(A, Y, weights)), k=3, **settings)

    assert (problem.n, problem.p, problem.has_rows, rows.has_rows) == (N, P, False, True)
    assert problem.objective(COEF) == pytest.approx(rows.objective(COEF), rel=1e-9)
    assert problem.objective(COEF, 0.7) == pytest.approx(rows.objective(COEF, 0.7), rel=1e-9)
    assert problem.intercept(COEF) == pytest.approx(rows.intercept(COEF), abs=1e-9 * (1 + shift))
    assert problem.null_objective == pytest.approx(rows.null_objective, rel=1e-12)
    assert problem.total_sum_of_squares == pytest.approx(rows.total_sum_of_squares, rel=1e-12)
    assert problem.residual_sum_of_squares(COEF) == pytest.approx(rows.residual_sum_of_squares(COEF), rel=1e-9)


def test_chunks_may_be_of_any_size_and_precision() -> None:
    once = Moments.from_chunks([(X.astype(np.float32), Y)])
    often = Moments.from_chunks(chunks(X.astype(np.float32), Y, None, 7))

    assert often.about_means == pytest.approx(once.about_means, rel=1e-12, abs=1e-9)


def test_rows_are_not_there() -> None:
    problem = Problem.from_moments(Moments.from_chunks([(X, Y)]), k=2)

    assert problem.duplicate_columns == ()
    for ask in (problem.predict, problem.residuals):
        with pytest.raises(ProblemError, match="problem from moments; expected one from rows"):
            ask(COEF)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "holds no chunks; expected pairs"),
        ([(X[:3, :2], Y[:3]), (X[:3], Y[:3])], "Chunk 1 has 5 columns; expected 2"),
        ([(X, Y, -WEIGHTS)], "sample_weight has minimum"),
        ([(X, Y, 0 * WEIGHTS)], "no rows of positive weight"),
        ([X], "Chunk 0 is ndarray; expected a tuple"),
        ([(np.where(X[3, 2] == X, np.nan, X), Y)], "infinite entries in column x2; expected finite"),
        ([(X, Y[:4])], "y has 4 entries; expected 500"),
    ],
)
def test_bad_chunks_are_named(source: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        Moments.from_chunks(source)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_constant_columns_are_named(fit_intercept: bool) -> None:
    A = X.copy()
    A[:, 3] = 0.1 if fit_intercept else 0.0

    with pytest.raises(ProblemError, match="in column 'x3'"):
        Problem.from_moments(Moments.from_chunks(chunks(A, Y, None)), k=2, fit_intercept=fit_intercept)


def written(folder: Path, **columns: Any) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), folder / "rows.parquet", row_group_size=50)
    return folder / "rows.parquet"


def test_a_parquet_file_folder_and_dataset_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, a=X[:, 0], target=Y, b=X[:, 1].astype(np.float32), c=np.arange(N))
    dataset = pytest.importorskip("pyarrow.dataset")
    by_hand = Moments.from_chunks([(np.column_stack([X[:, 0], X[:, 1].astype(np.float32), np.arange(N)]), Y)])
    for source in (path, str(path), tmp_path, dataset.dataset(path)):
        moments = Moments.from_chunks(source, y="target")

        assert moments.feature_names == ("a", "b", "c")
        assert moments.about_means == pytest.approx(by_hand.about_means, rel=1e-12, abs=1e-8)
        assert Problem.from_moments(moments, k=1).feature_names == ("a", "b", "c")


def test_bad_parquet_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, a=[1.0, None, 2.0], s=["u", "v", "w"], y=[1.0, 2.0, 3.0])
    dataset = pytest.importorskip("pyarrow.dataset")

    with pytest.raises(ProblemError, match="y is 'z'; expected the name of one of the columns a, s, y"):
        Moments.from_chunks(path, y="z")
    with pytest.raises(ProblemError, match="columns s are not numbers"):
        Moments.from_chunks(path, y="y")
    numbers = dataset.dataset(path).scanner(columns=["a", "y"]).to_table()
    with pytest.raises(ProblemError, match="columns a have missing entries"):
        Moments.from_chunks(numbers, y="y")


def test_pyarrow_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)

    with pytest.raises(ProblemError, match=r"pip install 'bestsubset\[parquet\]'"):
        Moments.from_chunks("rows.parquet", y="y")
