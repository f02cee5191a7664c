"""Intervals drawn in by the relaxation itself: how far can a coefficient go before the bound exceeds the incumbent?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.lpb.dual_point import DualPoint
from bestsubset.lpb.interior_point import NodeProgramme, Point, solve
from bestsubset.lpb.node_bound import node_bound
from bestsubset.lpb.relaxation import Relaxation
from bestsubset.lpb.rows import ULP
from formulations._types import Vector
from formulations.rules import FREE, OUT, Status

if TYPE_CHECKING:
    from bestsubset.lpb.search import Search

_ACCURACY = 0.03  # of the gap
_TRIES = 4  # slopes s for each side
_WORTH = 0.9  # a bound that moved by less than this factor is left alone the next time


class Tightening:
    r"""Rounds of bounding each coefficient over the relaxation at the root.

    With the least value :math:`\ell_s` of the relaxation less :math:`s\beta_j`, from any dual vector, every point with
    :math:`f \le U` has :math:`s\beta_j \le U - \ell_s`. Unlike the intervals from the loss alone these know of k. The
    best s is the slope of the relaxation where it reaches U; along a parabola through its least value ℓ that is
    :math:`s\sqrt{(U-\ell)/(f_s-\ell)}` if s leads to a point of the value :math:`f_s`.
    """

    def __init__(self, search: Search) -> None:
        p = search.rows.p
        self.search = search
        self.rates: Vector = np.zeros((2, p))
        self.is_worth_it = np.ones((2, p), dtype=bool)

    def round(self, status: Status) -> float:
        """Try both sides of every active column; return by what factor the intervals shrank on average."""
        search = self.search
        relaxation = Relaxation(search, status)
        if not relaxation.is_bounded() or not np.isfinite(search.ceiling):
            return 1.0
        least = relaxation.solve().bound.value
        gap = search.ceiling - least
        if gap <= 0:
            return 1.0
        width = search.boxes.upper - search.boxes.lower
        for place, j in enumerate(relaxation.active):
            if width[j] <= 0:
                continue
            for side in np.flatnonzero(self.is_worth_it[:, j]):
                if search.run.is_out_of_time:
                    return 1.0
                self.tighten(relaxation, int(side), int(j), place, least, gap)
        now = search.boxes.upper - search.boxes.lower
        used = width > 0
        return float(np.mean(now[used] / width[used])) if used.any() else 1.0

    def tighten(self, relaxation: Relaxation, side: int, j: int, place: int, least: float, gap: float) -> None:
        search = self.search
        boxes = search.boxes
        ends = boxes.upper if side else -boxes.lower
        before = float(ends[j])
        if before <= 0 and relaxation.status[j] == FREE:
            self.is_worth_it[side, j] = False
            return
        for _ in range(_TRIES):
            rate = self.rates[side, j] or 3.0 * gap / max(float(boxes.upper[j] - boxes.lower[j]), 1e-300)
            low, dual, reached = self.tilted(relaxation, 1.0 if side else -1.0, j, place, rate, gap)
            if dual is None:
                break
            boxes.add(side, j, dual, -low * (1 - np.sign(low) * 4 * ULP), rate, search.ceiling)
            step = float(np.clip(np.sqrt(gap / max(reached - least, 1e-3 * gap)), 0.2, 5.0))
            self.rates[side, j] = rate * step
            if 0.75 < step < 1.33:
                break
        boxes.lower_ceiling(search.ceiling)
        after = float((boxes.upper if side else -boxes.lower)[j])
        self.is_worth_it[side, j] = before - after > (1 - _WORTH) * float(boxes.upper[j] - boxes.lower[j])

    def tilted(
        self, relaxation: Relaxation, sign: float, j: int, place: int, rate: float, gap: float
    ) -> tuple[float, DualPoint | None, float]:
        """The bound on the relaxation less a pull, by which dual vector, and the relaxation's value where it leads."""
        search, rows = self.search, self.search.rows
        lower, upper = search.boxes.lower.copy(), search.boxes.upper.copy()
        out = relaxation.status == OUT
        lower[out] = upper[out] = 0.0
        relaxation.lower, relaxation.upper = lower, upper
        programme, fixed = _pulled(relaxation, place, sign * rate)
        best, by = -np.inf, None

        def is_enough(point: Point) -> bool:
            nonlocal best, by
            if point.iterations < 4:
                return False
            dual = DualPoint.of(rows, point.u)
            slopes = dual.slopes.copy()
            slopes[j] -= sign * rate
            moved = DualPoint(dual.u, dual.constant, slopes, dual.error + 4 * ULP * rate)
            gains = moved.gains(rows.price, lower, upper)
            bound = node_bound(dual.constant, gains, relaxation.status, search.blocks, relaxation.room, rows.lambda0)
            if bound.value > best:
                best, by = bound.value, dual
            return point.value + fixed - best <= _ACCURACY * gap or search.run.is_out_of_time

        point = solve(programme, is_enough)
        return best, by, best + sign * rate * float(point.beta[place] + relaxation.shift[place])


def _pulled(relaxation: Relaxation, place: int, pull: float) -> tuple[NodeProgramme, float]:
    """The programme with a pull on one coefficient, and what is constant in its objective."""
    programme = relaxation.programme()
    ahead, back = programme.cost_ahead.copy(), programme.cost_back.copy()
    ahead[place] -= pull * programme.ahead[place]
    back[place] += pull * programme.back[place]
    fixed = relaxation.fixed - pull * float(relaxation.shift[place])
    return replace(programme, cost_ahead=ahead, cost_back=back), fixed
