"""Looks at all columns of a very wide problem, for many multipliers at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bestsubset.bnb.candidates import Candidates
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.perspective_state import FREE, IN, WORKERS, StatusVector
from bestsubset.bnb.quadratic import Quadratic
from formulations._types import BoolVector, IntVector, Matrix, Vector
from formulations.design import Design

Start = tuple[IntVector, Vector]  # columns and coefficients

_NEARLY = 0.95  # of the threshold of a positive gain: columns that reach it become candidates
_MOST_NEW = 32  # candidates for the sake of one multiplier
_FEWEST_NEW = 512  # candidates at once, where that many matter
_AT_ONCE = 128  # multipliers in one look at the data


@dataclass(frozen=True)
class Look:
    """The dual bound of one multiplier: its value without columns, and the gain of every candidate (see `perspective`).

    ``beyond`` is at least the sum of the positive gains of all other columns.
    """

    base: float
    gain: Vector
    beyond: float
    k: int

    def bound(self, status: StatusVector) -> float:
        """The bound at a node."""
        return self._bound(status)[0]

    def _bound(self, status: StatusVector) -> tuple[float, float, float]:
        """The bound, and the gains of the last column with a place and of the first without."""
        is_in = status == IN
        places = self.k - int(np.count_nonzero(is_in))
        gains = self.gain[(status == FREE) & (self.gain > 0)]
        kth = following = 0.0
        beyond = self.beyond if places > 0 else 0.0
        if len(gains) > places:
            gains = -np.sort(-gains)
            following = float(gains[places])
            gains = gains[:places]
        if len(gains) == places and places:
            kth = float(gains.min())
        return self.base - beyond - float(self.gain[is_in].sum()) - float(gains.sum()), kth, following

    def rules_out(self, status: StatusVector, columns: IntVector, sides: StatusVector, prune_at: float) -> BoolVector:
        """Tell for which free columns the side that is not given cannot beat the incumbent."""
        bound, kth, following = self._bound(status)
        g = self.gain[columns]
        is_counted = (g > following) & (g >= kth) & (g > 0)
        # A column with a place is missed at its gain less the next one's; one without displaces the last.
        loss = np.where(sides == IN, np.where(is_counted, g - following, 0.0), np.where(is_counted, 0.0, kth - g))
        return np.asarray(bound + loss >= prune_at)


def gains(quadratic: Quadratic, w: Matrix) -> Matrix:
    """The gains of all columns for vectors w, shape (m, s): see `perspective`."""
    q = quadratic
    slope = np.abs(w) - q.lambda1[:, None]
    limit = np.where(w > 0, q.upper[:, None], -q.lower[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        b = np.minimum(np.where(q.rho[:, None] > 0, slope / (2 * q.rho[:, None]), np.inf), limit)
        h = np.where((slope > 0) & (limit > 0), b * (slope - q.rho[:, None] * b), 0.0)
    return np.asarray(h - q.lambda0)


def thresholds(quadratic: Quadratic) -> Vector:
    """The largest |w_j| at which columns have no gain, shape (m,)."""
    q = quadratic
    limit = np.maximum(q.upper, -q.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        knee = np.where(q.rho > 0, np.sqrt(q.lambda0 / q.rho), np.inf)
        slope = np.where(knee <= limit, 2 * np.sqrt(q.rho * q.lambda0), q.lambda0 / limit + q.rho * limit)
    return np.asarray(q.lambda1 + np.where(limit > 0, slope, np.inf))


class Looks:
    """Multipliers of a log, seen with all columns; columns that matter to one become candidates.

    Parameters
    ----------
    quadratic : Quadratic
    y : shape (n,)
    design : Design
    candidates : Candidates
    log : TreeLog
    stop : callable
        Called before every look at the data; may raise.
    """

    def __init__(
        self,
        quadratic: Quadratic,
        y: Vector,
        design: Design,
        candidates: Candidates,
        log: TreeLog,
        stop: Callable[[], None],
    ) -> None:
        self._quadratic, self._y, self._design, self._stop = quadratic, y, design, stop
        self._thresholds = thresholds(quadratic)
        self._candidates, self._log = candidates, log
        self._local = np.full(int(log.names.max()) + 1, -1, dtype=np.int32)  # candidates behind the user's columns
        self._name(0)

    def _name(self, before: int) -> None:
        columns = self._candidates.columns
        self._local[self._log.names[columns[before:]]] = np.arange(before, len(columns))

    def local(self, names: IntVector) -> IntVector:
        """The candidates that are the user's columns."""
        return self._local[names].astype(np.int64)

    def at(self, tags: IntVector) -> tuple[dict[int, Look], dict[int, Start]]:
        """See multipliers with all columns, and make candidates of those that matter to any of them.

        Return the looks at multipliers to which a new candidate matters, and where these start nodes.
        """
        starts = self._multipliers(tags // WORKERS)
        residuals = np.empty((self._design.n, len(tags)))
        for i, (columns, gamma) in enumerate(starts):
            residuals[:, i] = self._y - self._candidates.fitted(columns, gamma)
        found, beyond = self._found(residuals)
        before = len(self._candidates.columns)
        self._candidates.add(found)
        self._name(before)
        q = self._quadratic.restricted_to(self._candidates.columns)
        newer = gains(q.restricted_to(np.arange(before, len(q.c))), self._candidates.products(residuals, before))
        changed = np.flatnonzero(np.any(newer > 0, axis=0) | (beyond > 0))
        looks = {}
        for some in np.array_split(changed, 1 + len(changed) // _AT_ONCE):
            gain = gains(q, self._candidates.products(residuals[:, some]))
            for i, column in zip(some.tolist(), gain.T, strict=True):
                fitted = self._y - residuals[:, i]
                base = q.half_yy - 0.5 * float(fitted @ fitted)
                looks[int(tags[i])] = Look(base, column.copy(), float(beyond[i]), self._quadratic.k)
        return looks, {int(tags[i]): starts[i] for i in changed.tolist()}

    def _found(self, residuals: Matrix) -> tuple[IntVector, Vector]:
        """Columns to become candidates for some multipliers; and for each, what all others may gain beside them."""
        threshold = _NEARLY * self._thresholds
        threshold[self._candidates.columns] = np.inf
        count = residuals.shape[1]
        chosen = np.zeros(len(threshold), dtype=bool)
        others: list[tuple[IntVector, IntVector, Vector]] = []
        for first in range(0, count, _AT_ONCE):
            self._stop()
            i, j, size = self._design.exceeding(residuals[:, first : first + _AT_ONCE], threshold)
            # The largest few of each multiplier: with them it is another, for which most of the rest are small.
            order = np.lexsort((-size / self._thresholds[j], i))
            i, j, size = i[order], j[order], size[order]
            rank = np.arange(len(i)) - np.searchsorted(i, i)
            chosen[j[rank < max(_MOST_NEW, _FEWEST_NEW // count)]] = True
            gain_more = size > self._thresholds[j]
            others.append((i[gain_more] + first, j[gain_more], size[gain_more]))
        beyond = np.zeros(count)
        for i, j, size in others:
            i, j, size = i[~chosen[j]], j[~chosen[j]], size[~chosen[j]]
            q = self._quadratic.restricted_to(j)
            gain = np.maximum(gains(q, size[:, None]), gains(q, -size[:, None]))[:, 0]
            beyond += np.bincount(i, weights=np.maximum(gain, 0.0), minlength=count)
        return np.flatnonzero(chosen), beyond * (1 + 1e-12)

    def _multipliers(self, numbers: IntVector) -> list[Start]:
        """Local columns and coefficients of multipliers in the log."""
        log = self._log
        ends, columns, values = log.ends.array(), self.local(log.columns.array()), log.values.array()
        unit = log.coef_unit[self._candidates.columns]
        begins = np.where(numbers > 0, ends[numbers - 1], 0)
        spans = [slice(begin, end) for begin, end in zip(begins, ends[numbers], strict=True)]
        return [(columns[span], values[span] / unit[columns[span]]) for span in spans]
