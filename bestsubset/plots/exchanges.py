"""Which predictors stand in for each other among models that are nearly as good as the best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bestsubset.plots.axes import axes, name_columns
from formulations import ProblemError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NUMBERED = 24  # predictors up to which the counts fit into the cells


def exchanges(supports: Sequence[Sequence[int]], feature_names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw for each two predictors in how many pairs of models the one takes the other's place, all else the same.

    Two supports that differ by one column each, :math:`S - i = T - j`, are an exchange of i and j. Predictors in none
    of the models, or in all of them, are left out: the latter nothing replaces.

    Parameters
    ----------
    supports : sequence of sequences of int
        The columns of each model; one that is listed twice counts once.
    feature_names : sequence of str
        Of all columns.
    ax : Axes, optional

    Raises
    ------
    ProblemError
        If no model differs from another.
    """
    models = {frozenset(int(j) for j in support) for support in supports}
    some = set[int]().union(*models) - (frozenset.intersection(*models) if models else frozenset())
    if not some:
        raise ProblemError(
            f"supports has {len(models)} distinct models; expected at least two. Ask for more models nearly as good."
        )
    columns = sorted(some)
    counts = count_exchanges(models, columns)
    ax = axes(ax, width=max(4.2, 1.8 + 0.38 * len(columns)), height=max(3.4, 1.4 + 0.34 * len(columns)))
    from matplotlib.ticker import MaxNLocator

    image = ax.imshow(counts, cmap="Blues", vmin=0, vmax=max(1, counts.max()), interpolation="nearest")
    names = [feature_names[j] for j in columns]
    name_columns(ax, names)
    ax.set_yticks(range(len(columns)), names)
    ax.tick_params(length=0)
    ax.spines[:].set_color("0.8")
    if len(columns) <= _MOST_NUMBERED:
        _write_counts(ax, counts)
    ticks = MaxNLocator(nbins=5, integer=True)
    ax.figure.colorbar(image, ax=ax, label=f"exchanges among {len(models)} models", shrink=0.8, ticks=ticks)
    return ax


def count_exchanges(models: set[frozenset[int]], columns: Sequence[int]) -> NDArray[np.int64]:
    """Return the symmetric matrix of how often each column replaces each other one, in the order of ``columns``."""
    place = {j: i for i, j in enumerate(columns)}
    counts = np.zeros((len(columns), len(columns)), dtype=np.int64)
    last_places: dict[frozenset[int], list[int]] = {}  # what completes a model, by the rest of it
    for model in models:
        for j in model & place.keys():
            last_places.setdefault(model - {j}, []).append(place[j])
    for alternatives in last_places.values():
        for a, b in combinations(alternatives, 2):
            counts[a, b] += 1
            counts[b, a] += 1
    return counts


def _write_counts(ax: Axes, counts: NDArray[np.int64]) -> None:
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if count > 0.6 * counts.max() else "black"
            ax.text(j, i, str(count), ha="center", va="center", color=colour, fontsize="small")
