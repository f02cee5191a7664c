r"""Moments of the data in floating point, each with a bound on its rounding (FORMAT.md, sections 1 and 7).

Columns and response are brought to norms between ½ and 1 by powers of two, which is exact; an entry of the shifted,
weighted data is then wrong by at most three roundings. Sums of products are exact but for a remainder: with S the
leading 26 bits behind the point of every entry, and T the rest,

.. math:: Z^\top Z = S^\top S + S^\top T + T^\top S + T^\top T,

the first product adds multiples of 2⁻⁵² that never exceed 2, so that it is exact in any order of summation, and the
others are 2⁻²⁶ times as large (Ozaki, Ogita, Oishi and Rump 2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Columns = NDArray[np.int64]

UNIT = 2.0**-53  # rounding of one operation
_LEADING = 1.5 * 2.0 ** (52 - 26)  # added and taken off again, it leaves 26 bits behind the point
_ROWS = 8192  # of the data at a time
_COLUMNS = 2048  # of the data at a time
_KEPT = 2**24  # entries of the data up to which their scaled form is kept: 130 MB
_WHOLE = 4500  # columns up to which all moments are formed at once: 160 MB


def gamma(m: float) -> float:
    """Higham's γ_m: the relative rounding of m operations in a row."""
    return m * UNIT / (1 - m * UNIT)


class ScaleError(ArithmeticError):
    """The numbers do not fit floating point on the scale used here: only exact arithmetic helps."""


class Moments:
    r"""M of FORMAT.md, section 5, without t, on scaled data, and the penalties on the same scale.

    Parameters
    ----------
    X, y, weights, settings, lower, upper
        The data and the header's settings.
    wanted : array of columns, ascending
        Whose rows of M will be asked for, where there are too many columns for all; all of them unless given.

    Attributes
    ----------
    p, width : int
        Number of columns; the response is column p of M.
    error : float
        ε of :math:`|\tilde M_{ij} - M_{ij}| \le \varepsilon\,\nu_i\nu_j`.
    nu : shape (p + 1,)
        Upper bounds on the norms of the shifted columns, ridge included.
    l1, lower, upper : shape (p,)
        Lower bounds on λ1 s_j, and the user's bounds.
    ridge : shape (p,)
        2Λ, wrong by no more than ε ν_j², and by the factor 1 ± ``ridge_error``.
    lambda0 : float
    correlation : shape (p + 1,)
        c and yy: the last row of M.
    """

    def __init__(
        self,
        X: Matrix,
        y: Vector,
        weights: Vector | None,
        settings: Mapping[str, Any],
        lower: Vector | None = None,
        upper: Vector | None = None,
        wanted: Columns | None = None,
    ) -> None:
        self.p = self.width = X.shape[1]
        self._X, self._y = X, y
        self._weight_exponent = 0 if weights is None else int(np.frexp(weights.max())[1])
        self._root = np.ones(len(y))
        self._is_weighted = weights is not None
        self._kept: Matrix | None = None
        if weights is not None:
            self._root = np.sqrt(scaled(weights, -self._weight_exponent))
        self._is_centred = bool(settings["fit_intercept"])
        with np.errstate(all="ignore"):
            self._shift_and_scale()
            if not (np.isfinite(self._mean).all() and np.isfinite(self._norms).all() and np.all(self._norms > 0)):
                raise ScaleError("a column is constant, or its numbers are out of range")
            is_whole = self.p <= _WHOLE
            self._prepare(np.arange(self.p) if is_whole or wanted is None else wanted)
            self._penalise(settings, lower, upper)
        self._add_ridge(self._rows_at_hand, self._at_hand)
        self._whole = self._rows_at_hand if is_whole else None

    def _shift_and_scale(self) -> None:
        """Choose a shift and a power of two for every column, the response, and the constant behind it."""
        size = self.p + 2
        self._mean, self._norms = np.zeros(size), np.zeros(size)
        self._exponent = np.zeros(size, dtype=np.int64)
        weights = self._root**2
        if len(self._y) * size <= _KEPT:
            self._kept = np.empty((len(self._y), size))
        for block in self._column_blocks(size):
            if self._is_centred:
                total = sum(weights[part] @ self._raw(part, block) for part in self._row_blocks())
                self._mean[block] = np.where(block <= self.p, total / weights.sum(), 0.0)
            # Where squares may leave the range of floating point, a look at the largest numbers comes first.
            for is_sure in (False, True):
                if is_sure:
                    largest = [np.abs(self._transformed(part, block)).max(axis=0) for part in self._row_blocks()]
                    self._exponent[block] = np.frexp(np.max(largest, axis=0))[1]
                squares = self._squares(block)
                if np.all((squares > 1e-200) & (squares < 1e200)):
                    break
            excess = np.frexp(1.01 * np.sqrt(squares))[1]
            self._exponent[block] += excess
            self._norms[block] = np.ldexp(np.sqrt(squares), -excess)
            if self._kept is not None:
                self._kept[:, block[0] : block[-1] + 1] *= np.ldexp(1.0, -excess)

    def _squares(self, block: Columns) -> Vector:
        """Squared norms of some columns, keeping these where all are to be kept."""
        total = np.zeros(len(block))
        for part in self._row_blocks():
            data = self._transformed(part, block)
            total += np.einsum("ij,ij->j", data, data)
            if self._kept is not None:
                self._kept[part, block[0] : block[-1] + 1] = data
        return total

    def _prepare(self, wanted: Columns) -> None:
        """Find the moments that will be needed, the sums that are left after the shift, and the rounding of them all.

        All moments come from one product, those with the response and with the constant too.
        """
        n = len(self._y)
        # Three roundings an entry on either side, four of the sums, and the remainder of the exact product.
        products = 11 * UNIT + 3 * gamma(min(n, _ROWS)) * math.sqrt(n) * 2.0**-26
        moments = self._products(np.concatenate([wanted, [self.p, self.p + 1]]))
        self._sums = moments[-1]
        self._weight = float(self._sums[-1])
        norms = self._norms * (1 + gamma(n + 4))
        self.nu = norms[:-1]
        share = 0.0
        if self._is_centred:
            share = float(np.max(np.abs(self._sums[:-1]) / (self.nu * math.sqrt(self._weight))))
        self.error = products + 2 * share * products + 2 * products**2 + share**2 * (products + 4 * UNIT) + 2 * UNIT
        self._at_hand = np.append(wanted, self.p)
        self._rows_at_hand = self._centred(moments[:-1], self._at_hand)
        self.correlation = self._rows_at_hand[-1]

    def _penalise(self, settings: Mapping[str, Any], lower: Vector | None, upper: Vector | None) -> None:
        columns, response, weight = self._exponent[: self.p], int(self._exponent[self.p]), self._weight_exponent
        self._objective_exponent = -2 * response - weight
        self.lambda0 = float(scaled(settings["lambda0"], self._objective_exponent))
        size, uncertainty = np.ldexp(1.0, -2 * columns), 0.0
        if settings["standardize"]:
            variation = self.nu[:-1] ** 2
            if self._is_centred:
                variation = variation - self._sums[: self.p] ** 2 / self._weight
            certain = variation - 2 * self.error * self.nu[:-1] ** 2
            if not np.all(certain > 0):
                raise ScaleError("a column is constant but for rounding")
            total = self._weight * 2.0 ** (2 * int(self._exponent[-1]))
            size = variation / total
            uncertainty = float(np.max((2 * self.error + gamma(len(self._y) + 8)) * self.nu[:-1] ** 2 / certain))
        self.ridge = 2 * scaled(settings["lambda2"], -weight) * size
        self.l1 = scaled(settings["lambda1"], -response - weight) * np.sqrt(size) * (1 - uncertainty - 8 * UNIT)
        self.ridge_error = uncertainty + 4 * UNIT
        self.error += self.ridge_error
        self.nu[:-1] = np.sqrt(self.nu[:-1] ** 2 + self.ridge * (1 + uncertainty)) * (1 + 4 * UNIT)
        if not (np.isfinite(self.nu).all() and np.isfinite(self.l1).all()):
            raise ScaleError("a penalty overflows")
        nothing = np.full(self.p, np.inf)
        self.lower = -nothing if lower is None else scaled(lower, columns - response)
        self.upper = nothing if upper is None else scaled(upper, columns - response)

    def of_objective(self, value: float) -> float:
        """An objective of the user's on the scale used here, exactly."""
        return float(scaled(value, self._objective_exponent))

    def of_diagonal(self, d: Vector) -> Vector:
        """A diagonal in the user's units on the scale used here, exactly."""
        return np.asarray(scaled(d, -2 * self._exponent[: self.p] - self._weight_exponent))

    def of_coefficients(self, columns: Columns, values: Vector) -> Vector:
        """Coefficients on the scale used here, but for rounding."""
        return np.asarray(np.ldexp(values, self._exponent[columns] - self._exponent[self.p]))

    def of_limits(self, columns: Columns, limits: Vector) -> Vector:
        """Bounds on coefficients on the scale used here, exactly."""
        return np.asarray(scaled(limits, self._exponent[columns] - self._exponent[self.p]))

    def objective_above(self, columns: Columns, coef: Vector, places: int) -> float:
        """An upper bound on the objective of a point, the intercept profiled out, evaluated from the data."""
        beta = scaled(coef, self._exponent[columns] - self._exponent[self.p])
        level = 0.0
        if self._is_centred:
            level = float(self._sums[self.p] - self._sums[columns] @ beta) / self._weight
        everything = np.concatenate([columns, [self.p, self.p + 1]])
        factors = np.concatenate([-beta, [1.0, -level]])
        rounding = 4 * UNIT + gamma(len(everything) + 4)
        squares: list[float] = []
        wrong: list[float] = []
        for part in self._row_blocks():
            Z = self._block(part, everything)
            squares.extend(((Z @ factors) ** 2).tolist())
            wrong.extend(((np.abs(Z) @ np.abs(factors)) ** 2).tolist())
        norm = math.sqrt(math.fsum(squares)) + rounding * math.sqrt(math.fsum(wrong))
        penalty = float(self.l1[columns] @ np.abs(beta) + 0.5 * self.ridge[columns] @ beta**2)
        penalty *= 1 + 4 * self.ridge_error + gamma(2 * len(beta) + 64)
        return (0.5 * norm * norm + penalty + self.lambda0 * places) * (1 + 16 * UNIT)

    def rows(self, columns: Columns) -> Matrix:
        """Rows of M for some columns, shape (len(columns), p + 1)."""
        if self._whole is not None:
            return self._whole[columns]
        place = np.searchsorted(self._at_hand, columns)
        if np.array_equal(self._at_hand.take(place, mode="clip"), columns):
            return self._rows_at_hand[place]
        moments = self._centred(self._products(columns), columns)
        self._add_ridge(moments, columns)
        return moments

    @property
    def matrix(self) -> Matrix:
        """All of M, where the columns are few enough."""
        if self._whole is None:
            raise ScaleError("there are too many columns for all moments at once")
        return self._whole

    def _centred(self, moments: Matrix, rows: Columns) -> Matrix:
        """Take off what the sums explain."""
        moments = moments[:, :-1]
        if self._is_centred:
            moments = moments - np.outer(self._sums[rows], self._sums[:-1] / self._weight)
        return moments

    def _add_ridge(self, moments: Matrix, rows: Columns) -> None:
        inside = rows < self.p
        moments[np.flatnonzero(inside), rows[inside]] += self.ridge[rows[inside]]

    def _products(self, rows: Columns) -> Matrix:
        """Rows of Z'Z: the exact part summed exactly enough, then the remainder."""
        total = np.zeros((len(rows), self.p + 2))
        lost = np.zeros_like(total)
        for part in self._row_blocks():
            left = self._block(part, rows)
            left_leading = (left + _LEADING) - _LEADING
            left_rest = left - left_leading
            for block in self._column_blocks(self.p + 2):
                is_square = len(rows) == len(block) == self.p + 2
                right = left if is_square else self._block(part, block)
                leading = left_leading if is_square else (right + _LEADING) - _LEADING
                rest = left_rest if is_square else right - leading
                exact = left_leading.T @ leading
                if is_square:  # S'T + T'S + T'T, half of it
                    half = (left_leading + 0.5 * left_rest).T @ left_rest
                    remainder = half + half.T
                else:
                    remainder = left_leading.T @ rest + left_rest.T @ right
                before = total[:, block]
                after = before + exact
                shift = after - before
                lost[:, block] += (before - (after - shift)) + (exact - shift) + remainder
                total[:, block] = after
        return np.asarray(total + lost)

    def _raw(self, part: slice, columns: Columns) -> Matrix:
        if columns[-1] < self.p and columns[-1] - columns[0] == len(columns) - 1:
            return self._X[part, columns[0] : columns[-1] + 1]
        data = np.empty((len(self._y[part]), len(columns)))
        inside = columns < self.p
        data[:, inside] = self._X[part][:, columns[inside]]
        data[:, columns == self.p] = self._y[part, None]
        data[:, columns > self.p] = 1.0
        return data

    def _block(self, part: slice, columns: Columns) -> Matrix:
        """Z: shifted, weighted, scaled."""
        if self._kept is not None:
            if columns[-1] - columns[0] == len(columns) - 1:
                return self._kept[part, columns[0] : columns[-1] + 1]
            return self._kept[part][:, columns]
        return self._transformed(part, columns)

    def _transformed(self, part: slice, columns: Columns) -> Matrix:
        data = self._raw(part, columns) - self._mean[columns]
        if self._exponent[columns].any():  # powers of two: exact
            data *= np.ldexp(1.0, -self._exponent[columns])
        if self._is_weighted:
            data *= self._root[part, None]
        return np.asarray(data)

    def _row_blocks(self) -> Iterator[slice]:
        return (slice(start, start + _ROWS) for start in range(0, len(self._y), _ROWS))

    @staticmethod
    def _column_blocks(count: int) -> Iterator[Columns]:
        return (np.arange(start, min(start + _COLUMNS, count)) for start in range(0, count, _COLUMNS))


def scaled(value: Any, exponent: Any) -> Any:
    """``value`` times two to the ``exponent``, exactly.

    Raises
    ------
    ScaleError
        If that is no floating-point number.
    """
    value = np.asarray(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        result = np.ldexp(value, exponent)
        if not np.array_equal(np.ldexp(result, -np.asarray(exponent)), value):
            raise ScaleError("a number over- or underflows")
    return result
