"""Forward selection and backward elimination: one pass proposes for every size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import linalg

from formulations import ScaledProblem
from formulations._types import IntVector
from warmstarts.exchange import forward_blocks
from warmstarts.gram_rows import GramRows
from warmstarts.interface import Heuristic
from warmstarts.refit import forced_columns

_DEPENDENT = 1e-10  # what is left of a unit column that the others explain
_LARGEST_INVERSE = 500  # columns up to which backward elimination is tried
_GUESSES = 8


@dataclass(frozen=True)
class ForwardStepwise(Heuristic):
    r"""Enter, one at a time, the column that lowers the residual sum of squares most.

    With S entered, that is the column of largest :math:`w_j^2 / g_j`, where w is the correlation with
    the residual and g what S leaves unexplained of each column; both follow from one new row of the
    Cholesky factor of :math:`X'X + 2\,\mathrm{diag}(\rho)`, so k steps cost k²m operations. λ1 and
    bounds are ignored, but with groups: then the block of the least value by `refit` enters.

    Source
    ------
    Efroymson (1960); Miller (2002), Subset Selection in Regression, section 3.2.
    """

    name: ClassVar[str] = "forward_stepwise"

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        if scaled.has_groups:
            return largest_within(forward_blocks(scaled, max(sizes)), sizes)
        forced = forced_columns(scaled)
        order = forward_order(GramRows(scaled), forced, max(sizes))
        return {s: np.sort(order[:s]) for s in sizes if s >= len(forced)}


@dataclass(frozen=True)
class BackwardStepwise(Heuristic):
    r"""Remove, one at a time, the column whose loss raises the residual sum of squares least.

    The inverse of :math:`X'X + 2\,\mathrm{diag}(\rho)` is downdated: O(m³) for all sizes together.
    Proposes nothing where that matrix is singular or almost so, or above 500 columns.

    Source
    ------
    Miller (2002), Subset Selection in Regression, section 3.3.
    """

    name: ClassVar[str] = "backward_stepwise"
    takes_groups: ClassVar[bool] = False

    def supports(
        self,
        scaled: ScaledProblem,
        sizes: Sequence[int],
        rng: np.random.Generator,
        start: IntVector | None = None,
    ) -> dict[int, IntVector]:
        forced = forced_columns(scaled)
        wanted = [s for s in sizes if s >= max(len(forced), 1)]
        if not wanted:
            return {}
        order = elimination_order(GramRows(scaled), min(wanted))
        if order is None:
            return {}
        left = np.setdiff1d(np.arange(scaled.m), order)
        strength = np.concatenate([left, order[::-1]])
        return {s: np.sort(strength[:s]) for s in wanted}


def forward_order(source: GramRows, begin: IntVector, size: int, patience: int | None = None) -> IntVector:
    """Return the columns in the order of entry: ``begin`` first, at most ``size`` in all.

    Stops where every column left depends on those entered; with ``patience``, also when λ0 has
    outweighed the fall for so many steps. Members of ``begin`` that depend on earlier ones are kept.
    """
    w, g = source.c.copy(), source.diagonal.copy()
    entered: list[int] = []
    factor: list[np.ndarray] = []
    lambda0 = source.scaled.lambda0
    rss, best, since = 1.0, np.inf, 0
    for t in range(min(max(size, len(begin)), source.m)):
        gains = np.where(g > _DEPENDENT, w * w / np.maximum(g, _DEPENDENT), -1.0)
        j = int(begin[t]) if t < len(begin) else int(np.argmax(gains))
        if t >= len(begin) and gains[j] < 0.0:
            break
        entered.append(j)
        if g[j] > _DEPENDENT:
            guesses = None if source.is_whole else np.argpartition(-gains, min(_GUESSES, source.m - 1))[:_GUESSES]
            row = source.row(j, guesses).copy()
            for z in factor:
                row -= z[j] * z
            root = np.sqrt(g[j])
            row /= root
            step = w[j] / root
            rss -= step * step
            w -= step * row
            g -= row * row
            factor.append(row)
        g[j] = -1.0
        value = 0.5 * rss + lambda0 * len(entered)
        best, since = (value, 0) if value < best else (best, since + 1)
        if patience is not None and t >= len(begin) and since >= patience:
            break
    return np.array(entered, dtype=np.int64)


def elimination_order(source: GramRows, smallest: int) -> IntVector | None:
    """Return the columns in the order in which backward elimination removes them; None if it cannot."""
    from warmstarts.elimination_kernels import eliminate

    if source.m > _LARGEST_INVERSE or not source.is_whole:
        return None
    try:
        inverse = linalg.cho_solve(linalg.cho_factor(source.rows), np.eye(source.m))
    except linalg.LinAlgError:
        return None
    if not np.all(np.diag(inverse) < 1.0 / _DEPENDENT):
        return None
    inverse = np.ascontiguousarray(0.5 * (inverse + inverse.T))
    return np.asarray(eliminate(inverse, inverse @ source.c, source.locked, smallest))


def largest_within(supports: Sequence[IntVector], sizes: Sequence[int]) -> dict[int, IntVector]:
    """Return, for each size, the last of some supports that is not larger."""
    found: dict[int, IntVector] = {}
    for size in sizes:
        for support in supports:
            if len(support) <= size:
                found[size] = support
    return found
