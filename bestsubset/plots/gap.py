"""The gap as it closed: the objective of the incumbent from above, the dual bound from below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bestsubset.plots.axes import COLOURS, axes, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bestsubset.result import Result


def gap(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the objective and the dual bound over the seconds of the search, with the gap between them shaded.

    Both are steps: what is known at a moment is known until something better is.
    """
    ax = axes(ax)
    trace = result.trace.replace([-np.inf, np.inf], np.nan)  # before there is a bound there is no line
    seconds, objective, bound = (trace[name].to_numpy() for name in ("seconds", "objective", "dual_bound"))
    marker = "o" if len(seconds) == 1 else None
    ax.step(seconds, objective, where="post", color=COLOURS[1], label="objective of the incumbent", marker=marker)
    ax.step(seconds, bound, where="post", color=COLOURS[0], label="dual bound", linestyle="--", marker=marker)
    ax.fill_between(seconds, bound, objective, step="post", color="0.85", linewidth=0, label="gap")
    ax.set_xlabel("seconds")
    ax.set_ylabel("objective")
    ax.set_title(f"{result.status}, relative gap {result.relative_gap:.2g}")
    ax.legend(facecolor="white", edgecolor="none", framealpha=1.0)  # it may lie on the shaded part
    bare(ax)
    return ax
