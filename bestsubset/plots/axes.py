"""What every picture shares: axes to draw on, colours that all eyes tell apart, names that do not collide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bestsubset.errors import RefusedError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), Color universal design, without the yellow, which print loses; told apart by markers as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")


def axes(ax: Axes | None, width: float = 6.4, height: float = 4.2) -> Axes:
    """Return the axes given, or new ones of a size in inches.

    Raises
    ------
    RefusedError
        If matplotlib is not installed: it comes with the extra ``plots``.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise RefusedError(
            "matplotlib is not installed; expected it for pictures. Install the extra that brings it:"
            " pip install 'bestsubset[plots]'."
        ) from error
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def bare(ax: Axes) -> None:
    """Leave away the frame's upper and right sides, and draw a light grid below the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=True, color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)


def name_columns(ax: Axes, names: Sequence[str]) -> None:
    """Write names under the columns of an image, upright where they would touch."""
    is_short = sum(len(name) for name in names) < 60 and len(names) < 15
    ax.set_xticks(range(len(names)), names, rotation=0 if is_short else 90)


def whole_ticks(ax: Axes, sizes: Sequence[int]) -> None:
    """Put ticks at whole sizes alone."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins=min(10, len(sizes)), integer=True, min_n_ticks=1))
