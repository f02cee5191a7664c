r"""The exact checker: a certificate against the data, in integers and fractions alone; FORMAT.md is its specification.

Run it by path, with nothing installed: ``python -I -S exact.py model.cert data.csv``. It leaves with 0 if the
certificate is valid, 3 if it is refused, 2 if it is malformed or something cannot be read.

Floats occur as witnesses only: what they suggest is proved in integers. The moments are integers but for known factors:
with x_j = 2^{e_j} X_j and w = 2^{e_w} V, X and V being integers, and N = Σ V,

    G_ij = 2^{e_i + e_j + e_w} (N Σ V X_i X_j - Σ V X_i · Σ V X_j) / N.

`Moments` holds them with 2Λ on the diagonal, times the least integer ``unit`` that makes this integral too; y is the
column p.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import io
import json
import math
import random
import struct
import sys
import time
import zipfile
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from itertools import combinations, pairwise
from operator import le, mul
from typing import Any, BinaryIO, NamedTuple, TypeAlias

SOLVE, BOUND, CHAIN, SPLIT, FIX, DEPENDENT, COPY, END, SIZES, SEEN = range(10)
_TYPES = {"<f8": "d", "<i2": "h", "<i4": "i", "<i8": "q"}
_ARRAYS = {"support": "<i4", "coef": "<f8", "listed": "<i4", "diagonal": "<f8", "tree": "<i2 <i4"}
_ARRAYS |= {"offsets": "<i8", "columns": "<i4", "values": "<f8"}
_CACHED = 4_000_000  # moments kept
_NARROW = 512  # columns up to which whole rows of moments are formed
_SMALL = 14  # columns up to which elimination in integers beats floats and a proof
_SHIFTS = (2.0**-28, 2.0**-36, 2.0**-40, 2.0**-44)

Linked: TypeAlias = "tuple[Linked, Any] | None"  # a list that shares its beginning with others
Triangle: TypeAlias = list[list[int]]  # the lower half of a symmetric matrix, row by row


class MalformedError(Exception):
    """The file is no certificate, or the data are no data."""


class RefusedError(Exception):
    """Something claimed is not proved."""


def _integers(values: Sequence[float]) -> tuple[list[int], int]:
    """Integers m and an exponent e with values = m 2^e."""
    ratios = [value.as_integer_ratio() for value in values]
    bits = max((d.bit_length() for _, d in ratios), default=1)
    return [n << (bits - d.bit_length()) for n, d in ratios], 1 - bits


def _shifted(number: int, by: int) -> int:
    """⌊number · 2^by⌋."""
    return number << by if by >= 0 else number >> -by


def _power(number: int, exponent: int) -> Fraction:
    return Fraction(number << exponent) if exponent >= 0 else Fraction(number, 1 << -exponent)


def _cholesky(matrix: list[list[float]]) -> tuple[list[list[float]], list[float] | None]:
    """The factor as far as it goes, and its next row without a pivot where the matrix is not positive definite."""
    factor: list[list[float]] = []
    for row in matrix:
        new: list[float] = []
        for entry, above in zip(row, factor, strict=False):
            new.append((entry - sum(map(mul, new, above))) / above[-1])
        pivot = row[-1] - sum(map(mul, new, new))
        if not pivot > 0.0:
            return factor, new
        new.append(math.sqrt(pivot))
        factor.append(new)
    return factor, None


def _solve_transposed(factor: list[list[float]], right: Sequence[float]) -> list[float]:
    """u with L'u = right."""
    u = list(right)
    for i in range(len(u) - 1, -1, -1):
        u[i] /= factor[i][i]
        for j in range(i):
            u[j] -= factor[i][j] * u[i]
    return u


def _eliminate(matrix: Triangle, steps: int) -> tuple[Triangle, int] | None:
    """Fraction-free elimination of the first columns: (D T, D) with T the Schur complement, D > 0 an integer.

    A zero pivot with a zero row is skipped; None where a pivot shows that the matrix is not positive semidefinite.
    """
    previous = 1
    for _ in range(steps):
        pivot, column = matrix[0][0], [row[0] for row in matrix[1:]]
        if pivot < 0 or (pivot == 0 and any(column)):
            return None
        if pivot == 0:
            matrix = [row[1:] for row in matrix[1:]]
            continue
        matrix = [
            [(pivot * a - f * b) // previous for a, b in zip(row[1:], column, strict=False)]
            for row, f in zip(matrix[1:], column, strict=True)
        ]
        previous = pivot
    return matrix, previous


def _halves(matrix: Triangle) -> list[int]:
    """Exponents h with matrix_jj / 4^h_j between 1/4 and 1."""
    return [(row[-1].bit_length() + 1) // 2 for row in matrix]


def _is_surely_definite(scaled: Triangle, shift: float) -> bool | None:
    """Decide about a matrix in units of 2^-128, each entry rounded down: A - LL' is diagonally dominant, L from floats.

    None where floats decide nothing.
    """
    floats = [[a * 2.0**-128 for a in row] for row in scaled]
    for i, entries in enumerate(floats):
        entries[i] -= shift
    factor, failed = _cholesky(floats)
    if failed is not None:  # (-u, 1) A (-u, 1)' is the pivot that failed
        u = [*_solve_transposed(factor, failed), -1.0]
        if not all(abs(a) < 2.0**200 for a in u):
            return None
        v = [round(-a * 2.0**64) for a in u]
        size = sum(map(abs, v))
        total = sum(2 * a * sum(map(mul, row, v)) - a * a * row[-1] for a, row in zip(v, scaled, strict=False))
        return False if total + size * size < 0 else None
    if not all(map(math.isfinite, (a for row in factor for a in row))):
        return None
    lower = [[round(a * 2.0**64) for a in row] for row in factor]
    slack = [0] * len(lower)
    for i, row in enumerate(lower):
        for j, other in enumerate(lower[:i]):
            off = abs(scaled[i][j] - sum(map(mul, other, row))) + 1
            slack[i] -= off
            slack[j] -= off
        slack[i] += scaled[i][i] - sum(map(mul, row, row))
    return True if min(slack, default=0) >= 0 else None


def _is_semidefinite(matrix: Triangle, shifts: Sequence[float] = _SHIFTS, is_final: bool = True) -> bool:
    """Tell whether the matrix is positive semidefinite; False without ``is_final`` may mean that floats cannot tell."""
    empty = {i for i, row in enumerate(matrix) if row[-1] == 0}
    if any(row[-1] < 0 for row in matrix):
        return False
    if any(a and (i in empty or j in empty) for i, row in enumerate(matrix) for j, a in enumerate(row) if empty):
        return False
    matrix = [[a for j, a in enumerate(row) if j not in empty] for i, row in enumerate(matrix) if i not in empty]
    h = _halves(matrix)
    scaled = [[_shifted(a, 128 - h[i] - h[j]) for j, a in enumerate(row)] for i, row in enumerate(matrix)]
    for shift in shifts:
        decided = _is_surely_definite(scaled, shift)
        if decided is not None:
            return decided
    return is_final and _eliminate(matrix, len(matrix)) is not None


class Moments:
    """The data and the settings of a problem as integers, with the rules by which leaves are proved.

    ``columns`` are those of X, ``settings`` as in a certificate's header.
    """

    def __init__(
        self,
        columns: Sequence[Sequence[float]],
        y: Sequence[float],
        weights: Sequence[float] | None,
        settings: Mapping[str, Any],
        lower: Sequence[float] | None = None,
        upper: Sequence[float] | None = None,
    ) -> None:
        self.p = len(columns)
        self.lower, self.upper = lower or [-math.inf] * self.p, upper or [math.inf] * self.p
        self.lambda0, self.lambda1, self.lambda2 = (Fraction(settings[f"lambda{i}"]) for i in range(3))
        self.include = frozenset(settings["include"])
        self.exclude = frozenset(settings["exclude"])
        self.block = {j: tuple(group) for group in settings["groups"] for j in group}
        pairs = [_integers(values) for values in (*columns, y)]
        self._x, self._e = [x for x, _ in pairs], [e for _, e in pairs]
        self._w: list[int] | None = None
        self._ew = 0
        if weights is not None:
            self._w, self._ew = _integers(weights)
        self._total = len(y) if self._w is None else sum(self._w)
        self._centred = bool(settings["fit_intercept"])
        self._sums = [sum(self._weighted(x)) for x in self._x]
        self._divisor = self._total if self._centred else 1
        self.s2 = [Fraction(1)] * self.p  # s_j²
        if settings["standardize"]:
            self.s2 = [self._variance(j) for j in range(self.p)]
        ridge = [2 * self.lambda2 * s2 * self._in_units(j) for j, s2 in enumerate(self.s2)]
        self.unit = math.lcm(*(r.denominator for r in ridge))
        self._ridge = [int(r * self.unit) for r in ridge] + [0]
        self._rows: dict[int, list[int]] = {}
        self._levels: list[tuple[int, list[int], int, int]] = []
        self._dominated: list[tuple[frozenset[int], int]] = []

    def _variance(self, j: int) -> Fraction:
        moment = self._moment(self._weighted(self._x[j]), self._sums[j], j)
        return _power(moment, 2 * self._e[j]) / (self._divisor * self._total)

    def _in_units(self, j: int) -> Fraction:
        """The factor from d_j in the user's units to the diagonal of the integer moments (over ``unit``)."""
        return self._divisor * _power(1, -2 * self._e[j] - self._ew)

    def _value(self, number: int, exponent: int) -> Fraction:
        """An entry of the integer moments, times 2^exponent, in the user's units."""
        return _power(number, exponent + self._ew) / (self._divisor * self.unit)

    def _weighted(self, x: Sequence[int]) -> Sequence[int]:
        return x if self._w is None else list(map(mul, self._w, x))

    def _moment(self, weighted: Sequence[int], total: int, j: int) -> int:
        product: int = sum(map(mul, weighted, self._x[j]))
        return self._total * product - total * self._sums[j] if self._centred else product

    def _row(self, i: int) -> list[int]:
        """Row i of the integer moments of all columns and y, 2Λ included."""
        if i not in self._rows:
            weighted, total, rows = self._weighted(self._x[i]), self._sums[i], self._rows
            row = [rows[j][i] if j in rows else self.unit * self._moment(weighted, total, j) for j in range(self.p + 1)]
            row[i] += self._ridge[i]
            if not self._has_room(1):
                return row
            rows[i] = row
        return self._rows[i]

    def _has_room(self, rows: int) -> bool:
        return (len(self._rows) + rows) * (self.p + 1) <= _CACHED

    def _matrix(self, columns: Sequence[int]) -> Triangle:
        if self.p <= _NARROW:
            return [[row[j] for j in columns[: i + 1]] for i, row in enumerate(map(self._row, columns))]
        weighted = [self._weighted(self._x[i]) for i in columns]
        return [
            [
                self.unit * self._moment(w, self._sums[i], j) + (self._ridge[i] if i == j else 0)
                for j in columns[: place + 1]
            ]
            for place, (i, w) in enumerate(zip(columns, weighted, strict=True))
        ]

    def scale(self, j: int) -> tuple[Fraction, Fraction]:
        """Rational bounds on s_j, about 2^-80 apart: s_j² is rational, s_j need not be."""
        n, d = self.s2[j].as_integer_ratio()
        if n == 0 or n == d:
            return self.s2[j], self.s2[j]
        bits = 80 + max(0, d.bit_length() - n.bit_length())
        root = math.isqrt((n << 2 * bits) // d)
        return Fraction(root, 1 << bits), Fraction(root + 1, 1 << bits)

    def places(self, support: Collection[int]) -> set[int]:
        """The smallest places that hold a support."""
        return {i for j in self.include.union(support) for i in self.block.get(j, (j,))}

    def incumbent_value(self, support: Sequence[int], coef: Sequence[float]) -> Fraction:
        """The least of f over b at these coefficients; an upper bound of it where s_j is irrational and λ1 > 0."""
        residual = _Combination(self, dict(zip(support, coef, strict=True)))
        price = self.lambda0 * len(self.places(support))
        if self.lambda1:
            price += self.lambda1 * sum(self.scale(j)[1] * abs(Fraction(b)) for j, b in zip(support, coef, strict=True))
        return residual.half_square() + price

    def depends(self, j: int, others: Sequence[int]) -> bool:
        """Tell whether column j (centred, weighted) is in the span of others."""
        matrix = self._matrix([*others, j])
        for row, i in zip(matrix, (*others, j), strict=True):
            row[-1] -= self._ridge[i]
        rest = _eliminate(matrix, len(others))
        return rest is not None and rest[0][0][0] == 0

    def is_dominated(self, diagonal: Sequence[float], columns: Sequence[int]) -> bool:
        """Tell whether G + 2Λ - D is positive semidefinite on some columns."""
        d = [Fraction(diagonal[j]) * self._in_units(j) * self.unit for j in columns]
        common = math.lcm(*(a.denominator for a in d))
        matrix = [[a * common for a in row] for row in self._matrix(columns)]
        for row, a in zip(matrix, d, strict=True):
            row[-1] -= int(a * common)
        return _is_semidefinite(matrix)

    def _target(self, bound: float | Fraction, places: int) -> Fraction:
        """t = 2 (bound - λ0 places) in the units of the integer moments."""
        return 2 * (Fraction(bound) - self.lambda0 * places) * self._in_units(self.p) * self.unit

    def solves(self, columns: Sequence[int], bound: float, places: int) -> bool:
        """Tell whether ½yy - c'β + ½β'(G + 2Λ)β + λ0 places >= bound for all β on some columns."""
        t = self._target(bound, places)
        if t <= 0:
            return True
        matrix = self._matrix([*columns, self.p])
        if len(columns) > _SMALL:
            decided = self._witness(columns, matrix, t)
            if decided is not None:
                return decided
        rest = _eliminate(matrix, len(columns))
        assert rest is not None, "a Gram matrix is positive semidefinite"
        return rest[0][0][0] * t.denominator >= t.numerator * rest[1]

    def _witness(self, columns: Sequence[int], matrix: Triangle, t: Fraction) -> bool | None:
        """Decide `solves` by an approximate minimiser γ = B / 2^q: with e = c - (G + 2Λ)γ and D = diag(G + 2Λ) / 2^θ,

        yy - c'γ - e'γ >= min >= yy - c'γ - e'γ - Σ e_j² / d_j; None if t is between the two or D is not proved.
        """
        kept = [i for i, row in enumerate(matrix[:-1]) if row[-1]]
        matrix = [[matrix[i][j] for j in kept if j <= i] for i in kept] + [[matrix[-1][j] for j in (*kept, -1)]]
        if not matrix[-1][-1]:
            return None
        h = _halves(matrix)
        floats = [[a / (1 << h[i] + h[j]) for j, a in enumerate(row)] for i, row in enumerate(matrix)]
        floats[-1][-1] = 4.0 * len(h) * max(1.0, floats[-1][-1])
        factor, failed = _cholesky(floats)
        if failed is not None:
            return None
        gamma = _solve_transposed(factor[:-1], factor[-1][:-1])
        top = max(h[:-1], default=0)
        q = max(0, top + 80 - h[-1])
        B = [_shifted(round(g * 2.0**80), q + h[-1] - 80 - h[j]) for j, g in enumerate(gamma)]
        c, yy = matrix[-1][:-1], matrix[-1][-1]
        full = [[*row, *(below[i] for below in matrix[i + 1 : -1])] for i, row in enumerate(matrix[:-1])]
        e = [(cj << q) - sum(map(mul, row, B)) for cj, row in zip(c, full, strict=True)]
        goal = t.numerator << 2 * q
        value = (yy << 2 * q) - (sum(map(mul, c, B)) << q) - sum(map(mul, e, B))
        if value * t.denominator < goal:
            return False
        theta = self._domination([columns[i] for i in kept])
        if theta is None:
            return None
        value -= sum((a * a << theta) // row[i] + 1 for i, (a, row) in enumerate(zip(e, full, strict=True)))
        return True if value * t.denominator >= goal else None

    def _domination(self, columns: Sequence[int]) -> int | None:
        """θ such that G + 2Λ - diag(G + 2Λ) / 2^θ is proved positive semidefinite on these columns."""
        wanted = frozenset(columns)
        for known, theta in self._dominated:
            if wanted <= known:
                return theta
        everything = [j for j in range(self.p) if j not in self.exclude] if self.p <= _NARROW else columns
        for attempt in [everything, columns] if not self._dominated else [columns]:
            matrix = self._matrix(attempt)
            for theta in range(4, 44, 4):
                lower = [[*(a << theta for a in row[:-1]), row[-1] * ((1 << theta) - 1)] for row in matrix]
                if _is_semidefinite(lower, shifts=[0.2 * 2.0**-theta], is_final=False):
                    self._dominated = [*self._dominated[-31:], (frozenset(attempt), theta)]
                    return theta
        return None

    def _swept(self, order: Sequence[int]) -> list[tuple[int, list[int], int, int]]:
        """Eliminate columns in order, reusing what the last call began with: (column, its row, pivot, divisor)."""
        levels, same = self._levels, 0
        while same < min(len(levels), len(order)) and levels[same][0] == order[same]:
            same += 1
        del levels[same:]
        for s in order[same:]:
            row = _through(self._row(s), [(row, row[s], pivot, previous) for _, row, pivot, previous in levels])
            previous = (levels[-1][2] or levels[-1][3]) if levels else 1
            levels.append((s, row, row[s], previous))
        return levels

    def closes(
        self, S: Sequence[int], R: Sequence[int], q: int, bound: float, places: int, listed: Collection[tuple[int, ...]]
    ) -> bool:
        """Tell whether no S with q columns of R, but for listed supports, has an objective below the bound.

        With r, w, T what is left of yy - t, c and G + 2Λ after S is eliminated, S and P do if r T - ww' is positive
        semidefinite on P (r > 0), w is zero on P (r = 0); not if r < 0.
        """
        t = self._target(bound, places)
        if t <= 0 or len(R) < q:
            return True
        levels = self._swept(S)
        picked = [([row[j] for j in R], row, pivot, previous) for _, row, pivot, previous in levels]

        def rest(i: int, count: int) -> list[int]:
            row = self._row(i)
            return _through([row[j] for j in R[:count]], [(v, full[i], a, b) for v, full, a, b in picked])

        def is_listed(*P: int) -> bool:
            return bool(listed) and tuple(sorted((*S, *P))) in listed

        yy = _through([self._row(self.p)[self.p]], [([row[self.p]], row[self.p], a, b) for _, row, a, b in levels])[0]
        r = yy * t.denominator - t.numerator * ((levels[-1][2] or levels[-1][3]) if levels else 1)
        if q == 0:
            return r >= 0 or is_listed()
        w = dict(zip(R, rest(self.p, len(R)), strict=True))
        if r <= 0:
            return all((r == 0 and not any(w[i] for i in P)) or is_listed(*P) for P in combinations(R, q))
        squares: list[int] = []
        roots: list[int] = []
        for a, i in enumerate(R):
            scaled = t.denominator * w[i]
            K = [r * x - scaled * w[j] for j, x in zip(R, rest(i, a + 1), strict=False)]
            squares.append(K[-1])
            roots.append(math.isqrt(K[-1]) if K[-1] >= 0 else -1)
            if q == 1 and K[-1] < 0 and not is_listed(i):
                return False
            if q == 1:
                continue
            for j, x, root, square in zip(R, K[:-1], roots, squares, strict=False):
                holds = root >= 0 and roots[-1] >= 0 and (abs(x) <= root * roots[-1] or x * x <= square * K[-1])
                if not holds and not is_listed(i, j):
                    return False
        return True

    def bound_holds(
        self,
        gamma_columns: Sequence[int],
        gamma_values: Sequence[float],
        diagonal: Sequence[float] | None,
        I: Collection[int],  # noqa: E741 - as in FORMAT.md
        A: Collection[int],
        s0: int,
        s1: int,
        bound: float,
        objective: float,
    ) -> bool:
        """Tell whether a multiplier proves the bound on the node (I, A, s0, s1); Q is taken to be semidefinite."""
        goal = Fraction(bound)
        if self.lambda0 * max(len(I), s0) >= goal:
            return True
        multiplier = Multiplier(self, gamma_columns, gamma_values, diagonal, max(objective, bound))
        least = multiplier.least(_bits(I), _bits(A), s0, s1)
        return least is not None and least >= goal


def _through(values: list[int], levels: Sequence[tuple[Sequence[int], int, int, int]]) -> list[int]:
    """A row after fraction-free elimination of levels: (pivot row, its entry for this row, pivot, divisor)."""
    for row, factor, pivot, previous in levels:
        if pivot:
            values = [(pivot * a - factor * b) // previous for a, b in zip(values, row, strict=False)]
    return values


class _Combination:
    """The residual y - Xγ as -2^e Σ B_i X_i over γ's columns and y, and what the moments make of it."""

    def __init__(self, moments: Moments, gamma: Mapping[int, float]) -> None:
        self._moments = moments
        columns = [*gamma, moments.p]
        ratios = [value.as_integer_ratio() for value in (*gamma.values(), -1.0)]
        exponents = [moments._e[i] - d.bit_length() + 1 for i, (_, d) in zip(columns, ratios, strict=True)]
        self._e = min(exponents)
        self._B = {i: n << (e - self._e) for i, (n, _), e in zip(columns, ratios, exponents, strict=True)}
        missing = sum(i not in moments._rows for i in columns)
        self._rows = [moments._row(i) for i in columns] if not missing or moments._has_room(missing) else None

    @cached_property
    def _residual(self) -> tuple[Sequence[int], int]:
        """Σ B_i X_i, weighted, and its sum."""
        total = [0] * len(self._moments._x[0])
        for i, factor in self._B.items():
            total = [a + factor * x for a, x in zip(total, self._moments._x[i], strict=True)]
        weighted = self._moments._weighted(total)
        return weighted, sum(weighted)

    def _product(self, j: int) -> int:
        moments = self._moments
        if self._rows is not None:
            return sum(map(mul, self._B.values(), [row[j] for row in self._rows]))
        return moments.unit * moments._moment(*self._residual, j) + moments._ridge[j] * self._B.get(j, 0)

    def correlation(self, j: int) -> Fraction:
        """(c - (G + 2Λ)γ)_j."""
        return self._moments._value(-self._product(j), self._e + self._moments._e[j])

    def half_square(self) -> Fraction:
        """½yy - c'γ + ½γ'(G + 2Λ)γ."""
        return self._moments._value(sum(B * self._product(i) for i, B in self._B.items()), 2 * self._e) / 2


class Multiplier:
    """The bound of section 4 for one γ, column by column as they are asked for."""

    def __init__(
        self,
        moments: Moments,
        columns: Sequence[int],
        values: Sequence[float],
        diagonal: Sequence[float] | None,
        ceiling: float,
    ) -> None:
        self._moments, self._diagonal, self._ceiling = moments, diagonal, Fraction(ceiling)
        self._gamma = {int(j): float(b) for j, b in zip(columns, values, strict=True)}
        self._residual = _Combination(moments, self._gamma)
        self._gains: dict[int, Fraction | None] = {}
        self._ranked: tuple[int, list[tuple[int, int, Fraction | None]]] = 0, []

    def _d(self, j: int) -> Fraction:
        if self._diagonal is None or not len(self._diagonal):
            return 2 * self._moments.lambda2 * self._moments.s2[j]
        return Fraction(self._diagonal[j])

    @cached_property
    def _base(self) -> Fraction:
        """½yy - ½γ'Qγ = [½yy - c'γ + ½γ'(G + 2Λ)γ] + γ'(c - (G + 2Λ)γ) + ½γ'Dγ."""
        base = self._residual.half_square()
        for j, b in self._gamma.items():
            base += Fraction(b) * (self._residual.correlation(j) + self._d(j) * Fraction(b) / 2)
        return base

    def gain(self, j: int) -> Fraction | None:
        """h_j(w_j) - λ0; None where h is infinite."""
        if j not in self._gains:
            w = self._residual.correlation(j) + self._d(j) * Fraction(self._gamma.get(j, 0.0))
            h = self._h(j, w, self._d(j) / 2)
            self._gains[j] = None if h is None else h - self._moments.lambda0
        return self._gains[j]

    def _h(self, j: int, w: Fraction, rho: Fraction) -> Fraction | None:
        moments = self._moments
        price = moments.lambda1 * moments.scale(j)[0] if moments.lambda1 else Fraction(0)
        slope = abs(w) - price
        if slope <= 0:
            return Fraction(0)
        side = moments.upper[j] if w > 0 else -moments.lower[j]
        if rho and (math.isinf(side) or slope <= 2 * rho * Fraction(side)):
            return slope * slope / (4 * rho)
        if math.isfinite(side):
            return slope * Fraction(side) - rho * Fraction(side) ** 2
        return slope * self._ceiling / price if price else None  # the derived box of section 5

    def least(self, inside: int, allowed: int, s0: int, s1: int) -> Fraction | None:
        """The least bound over all places of a node, its sets as bits; None where some h is infinite."""
        total = self._base
        for j in _columns_of(inside):
            gain = self.gain(j)
            if gain is None:
                return None
            total -= gain
        free, room = allowed & ~inside, s1 - inside.bit_count()
        forced = 0 if self._moments.block else s0 - inside.bit_count()
        if free & ~self._ranked[0]:
            self._rank(free | self._ranked[0])
        taken = 0
        for block, size, gain in self._ranked[1]:
            if room <= taken or (gain is not None and gain <= 0 and taken >= forced):
                break
            if not free >> block & 1:
                continue
            if gain is None:
                return None
            total -= gain * Fraction(min(room - taken, size), size)
            taken += size
        return total

    def _rank(self, free: int) -> None:
        """Order blocks by their gain per column, the infinite ones first: (first column, size, gain)."""
        blocks: list[tuple[int, int, Fraction | None]] = []
        groups = self._moments.block
        for j in _columns_of(free):
            block = groups.get(j, (j,))
            if j == block[0]:
                gains = [self.gain(i) for i in block]
                known = [gain for gain in gains if gain is not None]
                blocks.append((j, len(block), sum(known, Fraction(0)) if len(known) == len(gains) else None))
        first = [block for block in blocks if block[2] is None]
        rest = [(gain / size, j, size, gain) for j, size, gain in blocks if gain is not None]
        rest.sort(key=lambda item: item[0], reverse=True)
        self._ranked = free, [*first, *((j, size, gain) for _, j, size, gain in rest)]


class Claim(NamedTuple):
    """One claim as FORMAT.md has it; the arrays may be of any kind that yields numbers."""

    k: int
    objective: float
    dual_bound: float
    support: Sequence[int]
    coef: Sequence[float]
    listed: Sequence[int]
    diagonal: Sequence[float]
    tree: Sequence[int]
    offsets: Sequence[int]
    columns: Sequence[int]
    values: Sequence[float]


class Node(NamedTuple):
    """All places z with I ⊆ z ⊆ A and s0 <= |z| <= s1; the sets are bits of integers, ``order`` is I as it grew."""

    order: Linked
    inside: int
    allowed: int
    s0: int
    s1: int
    is_pure: bool  # no kinds above but DEPENDENT, COPY and SIZES
    path: Linked


Test: TypeAlias = Callable[[], bool]
Proof: TypeAlias = tuple[Linked, Test, str]  # where, what is to be shown, and what it means if it cannot be


class Tree:
    """A claim's tree; walking it yields what remains to be proved, leaf by leaf, in the order of the tokens."""

    def __init__(self, moments: Moments, claim: Claim) -> None:
        self._moments, self._claim, self._tokens = moments, claim, claim.tree
        self._position = 0
        self._listed = set(supports(claim.listed))
        self._listed_bits = {_bits(support) for support in self._listed}
        self._groups = [(_bits(group), len(group)) for group in set(moments.block.values())]
        self._seen: set[tuple[int, int, int, int]] = set()
        self._multiplier: tuple[int, Multiplier] | None = None
        self._visits: dict[int, Callable[[Node, list[int]], Iterator[tuple[Node, bool] | Proof]]] = {
            SOLVE: self._solve, BOUND: self._bound, CHAIN: self._chain, SPLIT: self._split, FIX: self._fix,
            DEPENDENT: self._dependent, COPY: self._copy, SIZES: self._sizes, SEEN: self._been_seen,
        }  # fmt: skip

    def proofs(self) -> Iterator[Proof]:
        """Walk the tree. Raises MalformedError or RefusedError where its tokens break a rule."""
        self._position = 0
        self._seen.clear()
        stack = [self._visit(self._root())]
        deepest = 3 * self._moments.p + 20
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step[0], Node):
                if step[1]:
                    stack.pop()  # its last child takes its place
                stack.append(self._visit(step[0]))
                if len(stack) > deepest:
                    raise MalformedError("the tree is nested deeper than its columns allow")
            else:
                yield step
        if self._position != len(self._tokens):
            raise MalformedError("the tree goes on behind its end")

    def _root(self) -> Node:
        moments, k = self._moments, self._claim.k
        inside = _bits(moments.include)
        allowed = (1 << moments.p) - 1 - _bits(moments.exclude)
        order: Linked = None
        for j in sorted(moments.include):
            order = (order, j)
        exact = moments.lambda0 == 0 and not moments.block
        s1 = min(k, allowed.bit_count()) if exact else k
        return Node(order, inside, allowed, s1 if exact else inside.bit_count(), s1, True, None)

    # Tokens.

    def _take(self) -> int:
        if self._position >= len(self._tokens):
            raise MalformedError("the tree ends too early")
        self._position += 1
        return int(self._tokens[self._position - 1])

    def _column(self) -> int:
        j = self._take()
        if not 0 <= j < self._moments.p:
            raise MalformedError(f"the tree has a column {j} outside 0 … p-1")
        return j

    def _columns(self) -> list[int]:
        count = self._take()
        if not 0 <= count <= self._moments.p:
            raise MalformedError(f"the tree counts {count} columns")
        return [self._column() for _ in range(count)]

    def _number(self) -> int:
        m = self._take()
        if not 0 <= m < len(self._claim.offsets) - 1:
            raise MalformedError(f"the tree has a multiplier {m} that is not there")
        return m

    def _read(self) -> tuple[int, list[int], int]:
        """A node's kind, its arguments, and how many children follow; -1 for those up to an END."""
        kind = self._take()
        if kind in (SOLVE, SEEN):
            return kind, [], 0
        if kind == BOUND:
            return kind, [self._number()], 0
        if kind == CHAIN:
            return kind, self._columns(), -1
        if kind == SPLIT:
            return kind, [self._column()], 2
        if kind == COPY:
            return kind, [self._column(), self._column()], 1
        if kind == SIZES:
            r = self._take()
            if not 0 <= r <= len(self._tokens):
                raise MalformedError(f"the tree counts {r} sizes")
            return kind, [r], r + 1
        if kind == DEPENDENT:
            columns = self._columns()
            if not columns:
                raise MalformedError("the tree has a dependence of no columns")
            return kind, columns, sum(j not in self._moments.include for j in columns)
        if kind == FIX:
            m, count = self._number(), self._take()
            signed = [self._take() for _ in range(min(max(0, count), self._moments.p + 1))]
            if len(signed) != count or any(not 0 <= max(s, -1 - s) < self._moments.p for s in signed):
                raise MalformedError("the tree fixes what are no columns")
            return kind, [m, *signed], 1
        raise MalformedError(f"the tree has a kind {kind}")

    def _skip(self) -> None:
        """Read a node and all below it."""
        waiting = [1]
        while waiting:
            if waiting[-1] == 0 or (waiting[-1] < 0 and self._is_at_end()):
                waiting.pop()
            else:
                waiting[-1] -= waiting[-1] > 0
                waiting.append(self._read()[2])

    def _is_at_end(self) -> bool:
        """Whether an END comes next; it is taken."""
        is_end = self._position < len(self._tokens) and int(self._tokens[self._position]) == END
        self._position += is_end
        return is_end

    # Nodes.

    def _visit(self, node: Node) -> Iterator[tuple[Node, bool] | Proof]:
        settled = self._settled(node)
        if settled is None:
            self._skip()
            return iter(())
        kind, arguments, _ = self._read()
        return self._visits[kind](settled, arguments)

    def _settled(self, node: Node) -> Node | None:
        """What every node goes through before anything else; None if it is empty or listed."""
        count, allowed = node.inside.bit_count(), node.allowed
        if node.s0 > node.s1 or count > node.s1 or allowed.bit_count() < node.s0:
            return None
        for group, size in self._groups:
            if size > node.s1 - count and group & allowed & ~node.inside:
                allowed &= ~group
        if allowed.bit_count() < node.s0:
            return None
        if count == node.s1:
            allowed = node.inside
        if allowed == node.inside and allowed in self._listed_bits:
            return None
        return node._replace(allowed=allowed)

    def _with(self, node: Node, j: int, is_in: bool) -> Node:
        """The node with the block of a free column in or out."""
        block = self._moments.block.get(j, (j,))
        path = (node.path, ("with" if is_in else "without", j))
        if not is_in:
            return node._replace(allowed=node.allowed & ~_bits(block), path=path, is_pure=False)
        order = node.order
        for i in block:
            order = (order, i)
        return node._replace(order=order, inside=node.inside | _bits(block), path=path, is_pure=False)

    def _require(self, condition: bool, node: Node, what: str) -> None:
        if not condition:
            raise RefusedError(f"at {described(node.path)}: {what}")

    def _require_free(self, node: Node, columns: Sequence[int]) -> None:
        free = node.allowed & ~node.inside
        self._require(len(set(columns)) == len(columns), node, "a column is named twice")
        for j in columns:
            self._require(bool(free >> j & 1), node, f"column {j} is not free")

    def _solve_proof(self, node: Node) -> Proof:
        def holds() -> bool:
            places = max(node.s0, node.inside.bit_count())
            return self._moments.solves(_columns_of(node.allowed), self._claim.dual_bound, places)

        return node.path, holds, "the fit of all columns allowed is below the bound"

    def _bound_proof(self, node: Node, m: int) -> Proof:
        return node.path, partial(self._is_bounded, node, m), f"the bound is not reached with multiplier {m}"

    def _is_bounded(self, node: Node, m: int) -> bool:
        claim, places = self._claim, max(node.s0, node.inside.bit_count())
        goal = Fraction(claim.dual_bound)
        if self._moments.lambda0 * places >= goal:
            return True
        if self._multiplier is None or self._multiplier[0] != m:
            part = slice(claim.offsets[m], claim.offsets[m + 1])
            columns = claim.columns[part]
            if len(set(columns)) != len(columns):
                raise MalformedError(f"multiplier {m} names a column twice")
            ceiling = max(claim.objective, claim.dual_bound)
            self._multiplier = m, Multiplier(self._moments, columns, claim.values[part], claim.diagonal, ceiling)
        least = self._multiplier[1].least(node.inside, node.allowed, node.s0, node.s1)
        return least is not None and least >= goal

    def _solve(self, node: Node, _: list[int]) -> Iterator[Proof]:
        yield self._solve_proof(node)

    def _bound(self, node: Node, arguments: list[int]) -> Iterator[Proof]:
        yield self._bound_proof(node, arguments[0])

    def _split(self, node: Node, arguments: list[int]) -> Iterator[tuple[Node, bool]]:
        self._require_free(node, arguments)
        yield self._with(node, arguments[0], is_in=True), False
        yield self._with(node, arguments[0], is_in=False), True

    def _fix(self, node: Node, arguments: list[int]) -> Iterator[tuple[Node, bool] | Proof]:
        m, *signed = arguments
        self._require(not self._moments.block, node, "columns are fixed one by one where there are groups")
        self._require_free(node, [max(s, -1 - s) for s in signed])
        rest = node
        for s in signed:
            other = self._settled(self._with(node, max(s, -1 - s), is_in=s < 0))
            if other is not None:
                yield self._bound_proof(other, m)
            rest = self._with(rest, max(s, -1 - s), is_in=s >= 0)
        yield rest._replace(is_pure=False), True

    def _chain(self, node: Node, columns: list[int]) -> Iterator[tuple[Node, bool] | Proof]:
        q = node.s1 - node.inside.bit_count() - len(columns)
        fits = node.s0 == node.s1 and not self._moments.block and 0 <= q <= 2
        self._require(fits, node, f"a chain of {len(columns)} columns does not fit")
        self._require_free(node, columns)
        prefixes = [node]
        for j in columns:
            prefixes.append(self._with(prefixes[-1], j, is_in=True))
        yield self._tail_proof(prefixes[-1], q)
        t = len(columns)
        while not self._is_at_end():
            if t == 0:
                raise MalformedError("a chain has more children than columns")
            t -= 1
            yield self._with(prefixes[t], columns[t], is_in=False), False
        for prefix, j in zip(prefixes[:t], columns, strict=False):
            child = self._settled(self._with(prefix, j, is_in=False))
            if child is not None:
                yield self._solve_proof(child)

    def _tail_proof(self, node: Node, q: int) -> Proof:
        def holds() -> bool:
            order, rest = _unlinked(node.order), _columns_of(node.allowed & ~node.inside)
            return self._moments.closes(order, rest, q, self._claim.dual_bound, node.s1, self._listed)

        return node.path, holds, "the tail of the chain is not closed"

    def _sizes(self, node: Node, arguments: list[int]) -> Iterator[tuple[Node, bool]]:
        count = node.inside.bit_count()
        for size in range(count, count + arguments[0]):
            yield node._replace(s0=size, s1=size, path=(node.path, ("of size", size))), False
        s0 = max(node.s0, count + arguments[0])
        yield node._replace(s0=s0, path=(node.path, ("of size at least", s0))), True

    def _require_plain(self, node: Node) -> None:
        moments = self._moments
        bounded = any(map(math.isfinite, (*moments.lower, *moments.upper)))
        is_plain = not (moments.lambda1 or moments.lambda2 or moments.block or self._listed or bounded)
        self._require(is_plain and node.is_pure, node, "dependence proves nothing here")
        is_whole = not moments.lambda0 or node.s0 <= node.inside.bit_count()
        self._require(is_whole, node, "dependence proves nothing below a size")

    def _smaller(self, node: Node, j: int) -> Node:
        """A child without a column that depends on others."""
        child = self._with(node, j, is_in=False)._replace(is_pure=True)
        count = child.allowed.bit_count()
        return child._replace(s0=count, s1=count) if count < child.s0 else child

    def _complete(self, node: Node) -> None:
        settled = self._settled(node)
        if settled is not None:
            self._seen.add((settled.inside, settled.allowed, settled.s0, settled.s1))

    def _dependent(self, node: Node, columns: list[int]) -> Iterator[tuple[Node, bool] | Proof]:
        *others, last = columns
        self._require_plain(node)
        self._require_free(node, [last])
        self._require(len(set(columns)) == len(columns), node, "a column is named twice")
        for j in columns:
            self._require(bool(node.allowed >> j & 1), node, f"column {j} is not allowed")
        test = partial(self._moments.depends, last, others)
        yield node.path, test, f"column {last} is not in the span of {others}"
        for j in columns:
            if not node.inside >> j & 1:
                child = self._smaller(node, j)
                yield child, False
                self._complete(child)

    def _copy(self, node: Node, columns: list[int]) -> Iterator[tuple[Node, bool] | Proof]:
        self._require_plain(node)
        self._require_free(node, columns)
        test = partial(self._moments.depends, columns[1], columns[:1])
        yield node.path, test, f"column {columns[1]} is no multiple of {columns[0]}"
        child = self._smaller(node, columns[1])
        yield child, False
        self._complete(child)

    def _been_seen(self, node: Node, _: list[int]) -> Iterator[Proof]:
        is_seen = node.is_pure and (node.inside, node.allowed, node.s0, node.s1) in self._seen
        self._require(is_seen, node, "no such node came before")
        yield from ()


def supports(numbers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The supports of `listed`, each behind its size."""
    position = 0
    while position < len(numbers):
        size = max(0, numbers[position])
        yield tuple(int(j) for j in numbers[position + 1 : position + 1 + size])
        position += 1 + size


def described(path: Linked) -> str:
    """The decisions that lead to a node."""
    return " > ".join(["the root", *(f"{what} {j}" for what, j in _unlinked(path))])


def _unlinked(linked: Linked) -> list[Any]:
    items = []
    while linked is not None:
        linked, item = linked
        items.append(item)
    return items[::-1]


def _bits(columns: Collection[int]) -> int:
    return sum(1 << int(j) for j in columns)


def _columns_of(bits: int) -> list[int]:
    return [j for j, digit in enumerate(reversed(bin(bits))) if digit == "1"]


class Checker:
    """The proof of some claims on one problem: both halves of each.

    ``leaves`` is the number proved so far, ``total`` of how many.
    """

    def __init__(self, moments: Moments, claims: Sequence[Claim]) -> None:
        self._moments, self._claims = moments, claims
        self._trees = [Tree(moments, claim) for claim in claims]
        self.leaves = self.total = 0

    def check(self, sample: int | None = None, seed: int = 0) -> None:
        """Prove everything, or a random sample of the leaves; raises RefusedError with the reason.

        The trees are walked twice: what is wrong with their tokens is found before anything takes long.
        """
        self.total = sum(1 for number in range(len(self._trees)) for _ in self._proofs(number))
        chosen = None
        if sample is not None and sample < self.total:
            chosen = set(random.Random(seed).sample(range(self.total), sample))
        seen = 0
        for number in range(len(self._claims)):
            self._check_incumbent(number)
            self._check_diagonal(number)
            for path, holds, otherwise in self._proofs(number):
                if chosen is None or seen in chosen:
                    if not holds():
                        raise RefusedError(f"claim {number}, at {described(path)}: {otherwise}")
                    self.leaves += 1
                seen += 1

    def _proofs(self, number: int) -> Iterator[Proof]:
        try:
            yield from self._trees[number].proofs()
        except (RefusedError, MalformedError) as error:
            raise type(error)(f"claim {number}, {error}") from None

    def _check_incumbent(self, number: int) -> None:
        claim, moments = self._claims[number], self._moments
        places = moments.places(claim.support)
        for what, holds in {
            f"more than k = {claim.k} places": len(places) <= claim.k,
            "an excluded column": not places & moments.exclude,
            "a coefficient outside its bounds": all(
                moments.lower[j] <= b <= moments.upper[j] for j, b in zip(claim.support, claim.coef, strict=True)
            ),
            "an objective above the one claimed": self._value(claim) <= Fraction(claim.objective),
        }.items():
            if not holds:
                raise RefusedError(f"claim {number}: the incumbent has {what}")

    def _value(self, claim: Claim) -> Fraction:
        return self._moments.incumbent_value([int(j) for j in claim.support], [float(b) for b in claim.coef])

    def _check_diagonal(self, number: int) -> None:
        diagonal = self._claims[number].diagonal
        columns = [j for j in range(self._moments.p) if j not in self._moments.exclude]
        if len(diagonal) and not self._moments.is_dominated(diagonal, columns):
            raise RefusedError(f"claim {number}: G + 2Λ less the diagonal is not positive semidefinite")


class Certificate(NamedTuple):
    """A file's contents."""

    data: dict[str, Any]
    settings: dict[str, Any]
    names: list[str]
    claims: list[Claim]
    lower: Sequence[float] | None
    upper: Sequence[float] | None


def _demand(condition: Any, what: str) -> None:
    if not condition:
        raise MalformedError(what)


def load(path: str) -> Certificate:
    """Read a certificate without trusting a word of it; raises MalformedError or OSError."""
    try:
        with open(path, "rb") as file:
            return _opened(file)
    except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError, MemoryError, RecursionError) as error:
        raise MalformedError(f"not a certificate ({type(error).__name__}: {error})") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError, struct.error) as error:
        raise MalformedError(f"not a zip archive that can be read ({error})") from None


def _opened(file: BinaryIO) -> Certificate:
    try:
        with zipfile.ZipFile(file) as archive:
            return _certificate(archive, file.seek(0, 2))
    except OSError as error:
        raise MalformedError(f"the archive leads outside of the file ({error})") from None


def _certificate(archive: zipfile.ZipFile, size: int) -> Certificate:
    members = {member.filename: member for member in archive.infolist()}
    _demand(len(members) == len(archive.infolist()), "a member is there twice")
    stored = all(m.compress_type == zipfile.ZIP_STORED and m.file_size == m.compress_size for m in members.values())
    _demand(stored, "a member is compressed")
    _demand(sum(m.file_size for m in members.values()) <= size, "the members are longer than the file")

    def content(name: str) -> bytes:
        _demand(name in members, f"{name} is missing")
        return archive.read(members[name])

    header = json.loads(content("header.json"))
    _check_header(header)
    p, settings = header["data"]["p"], header["settings"]
    lower = upper = None
    digest = hashlib.sha256(
        json.dumps({"data": header["data"], "settings": settings}, sort_keys=True, separators=(",", ":")).encode()
    )
    if settings["bounds"]:
        lower, upper = (_array(content(f"{name}.npy"), "<f8", f"{name}.npy") for name in ("lower", "upper"))
        _demand(len(lower) == len(upper) == p, "the bounds have not p entries")
        _demand(all(lo <= 0 <= hi for lo, hi in zip(lower, upper, strict=True)), "the bounds are not lo <= 0 <= hi")
        for bound in (lower, upper):
            digest.update(_little_endian(bound).tobytes())
    _demand(header["digest"] == digest.hexdigest(), "the digest is not that of its data and settings")
    claims = []
    for i, entry in enumerate(header["claims"]):
        arrays = {name: _array(content(f"{i}/{name}.npy"), kind, f"{i}/{name}.npy") for name, kind in _ARRAYS.items()}
        claims.append(Claim(entry["k"], _real(entry["objective"]), _real(entry["dual_bound"]), **arrays))
        _check_claim(claims[-1], p, f"claim {i}: ")
    return Certificate(header["data"], settings, header["feature_names"], claims, lower, upper)


def _real(value: Any) -> float:
    is_real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    _demand(is_real, "a number of the header is not finite")
    return float(value)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check_header(header: dict[str, Any]) -> None:
    _demand(isinstance(header, dict) and header.get("format") == "bestsubset certificate", "the format is another")
    _demand(_is_whole(header["version"], 1, 1), "the version is not 1")
    data, settings, names, claims = (header[name] for name in ("data", "settings", "feature_names", "claims"))
    _demand(set(data) == {"n", "p", "X", "y", "sample_weight"}, "data has other fields")
    _demand(_is_whole(data["n"], 1, 2**62) and _is_whole(data["p"], 1, 2**31 - 1), "n or p is out of range")
    texts = [data["X"], data["y"], *names] + [data["sample_weight"]] * (data["sample_weight"] is not None)
    _demand(len(names) == data["p"] and all(isinstance(t, str) for t in texts), "names or digests are no texts")
    _demand(isinstance(claims, list) and claims, "there is no claim")
    _demand(all(set(c) == {"k", "objective", "dual_bound"} for c in claims), "a claim has other fields")
    _demand(all(_is_whole(c["k"], 1, data["p"]) for c in claims), "k is outside 1 … p")
    penalties = ["lambda0", "lambda1", "lambda2"]
    switches = ["fit_intercept", "standardize", "bounds"]
    sets = ["include", "exclude", "groups"]
    _demand(set(settings) == {"loss", *penalties, *switches, *sets}, "settings has other fields")
    _demand(settings["loss"] == "squared", "the loss is not 'squared'")
    _demand(all(_real(settings[name]) >= 0 for name in penalties), "a penalty is negative")
    _demand(all(isinstance(settings[name], bool) for name in switches), "a switch is neither true nor false")
    _demand(all(isinstance(settings[name], list) for name in sets), "include, exclude or groups is no list")
    include, exclude, groups = (settings[name] for name in sets)
    grouped = [j for group in groups for j in group]
    columns = [*include, *exclude, *grouped]
    _demand(all(_is_whole(j, 0, data["p"] - 1) for j in columns), "a column of the settings is outside 0 … p-1")
    _demand(all(isinstance(group, list) and len(group) >= 2 for group in groups), "a group has less than two columns")
    _demand(len(set(grouped)) == len(grouped), "the groups overlap")
    _demand(len({*include, *exclude}) == len(include) + len(exclude), "include and exclude repeat a column")
    for chosen in (set(include), set(exclude)):
        _demand(all(len(chosen & set(group)) in (0, len(group)) for group in groups), "a group is split")


def _check_claim(claim: Claim, p: int, where: str) -> None:
    def are_columns(numbers: Sequence[int], is_ascending: bool) -> bool:
        in_range = not numbers or (min(numbers) >= 0 and max(numbers) < p)
        return in_range and (not is_ascending or all(a < b for a, b in pairwise(numbers)))

    reals = [claim.coef, claim.diagonal, claim.values]
    _demand(all(all(map(math.isfinite, numbers)) for numbers in reals), where + "a number is not finite")
    _demand(len(claim.support) == len(claim.coef), where + "support and coef differ in length")
    _demand(are_columns(claim.support, True), where + "support is no ascending list of columns")
    _demand(len(claim.diagonal) in (0, p), where + "diagonal has neither p entries nor none")
    _demand(min(claim.diagonal, default=0.0) >= 0, where + "diagonal is negative")
    _demand(len(claim.columns) == len(claim.values), where + "columns and values differ in length")
    _demand(are_columns(claim.columns, False), where + "a multiplier's column is outside 0 … p-1")
    offsets = claim.offsets
    ends = len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(claim.columns)
    _demand(ends and all(map(le, offsets, offsets[1:])), where + "offsets do not divide the multipliers")
    listed = list(supports(claim.listed))
    whole = sum(1 + len(support) for support in listed) == len(claim.listed) and min(claim.listed, default=0) >= 0
    _demand(whole and all(are_columns(support, True) for support in listed), where + "listed is no list of supports")
    _demand(len(claim.tree), where + "the tree is empty")


def _little_endian(numbers: array[Any]) -> array[Any]:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


def _array(content: bytes, kinds: str, name: str) -> array[Any]:
    """The numbers of a .npy member of version 1.0."""
    length = int.from_bytes(content[8:10], "little")
    _demand(content[:8] == b"\x93NUMPY\x01\x00" and length <= 1000, f"{name} is not of version 1.0")
    try:
        header = ast.literal_eval(content[10 : 10 + length].decode("latin1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise MalformedError(f"{name} has no readable header ({error})") from None
    _demand(isinstance(header, dict) and set(header) == {"descr", "fortran_order", "shape"}, f"{name}: other fields")
    descr, shape, body = header["descr"], header["shape"], content[10 + length :]
    _demand(isinstance(descr, str) and descr in kinds.split(), f"{name} has type {descr!r:.40}")
    numbers = array(_TYPES[descr])
    fits = isinstance(shape, tuple) and len(shape) == 1 and _is_whole(shape[0], 0, len(body))
    _demand(fits and shape[0] * numbers.itemsize == len(body), f"{name} is not a vector as long as it says")
    numbers.frombytes(body)
    return _little_endian(numbers)


class Table(NamedTuple):
    """The data of a CSV file, by columns."""

    columns: list[list[float]]
    y: list[float]
    weights: list[float] | None


def read_table(path: str, target: str | None = None, weights: str | None = None) -> Table:
    """Read a CSV file with a header line; raises MalformedError or OSError."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, skipinitialspace=True)
            names = [name.strip() for name in next(rows, [])]
            _demand(names and len(set(names)) == len(names), "expected a header line of distinct names")
            columns: list[array[float]] = [array("d") for _ in names]
            for row in filter(None, rows):
                _demand(len(row) == len(names), f"line {rows.line_num} has {len(row)} entries, not {len(names)}")
                for column, text in zip(columns, row, strict=True):
                    _demand("_" not in text and math.isfinite(value := float(text)), f"{text!r:.40} is no number")
                    column.append(value)
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise MalformedError(str(error)) from None
    _demand(len(columns[0]), "there are no rows below the header")
    parts = dict(zip(names, columns, strict=True))

    def take(option: str, name: str) -> list[float]:
        _demand(name in parts, f"{option} is {name!r:.60}; expected a column of the file")
        return parts.pop(name).tolist()

    w = None if weights is None else take("--weights", weights)
    _demand(w is None or (min(w) >= 0 and any(w)), "the weights are negative or all zero")
    _demand(parts, "there is no column left for the response")
    y = take("--target", list(parts)[-1] if target is None else target)
    _demand(parts, "there are no predictors beside the target")
    return Table([column.tolist() for column in parts.values()], y, w)


def _matches(certificate: Certificate, table: Table) -> None:
    """Refuse other data than the certificate's."""
    data, n, p = certificate.data, len(table.y), len(table.columns)
    if (n, p) != (data["n"], data["p"]):
        raise RefusedError(f"the data are {n} × {p}; the certificate is about {data['n']} × {data['p']}")

    def digest(shape: str, rows: Iterator[Sequence[float]]) -> str:
        sha = hashlib.sha256(shape.encode())
        for row in rows:
            sha.update(_little_endian(array("d", row)).tobytes())
        return sha.hexdigest()

    weights = None if table.weights is None or set(table.weights) == {1.0} else table.weights
    found = {
        "X": digest(f"{n} {p}\n", zip(*table.columns, strict=True)),
        "y": digest(f"{n}\n", iter([table.y])),
        "sample_weight": None if weights is None else digest(f"{n}\n", iter([weights])),
    }
    for name, value in found.items():
        if value != data[name]:
            raise RefusedError(f"{name} is not the {name} that the certificate is about")


def check_file(path: str, table: Table, sample: int | None = None, seed: int = 0) -> tuple[Certificate, Checker]:
    """Check a certificate file against data; raises MalformedError, RefusedError or OSError."""
    certificate = load(path)
    _matches(certificate, table)
    moments = Moments(table.columns, table.y, table.weights, certificate.settings, certificate.lower, certificate.upper)
    checker = Checker(moments, certificate.claims)
    checker.check(sample, seed)
    return certificate, checker


def _sentence(number: int, claim: Claim, names: Sequence[str]) -> str:
    used = [names[j] if names[j].isprintable() else ascii(names[j]) for j in claim.support]
    model = ", ".join(used) or "no columns"
    best = "No feasible model" if not len(claim.listed) else "No feasible model but for those listed"
    return (
        f"Claim {number} (at most {claim.k} columns): the model on {model} has an objective of at most"
        f" {claim.objective!r}. {best} has one below {claim.dual_bound!r}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description="Check a certificate of bestsubset in rational arithmetic.")
    parser.add_argument("certificate")
    parser.add_argument("data", help="the CSV file that was solved")
    parser.add_argument("--target", help="the response's column (default: the last)")
    parser.add_argument("--weights", help="a column of weights of the rows")
    parser.add_argument("--leaves", type=int, help="check a random sample of so many leaves only: no proof")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    began, file = time.perf_counter(), options.data
    try:
        if options.leaves is not None and options.leaves < 1:
            parser.error("--leaves: expected a number >= 1")
        table = read_table(options.data, options.target, options.weights)
        file = options.certificate
        certificate, checker = check_file(file, table, options.leaves, options.seed)
    except RefusedError as error:
        print(f"Refused: {error}.")
        return 3
    except (MalformedError, OSError, MemoryError) as error:
        print(f"error: {file}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 2
    if checker.leaves < checker.total:
        print(f"Sample passed: {checker.leaves} of {checker.total} leaves checked; not a proof of the whole.")
        return 0
    for number, claim in enumerate(certificate.claims):
        print(_sentence(number, claim, certificate.names))
    seconds = time.perf_counter() - began
    print(f"Valid. {checker.leaves} leaves checked in rational arithmetic in {seconds:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
