"""The regression table against certified and published figures, and against the formulas worked another way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bestsubset as bs
from bestsubset.report.estimates import estimates

DATA = Path(__file__).parent.parent / "data"
RNG = np.random.default_rng(3)
N, P = 80, 6
X = RNG.standard_normal((N, P)) + 5.0
Y = X @ np.array([1.0, 0.0, -0.6, 0.0, 0.3, 0.0]) + RNG.standard_normal(N)
W = RNG.uniform(0.5, 2.0, N)


def data(name: str) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.read_csv(DATA / f"{name}.csv")
    return frame.drop(columns="y"), frame["y"]


def normal_equations(columns: Any, intercept: bool, weights: Any) -> pd.DataFrame:
    """The table by the inverse of X'WX, which is not how the library does it."""
    design = np.column_stack([np.ones(N), X[:, columns]]) if intercept else X[:, columns]
    inverse = np.linalg.inv(design.T @ (weights[:, None] * design))
    coef = inverse @ design.T @ (weights * Y)
    left = int(np.count_nonzero(weights)) - design.shape[1]
    rss = float(weights @ (Y - design @ coef) ** 2)
    error = np.sqrt(rss / left * np.diag(inverse))
    half = stats.t.ppf(0.95, left) * error
    return pd.DataFrame(
        {
            "coefficient": coef,
            "standard_error": error,
            "t": coef / error,
            "p_value": 2 * stats.t.sf(np.abs(coef / error), left),
            "lower": coef - half,
            "upper": coef + half,
        }
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weights", [np.ones(N), W, W * (np.arange(N) > 9)], ids=["equal", "weighted", "zeros"])
def test_figures_are_those_of_the_normal_equations(intercept: bool, weights: Any) -> None:
    result = bs.best_subset(X, Y, 3, fit_intercept=intercept, sample_weight=weights)
    frame = result.summary(level=0.9).to_frame()

    expected = normal_equations(list(result.support), intercept, weights)
    pd.testing.assert_frame_equal(frame.reset_index(drop=True), expected, rtol=1e-7)
    assert list(frame.index) == ["(intercept)"] * intercept + list(result.support_names)
    assert frame["coefficient"].to_numpy()[-3:] == pytest.approx(result.coef[list(result.support)], rel=1e-9)


def test_longley_as_certified_by_nist() -> None:
    """Statistical Reference Datasets, Longley: R's copy has y, GNP and Population in thousands, two others in tens."""
    result = bs.best_subset(*data("longley"), k=6)
    table = result.summary()
    frame = table.to_frame().to_numpy()

    certified = np.array(
        [
            [-3482258.63459582, 890420.383607373],
            [15.0618722713733, 84.9149257747669],
            [-0.358191792925910e-01, 0.334910077722432e-01],
            [-2.02022980381683, 0.488399681651699],
            [-1.03322686717359, 0.214274163161675],
            [-0.511041056535807e-01, 0.226073200069370],
            [1829.15146461355, 455.478499142212],
        ]
    )
    units = np.array([1e-3, 1e-3, 1.0, 1e-2, 1e-2, 1.0, 1e-3])
    np.testing.assert_allclose(frame[:, :2], certified * units[:, None], rtol=1e-9)
    assert table.estimates is not None
    assert table.estimates.sigma == pytest.approx(0.304854073561965, rel=1e-10)
    assert table.estimates.degrees_of_freedom == 9
    assert result.r2 == pytest.approx(0.995479004577296, rel=1e-12)
    assert not any("in advance" in remark for remark in table.remarks())  # all columns: nothing was chosen


def test_mtcars_as_published() -> None:
    """R: summary(lm(mpg ~ wt + qsec + am, mtcars)), the model of least AIC, which step() reports with AIC = 61.31."""
    result = bs.best_path(*data("mtcars"), k_max=4).select("aic")
    frame = result.summary().to_frame()
    text = str(result.summary())

    assert result.support_names == ("wt", "qsec", "am")
    assert frame["coefficient"].tolist() == pytest.approx([9.6178, -3.9165, 1.2259, 2.9358], abs=5e-5)
    assert frame["standard_error"].tolist() == pytest.approx([6.9596, 0.7112, 0.2887, 1.4109], abs=5e-5)
    assert frame["t"].tolist() == pytest.approx([1.382, -5.507, 4.247, 2.081], abs=5e-4)
    assert frame["p_value"].tolist() == pytest.approx([0.177915, 6.95e-06, 0.000216, 0.046716], rel=3e-3)
    assert fact(text, "AIC") == pytest.approx(61.31, abs=5e-3)
    assert fact(text, "R²") == pytest.approx(0.8497, abs=5e-5)
    assert fact(text, "Adjusted R²") == pytest.approx(0.8336, abs=5e-5)
    assert "Residual standard error 2.4588" in text
    assert "on 28 degrees of freedom" in text


def fact(text: str, name: str) -> float:
    found = re.search(rf"(?:   |^){re.escape(name)} +(\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_the_criteria_are_those_of_the_path() -> None:
    path = bs.best_path(X, Y, 4)
    for k, row in path.table().set_index("k").iterrows():
        text = str(path[int(k)].summary())

        shown = [fact(text, name) for name in ("RSS", "R²", "Adjusted R²", "AIC", "BIC")]
        assert shown == pytest.approx([row[name] for name in ("rss", "r2", "adj_r2", "aic", "bic")], rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"lambda2": 0.1}, "shrink"),
        ({"lambda1": 0.1}, "shrink"),
        ({"bounds": (-0.1, 0.1)}, "at its bound"),
        ({"loss": "absolute"}, "the loss is absolute"),
    ],
)
def test_there_are_no_figures_where_least_squares_has_not_been_at_work(settings: dict[str, Any], reason: str) -> None:
    table = bs.best_subset(X, Y, 2, **settings).summary()

    assert table.estimates is None
    assert list(table.to_frame().columns) == ["coefficient"]
    assert re.search(f"No standard errors: .*{reason}", str(table))
    assert "p-value" not in str(table) + table.to_html() + table.to_latex()


def test_bounds_that_are_not_touched_leave_the_figures() -> None:
    free, bounded = bs.best_subset(X, Y, 2), bs.best_subset(X, Y, 2, bounds=(-50.0, 50.0))

    assert bounded.support == free.support
    pd.testing.assert_frame_equal(bounded.summary().to_frame(), free.summary().to_frame(), rtol=1e-7)


def test_too_few_rows_or_dependent_columns_have_no_figures() -> None:
    ones = np.ones(4)

    assert estimates(X[:4, :3], Y[:4], ones, True) is None  # 4 rows, 4 coefficients
    assert estimates(X[:4, :3], Y[:4], ones, False) is not None
    assert estimates(np.column_stack([X, X[:, 0] - X[:, 1]]), Y, np.ones(N), True) is None
    assert estimates(np.column_stack([X, np.ones(N)]), Y, np.ones(N), True) is None


def test_a_model_without_predictors_has_the_figures_of_the_mean() -> None:
    result = bs.best_subset(X, Y, lambda0=1e6)
    row = result.summary().to_frame().loc["(intercept)"]

    assert result.support == ()
    assert row["coefficient"] == pytest.approx(Y.mean())
    assert row["standard_error"] == pytest.approx(Y.std(ddof=1) / np.sqrt(N))


def test_that_the_selection_is_ignored_is_said() -> None:
    table = bs.best_subset(X, Y, 2).summary()

    for shown in (str(table), table.to_html(), table.to_latex()):
        assert "chosen on the same rows" in " ".join(shown.split())
        assert "summary(split=0.5)" in " ".join(shown.split())


def test_a_split_is_a_search_on_some_rows_and_least_squares_on_the_others() -> None:
    result = bs.best_subset(X, Y, 2, sample_weight=W)
    table = result.summary(split=0.6, random_state=4)
    again = result.summary(split=0.6, random_state=4)

    rows = np.sort(np.random.default_rng(4).permutation(N)[:48])
    others = np.setdiff1d(np.arange(N), rows)
    chosen = bs.best_subset(X[rows], Y[rows], 2, sample_weight=W[rows], solver="enumeration")
    assert table.result.support == chosen.support
    assert table.result.objective == pytest.approx(chosen.objective)
    alone = bs.best_subset(
        X[others], Y[others], 2, sample_weight=W[others], constraints=[bs.Include(list(chosen.support))]
    )
    pd.testing.assert_frame_equal(table.to_frame(), alone.summary().to_frame(), rtol=1e-7)
    pd.testing.assert_frame_equal(table.to_frame(), again.to_frame())
    assert "chosen on 48 of 80 rows" in str(table)
    assert "On the 48 rows that chose: No model" in str(table)
    assert "the other 32" in " ".join(str(table).split())
    assert "too small" not in str(table)


def test_split_intervals_cover_where_the_naive_ones_do_not() -> None:
    """Noise alone: every true coefficient is 0. A 95 % interval misses it in 5 % of the samples, the naive in most."""
    rng = np.random.default_rng(8)
    missed = np.zeros((150, 2))
    for trial in missed:
        result = bs.best_subset(rng.standard_normal((60, 12)), rng.standard_normal(60), 1, certificate=False)
        for i, table in enumerate((result.summary(), result.summary(split=0.5))):
            row = table.to_frame().iloc[1]
            trial[i] = row["lower"] > 0 or row["upper"] < 0

    naive, split = missed.mean(axis=0)
    assert naive > 0.35  # 1 - 0.95^12 = 0.46
    assert split < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


@pytest.mark.parametrize(
    ("settings", "arguments", "error", "words"),
    [
        ({"lambda2": 1.0}, {"split": 0.5}, bs.RefusedError, "split is 0.5 and the penalties"),
        ({"loss": "absolute"}, {"split": 0.5}, bs.RefusedError, "the loss is absolute"),
        ({}, {"split": 1.0}, bs.ProblemError, "split is 1.0; expected 0 < split < 1"),
        ({}, {"split": 0.99}, bs.RefusedError, "split is 0.99 and leaves rows that will not do"),
        ({}, {"split": 0.01}, bs.RefusedError, "split is 0.01 and leaves rows that will not do"),
        ({}, {"level": 1.0}, bs.ProblemError, "level is 1.0"),
        ({}, {"split": 0.5, "random_state": -1}, bs.ProblemError, "random_state is -1"),
    ],
)
def test_what_cannot_be_split_is_refused(
    settings: dict[str, Any], arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    result = bs.best_subset(X, Y, 2, **settings)

    with pytest.raises(error, match=words):
        result.summary(**arguments)


def test_html_and_latex_hold_the_figures_and_escape_the_names() -> None:
    names = ["a_1", "b<c", "d&e", "f%", "g", "h"]
    result = bs.best_subset(X, Y, 3, feature_names=names, constraints=[bs.Include([1])])
    table = result.summary()
    html, latex = table.to_html(), table.to_latex()

    assert result._repr_html_() == html
    assert set(result.support_names) >= {"a_1", "b<c"}
    assert "b&lt;c" in html
    assert r"a\_1 & " in latex
    assert r"b\textless{}c & " in latex
    assert latex.count(r" \\") == 1 + 4 + len(table.remarks()) + 2
    assert "b<c" not in html
    for value in table.to_frame()["coefficient"]:
        assert f"{value:.8g}" in html
        assert f"{value:.8g}" in latex


def test_a_path_is_a_table_in_a_notebook() -> None:
    path = bs.best_path(X, Y, 3)
    rows = re.findall(r"<tr>(.*?)</tr>", path._repr_html_())
    cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]

    assert cells[0] == ["k", "R²", "adjusted R²", "AIC", "BIC", "gap", "seconds", "support"]
    assert [row[0] for row in cells[1:]] == ["1", "2", "3"]
    assert [float(row[1]) for row in cells[1:]] == pytest.approx([r.r2 for r in path.values()], rel=1e-3)
    assert [row[7] for row in cells[1:]] == [", ".join(r.support_names) for r in path.values()]
