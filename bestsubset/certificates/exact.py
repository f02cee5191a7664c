"""The exact checker: a certificate against the data, in integers and fractions alone; FORMAT.md is its specification.

``python -I -S exact.py model.cert data.csv`` runs it by path, with nothing installed. It leaves with 0 if the
certificate is valid, with 3 if it is refused, with 2 if it is malformed or something cannot be read.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import random
import sys
import zipfile
from abc import ABC, abstractmethod
from array import array
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from itertools import chain, combinations, islice, pairwise
from operator import mul, sub
from typing import Any, TypeAlias

SOLVE, BOUND, CHAIN, SPLIT, FIX, DEPENDENT, COPY, END, SIZES, SEEN, INFEASIBLE = range(11)
Ints: TypeAlias = Sequence[int]
Reals: TypeAlias = Sequence[float]
Entry: TypeAlias = Callable[[int, int], int]  # the entries of a symmetric matrix of integers
Leaf: TypeAlias = "tuple[Node, Callable[[], bool], str]"  # where, what must hold, and what is said if it does not
Table = namedtuple("Table", "columns y weights")
Certificate = namedtuple("Certificate", "data settings names claims lower upper")
Claim = namedtuple(
    "Claim",
    "k objective dual_bound support coef listed diagonal tree offsets columns values boxed limits model together",
    defaults=((), (), None, 0),
)
# All z with I ⊆ z ⊆ A and s0 <= |z| <= s1. Pure: only DEPENDENT and COPY are above. Proved: nothing is left to show.
Node = namedtuple("Node", "I A s0 s1 path is_pure is_proved")
Chain = namedtuple("Chain", "node columns t")  # its children t, t - 1, … are still to come


class MalformedError(Exception):
    """The file is no certificate, or the data are no data."""


class RefusedError(Exception):
    """Something claimed is not proved."""


def demand(condition: Any, what: str) -> None:
    if not condition:
        raise MalformedError(what)


def require(condition: Any, what: str) -> None:
    if not condition:
        raise RefusedError(what)


# Reading a certificate (FORMAT.md, section 2) and a table.

ARRAYS = {"support": "<i4", "coef": "<f8", "listed": "<i4", "diagonal": "<f8", "tree": "<i2 <i4"}
BOXES = {"boxed": "<i4", "limits": "<f8"}  # of the feature "boxes"
ARRAYS |= {"offsets": "<i8", "columns": "<i4", "values": "<f8"}
REAL = (int, float)
FIELDS: dict[str, dict[str, Any]] = {
    "data": {"n": [int], "p": [int], "X": [str], "y": [str], "sample_weight": [str, type(None)]},
    "settings": {"loss": [str], "lambda0": REAL, "lambda1": REAL, "lambda2": REAL, "include": [list], "exclude": [list]}
    | {"groups": [list], "fit_intercept": [bool], "standardize": [bool], "bounds": [bool]},
    "claim": {"k": [int], "objective": REAL, "dual_bound": REAL},
}
# What the features of version 2 add to the header (FORMAT.md, sections 2, 9 and 10).
FEATURES: dict[str, dict[str, dict[str, Any]]] = {
    "boxes": {},
    "dual": {"settings": {"tau": [*REAL, type(None)]}, "claim": {"together": [int]}},
    "rules": {"settings": {"rules": [list], "single": [list]}, "claim": {"model": [list]}},
}


def load(path: str) -> Certificate:
    """Read a certificate without trusting a word of it: whatever goes wrong is the file's fault."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            is_stored = all(m.compress_type == zipfile.ZIP_STORED and m.file_size == m.compress_size for m in members)
            is_short = sum(m.file_size for m in members) <= file.seek(0, 2)
            demand(is_stored and is_short, "a member is compressed, or longer than the file")
            demand(len({m.filename for m in members}) == len(members), "a member is there twice")
            return read_certificate(archive)
    except Exception as error:
        raise MalformedError(f"no certificate that can be read ({error or type(error).__name__})") from None


def read_certificate(archive: zipfile.ZipFile) -> Certificate:
    header = json.loads(archive.read("header.json"))
    check_header(header)
    data, settings, claims = header["data"], header["settings"], []
    text = json.dumps({"data": data, "settings": settings}, sort_keys=True, separators=(",", ":"))
    sides = [read_array(archive, f"{side}.npy", "<f8") for side in ("lower", "upper")] if settings["bounds"] else []
    digest = hashlib.sha256(b"".join([text.encode(), *sides])).hexdigest()
    demand(header["digest"] == digest, "the digest is not that of its data and settings")
    is_around_0 = all(lo <= 0 <= hi for lo, hi in zip(*sides, strict=True))
    demand(is_around_0 and all(len(side) == data["p"] for side in sides), "the bounds are not p times lo <= 0 <= hi")
    expected = ARRAYS | (BOXES if "boxes" in header.get("features", []) else {})
    for i, entry in enumerate(header["claims"]):
        arrays = {name: read_array(archive, f"{i}/{name}.npy", kinds) for name, kinds in expected.items()}
        numbers = entry["k"], float(entry["objective"]), float(entry["dual_bound"])
        claims.append(Claim(*numbers, **arrays, model=entry.get("model"), together=entry.get("together", 0)))
        check_claim(claims[-1], data["p"], len(settings.get("rules", ())), data["n"] if "tau" in settings else None)
    return Certificate(data, settings, header["feature_names"], claims, *(sides or (None, None)))


def read_array(archive: zipfile.ZipFile, name: str, kinds: str) -> array[Any]:
    """The numbers of a .npy member of version 1.0, as numpy writes it."""
    content = archive.read(name)
    start = 10 + int.from_bytes(content[8:10], "little")
    for kind in kinds.split():
        numbers = array({"<f8": "d", "<i2": "h", "<i4": "i", "<i8": "q"}[kind])
        count = (len(content) - start) // numbers.itemsize
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}"
        if content[:8] == b"\x93NUMPY\x01\x00" and content[10:start].rstrip() == header.encode():
            numbers.frombytes(content[start:])
            return numbers
    raise MalformedError(f"{name} is no vector of type {kinds} that is as long as it says")


def check_header(header: dict[str, Any]) -> None:
    data, settings, names, claims = (header[name] for name in ("data", "settings", "feature_names", "claims"))
    version, features = header["version"], header.get("features", [])
    is_known = type(version) is int and version == 1 + bool(features) and {*features} <= FEATURES.keys()
    is_known = is_known and len({*features}) == len(features)
    demand(header["format"] == "bestsubset certificate" and is_known, "another format or version")
    for what, entry in [("data", data), ("settings", settings), *(("claim", claim) for claim in claims)]:
        fields = dict(chain(FIELDS[what].items(), *(FEATURES[name].get(what, {}).items() for name in features)))
        demand(entry.keys() == fields.keys(), f"{what} lacks a field or has another")
        for name, value in entry.items():
            demand(type(value) in fields[name], f"{name} of {what} has the wrong type")
            demand(fields[name] != REAL or math.isfinite(value), f"{name} of {what} is not finite")
    p, include, exclude, groups = data["p"], settings["include"], settings["exclude"], settings["groups"]
    columns, grouped = [*include, *exclude], [*chain(*groups)]
    check_loss(settings)
    demand(data["n"] >= 1 and claims and all(1 <= claim["k"] <= p for claim in claims), "n or a k is out of range")
    demand(len(names) == p and all(isinstance(name, str) for name in names), "feature_names are not p texts")
    demand(all(type(j) is int and 0 <= j < p for j in columns + grouped), "settings name no column")
    demand(len({*columns}) == len(columns) and len({*grouped}) == len(grouped), "settings name a column twice")
    shares = [len({*group} & {*chosen}) / len(group) for group in groups for chosen in (include, exclude)]
    demand({*shares} <= {0.0, 1.0} and all(len(group) > 1 for group in groups), "a group is split, or one column")
    check_rules(settings, [claim["model"] for claim in claims if "model" in claim], p)


def check_loss(settings: dict[str, Any]) -> None:
    loss, penalties = settings["loss"], [settings[f"lambda{i}"] for i in range(3)]
    demand(min(penalties) >= 0, "a penalty is negative")
    if "tau" not in settings:
        return demand(loss == "squared", "no such loss")
    demand(loss in ("absolute", "quantile", "hinge") and penalties[2] == 0, "no such loss, or one with a ridge")
    tau = settings["tau"]
    fits = tau is None if loss != "quantile" else tau is not None and 0 < tau < 1
    return demand(fits, "tau does not fit the loss")


def check_rules(settings: dict[str, Any], models: list[list[int]], p: int) -> None:
    rules, single = settings.get("rules", []), settings.get("single", [])
    for rule in rules:
        demand(rule.keys() == {"columns", "coefs", "limit"}, "a rule lacks a field or has another")
        numbers = [*rule["coefs"], rule["limit"]]
        demand(all(type(a) in REAL for a in numbers), "a number of a rule has the wrong type")
        demand(sum(map(abs, numbers)) < sys.float_info.max, "the numbers of a rule are too large")
        demand(len(rule["coefs"]) == len(rule["columns"]), "a rule has not a coefficient for each column")
    for columns in [*(rule["columns"] for rule in rules), *models]:
        demand(all(type(j) is int and 0 <= j < p for j in columns), "a rule or a model names no column")
        demand(len({*columns}) == len(columns), "a rule or a model names a column twice")
    demand(all(group in settings["groups"] and single.count(group) == 1 for group in single), "single has no groups")


def check_claim(claim: Claim, p: int, rules: int, rows: int | None) -> None:
    width = p if rows is None else rows  # a multiplier names columns, a dual vector rows
    listed = [*supports(claim.listed)] if min(claim.listed, default=0) >= 0 else []
    columns, ends = [*claim.support, *chain(*listed)], [*pairwise(claim.offsets)]
    prices = [b for j, b in zip(claim.columns, claim.values, strict=False) if j >= width]  # those name rules
    fits = len(claim.support) == len(claim.coef) and len(claim.columns) == len(claim.values)
    demand(fits and len(claim.diagonal) in (0, p) and len(claim.tree), "an array has a wrong length")
    is_finite = all(map(math.isfinite, chain(claim.coef, claim.diagonal, claim.values)))
    demand(is_finite and min(claim.diagonal, default=0) >= 0, "a number is not finite, or diagonal is negative")
    demand(min(columns, default=0) >= 0 and max(columns, default=0) < p, "a column is out of range")
    named = min(claim.columns, default=0), max(claim.columns, default=0)
    demand(named[0] >= 0 and named[1] < width + rules, "a multiplier names what is not there")
    demand(rows is None or not len(claim.diagonal), "a diagonal with a loss that has kinks")
    demand(min(prices, default=0) >= 0, "a price of a rule is negative")
    demand(all(a < b for z in (claim.support, *listed) for a, b in pairwise(z)), "a support is not ascending")
    demand([*chain(*((len(z), *z) for z in listed))] == [*claim.listed], "listed is no list of supports")
    is_division = claim.offsets[0] == 0 and claim.offsets[-1] == len(claim.columns) and all(a <= b for a, b in ends)
    demand(is_division, "offsets do not divide the multipliers")
    boxed = [max(s, ~s) for s in claim.boxed]
    demand(len(boxed) == len(claim.limits) < len(claim.offsets), "there are not as many boxes as limits, proved")
    demand(max(boxed, default=0) < p, "a box is of no column")
    demand(0 <= claim.together <= len(boxed), "there are fewer boxes than are proved together")
    demand(all(0 < v < math.inf for v in claim.limits), "a limit is not finite and > 0")
    demand(all(len({*claim.columns[a:b]}) == b - a for a, b in ends), "a multiplier names a column twice")


def supports(numbers: Ints) -> Iterator[tuple[int, ...]]:
    """The supports of `listed`, each behind its size."""
    rest = map(int, numbers)
    for size in rest:
        yield tuple(islice(rest, size))


def read_table(path: str, target: str | None = None, weights: str | None = None) -> Table:
    """Read a CSV file with a header line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            names, *rows = (row for row in csv.reader(file, skipinitialspace=True) if row)
        columns = zip(*(map(float, row) for row in rows), strict=True)
        parts = {name.strip(): [*column] for name, column in zip(names, columns, strict=True)}
    except (csv.Error, ValueError) as error:
        raise MalformedError(f"expected a line of names and lines of as many numbers ({error})") from None
    demand(len(parts) == len(names), "a name is there twice")
    demand(all(map(math.isfinite, chain(*parts.values()))), "a number is not finite")
    target = target or next((name for name in reversed(names) if name.strip() != weights), "").strip()
    is_there = target in parts and weights in (None, *parts)
    demand(is_there and target != weights, "--target or --weights is no column, or they are the same one")
    y, w = parts.pop(target), None if weights is None else parts.pop(weights)
    demand(w is None or (min(w) >= 0 and any(w)), "the weights are negative or all zero")
    demand(parts, "there are no predictors beside the target")
    return Table([*parts.values()], y, w)


def require_same_data(data: Mapping[str, Any], table: Table) -> None:
    n, p, w = len(table.y), len(table.columns), table.weights or [1.0]
    require((n, p) == (data["n"], data["p"]), f"the data are {n} × {p}, not what the certificate is about")
    rows = {"X": zip(*table.columns, strict=True), "y": [table.y], "sample_weight": [w]}
    for name, shape in {"X": f"{n} {p}\n", "y": f"{n}\n", "sample_weight": f"{n}\n"}.items():
        digest = hashlib.sha256(shape.encode())
        for row in rows[name]:
            digest.update(array("d", row))
        found = None if name == "sample_weight" and {*w} == {1.0} else digest.hexdigest()
        require(found == data[name], f"{name} is not the {name} that the certificate is about")


# Arithmetic.


def bits(columns: Iterable[int]) -> int:
    """A set of columns as the bits of an integer."""
    return sum(1 << int(j) for j in columns)


def columns_of(bits: int) -> list[int]:
    return [j for j, digit in enumerate(reversed(bin(bits))) if digit == "1"]


def integers(values: Iterable[float]) -> tuple[list[int], int]:
    """Integers m and an exponent e with values = m / 2^e."""
    ratios = [value.as_integer_ratio() for value in values]
    length = max(d.bit_length() for _, d in ratios)
    return [n << (length - d.bit_length()) for n, d in ratios], length - 1


def root(square: Fraction, above: bool = False) -> Fraction:
    """A square root, or a lower (or upper) bound of it where it is irrational."""
    n, d = square.as_integer_ratio()
    shift = 80 + max(0, d.bit_length() - n.bit_length())
    low = Fraction(math.isqrt((n << 2 * shift) // d), 1 << shift)
    return low + Fraction(1, 1 << shift) if above and low * low < square else low


def sweep(M: Entry, S: Ints, rest: Ints) -> Entry | None:
    """Fraction-free elimination (Bareiss) of S: a positive multiple of the Schur complement of M on the rest.

    A zero pivot with a zero row is skipped; None where a pivot shows that M is not positive semidefinite.
    """
    levels: list[tuple[dict[int, int], int, int]] = []

    def entry(i: int, j: int) -> int:
        value = M(i, j)
        for row, pivot, divisor in levels:
            value = (pivot * value - row[i] * row[j]) // divisor
        return value

    for start, s in enumerate(S):
        row = {j: entry(s, j) for j in (*S[start:], *rest)}
        if row[s] < 0 or (row[s] == 0 and any(row.values())):
            return None
        if row[s] > 0:
            levels.append((row, row[s], levels[-1][1] if levels else 1))
    return entry


def is_semidefinite(M: Entry, columns: Ints) -> bool:
    """Whether M is positive semidefinite on m columns.

    By a Cholesky factorisation in integers: M, scaled so that M_ii <= 4^t, is LL' + E, where 0 <= E_ij < L_jj <= 2^t
    for i > j is left over by a division, and E_ii >= m 2^t: E is diagonally dominant. If that fails M is eliminated.
    """
    columns = [i for i in columns if M(i, i) or any(M(i, j) for j in columns)]
    half = [(M(i, i).bit_length() + 1) // 2 for i in columns]
    t, L = max([80, *half]), list[list[int]]()
    for i, scale in zip(columns, half, strict=True):
        row: list[int] = []
        for j, other, above in zip(columns, half, L, strict=False):
            row.append(((M(i, j) << 2 * t - scale - other) - sum(map(mul, row, above))) // above[-1])
        pivot = (M(i, i) << 2 * (t - scale)) - sum(map(mul, row, row)) - (len(columns) << t)
        if pivot <= 0:
            return sweep(M, columns, ()) is not None
        L.append([*row, math.isqrt(pivot)])
    return True


# The problem, and the rules by which leaves are proved (FORMAT.md, sections 4 to 6).


class Rule:
    """Σ a_j z_j ≤ b, the sum rounded once to float64, on blocks of columns that enter together."""

    def __init__(self, block: Mapping[int, int], columns: Ints, coefs: Reals, limit: float) -> None:
        self.limit, self.coefs = float(limit), dict[int, Fraction]()
        for j, a in zip(columns, coefs, strict=True):
            self.coefs[block[j]] = self.coefs.get(block[j], Fraction(0)) + Fraction(float(a))

    def is_broken(self, I: int, A: int) -> bool:  # noqa: E741
        """Whether the least sum over I ⊆ z ⊆ A exceeds the limit: Python rounds a fraction correctly."""
        least = sum(a for b, a in self.coefs.items() if b & I or (a < 0 and b & A))
        return float(least) > self.limit

    @property
    def ceiling(self) -> Fraction:
        """No sum that obeys is larger, before it is rounded."""
        return Fraction(math.nextafter(self.limit, math.inf))


class Statement(ABC):
    """What problems of all losses share: the penalties, the bounds, and which places are feasible."""

    width: int  # a multiplier names so many columns, or rows; behind them, rules

    def __init__(
        self, p: int, settings: Mapping[str, Any], lower: Reals | None = None, upper: Reals | None = None
    ) -> None:
        self.p, self.lower, self.upper = p, lower or [-math.inf] * p, upper or [math.inf] * p
        self.lambda0, self.lambda1, self.lambda2 = (Fraction(settings[f"lambda{i}"]) for i in range(3))
        self.include, self.allowed = bits(settings["include"]), bits(range(p)) & ~bits(settings["exclude"])
        self.groups = [[*group] for group in settings["groups"]]
        self.blocks = self.groups + [[j] for j in sorted({*range(p)}.difference(*self.groups))]
        self.block = {j: bits(block) for block in self.blocks for j in block}
        self.rules = [Rule(self.block, **rule) for rule in settings.get("rules", ())]
        self.single = settings.get("single", ())
        self.is_ruled = bool(self.groups or self.rules)
        self.s2 = [Fraction(1)] * p

    @abstractmethod
    def dual(self, vector: Mapping[int, Fraction], d: Reals) -> tuple[Fraction, list[Fraction], list[Fraction]]:
        """A constant, w and d: f is at least the constant less Σ h_j(w_j) - λ0 over the places."""

    @abstractmethod
    def takes(self, vector: Mapping[int, Fraction]) -> bool:
        """Whether that holds for this multiplier."""

    @abstractmethod
    def incumbent_value(self, support: Iterable[int], coef: Iterable[float], places: int | None = None) -> Fraction:
        """The least of f over b at these coefficients; an upper bound of it where s_j is irrational and λ1 > 0."""

    @abstractmethod
    def solves(self, columns: Ints, bound: float | Fraction, places: int) -> bool:
        """Whether some columns, and the price of so many places, reach the bound without a multiplier."""

    # What holds for squared error alone.

    def closes(
        self, S: Ints, R: Ints, q: int, bound: float | Fraction, places: int, listed: Collection[tuple[int, ...]]
    ) -> bool:
        """Whether no S with q columns P of R, but for listed supports, has an objective below the bound."""
        return False

    def depends(self, j: int, others: Ints) -> bool:
        """Whether column j is in the span of others; only without a ridge."""
        return False

    def is_dominated(self, diagonal: Reals, columns: Ints) -> bool:
        """Whether G + 2Λ - D is positive semidefinite on some columns, as G is."""
        return not len(diagonal)

    def size(self, columns: int) -> int:
        """What a set of blocks counts: its columns, but a group that counts as one once."""
        return columns.bit_count() - sum(len(group) - 1 for group in self.single if bits(group) & columns)

    def places(self, support: Iterable[int]) -> int:
        """The smallest places that hold a support."""
        return self.include | sum({self.block[j] for j in support if not self.include >> j & 1})

    def penalty(self, beta: Mapping[int, Fraction], places: int | None) -> Fraction:
        """λ0 and λ1 of a point; an upper bound of it where s_j is irrational and λ1 > 0."""
        price = self.lambda1 and self.lambda1 * sum(root(self.s2[j], above=True) * abs(b) for j, b in beta.items())
        return price + self.lambda0 * self.size(self.places(beta) if places is None else places)

    def boxes(self, boxed: Ints, limits: Reals) -> tuple[list[float], list[float]]:
        """The user's bounds with some boxes."""
        lower, upper = [*self.lower], [*self.upper]
        for s, v in zip(map(int, boxed), map(float, limits), strict=True):
            if s >= 0:
                upper[s] = min(upper[s], v)
            else:
                lower[~s] = max(lower[~s], -v)
        return lower, upper

    def bound_holds(
        self, columns: Ints, values: Reals, diagonal: Reals | None, I: Ints, A: Ints, s0: int, s1: int,  # noqa: E741
        bound: float, objective: float, boxed: Ints = (), limits: Reals = (), box: int | None = None,
    ) -> bool:  # fmt: skip
        """Whether a multiplier proves the bound on the node (I, A, s0, s1); Q is taken to be semidefinite.

        All boxes hold; or those before number ``box`` alone, and the bound is to be proved beyond that one.
        """
        sides = self.boxes(boxed[:box], limits[:box])
        d = () if diagonal is None else diagonal
        multiplier = Multiplier(self, columns, values, d, max(objective, bound), *sides)
        if box is not None and not multiplier.goes_beyond(int(boxed[box]), limits[box]):
            return True
        return multiplier.reaches(Fraction(bound), bits(I), bits(A), s0, s1)

    def box_holds_with_others(
        self, columns: Ints, values: Reals, bound: float, objective: float, boxed: Ints, limits: Reals, box: int
    ) -> bool:
        """Whether a dual vector proves one of the boxes that are proved together, ``boxed`` being all of them."""
        sides = self.boxes(boxed, limits)
        multiplier = Multiplier(self, columns, values, (), max(objective, bound), *sides)
        return multiplier.holds_a_ball(int(boxed[box]), limits[box], Fraction(bound))


class Moments(Statement):
    """The matrix M = (G + 2Λ, c; c', yy) of a problem, y being column p, times ``factor``, which makes it integral.

    With integers X = 2^e x and V = 2^f w, G_ij is Σ V X_i X_j - Σ V X_i · Σ V X_j / N over 2^(2e + f), where N = Σ V.
    """

    def __init__(
        self, columns: Sequence[Reals], y: Reals, weights: Reals | None, settings: Mapping[str, Any],
        lower: Reals | None = None, upper: Reals | None = None,
    ) -> None:  # fmt: skip
        n, p = len(y), len(columns)
        super().__init__(p, settings, lower, upper)
        self.width = p
        (numbers, e), (V, f) = integers(chain(*columns, y)), integers(weights or [1.0] * n)
        self.X = [numbers[n * j : n * (j + 1)] for j in range(p + 1)]
        self.VX = [[*map(mul, V, x)] for x in self.X] if weights else self.X
        self.N, self.sums = sum(V), [sum(x) for x in self.VX]
        W = Fraction(self.N, 1 << f)
        if not settings["fit_intercept"]:
            self.N, self.sums = 1, [0] * (p + 1)
        self.factor, self.unit, self.ridge = Fraction(self.N << 2 * e + f), 1, [0] * (p + 1)
        if settings["standardize"]:
            self.s2 = [self.moment(j, j) / (self.factor * W) for j in range(p)]
        ridge = [2 * self.lambda2 * s2 * self.factor for s2 in self.s2] + [Fraction(0)]
        self.unit = math.lcm(*(a.denominator for a in ridge))
        self.factor, self.ridge = self.factor * self.unit, [int(a * self.unit) for a in ridge]
        self.M: Entry = lru_cache(2**19)(self.moment)

    def product(self, x: Ints, total: int, j: int) -> int:
        return int(self.unit * (self.N * sum(map(mul, x, self.VX[j])) - total * self.sums[j]))

    def moment(self, i: int, j: int) -> int:
        return self.product(self.X[i], self.sums[i], j) + (self.ridge[i] if i == j else 0)

    def residual(self, gamma: Mapping[int, Fraction]) -> list[Fraction]:
        """c - (G + 2Λ)γ and, behind it, yy - c'γ."""
        q = math.lcm(*(b.denominator for b in gamma.values()))
        B = {self.p: q} | {j: -int(b * q) for j, b in gamma.items()}
        if self.p <= 700:  # all moments are kept
            products = [sum(b * self.M(i, j) for i, b in B.items()) for j in range(self.p + 1)]
        else:
            x = [sum(map(mul, B.values(), row)) for row in zip(*(self.X[i] for i in B), strict=True)]
            total = sum(b * self.sums[i] for i, b in B.items())
            products = [self.product(x, total, j) + self.ridge[j] * B.get(j, 0) for j in range(self.p + 1)]
        return [a / (q * self.factor) for a in products]

    def incumbent_value(self, support: Iterable[int], coef: Iterable[float], places: int | None = None) -> Fraction:
        gamma = {int(j): Fraction(float(b)) for j, b in zip(support, coef, strict=True)}
        e = self.residual(gamma)
        loss = (e[self.p] - sum(b * e[j] for j, b in gamma.items())) / 2
        return loss + self.penalty(gamma, places)

    def dual(self, gamma: Mapping[int, Fraction], diagonal: Reals) -> tuple[Fraction, list[Fraction], list[Fraction]]:
        """Section 4: ½yy - ½γ'Qγ, w = c - Qγ, and d."""
        d = [Fraction(float(a)) for a in diagonal] or [2 * self.lambda2 * s2 for s2 in self.s2]
        e = self.residual(gamma)
        w = [e[j] + d[j] * gamma.get(j, 0) for j in range(self.p)]
        return (e[self.p] + sum(b * w[j] for j, b in gamma.items())) / 2, w, d

    def takes(self, gamma: Mapping[int, Fraction]) -> bool:
        """Whether Q is known to be positive semidefinite where γ is not zero."""
        return not bits(gamma) & ~self.allowed

    def depends(self, j: int, others: Ints) -> bool:
        swept = sweep(self.M, others, [j])
        return swept is not None and swept(j, j) == 0

    def is_dominated(self, diagonal: Reals, columns: Ints) -> bool:
        d = {j: Fraction(float(diagonal[j])) * self.factor for j in columns if len(diagonal)}
        q = math.lcm(*(a.denominator for a in d.values()))
        is_small = all(a <= self.ridge[j] for j, a in d.items())
        return is_small or is_semidefinite(lambda i, j: q * self.M(i, j) - (int(q * d[i]) if i == j else 0), columns)

    def lowered(self, bound: float | Fraction, places: int) -> Entry | None:
        """The matrix of section 5: M with t = 2 (bound - λ0 places) taken off yy; None where t <= 0."""
        t = 2 * self.factor * (Fraction(bound) - self.lambda0 * places)
        n, d = t.as_integer_ratio()
        return None if t <= 0 else lambda i, j: d * self.M(i, j) - (n if i == j == self.p else 0)

    def solves(self, columns: Ints, bound: float | Fraction, places: int) -> bool:
        """Whether ½yy - c'β + ½β'(G + 2Λ)β + λ0 places >= bound for all β on some columns."""
        M = self.lowered(bound, places)
        return M is None or is_semidefinite(M, [*columns, self.p])

    def closes(
        self, S: Ints, R: Ints, q: int, bound: float | Fraction, places: int, listed: Collection[tuple[int, ...]]
    ) -> bool:
        M = self.lowered(bound, places)
        if M is None or len(R) < q:
            return True
        K = sweep(M, [*S, self.p], R if q else ())
        k = {i: K(i, i) for i in R} if K and q else {}

        def holds(P: tuple[int, ...]) -> bool:
            if K is None:
                return is_semidefinite(M, [*S, self.p, *P])
            return all(k[i] >= 0 for i in P) and (q < 2 or K(*P) ** 2 <= k[P[0]] * k[P[1]])

        return all(holds(P) or tuple(sorted((*S, *P))) in listed for P in combinations(R, q))


class Kinked(Statement):
    """Rows of a loss Σ u_i (η_i - κ_i)₊ + d_i (κ_i - η_i)₊, the weights being in u and d (FORMAT.md, section 10)."""

    def __init__(
        self, columns: Sequence[Reals], y: Reals, weights: Reals | None, settings: Mapping[str, Any],
        lower: Reals | None = None, upper: Reals | None = None,
    ) -> None:  # fmt: skip
        super().__init__(len(columns), settings, lower, upper)
        n, loss = len(y), settings["loss"]
        self.width, self.has_intercept = n, settings["fit_intercept"]
        require(loss != "hinge" or {*y} <= {-1.0, 1.0}, "y has other values than the classes -1 and 1")
        w = [*map(Fraction, weights or [1.0] * n)]
        tau = Fraction(1) if settings["tau"] is None else Fraction(settings["tau"])
        rise = tau if loss != "quantile" else 1 - tau
        self.kink = [*map(Fraction, y)]
        self.up = [a * rise * (loss != "hinge" or b < 0) for a, b in zip(w, y, strict=True)]
        self.down = [a * tau * (loss != "hinge" or b > 0) for a, b in zip(w, y, strict=True)]
        numbers, e = integers(chain(*columns))
        self.X, self.scale = [numbers[n * j : n * (j + 1)] for j in range(self.p)], 1 << e
        if settings["standardize"]:
            self.s2 = [self.variance(x, w) for x in self.X]

    def variance(self, x: Ints, w: Sequence[Fraction]) -> Fraction:
        zero = Fraction(0)
        W, first, second = sum(w, zero), sum(map(mul, w, x), zero), sum(map(mul, w, map(mul, x, x)), zero)
        return (second - (first * first / W if self.has_intercept else 0)) / (W * self.scale**2)

    def dual(self, u: Mapping[int, Fraction], _: Reals) -> tuple[Fraction, list[Fraction], list[Fraction]]:
        """Section 10: -κ'u, and -X'u in the place of w."""
        q = math.lcm(*(a.denominator for a in u.values()))
        rows, numbers = [*u], [int(a * q) for a in u.values()]
        w = [Fraction(-sum(map(mul, numbers, map(x.__getitem__, rows))), q * self.scale) for x in self.X]
        return -sum((a * self.kink[i] for i, a in u.items()), Fraction(0)), w, [Fraction(0)] * self.p

    def takes(self, u: Mapping[int, Fraction]) -> bool:
        """Whether u is in the domain of the conjugate, and no intercept makes the bound worthless."""
        is_inside = all(-self.down[i] <= a <= self.up[i] for i, a in u.items())
        return is_inside and not (self.has_intercept and sum(u.values()))

    def incumbent_value(self, support: Iterable[int], coef: Iterable[float], places: int | None = None) -> Fraction:
        beta = {int(j): Fraction(float(b)) for j, b in zip(support, coef, strict=True)}
        fitted = [sum(b * self.X[j][i] for j, b in beta.items()) / Fraction(self.scale) for i in range(self.width)]
        rows = sorted(zip(map(sub, self.kink, fitted), self.up, self.down, strict=True))
        zero = Fraction(0)
        b, slope = zero, -sum(self.down, zero)
        for b, u, d in rows if self.has_intercept else ():  # noqa: B007
            slope += u + d
            if slope >= 0:
                break
        return sum((max(u * (b - t), d * (t - b)) for t, u, d in rows), zero) + self.penalty(beta, places)

    def solves(self, columns: Ints, bound: float | Fraction, places: int) -> bool:
        """Whether the price of the places alone reaches the bound: no loss is negative."""
        return self.lambda0 * places >= bound or bound <= 0


class Multiplier:
    """The bound of section 4 for one γ: the constant ½yy - ½γ'Qγ, and the gains of blocks that are taken off it."""

    def __init__(
        self, moments: Statement, columns: Ints, values: Reals, diagonal: Reals, ceiling: float,
        lower: Reals, upper: Reals,
    ) -> None:  # fmt: skip
        m = self.moments = moments
        named = {int(j): Fraction(float(b)) for j, b in zip(columns, values, strict=True)}
        vector = {j: b for j, b in named.items() if j < m.width}
        prices = [(m.rules[j - m.width], b) for j, b in named.items() if j >= m.width]
        self.lower, self.upper, self.ceiling = lower, upper, Fraction(ceiling)
        self.is_valid = m.takes(vector)
        self.unpriced, self.w, d = m.dual(vector, diagonal)
        self.constant = self.unpriced
        self.rho = [a / 2 for a in d]
        h = [self.h(j, self.w[j], self.rho[j]) for j in range(m.p)]
        self.infinite = bits(j for j, a in enumerate(h) if a is None)
        self.heights = [a or Fraction(0) for a in h]
        self.gain = [a - m.lambda0 for a in self.heights]
        for group in m.single:  # its price is paid once
            self.gain[group[0]] += (len(group) - 1) * m.lambda0
        for rule, price in prices:
            self.constant -= price * rule.ceiling
            for block, a in rule.coefs.items():  # on one column, for a block is in or out as a whole
                self.gain[(block & -block).bit_length() - 1] -= price * a
        gains = [(sum(self.gain[j] for j in block), m.size(bits(block)), bits(block)) for block in m.blocks]
        self.ranked = sorted(gains, key=lambda gain: gain[0] / gain[1], reverse=True)

    def goes_beyond(self, s: int, limit: float) -> bool:
        """Have the gain of a column over what lies beyond a box only; False if nothing does."""
        j, w, v = max(s, ~s), self.w[max(s, ~s)], Fraction(float(limit))
        price = self.moments.lambda1 and self.moments.lambda1 * root(self.moments.s2[j])
        slope, side, rho = (w if s >= 0 else -w) - price, self.upper[j] if s >= 0 else -self.lower[j], self.rho[j]
        ends = ([Fraction(side)] if math.isfinite(side) else []) + ([self.ceiling / price] if price else [])
        if min(ends, default=v) < v:
            return False
        if slope > 2 * rho * v:  # the best is further out
            ends += [slope / (2 * rho)] if rho else []
            self.is_valid &= bool(ends)
            v = min(ends, default=v)
        self.infinite &= ~(1 << j)
        self.gain[j] += v * (slope - rho * v) - self.heights[j]
        return True

    def holds_a_ball(self, s: int, limit: float, bound: Fraction) -> bool:
        """Section 10: the bound holds where β_j is at a box, all others being in theirs; and more so further out."""
        j, others = max(s, ~s), self.moments.allowed & ~(1 << max(s, ~s))
        price = self.moments.lambda1 and self.moments.lambda1 * root(self.moments.s2[j])
        slope = price - (self.w[j] if s >= 0 else -self.w[j])
        rise = slope * Fraction(float(limit)) - sum(self.heights[i] for i in columns_of(others))
        is_steep = rise >= 0 and rise + self.unpriced >= bound  # what a price adds does not grow with the ball
        return self.is_valid and not others & self.infinite and is_steep

    def h(self, j: int, w: Fraction, rho: Fraction) -> Fraction | None:
        """The largest wt - λ1 s_j |t| - ρt² in the user's and the derived box; None where it is infinite."""
        price = self.moments.lambda1 and self.moments.lambda1 * root(self.moments.s2[j])
        slope, side = abs(w) - price, self.upper[j] if w > 0 else -self.lower[j]
        if slope <= 0:
            return Fraction(0)
        ends = [Fraction(side)] if math.isfinite(side) else []
        ends += ([slope / (2 * rho)] if rho else []) + ([self.ceiling / price] if price else [])
        return min(ends) * (slope - rho * min(ends)) if ends else None

    def reaches(self, bound: Fraction, I: int, A: int, s0: int, s1: int) -> bool:  # noqa: E741
        """Whether the least bound over all places of a node is at least ``bound``."""
        count, lambda0, groups = self.moments.size(I), self.moments.lambda0, self.moments.is_ruled
        if lambda0 * max(count, s0) >= bound:
            return True
        rest = self.constant - bound - sum(self.gain[j] for j in columns_of(I))
        room, forced = s1 - count, 0 if groups else s0 - count
        for gain, size, block in self.ranked:
            if room <= 0 or (gain <= 0 and forced <= 0):
                break
            if block & A & ~I:
                rest -= gain if size <= room else gain * room / size
                room, forced = room - size, forced - size
        return self.is_valid and not A & self.infinite and rest >= 0


# The tree (FORMAT.md, section 3).


class Walk:
    """One claim's tree, read once from the front."""

    def __init__(self, moments: Statement, claim: Claim, name: str) -> None:
        self.moments, self.claim, self.bound, self.position = moments, claim, Fraction(claim.dual_bound), 0
        self.listed, self.seen = {*supports(claim.listed)}, set[tuple[int, ...]]()
        bounded = any(map(math.isfinite, (*moments.lower, *moments.upper)))
        self.is_plain = not (moments.lambda1 or moments.lambda2 or moments.is_ruled or bounded or self.listed)
        self.multiplier = lru_cache(1)(self.read_multiplier)
        s0, s1 = moments.size(moments.include), claim.k
        if moments.lambda0 == 0 and not moments.is_ruled:
            s0 = s1 = min(claim.k, moments.allowed.bit_count())
        root = Node(moments.include, moments.allowed, s0, s1, name, True, False)
        self.stack: list[Any] = [self.child(root, is_pure=True)]  # the last one is next
        self.sides = moments.boxes(claim.boxed, claim.limits)

    def leaves(self) -> Iterator[Leaf]:
        """Yield what is to be proved; raises MalformedError or RefusedError where tokens break a rule."""
        yield from self.boxes(self.stack[0])
        while self.stack:
            top = self.stack.pop()
            leaves = self.next_child(*top) if isinstance(top, Chain) else self.visit(top)
            yield from (leaf for leaf in leaves if not leaf[0].is_proved)
            # Whatever is open takes a token at least.
            demand(len(self.stack) <= len(self.claim.tree) - self.position, "the tree ends too early")
        demand(self.position == len(self.claim.tree), "the tree goes on behind its end")

    def boxes(self, root: Node) -> Iterator[Leaf]:
        """Yield the leaves beyond the boxes, in which those before each may be used."""
        fits = not (len(self.claim.boxed) and self.moments.is_ruled and isinstance(self.moments, Moments))
        require(fits, f"{root.path}: there are boxes where there are groups or rules")
        for i, s in enumerate(map(int, self.claim.boxed)):
            j = max(s, ~s)
            if i < self.claim.together:
                yield root, partial(self.holds_with_others, i), f"box {i}, of column {j}, is not proved"
            elif root.A >> j & 1:
                node = self.child(root, j)
                if not node.is_proved:
                    yield node, partial(self.holds_beyond, i, node), f"box {i}, of column {j}, is not proved"

    def holds_with_others(self, i: int) -> bool:
        claim, part = self.claim, slice(self.claim.offsets[i], self.claim.offsets[i + 1])
        return self.moments.box_holds_with_others(
            claim.columns[part], claim.values[part], claim.dual_bound, claim.objective,
            claim.boxed[: claim.together], claim.limits[: claim.together], i,
        )  # fmt: skip

    def holds_beyond(self, i: int, node: Node) -> bool:
        claim, part = self.claim, slice(self.claim.offsets[i], self.claim.offsets[i + 1])
        return self.moments.bound_holds(
            claim.columns[part], claim.values[part], claim.diagonal, columns_of(node.I), columns_of(node.A), node.s0,
            node.s1, claim.dual_bound, claim.objective, claim.boxed, claim.limits, i,
        )  # fmt: skip

    def take(self, low: int, high: int) -> int:
        demand(self.position < len(self.claim.tree), "the tree ends too early")
        token = int(self.claim.tree[self.position])
        demand(low <= token <= high, f"the tree has a token {token} where {low} … {high} was expected")
        self.position += 1
        return token

    def take_columns(self, low: int = 0) -> list[int]:
        return [self.take(low, self.moments.p - 1) for _ in range(self.take(0, self.moments.p))]

    def child(self, node: Node, *signed: int, is_pure: bool = False, sizes: Ints | None = None) -> Node:
        """The node with blocks in (column j) or out (~j, -1 - j), and what every node goes through before all else."""
        if node.is_proved:
            return node
        I, A, path = node.I, node.A, node.path  # noqa: E741
        for s in signed:
            I, A = (I | self.moments.block[s], A) if s >= 0 else (I, A & ~self.moments.block[~s])  # noqa: E741
            path += f" > with {s}" if s >= 0 else f" > without {~s}"
        s0, s1 = sizes or (node.s0, node.s1)
        size = self.moments.size
        room = s1 - size(I)
        for group in map(bits, self.moments.groups):
            A &= -1 if size(group) <= room or I & group else ~group
        is_empty = s0 > s1 or room < 0 or size(A) < s0
        A = A if room else I
        is_single = I == A or (s0 == size(A) and not self.moments.is_ruled)
        return Node(I, A, s0, s1, path, is_pure, is_empty or (is_single and tuple(columns_of(A)) in self.listed))

    def require(self, condition: Any, node: Node, what: str) -> None:
        require(condition or node.is_proved, f"{node.path}: {what}")

    def require_free(self, node: Node, columns: Ints) -> None:
        self.require(len({*columns}) == len(columns), node, "a column is named twice")
        for j in columns:
            self.require((node.A & ~node.I) >> j & 1, node, f"column {j} is not free")

    def solve(self, node: Node) -> Leaf:
        holds = partial(self.moments.solves, columns_of(node.A), self.bound, max(node.s0, self.moments.size(node.I)))
        return node, holds, "the fit of all columns allowed is below the bound"

    def bounded(self, node: Node, m: int) -> Leaf:
        holds = lambda: self.multiplier(m).reaches(self.bound, *node[:4])  # noqa: E731
        return node, holds, f"the bound is not reached with multiplier {m}"

    def read_multiplier(self, m: int) -> Multiplier:
        claim, part = self.claim, slice(self.claim.offsets[m], self.claim.offsets[m + 1])
        ceiling = max(claim.objective, claim.dual_bound)
        return Multiplier(self.moments, claim.columns[part], claim.values[part], claim.diagonal, ceiling, *self.sides)

    def visit(self, node: Node) -> Iterator[Leaf]:
        """Read a node's tokens, yield what is to be proved there, and stack its children."""
        p, last, kind = self.moments.p, len(self.claim.offsets) - 2, self.take(SOLVE, INFEASIBLE)
        demand(kind != END, "the tree has an END where a node was expected")
        if node.is_pure and kind != SEEN:
            self.seen.add(node[:4])
        if kind == SOLVE:
            yield self.solve(node)
        elif kind == BOUND:
            yield self.bounded(node, self.take(0, last))
        elif kind == CHAIN:
            yield self.chain(node, self.take_columns())
        elif kind == SPLIT:
            j = self.take(0, p - 1)
            self.require_free(node, [j])
            self.stack += [self.child(node, ~j), self.child(node, j)]
        elif kind == FIX:
            m, signed = self.take(0, last), self.take_columns(-p)
            self.require(
                not self.moments.is_ruled, node, "columns are fixed one by one where there are groups or rules"
            )
            self.require_free(node, [max(s, ~s) for s in signed])
            yield from (self.bounded(self.child(node, ~s), m) for s in signed)
            self.stack.append(self.child(node, *signed))
        elif kind == SIZES:
            r, size = self.take(0, p + 1), self.moments.size(node.I)
            for low, high in [(size + r, p), *((size + i, size + i) for i in reversed(range(r)))]:
                self.stack.append(self.child(node, sizes=(max(low, node.s0), min(high, node.s1))))
        elif kind == INFEASIBLE:
            r = self.take(0, len(self.moments.rules) - 1)
            yield node, partial(self.moments.rules[r].is_broken, node.I, node.A), f"rule {r} can be obeyed"
        elif kind == SEEN:
            # A node is not above itself, for children have fewer columns: it was proved before.
            self.require(node.is_pure and node[:4] in self.seen, node, "no such node came before")
        else:
            columns = [self.take(0, p - 1), self.take(0, p - 1)] if kind == COPY else self.take_columns()
            yield self.dependence(node, columns, is_copy=kind == COPY)

    def chain(self, node: Node, columns: list[int]) -> Leaf:
        q, S = node.s1 - node.I.bit_count() - len(columns), node.I | bits({*columns})
        fits = node.s0 == node.s1 and not self.moments.is_ruled and 0 <= q <= 2
        self.require(fits, node, f"a chain of {len(columns)} columns does not fit")
        self.require_free(node, columns)
        self.stack.append(Chain(node, columns, len(columns)))
        R = columns_of(node.A & ~S)
        holds = partial(self.moments.closes, columns_of(S), R, q, self.bound, node.s1, self.listed)
        return node, holds, f"the tail of the chain {columns} is not closed"

    def next_child(self, node: Node, columns: list[int], t: int) -> Iterator[Leaf]:
        """Stack the child of a chain that comes next, or yield those that are not given."""
        token = self.claim.tree[self.position]
        if token == END:
            self.position += 1
            yield from (self.solve(self.child(node, *columns[:i], ~columns[i])) for i in range(t))
        else:
            demand(t and token in (CHAIN, SOLVE), "a chain has too many children, or others than CHAIN and SOLVE")
            self.stack += [Chain(node, columns, t - 1), self.child(node, *columns[: t - 1], ~columns[t - 1])]

    def dependence(self, node: Node, columns: list[int], is_copy: bool) -> Leaf:
        demand(columns, "the tree has a dependence of no columns")
        *others, last = columns
        self.require(self.is_plain and node.is_pure, node, "dependence proves nothing here")
        self.require(len({*columns}) == len(columns), node, "a column is named twice")
        self.require_free(node, columns if is_copy else [last])
        self.require(not bits({*columns}) & ~node.A, node, "a column is not allowed")
        for j in [last] if is_copy else [j for j in reversed(columns) if not self.moments.include >> j & 1]:
            s0 = min(node.s0, node.A.bit_count() - 1)
            sizes = s0, node.s1 if s0 == node.s0 else s0
            self.stack.append(self.child(node, ~j, is_pure=True, sizes=sizes))
        what = f"column {last} is " + (f"no multiple of {others[0]}" if is_copy else f"not in the span of {others}")
        return node, partial(self.moments.depends, last, others), what


# Everything.


class Checker:
    """The proof of both halves of some claims on one problem; ``leaves`` of ``total`` leaves were proved."""

    def __init__(self, moments: Statement, claims: Sequence[Claim]) -> None:
        self.moments, self.claims, self.leaves, self.total = moments, claims, 0, 0

    def check(self, sample: int | None = None, seed: int = 0) -> None:
        """Prove everything, or a random sample of the leaves only; raises RefusedError with the reason."""
        for number, claim in enumerate(self.claims):
            self.check_incumbent(claim, f"claim {number}: the incumbent has ")
            columns = columns_of(self.moments.allowed)
            is_below = self.moments.is_dominated(claim.diagonal, columns)
            require(is_below, f"claim {number}: G + 2Λ less the diagonal is not positive semidefinite")
        walks = [Walk(self.moments, claim, f"claim {i}, at the root") for i, claim in enumerate(self.claims)]
        sampled, generator = list[Leaf](), random.Random(seed)
        for self.total, leaf in enumerate(chain.from_iterable(walk.leaves() for walk in walks), 1):
            if sample is None:
                self.prove(*leaf)
            elif len(sampled) < sample:
                sampled.append(leaf)
            elif (place := generator.randrange(self.total)) < sample:  # each leaf so far is as likely in the sample
                sampled[place] = leaf
        for leaf in sampled:
            self.prove(*leaf)

    def prove(self, node: Node, holds: Callable[[], bool], otherwise: str) -> None:
        require(holds(), f"{node.path}: {otherwise}")
        self.leaves += 1

    def check_incumbent(self, claim: Claim, where: str) -> None:
        moments, places = self.moments, self.moments.places(map(int, claim.support))
        sides = [(moments.lower[j], b, moments.upper[j]) for j, b in zip(claim.support, claim.coef, strict=True)]
        if claim.model is not None:  # where there are rules it names its places
            model, groups = bits(claim.model), map(bits, moments.groups)
            is_whole = not places & ~model and all(group & model in (0, group) for group in groups)
            require(is_whole, where + "a model without a column of its support, of include or of a group")
            places = model
        require(moments.size(places) <= claim.k, where + f"more than k = {claim.k} places")
        require(not any(rule.is_broken(places, places) for rule in moments.rules), where + "a broken rule")
        require(not places & ~moments.allowed, where + "an excluded column")
        require(all(lo <= b <= hi for lo, b, hi in sides), where + "a coefficient outside its bounds")
        value = moments.incumbent_value(claim.support, claim.coef, places)
        require(value <= claim.objective, where + "an objective above the one claimed")


def check_file(path: str, table: Table, sample: int | None = None, seed: int = 0) -> tuple[Certificate, Checker]:
    """Check a certificate file against data; raises MalformedError or RefusedError."""
    certificate = load(path)
    require_same_data(certificate.data, table)
    kind = Kinked if "tau" in certificate.settings else Moments
    moments = kind(*table, certificate.settings, certificate.lower, certificate.upper)
    checker = Checker(moments, certificate.claims)
    checker.check(sample, seed)
    return certificate, checker


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
    file = options.data
    try:
        demand(sys.byteorder == "little", "this checker needs a little-endian machine")
        demand(options.leaves is None or options.leaves >= 1, "--leaves: expected a number >= 1")
        table = read_table(options.data, options.target, options.weights)
        file = options.certificate
        certificate, checker = check_file(file, table, options.leaves, options.seed)
    except RefusedError as error:
        print(f"Refused: {error}.")
        return 3
    except (MalformedError, OSError, MemoryError) as error:
        print(f"error: {file}: {error}", file=sys.stderr)
        return 2
    if checker.leaves < checker.total:
        print(f"Sample passed: {checker.leaves} of {checker.total} leaves checked; not a proof of the whole.")
        return 0
    for number, claim in enumerate(certificate.claims):
        model = ", ".join(ascii(certificate.names[j])[1:-1] for j in claim.support) or "no columns"
        rest = "No feasible model but for those listed" if len(claim.listed) else "No feasible model"
        print(f"Claim {number}, k = {claim.k}: the model on {model} has an objective of at most {claim.objective!r}.")
        print(f"{rest} has one below {claim.dual_bound!r}.")
    print(f"Valid. {checker.leaves} leaves checked in rational arithmetic.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
