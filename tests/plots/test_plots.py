"""What the pictures hold: the numbers of their lines, images and labels, not their pixels."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bestsubset as bs
from bestsubset import plots

matplotlib = pytest.importorskip("matplotlib", reason="pictures need the extra 'plots'")
matplotlib.use("agg")

RNG = np.random.default_rng(2)
N, P = 60, 7
NAMES = ["age", "bmi", "blood pressure", "s1", "s2", "s3", "s4"]
X = RNG.standard_normal((N, P)) * np.arange(1, P + 1)
Y = X @ np.array([1.0, 0.0, -0.6, 0.0, 0.3, 0.0, 0.1]) + 3.0 * RNG.standard_normal(N)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.fixture(scope="module")
def path() -> bs.Path:
    return bs.best_path(X, Y, 5, feature_names=NAMES)


def line(ax: Any, label: str) -> Any:
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found


def drawn(ax: Any) -> None:
    """Draw it: what overflows or cannot be laid out warns, and warnings are errors."""
    ax.figure.canvas.draw()


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


def test_the_gap_is_the_trace() -> None:
    result = bs.best_subset(X, Y, 3)
    rows = ((0.0, np.inf, -np.inf, 0), (0.5, 80.0, 10.0, 5), (1.5, 75.0, 60.0, 50))
    ax = replace(result, rows=rows).plot()
    drawn(ax)

    objective, bound = line(ax, "objective of the incumbent"), line(ax, "dual bound")
    assert objective.get_xdata().tolist() == [0.0, 0.5, 1.5]
    np.testing.assert_array_equal(objective.get_ydata(), [np.nan, 80.0, 75.0])
    np.testing.assert_array_equal(bound.get_ydata(), [np.nan, 10.0, 60.0])
    assert (objective.get_drawstyle(), bound.get_drawstyle()) == ("steps-post", "steps-post")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("seconds", "objective")


def test_the_gap_of_a_search_ends_at_its_result() -> None:
    result = bs.best_subset(X, Y, 3)
    ax = result.plot()

    assert line(ax, "objective of the incumbent").get_ydata()[-1] == result.objective
    assert line(ax, "dual bound").get_ydata()[-1] == result.dual_bound
    assert ax.get_title() == f"optimal, relative gap {result.relative_gap:.2g}"


@pytest.mark.parametrize("criterion", ["r2", "adj_r2", "aic", "aicc", "bic", "ebic", "cp"])
def test_sizes_are_the_paths_table(path: bs.Path, criterion: str) -> None:
    ax = path.plot(criterion)
    drawn(ax)
    table = path.table()

    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert ax.lines[0].get_ydata() == pytest.approx(table[criterion].to_numpy(), rel=1e-12)
    chosen = [label for label in texts(ax.get_legend().get_texts()) if label.startswith("chosen")]
    if criterion == "r2":
        assert chosen == []
    else:
        k = path.select(criterion).problem.k
        assert chosen == [f"chosen: {k}"]
        assert line(ax, chosen[0]).get_xdata().tolist() == [k]


def test_what_is_not_proved_looks_otherwise(path: bs.Path) -> None:
    stopped = bs.Path({k: replace(r, status=bs.Status.FEASIBLE) if k > 3 else r for k, r in path.items()})
    ax = stopped.plot()

    assert line(ax, "proved best of its size").get_xdata().tolist() == [1, 2, 3]
    assert line(ax, "best found").get_xdata().tolist() == [4, 5]
    assert line(ax, "best found").get_markerfacecolor() == "white"


def test_criteria_are_distances_from_their_least_value(path: bs.Path) -> None:
    ax = path.plot_criteria(["aic", "bic"])
    drawn(ax)
    table = path.table()

    for i, name in enumerate(("aic", "bic")):
        curve, ring = ax.lines[2 * i], ax.lines[2 * i + 1]
        assert curve.get_ydata() == pytest.approx((table[name] - table[name].min()).to_numpy(), abs=1e-10)
        assert ring.get_xdata().tolist() == [path.select(name).problem.k]


def test_coefficients_are_those_of_the_models(path: bs.Path) -> None:
    ax = path.plot_coefficients()
    raw = path.plot_coefficients(scale="none")
    drawn(ax)

    for j in sorted({j for result in path.values() for j in result.support}):
        coef = np.array([result.coef[j] if j in result.support else np.nan for result in path.values()])
        np.testing.assert_allclose(line(ax, NAMES[j]).get_ydata(), coef * X[:, j].std(), rtol=1e-12)
        np.testing.assert_allclose(line(raw, NAMES[j]).get_ydata(), coef, rtol=1e-12)


def test_no_two_predictors_look_the_same() -> None:
    rng = np.random.default_rng(1)
    many = bs.best_path(rng.standard_normal((80, 16)), rng.standard_normal(80), 16)
    lines = [line for line in many.plot_coefficients().lines if line.get_label() in many[16].feature_names]
    looks = {(line.get_color(), line.get_marker()) for line in lines}

    assert len(looks) == len(lines) == 16


def test_the_raster_has_a_row_a_model_the_best_on_top() -> None:
    models = [((0, 2), 7.0), ((2,), 9.0), ((2, 4), 5.0)]
    ax = plots.raster(models, NAMES, label="RSS")
    drawn(ax)
    image = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)

    # Columns 0, 2 and 4; rows by value: 5 has 2 and 4, 7 has 0 and 2, 9 has 2.
    assert (~np.isnan(image)).tolist() == [[False, True, True], [True, True, False], [False, True, False]]
    assert texts(ax.get_xticklabels()) == ["age", "blood pressure", "s2"]
    assert texts(ax.get_yticklabels()) == ["5", "7", "9"]
    assert ax.get_ylabel() == "RSS"
    assert image[0, 1] < image[1, 1] < image[2, 1]  # from dark to pale


def test_the_raster_of_larger_values_is_turned_round_and_labels_go_with_their_models() -> None:
    models = [((0,), 0.2), ((1,), 0.5), ((3,), 0.4)]
    ax = plots.raster(models, NAMES, larger_is_better=True, labels=["a", "b", "c"])
    image = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)

    assert texts(ax.get_yticklabels()) == ["b", "c", "a"]
    assert np.argwhere(~np.isnan(image)).tolist() == [[0, 1], [1, 2], [2, 0]]


def test_a_long_raster_has_labels_for_some_rows_alone() -> None:
    models = [((i % P,), 1e7 + i) for i in range(100)]
    ax = plots.raster(models, NAMES)
    drawn(ax)

    assert ax.images[0].get_array().shape == (100, P)
    assert texts(ax.get_yticklabels())[:2] == ["10000000", "10000003"]
    assert len(ax.get_yticks()) == 34


@pytest.mark.parametrize("criterion", ["bic", "adj_r2", "r2"])
def test_the_models_of_a_path_are_sorted_by_a_criterion(path: bs.Path, criterion: str) -> None:
    ax = path.plot_models(criterion)
    drawn(ax)
    image = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)
    sizes = (~np.isnan(image)).sum(axis=1).tolist()
    table = path.table().set_index("k")[criterion]

    assert sizes == table.sort_values(ascending=criterion == "bic").index.tolist()


def test_exchanges_are_counted_between_models_that_differ_in_one_place() -> None:
    # 0 in all; 1-2: {0,1,3} and {0,2,3}, {0,1} and {0,2}; 1-3: {0,1} and {0,3}; 2-3: {0,2} and {0,3},
    # and {0,1,3} and {0,1,2} is none of the models. {0,1} and {0,1,3} differ in size: no exchange.
    supports = [(0, 1, 3), (0, 2, 3), (0, 1), (2, 0), (0, 3), (0, 1)]
    ax = plots.exchanges(supports, NAMES)
    drawn(ax)

    assert ax.images[0].get_array().tolist() == [[0, 2, 1], [2, 0, 1], [1, 1, 0]]
    assert texts(ax.get_xticklabels()) == texts(ax.get_yticklabels()) == ["bmi", "blood pressure", "s1"]
    assert sorted(texts(ax.texts)) == ["1", "1", "1", "1", "2", "2"]


def test_exchanges_are_those_of_all_pairs_of_models() -> None:
    rng = np.random.default_rng(6)
    supports = [tuple(rng.choice(P, 3, replace=False)) for _ in range(25)]
    drawn_counts = plots.exchanges(supports, NAMES).images[0].get_array()

    models = {frozenset(support) for support in supports}
    columns = sorted(set().union(*models) - frozenset.intersection(*models))
    expected = np.zeros((len(columns), len(columns)))
    for one in models:
        for other in models:
            if len(one - other) == 1:
                expected[columns.index(*(one - other)), columns.index(*(other - one))] += 1
    assert expected.sum() > 20
    np.testing.assert_array_equal(drawn_counts, expected)


def test_axes_given_are_drawn_on(path: bs.Path) -> None:
    from matplotlib import pyplot

    result = path[3]
    models = [((0, 1), 1.0), ((0, 2), 2.0)]
    pictures = (
        lambda ax: result.plot(ax=ax),
        lambda ax: path.plot(ax=ax),
        lambda ax: path.plot_criteria(ax=ax),
        lambda ax: path.plot_coefficients(ax=ax),
        lambda ax: path.plot_models(ax=ax),
        lambda ax: plots.raster(models, NAMES, ax=ax),
        lambda ax: plots.exchanges([s for s, _ in models], NAMES, ax=ax),
    )
    _, grid = pyplot.subplots(2, 4, figsize=(24, 12), layout="constrained")

    for picture, ax in zip(pictures, grid.flat, strict=False):
        assert picture(ax) is ax
        assert ax.has_data()
    drawn(grid.flat[0])


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda path: path.plot("bicc"), r"criterion is 'bicc'; expected one of .* Did you mean 'bic'"),
        (lambda path: path.plot_models("bicc"), "criterion is 'bicc'"),
        (lambda path: path.plot_criteria(["aic", "nic"]), "criterion is 'nic'"),
        (lambda path: path.plot_criteria([]), "names has 0 criteria"),
        (lambda path: path.plot_coefficients("unit"), "scale is 'unit'"),
        (lambda path: plots.raster([], NAMES), "models is empty"),
        (lambda path: plots.raster([((), 1.0)], NAMES), "no predictor"),
        (lambda path: plots.raster([((1,), 1.0)], NAMES, labels=[]), "labels has 0 entries; expected 1"),
        (lambda path: plots.exchanges([], NAMES), "supports has 0 distinct models"),
        (lambda path: plots.exchanges([(1, 2), (2, 1)], NAMES), "supports has 1 distinct models"),
    ],
)
def test_what_cannot_be_drawn_is_refused(path: bs.Path, draw: Any, words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        draw(path)


def test_without_matplotlib_the_extra_is_named(path: bs.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(bs.RefusedError, match=r"pip install 'bestsubset\[plots\]'"):
        path.plot()
