"""Charts: points lie where their values belong, and axes name round values."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bestsubset.report.charts import Axis, Series, line_chart


def drawn(*series: Series, log: bool = False) -> tuple[list[list[tuple[float, float]]], str]:
    """The points of each line, and the whole chart, which must be well-formed."""
    chart = line_chart("<title>", series, Axis("x"), Axis("y", is_logarithmic=log))
    ElementTree.fromstring(chart)
    lines = re.findall(r'<polyline points="([^"]*)"', chart)
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines], chart  # type: ignore[misc]


def test_values_are_to_scale() -> None:
    (line,), _ = drawn(Series("a", [(0, 0), (1, 10), (3, 30)]))
    (x0, y0), (x1, y1), (x2, y2) = line

    assert (x2 - x0) / (x1 - x0) == pytest.approx(3, abs=0.01)
    assert (y0 - y2) / (y0 - y1) == pytest.approx(3, abs=0.01)  # upwards is less in SVG


def test_a_logarithmic_axis_is_even_in_powers_of_ten() -> None:
    (line,), chart = drawn(Series("a", [(0, 1), (1, 1e-3), (2, 1e-9)]), log=True)
    heights = [y for _, y in line]

    assert (heights[2] - heights[0]) / (heights[1] - heights[0]) == pytest.approx(3, abs=0.01)
    assert ">1e-9<" in chart


def test_the_best_point_stands_out() -> None:
    _, chart = drawn(Series("a", [(1, 5), (2, 3), (3, 4)], marked=1))

    assert [radius for radius in re.findall(r' r="(\d)"', chart)] == ["2", "5", "2"]


def test_one_point_and_equal_values_have_a_place() -> None:
    for points in ([(1.0, 2.0)], [(1.0, 0.0), (2.0, 0.0)]):
        (line,), _ = drawn(Series("a", points))
        assert len(line) == len(points)


def test_lines_that_are_many_are_named_where_the_pointer_rests() -> None:
    series = [Series(f"line <{number}>", [(0, number), (1, number)]) for number in range(20)]

    _, chart = drawn(*series)

    assert chart.count("<title>line &lt;") == 20
    assert "<rect" not in chart
