r"""Rows of a loss with kinks in floating point, each number with a bound on its rounding (FORMAT.md, section 10).

With an intercept all dual vectors sum to zero, so that columns may be shifted: by a rounded mean, which leaves an error
of one rounding an entry. Numbers are not scaled; where they are very large or small only exact arithmetic helps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bestsubset.certificates.moments import UNIT, Columns, Matrix, ScaleError, Vector, gamma
from bestsubset.certificates.tokens import Refusal

LEAST, _MOST = 1e-90, 1e90
_UNDERFLOW = 1e-200  # more than all that is lost by it where numbers are that large and small


class KinkedRows:
    r"""The loss :math:`\sum_i u_i(\eta_i-\kappa_i)_+ + d_i(\kappa_i-\eta_i)_+`, weights included, and the penalties.

    Attributes
    ----------
    p, width : int
        Number of columns, and of rows: a dual vector names rows.
    X : shape (n, p)
        Shifted where there is an intercept; an entry is wrong by one rounding. Zero in rows that weigh nothing.
    kink : shape (n,)
        κ, exact; zero in rows that weigh nothing.
    up, down : shape (n,)
        Lower bounds on u and d, equal to them but for the loss ``"quantile"``.
    nu : shape (p + 1,)
        Upper bounds on the norms of the columns, and of κ.
    l1, lower, upper : shape (p,)
        Lower bounds on λ1 s_j, and the user's bounds.
    lambda0 : float
    has_intercept : bool
    """

    def __init__(
        self,
        X: Matrix,
        y: Vector,
        weights: Vector | None,
        settings: Mapping[str, Any],
        lower: Vector | None = None,
        upper: Vector | None = None,
    ) -> None:
        self.width, self.p = X.shape
        loss, tau = settings["loss"], settings["tau"]
        if loss == "hinge" and not np.all(np.abs(y) == 1.0):
            raise Refusal("y has other values than the classes -1 and 1")
        w = np.ones(self.width) if weights is None else weights
        self._weights = w
        self.has_intercept = bool(settings["fit_intercept"])
        self.kink = np.where(w > 0, y, 0.0)
        if loss == "quantile":
            # 1 - τ and the product are rounded once each.
            self.up, self.down = w * (1.0 - tau) * (1 - 4 * UNIT), w * tau * (1 - 4 * UNIT)
        elif loss == "absolute":
            self.up = self.down = w
        else:
            self.up, self.down = np.where(y < 0, w, 0.0), np.where(y > 0, w, 0.0)
        with np.errstate(all="ignore"):
            mean = (w @ X) / w.sum() if self.has_intercept else np.zeros(self.p)
            self.X = np.asarray(X, dtype=np.float64) - mean
        self.X[w == 0] = 0.0
        largest = np.append(np.abs(self.X).max(axis=0), np.abs(self.kink).max())
        _require_size(largest, w, np.array([settings["lambda0"], settings["lambda1"], tau or 0.0]))
        norms = [np.linalg.norm(self.X, axis=0), [np.linalg.norm(self.kink)]]
        self.nu = np.concatenate(norms) * (1 + gamma(self.width + 8))
        self.lambda0 = float(settings["lambda0"])
        self._size = self._sizes(bool(settings["standardize"]))
        self.l1 = settings["lambda1"] * self._size[0] * (1 - 4 * UNIT)
        self._lambda1 = float(settings["lambda1"])
        nothing = np.full(self.p, np.inf)
        self.lower = -nothing if lower is None else np.asarray(lower)
        self.upper = nothing if upper is None else np.asarray(upper)

    def _sizes(self, is_standardized: bool) -> tuple[Vector, Vector]:
        """Lower and upper bounds on s_j."""
        if not is_standardized:
            return np.ones(self.p), np.ones(self.p)
        w, total = self._weights, float(self._weights.sum())
        rounding = gamma(self.width + 8)
        square = w @ self.X**2
        first = np.abs(w @ self.X) if self.has_intercept else np.zeros(self.p)
        wrong = first + rounding * (w @ np.abs(self.X))
        least = square * (1 - rounding) - (wrong**2 / total if self.has_intercept else 0.0) * (1 + rounding)
        below = np.sqrt(np.maximum(least, 0.0) / total) * (1 - rounding)
        return below, np.sqrt(square / total) * (1 + 2 * rounding)

    def of_objective(self, value: float) -> float:
        """Nothing is scaled."""
        return float(value)

    def of_limits(self, columns: Columns, limits: Vector) -> Vector:
        """Nothing is scaled."""
        return limits

    def objective_above(self, columns: Columns, coef: Vector, places: int) -> float:
        """An upper bound on the objective of a point, with an intercept that is as good as floating point finds it."""
        fitted, size = self.X[:, columns] @ coef, np.abs(self.X[:, columns]) @ np.abs(coef)
        where = self.kink - fitted
        b = self._best_intercept(where) if self.has_intercept else 0.0
        beyond = b - where
        wrong = gamma(len(coef) + 8) * (size + np.abs(self.kink) + abs(b)) + 1e-300
        # The slopes are lower bounds, 4 UNIT below the true ones at most.
        loss = np.maximum(self.up * (beyond + wrong), self.down * (wrong - beyond))
        price = self._lambda1 * float(self._size[1][columns] @ np.abs(coef))
        total = float(np.maximum(loss, 0.0).sum()) + price + self.lambda0 * places
        return total * (1 + gamma(self.width + len(coef) + 32)) + _UNDERFLOW

    def _best_intercept(self, where: Vector) -> float:
        order = np.argsort(where)
        slopes = np.cumsum((self.up + self.down)[order])
        first = int(np.searchsorted(slopes, self.down.sum()))
        return float(where[order[min(first, len(where) - 1)]])


def _require_size(*numbers: Vector) -> None:
    """Products of any two, and sums of them, must be far from over- and underflow."""
    for array in numbers:
        used = np.abs(array[array != 0])
        if not np.all((used > LEAST) & (used < _MOST)):
            raise ScaleError("numbers are very large or small")
