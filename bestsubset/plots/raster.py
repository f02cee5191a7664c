"""Models by predictors: which columns are in which model, as R's ``leaps`` shows its lists of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.plots.axes import axes, name_columns
from formulations import ProblemError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 40


def raster(
    models: Sequence[tuple[Sequence[int], float]],
    feature_names: Sequence[str],
    *,
    label: str = "objective",
    larger_is_better: bool = False,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each model, the best at the top, and in it a cell for each of its predictors.

    The darker a row, the better its model. Predictors in none of the models are left out.

    Parameters
    ----------
    models : sequence of (support, value)
        Column numbers, and what the models are sorted by.
    feature_names : sequence of str
        Of all columns.
    label : str
        What the values are.
    larger_is_better : bool
    labels : sequence of str, optional
        What to write beside each model instead of its value.
    ax : Axes, optional

    Raises
    ------
    ProblemError
        If there are no models, or not as many labels as models.

    Source
    ------
    Lumley's ``plot.regsubsets`` in R's ``leaps``; Hofmann, Gatu, Kontoghiorghes, Colubi and Zeileis (2020),
    *lmSubsets: exact variable-subset selection in linear regression for R*, Journal of Statistical Software 93(3).
    """
    if not models:
        raise ProblemError("models is empty; expected at least one (support, value). Ask for more models.")
    if labels is not None and len(labels) != len(models):
        raise ProblemError(f"labels has {len(labels)} entries; expected {len(models)}, one for each model. Align them.")
    used = sorted({int(j) for support, _ in models for j in support})
    if not used:
        raise ProblemError("models has no predictor in any model; expected at least one. Ask for larger models.")
    order = sorted(range(len(models)), key=lambda i: -models[i][1] if larger_is_better else models[i][1])
    image = np.full((len(models), len(used)), np.nan)
    shades = np.linspace(0.0, 0.6, len(models))  # the palest of cividis would be lost on paper
    for row, i in enumerate(order):
        image[row, [used.index(int(j)) for j in models[i][0]]] = shades[row]
    ax = axes(ax, width=max(4.8, 1.6 + 0.3 * len(used)), height=max(2.6, 1.4 + 0.22 * min(len(models), _MOST_LABELS)))
    ax.imshow(image, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    name_columns(ax, [feature_names[j] for j in used])
    shown = range(0, len(models), 1 + (len(models) - 1) // _MOST_LABELS)
    beside = [_figure(models[i][1]) if labels is None else labels[i] for i in order]
    ax.set_yticks(list(shown), [beside[row] for row in shown])
    ax.set_ylabel(label)
    _part_cells(ax, *image.shape)
    return ax


def _figure(value: float) -> str:
    """Six digits, or all before the point: no powers of ten where the number itself fits."""
    return f"{value:.0f}" if 1e6 <= abs(value) < 1e10 else f"{value:.6g}"


def _part_cells(ax: Axes, rows: int, columns: int) -> None:
    """White lines between the cells, as the minor grid."""
    ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.0 if rows <= _MOST_LABELS else 0.3)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
