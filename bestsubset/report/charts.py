"""Line charts as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bestsubset.report.elements import Markup, tag

_WIDTH, _HEIGHT = 460, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 26, 40
_LEGEND_ROW, _LEGEND_COLUMN = 18, 130
_MOST_NAMED = 12  # series in a legend; all have their name where the pointer rests


@dataclass(frozen=True)
class Series:
    """Points joined by a line; ``marked`` is the index of one that stands out."""

    name: str
    points: Sequence[tuple[float, float]]
    marked: int | None = None


@dataclass(frozen=True)
class Axis:
    """What an axis shows, and on what scale."""

    label: str
    is_logarithmic: bool = False

    def place(self, value: float) -> float:
        return math.log10(value) if self.is_logarithmic else value

    def ticks(self, low: float, high: float) -> list[float]:
        """Values to be named between two places: powers of ten, or round steps."""
        if self.is_logarithmic:
            first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
            step = max(1, -(-(last - first) // 6))
            return [10.0**exponent for exponent in range(first, last + 1, step)]
        width = _round_step((high - low) / 5)
        return [number * width for number in range(math.ceil(low / width - 1e-9), math.floor(high / width + 1e-9) + 1)]


def line_chart(title: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    """Return a chart of lines over common axes; on a logarithmic axis all values are positive."""
    x_low, x_high = _range([x.place(point[0]) for one in series for point in one.points], x)
    y_low, y_high = _range([y.place(point[1]) for one in series for point in one.points], y)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (x.place(value) - x_low) / (x_high - x_low) * (right - _LEFT)

    def down(value: float) -> float:
        return bottom - (y.place(value) - y_low) / (y_high - y_low) * (bottom - _TOP)

    parts = [tag("title", title)]
    for value in x.ticks(x_low, x_high):
        parts.append(_line(across(value), _TOP, across(value), bottom))
        parts.append(_text(across(value), bottom + 15, _named(value, x), "middle"))
    for value in y.ticks(y_low, y_high):
        parts.append(_line(_LEFT, down(value), right, down(value)))
        parts.append(_text(_LEFT - 6, down(value) + 4, _named(value, y), "end"))
    parts.append(_text((_LEFT + right) / 2, _HEIGHT - 6, x.label, "middle", "label"))
    parts.append(_text(0, 12, y.label, "start", "label"))
    for number, one in enumerate(series):
        places = [(across(a), down(b)) for a, b in one.points]
        parts.append(_drawn(one, places, _color(number, len(series))))
    rows = _legend([one.name for one in series])
    height = _HEIGHT + (8 + _LEGEND_ROW * -(-len(rows) // 3) if rows else 0)
    return tag("svg", *parts, *rows, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=title)


def _drawn(series: Series, places: list[tuple[float, float]], color: str) -> Markup:
    line = tag("polyline", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in places), stroke=color)
    dots = [
        tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=5 if number == series.marked else 2, fill=color)
        for number, (a, b) in enumerate(places)
    ]
    return tag("g", tag("title", series.name), line, *dots)


def _legend(names: Sequence[str]) -> list[Markup]:
    """A colour and a name for each series, three in a row; nothing for one, or for too many."""
    if not 1 < len(names) <= _MOST_NAMED:
        return []
    parts = []
    for number, name in enumerate(names):
        a, b = _LEFT + _LEGEND_COLUMN * (number % 3), _HEIGHT + 16 + _LEGEND_ROW * (number // 3)
        swatch = tag("rect", x=a, y=b - 8, width=14, height=4, fill=_color(number, len(names)))
        shown = name if len(name) <= 18 else name[:17] + "…"
        parts.append(tag("g", swatch, _text(a + 20, b - 2, shown, "start"), tag("title", name)))
    return parts


def _line(x1: float, y1: float, x2: float, y2: float) -> Markup:
    return tag("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_="grid")


def _text(x: float, y: float, text: str, anchor: str, kind: str | None = None) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind)


def _range(places: Sequence[float], axis: Axis) -> tuple[float, float]:
    """The ends of an axis: a little beyond the values, and whole powers of ten where it is logarithmic."""
    low, high = min(places), max(places)
    if axis.is_logarithmic:
        low, high = math.floor(low + 1e-9), math.ceil(high - 1e-9)
        return (low, high) if high > low else (low - 1, high + 1)
    margin = 0.05 * (high - low) or max(1.0, abs(low)) * 0.05
    return low - margin, high + margin


def _round_step(step: float) -> float:
    """The least of 1, 2, 5, 10 … that is no smaller."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _named(value: float, axis: Axis) -> str:
    if axis.is_logarithmic and not 1e-3 <= value <= 1e3:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.6g}"


def _color(number: int, count: int) -> str:
    """Hues from blue to red, in the order of the series."""
    hue = 225 if count == 1 else 225 - 215 * number / (count - 1)
    return f"hsl({hue:.0f} 65% 42%)"
