"""A path over the sizes: how well the models fit, what a criterion makes of it, and their coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from bestsubset.criteria import CRITERIA
from bestsubset.plots.axes import COLOURS, LINES, MARKERS, axes, bare, whole_ticks
from bestsubset.plots.raster import raster
from bestsubset.spelling import did_you_mean
from formulations import ProblemError
from formulations._types import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bestsubset.path import Path

_LABELS = {
    "r2": "R²",
    "adj_r2": "adjusted R²",
    "aic": "AIC",
    "aicc": "AICc",
    "bic": "BIC",
    "ebic": "EBIC",
    "hqic": "HQIC",
    "cp": "Mallows' Cp",
}
_LARGER_IS_BETTER = ("r2", "adj_r2")


def sizes(path: Path, criterion: str = "r2", ax: Axes | None = None) -> Axes:
    """Draw R² or a criterion over the size, the size that it chooses marked; R² chooses none, as it grows for ever.

    Sizes whose model is proved to be the best have full markers, the others empty ones.

    Raises
    ------
    ProblemError
        If no criterion has that name.
    """
    values = _values(path, criterion)
    ax = axes(ax)
    k = np.array(list(path))
    ax.plot(k, values, color=COLOURS[0], zorder=2)
    proved = np.array([result.status == "optimal" for result in path.values()])
    for kind, inside, label in ((proved, COLOURS[0], "proved best of its size"), (~proved, "white", "best found")):
        if kind.any():
            ax.plot(k[kind], values[kind], "o", color=COLOURS[0], markerfacecolor=inside, label=label, zorder=3)
    if criterion != "r2" and not np.isnan(values).all():
        best = int(np.nanargmax(values) if criterion in _LARGER_IS_BETTER else np.nanargmin(values))
        ax.plot(
            k[best], values[best], "o", markersize=13, fillstyle="none", color=COLOURS[1], label=f"chosen: {k[best]}"
        )
    ax.set_xlabel("predictors at most")
    ax.set_ylabel(_LABELS[criterion])
    ax.legend(frameon=False)
    whole_ticks(ax, list(path))
    bare(ax)
    return ax


def criteria(path: Path, names: Sequence[str] = ("aic", "bic", "ebic"), ax: Axes | None = None) -> Axes:
    """Draw several criteria over the size, each as the distance from its least value; a ring marks each one's choice.

    Raises
    ------
    ProblemError
        If a name is no criterion's, or there are more than seven.
    """
    if not 1 <= len(names) <= len(COLOURS):
        raise ProblemError(f"names has {len(names)} criteria; expected 1 to {len(COLOURS)}. Draw fewer at a time.")
    curves = {name: _prices(path, name) for name in names}
    ax = axes(ax)
    k = np.array(list(path))
    for i, (name, prices) in enumerate(curves.items()):
        if np.isnan(prices).all():
            continue
        above = prices - np.nanmin(prices)
        best = int(np.nanargmin(prices))
        label = f"{_LABELS[name]}: {k[best]}"
        ax.plot(k, above, LINES[i % len(LINES)], marker=MARKERS[i], markersize=5, color=COLOURS[i], label=label)
        # Rings one in another, so that a choice that criteria share is seen.
        ax.plot(k[best], 0.0, "o", fillstyle="none", markersize=10 + 4 * i, color=COLOURS[i], clip_on=False, zorder=4)
    ax.set_xlabel("predictors at most")
    ax.set_ylabel("criterion above its least value")
    ax.legend(frameon=False, title="chosen size")
    whole_ticks(ax, list(path))
    bare(ax)
    return ax


def coefficients(path: Path, scale: Literal["deviation", "none"] = "deviation", ax: Axes | None = None) -> Axes:
    """Draw the coefficients over the size, a line for each predictor that is in a model; no line where it is out.

    Unless ``scale="none"`` each is multiplied by the standard deviation of its column, so that they can be compared.

    Raises
    ------
    ProblemError
        If ``scale`` is neither.
    """
    if scale not in ("deviation", "none"):
        raise ProblemError(f"scale is {scale!r}; expected 'deviation' or 'none'. Use one of them.")
    ax = axes(ax, width=7.2, height=4.6)
    problem = next(iter(path.values())).problem
    k = np.array(list(path))
    used = sorted({j for result in path.values() for j in result.support})
    unit = np.ones(problem.p)
    if scale == "deviation":
        unit = problem.column_norms / math.sqrt(float(problem.sample_weight.sum()))
    for i, j in enumerate(used):
        values = [r.coef[j] * unit[j] if r.coef is not None and r.coef[j] else math.nan for r in path.values()]
        style = LINES[(i // len(COLOURS)) % len(LINES)]
        # From round to round the markers move on: no two of 49 lines look the same.
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[(i + i // len(COLOURS)) % len(MARKERS)]
        ax.plot(k, values, style, marker=marker, markersize=4.5, color=colour, label=problem.feature_names[j])
    ax.axhline(0.0, color="0.4", linewidth=0.8)
    ax.set_xlabel("predictors at most")
    ax.set_ylabel("coefficient × standard deviation of its column" if scale == "deviation" else "coefficient")
    # Beside the axes: lines go anywhere inside.
    columns = 1 + len(used) // 18
    ax.legend(
        frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), ncols=columns, fontsize="small", handlelength=2.8
    )
    whole_ticks(ax, list(path))
    bare(ax)
    return ax


def models(path: Path, criterion: str = "bic", ax: Axes | None = None) -> Axes:
    """Draw a row for each size's model, the best by R² or a criterion at the top; see `raster`."""
    values = _values(path, criterion).tolist()
    rows = [(r.support, value) for r, value in zip(path.values(), values, strict=True) if not math.isnan(value)]
    is_larger_better = criterion in _LARGER_IS_BETTER
    names = next(iter(path.values())).feature_names
    return raster(rows, names, label=_LABELS[criterion], larger_is_better=is_larger_better, ax=ax)


def _values(path: Path, name: str) -> Vector:
    """R², or a criterion as it is known: adjusted R² is the larger the better."""
    if name == "r2":
        return np.array([result.r2 for result in path.values()])
    prices = _prices(path, name)
    return -prices if name in _LARGER_IS_BETTER else prices


def _prices(path: Path, name: str) -> Vector:
    if name not in CRITERIA:
        hint = did_you_mean(name, CRITERIA, "Use one of them.")
        raise ProblemError(f"criterion is {name!r}; expected one of {sorted(CRITERIA)}. {hint}")
    return np.array([CRITERIA[name](result.cardinality, result.rss, path.sample) for result in path.values()])
