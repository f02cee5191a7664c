"""Certificates changed at random: what is false is never accepted, and nothing but `MalformedCertificate` is raised.

Whether a changed claim is true is found by enumeration: in rational arithmetic where there are neither λ1 nor bounds;
with a loss that has kinks, by a linear programme for every model.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import bestsubset as bs
from bestsubset.certificates import exact
from bestsubset.certificates.certificate import Certificate, array_digest
from tests import kinked_judge, oracle
from tests.certificates import make_files, rational
from tests.certificates.make_files import BOUND, FIX, SOLVE, SPLIT, VALID, data_of, nodes, with_claim, with_settings

EXAMPLES = 2800
EXACT_EVERY = 5  # of the mutants, this one goes to the exact checker as well
NAMES = sorted(path.stem for path in VALID.glob("*.cert"))


# The truth about a claim.


@dataclass(frozen=True)
class Data:
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None

    def fits(self, data: dict) -> bool:
        """Whether these are the data that a certificate names."""
        weights = None if self.weights is None or np.all(self.weights == 1.0) else array_digest(self.weights)
        found = {"X": array_digest(self.X), "y": array_digest(self.y), "sample_weight": weights}
        return found == {name: data[name] for name in found}

    @property
    def all_weights(self) -> np.ndarray:
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @property
    def is_table(self) -> bool:
        """Whether the exact checker would read these numbers from a file."""
        w = self.all_weights
        return all(bool(np.isfinite(a).all()) for a in (self.X, self.y, w)) and min(w) >= 0 and bool(w.any())

    @property
    def is_plain(self) -> bool:
        """Whether an enumeration in floating point means something."""
        numbers = np.abs([*self.X.ravel(), *self.y, *self.all_weights])
        return numbers.max() < 1e6 and bool(np.ptp(self.X, axis=0).all())


class Truth:
    """f by enumeration, for one set of data and settings."""

    def __init__(self, data: Data, chosen: dict, lower: np.ndarray | None, upper: np.ndarray | None) -> None:
        p = data.X.shape[1]
        free = np.full(p, np.inf)
        lower, upper = -free if lower is None else lower, free if upper is None else upper
        self.rules, self.single = chosen.get("rules", []), chosen.get("single", [])
        self.is_ruled = "rules" in chosen
        given = {name: value for name, value in chosen.items() if name not in ("bounds", "loss", "rules", "single")}
        loss = SimpleNamespace(name=chosen["loss"], tau=chosen.get("tau"))
        self.problem = SimpleNamespace(
            X=data.X, y=data.y, n=len(data.y), p=p, sample_weight=data.all_weights, lower=lower, upper=upper, loss=loss,
            **given,
        )  # fmt: skip
        bounded = np.isfinite([lower, upper]).any()
        self.has_kinks = "tau" in chosen
        self.is_exact = not chosen["lambda1"] and not bounded and not self.has_kinks
        self._moments: list | None = None
        self._values: dict = {}

    @property
    def moments(self) -> list[list[Fraction]]:
        if self._moments is None:
            self._moments = _moments(self.problem)
        return self._moments

    def value(self, z: tuple[int, ...]) -> Fraction | float:
        """The least f over the places z."""
        if self.has_kinks:
            return self.problem.lambda0 * self.size(set(z)) + _programmed(self.problem, z)
        if z not in self._values:
            size = self.size(set(z))
            self._values[z] = (
                _explained(self.problem, self.moments, z) + Fraction(self.problem.lambda0) * size
                if self.is_exact
                else float(oracle.best_value(self.problem, list(z), size))
            )
        return self._values[z]

    def size(self, z: set[int]) -> int:
        return len(z) - sum(len(group) - 1 for group in self.single if z.intersection(group))

    def obeys(self, z: set[int]) -> bool:
        """Whether exactly these places obey every rule: sums are rounded once."""
        return all(
            float(sum(Fraction(a) for j, a in zip(r["columns"], r["coefs"], strict=True) if j in z)) <= r["limit"]
            for r in self.rules
        )

    def places(self, k: int) -> Iterator[tuple[int, ...]]:
        """All feasible places."""
        problem = self.problem
        allowed = [j for j in range(problem.p) if j not in problem.exclude]
        for size in range(len(allowed) + 1):
            for z in map(set, combinations(allowed, size)):
                if self.size(z) <= k and self.is_whole(z) and z.issuperset(problem.include) and self.obeys(z):
                    yield tuple(sorted(z))

    def is_whole(self, z: set[int]) -> bool:
        return all(len(z.intersection(group)) in (0, len(group)) for group in self.problem.groups)

    def bounded_places(self, claim) -> Iterator[tuple[int, ...]]:
        """The places that the bound of a claim is about (FORMAT.md, section 1)."""
        problem, listed = self.problem, set(exact.supports(claim.listed.tolist()))
        size = min(claim.k, problem.p - len(problem.exclude))
        for z in self.places(claim.k):
            # With λ0 = 0 more places cost nothing: the smaller ones need not be looked at, listed supports or not.
            if z not in listed and (problem.lambda0 or problem.groups or self.rules or len(z) == size):
                yield z

    def incumbent(self, claim) -> Fraction | float | None:
        """Its value; None if it is not feasible."""
        problem, support = self.problem, claim.support.tolist()
        z = {*support, *problem.include}
        for group in problem.groups:
            z |= set(group) if z.intersection(group) else set()
        coef = dict(zip(support, map(Fraction, claim.coef.tolist()), strict=True))
        inside = all(problem.lower[j] <= b <= problem.upper[j] for j, b in coef.items())
        if self.is_ruled:
            if not z.issubset(claim.model):
                return None
            z = set(claim.model)
        fits = self.size(z) <= claim.k and self.is_whole(z) and self.obeys(z)
        if not fits or z.intersection(problem.exclude) or not inside:
            return None
        if self.has_kinks:
            return _kinked_value(problem, coef) + Fraction(problem.lambda0) * self.size(z)
        M, p = self.moments, problem.p
        f = M[p][p] / 2 - sum(b * M[j][p] for j, b in coef.items())
        f += Fraction(sum(a * b * M[i][j] for i, a in coef.items() for j, b in coef.items())) / 2
        f += Fraction(problem.lambda0) * self.size(z)
        scale = {j: 1.0 for j in coef}
        if problem.standardize and problem.lambda1:
            w = sum(map(Fraction, problem.sample_weight.tolist()))
            ridge = 2 * Fraction(problem.lambda2)
            scale = {j: float(M[j][j] / (w + ridge)) ** 0.5 for j in coef}
        price = Fraction(problem.lambda1) * sum(Fraction(scale[j]) * abs(b) for j, b in coef.items())
        return f + price if scale == dict.fromkeys(coef, 1.0) else float(f + price)

    def of(self, claim) -> bool | None:
        """Whether a claim is true; None if that is too close to tell."""
        if self.problem.loss.name == "hinge" and not set(self.problem.y) <= {-1.0, 1.0}:
            return False
        value = self.incumbent(claim)
        answers = [False if value is None else _is_at_least(claim.objective, value)]
        answers += [_is_at_least(self.value(z), claim.dual_bound) for z in self.bounded_places(claim)]
        return False if False in answers else None if None in answers else True


def _is_at_least(a: Fraction | float, b: Fraction | float) -> bool | None:
    """Of two numbers of which one is exact; where the other is rounded there is a band of no answer."""
    if not isinstance(a, Fraction) and not isinstance(b, Fraction):
        return a > b if abs(a - b) > 1e-7 * (1 + abs(a)) else None
    return Fraction(a) >= Fraction(b)


_known_moments: dict = {}
_known_values: dict = {}


def _key(problem: SimpleNamespace) -> tuple:
    arrays = [hashlib.sha256(a.tobytes()).digest() for a in (problem.X, problem.y, problem.sample_weight)]
    return (*arrays, problem.fit_intercept, problem.standardize, problem.lambda2)


def _moments(problem: SimpleNamespace) -> list[list[Fraction]]:
    key = _key(problem)
    if key not in _known_moments:
        _known_moments[key] = rational.moments(problem)
    return _known_moments[key]


def _explained(problem: SimpleNamespace, moments: list[list[Fraction]], z: tuple[int, ...]) -> Fraction:
    values = _known_values.setdefault(_key(problem), {})
    if z not in values:
        values[z] = rational.explained_away(moments, z) / 2
    return values[z]


def _programmed(problem: SimpleNamespace, z: tuple[int, ...]) -> float:
    """The least loss with its λ1 term over the places z, by a linear programme; no number if that fails."""
    loss, sides = problem.loss, (problem.lower.tobytes(), problem.upper.tobytes())
    key = (*_key(problem), problem.lambda1, loss.name, loss.tau, *sides)
    values = _known_values.setdefault(key, {})
    if z not in values:
        try:
            values[z] = kinked_judge.best_value(problem, list(z))
        except (AssertionError, ValueError):  # numbers that the programme cannot hold
            values[z] = math.nan
    return values[z]


def _kinked_value(problem: SimpleNamespace, coef: dict[int, Fraction]) -> Fraction:
    """Loss and λ1 term of a point: some row's kink is a best intercept."""
    up, down = ([Fraction(a) for a in slopes] for slopes in kinked_judge.slopes(problem))
    if problem.loss.name == "quantile":  # 1 - τ not rounded
        up = [1 - a for a in down]
    weights = [*map(Fraction, problem.sample_weight.tolist())]
    scale = [Fraction(1)] * problem.p
    if problem.standardize:
        mean = (problem.sample_weight @ problem.X) / problem.sample_weight.sum() if problem.fit_intercept else 0.0
        square = problem.sample_weight @ (problem.X - mean) ** 2 / problem.sample_weight.sum()
        scale = [Fraction(float(s)) for s in np.sqrt(square)]
    rest = [
        Fraction(y) - sum(b * Fraction(row[j]) for j, b in coef.items())
        for y, row in zip(problem.y.tolist(), problem.X.tolist(), strict=True)
    ]

    def loss(b: Fraction) -> Fraction:
        return sum(
            (w * max(u * (b - t), d * (t - b)) for w, u, d, t in zip(weights, up, down, rest, strict=True)), Fraction(0)
        )

    return min(map(loss, rest if problem.fit_intercept else [Fraction(0)])) + Fraction(problem.lambda1) * sum(
        scale[j] * abs(b) for j, b in coef.items()
    )


def truth_of(certificate: Certificate, data: Data) -> bool | None:
    """Whether a certificate that could be read is true of the data; None if that cannot be told."""
    if not data.fits(certificate.data):
        return False
    if not data.is_table:
        return None
    truth = Truth(data, certificate.settings, certificate.lower, certificate.upper)
    if not truth.is_exact and not data.is_plain:
        return None
    answers = [truth.of(claim) for claim in certificate.claims]
    return False if False in answers else None if None in answers else True


# Mutations: each takes a source of randomness, a certificate and its data.

Mutant = tuple[Certificate, Data]
MUTATIONS: list[Callable[[Random, Certificate, Data], Mutant]] = []


def mutation(change):
    """Register a mutation of the certificate alone."""
    MUTATIONS.append(lambda random, certificate, data: (change(random, certificate, data), data))
    return change


def of_claim(change):
    """Register a mutation of a claim, which returns fields to be replaced."""

    def changed(random: Random, certificate: Certificate, data: Data) -> Mutant:
        number = random.randrange(len(certificate.claims))
        fields = change(random, certificate.claims[number], data.X.shape[1])
        return with_claim(certificate, number, **fields), data

    MUTATIONS.append(changed)
    return change


def _much_or_little(random: Random) -> float:
    return random.choice([1.0, 0.3, 0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-9, 1e-10, 1e-12, 1e-14])


def _tokens(claim, tokens: list[int]) -> dict:
    return {"tree": np.array(tokens, dtype=claim.tree.dtype)}


@of_claim
def raise_the_bound(random, claim, p):
    start = random.choice([claim.dual_bound, claim.objective])
    bound = start + abs(start) * _much_or_little(random)
    return {"dual_bound": bound, "objective": random.choice([claim.objective, max(claim.objective, bound) * 1.01])}


@of_claim
def lower_the_objective(random, claim, p):
    objective = claim.objective - abs(claim.objective) * _much_or_little(random)
    return {"objective": objective, "dual_bound": random.choice([claim.dual_bound, min(claim.dual_bound, objective)])}


@of_claim
def replace_a_subtree(random, claim, p):
    tree = claim.tree.tolist()
    start, end = random.choice(_nodes(tree))
    leaf = random.choice([[SOLVE], [BOUND, random.randrange(max(1, len(claim.offsets) - 1))]])
    return _tokens(claim, tree[:start] + leaf + tree[end:])


@of_claim
def swap_subtrees(random, claim, p):
    tree = claim.tree.tolist()
    found = [(a, b) for a in _nodes(tree) for b in _nodes(tree) if a[1] <= b[0]]
    if not found:
        return {}
    (a, b), (c, d) = random.choice(found)
    return _tokens(claim, tree[:a] + tree[c:d] + tree[b:c] + tree[a:b] + tree[d:])


@of_claim
def swap_children(random, claim, p):
    tree = claim.tree.tolist()
    splits = [(a, b) for a, b in _nodes(tree) if tree[a] == SPLIT]
    if not splits:
        return {}
    start, end = random.choice(splits)
    middle = _nodes(tree, start + 2)[0][1]
    return _tokens(claim, tree[: start + 2] + tree[middle:end] + tree[start + 2 : middle] + tree[end:])


def _nodes(tree: list[int], start: int = 0) -> list[tuple[int, int]]:
    """The nodes of a tree, which another mutation may have spoilt."""
    try:
        return nodes(tree, start)
    except (KeyError, IndexError, RecursionError):
        return [(start, len(tree))]


@of_claim
def change_tokens(random, claim, p):
    tree = claim.tree.tolist()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(tree) + 1)
        new = [random.randint(-p - 1, p + 3) for _ in range(random.randint(0, 2))]
        tree[at : at + random.randint(0, 2)] = new
    return _tokens(claim, tree)


@of_claim
def grow_a_tree(random, claim, p):
    """A tree of SPLIT, FIX, SIZES, short chains and leaves that has nothing to do with the problem."""
    multipliers = len(claim.offsets) - 1

    def node(depth: int) -> list[int]:
        kind = random.choice([0, 1, 2, 3, 3, 4, 8] if depth < 4 else [0, 1, 2])
        m = random.randrange(max(1, multipliers))
        if kind in (0, 1):
            return [kind, m][: 1 + kind]
        if kind == 2:
            columns = random.sample(range(p), random.choice([0, 0, 1]))
            return [2, len(columns), *columns, 7]
        if kind == 3:
            return [3, random.randrange(p), *node(depth + 1), *node(depth + 1)]
        if kind == 4:
            columns = random.sample(range(p), random.randint(0, 2))
            return [4, m, len(columns), *(random.choice([j, -1 - j]) for j in columns), *node(depth + 1)]
        r = random.randint(0, 2)
        return [8, r, *(t for _ in range(r + 1) for t in node(depth + 1))]

    return _tokens(claim, node(0))


@of_claim
def change_multipliers(random, claim, p):
    values = claim.values.copy()
    if not len(values):
        return {
            "offsets": np.array([0, 1], dtype=np.int64),
            "columns": np.array([random.randrange(p)], dtype=np.int32),
            "values": np.array([random.uniform(-2, 2)]),
        }
    kind = random.randrange(6)
    at = random.randrange(len(values))
    if kind == 0:
        values *= random.choice([-1.0, 0.0, 0.5, 1 - 1e-9, 1.1, 10.0, 1e10, 1e150])
    elif kind == 1:
        values = values[::-1].copy()
    elif kind == 2:
        values[at] = random.choice([0.0, -values[at], 2 * values[at], 1e-310, 1e300, values[at] * (1 + 1e-8)])
    elif kind == 3:
        columns = claim.columns.copy()
        columns[at] = random.randrange(p)
        return {"columns": columns}
    elif kind == 4:
        offsets = claim.offsets.copy()
        offsets[random.randrange(len(offsets))] += random.choice([-1, 1])
        return {"offsets": offsets}
    else:
        return {"columns": claim.columns[::-1].copy()}
    return {"values": values}


@of_claim
def change_the_boxes(random, claim, p):
    count = len(claim.offsets) - 1
    if not count:
        return {}
    boxed, limits = claim.boxed.copy(), claim.limits.copy()
    if not len(boxed) or random.random() < 0.3:  # some of nothing
        size = random.randint(1, min(count, 3))
        boxed = np.array([random.choice([1, -1]) * random.randrange(1, p) for _ in range(size)], dtype=np.int32)
        limits = np.array([10.0 ** random.uniform(-4, 1) for _ in range(size)])
    at, kind = random.randrange(len(boxed)), random.randrange(5)
    if kind == 0:
        limits[at] *= random.choice([0.5, 0.9, 1 - 1e-6, 1e-3, 2.0, 1e300])
    elif kind == 1:
        boxed[at] = random.choice([-1 - boxed[at], random.randrange(p)])
    elif kind == 2:
        boxed, limits = boxed[::-1].copy(), limits[::-1].copy()
    elif kind == 3:
        boxed, limits = np.delete(boxed, at), np.delete(limits, at)
    else:
        limits *= random.choice([0.3, 0.8, 0.99])
    bound = claim.dual_bound * random.choice([1.0, 1.0, 1.001, 1.2])
    together = min(claim.together, len(boxed))
    return {"boxed": boxed, "limits": limits, "together": together, "dual_bound": min(bound, claim.objective)}


@of_claim
def change_the_slopes(random, claim, p):
    """Dual vectors that are nearly what they were, or that belong to other rows."""
    values, ends = claim.values.copy(), [*pairwise(claim.offsets.tolist())]
    if not len(values):
        return {}
    at, kind = random.randrange(len(values)), random.randrange(5)
    if kind == 0:
        values *= random.choice([1.0 + 2.0**-52, 1 + 1e-9, 1.001, 1.1, 2.0, 0.9])
    elif kind == 1:
        values += random.choice([1e-16, -1e-12, 1e-6, 0.1, -0.3])
    elif kind == 2:
        values[at] = np.nextafter(values[at], random.choice([-9.0, 9.0]))
    elif kind == 3:
        values = np.concatenate([values[a:b][::-1] for a, b in ends] or [values])
    else:  # to the edge of the domain, or beyond
        values = np.where(np.abs(values) > 0.5, np.sign(values) * random.choice([1.0, 1.0 + 2.0**-52, 1.5]), values)
    return {"values": values}


@of_claim
def change_together(random, claim, p):
    return {"together": random.choice([0, 1, claim.together // 2, claim.together + 1, len(claim.boxed)])}


@mutation
def change_the_loss(random, certificate, data):
    settings = dict(certificate.settings)
    settings.pop("tau", None)
    settings["loss"] = random.choice(["absolute", "quantile", "quantile", "hinge", "squared"])
    if settings["loss"] != "squared":
        tau = random.choice([0.3, 0.7, 0.5, np.nextafter(0.3, 0), np.nextafter(0.3, 1), 0.29, 1e-300])
        settings["tau"] = float(tau) if settings["loss"] == "quantile" else None
    return replace(certificate, settings=settings)


@mutation
def charge_a_rule(random, certificate, data):
    """Prices of a rule with every multiplier, beside boxes that are smaller."""
    rules = len(certificate.settings.get("rules", ()))
    claim = certificate.claims[0]
    if not rules or claim.offsets[-1] != len(claim.columns):
        return certificate
    ends = [*pairwise(claim.offsets.tolist())]
    name = (len(data.y) if "tau" in certificate.settings else data.X.shape[1]) + random.randrange(rules)
    is_new = [name not in claim.columns[a:b] for a, b in ends]
    parts = claim.offsets[:-1][is_new]
    return with_claim(
        certificate,
        columns=np.insert(claim.columns, parts, name).astype(np.int32),
        values=np.insert(claim.values, parts, random.choice([0.01, 1.0, 100.0, 1e4])),
        offsets=np.cumsum([0, *(np.diff(claim.offsets) + is_new)]),
        limits=claim.limits * random.choice([1.0, 0.9, 0.1, 1e-3]),
    )


@of_claim
def change_the_diagonal(random, claim, p):
    d = claim.diagonal.copy() if len(claim.diagonal) == p else np.full(p, 0.1)
    kind = random.randrange(4)
    if kind == 0:
        d *= random.choice([0.0, 0.5, 1 + 1e-8, 1.01, 2.0, 1e10])
    elif kind == 1:
        d[random.randrange(p)] *= random.choice([0.0, 1.5, 10.0, 1e10, 1e-300])
    elif kind == 2:
        d = np.zeros(0)
    else:
        d += random.choice([1e-9, 0.1, 1.0])
    return {"diagonal": d}


@of_claim
def change_k(random, claim, p):
    return {"k": random.randint(0, p + 1)}


@of_claim
def change_the_incumbent(random, claim, p):
    support, coef = claim.support.copy(), claim.coef.copy()
    kind = random.randrange(4)
    if not len(support) or kind == 0:
        j = random.sample(range(p), random.randint(0, min(p, len(support) + 1)))
        support = np.array(sorted(j), dtype=np.int32)
        coef = np.array([random.uniform(-1, 1) for _ in j])
    elif kind == 1:
        coef[random.randrange(len(coef))] *= random.choice([0.0, 1 + 1e-9, 1 + 1e-5, 1.5, -1.0, 1e-310, 1e200])
    elif kind == 2:
        support, coef = support[1:], coef[1:]
    else:
        support[random.randrange(len(support))] = random.randrange(p)
        support = np.sort(support)
    return {"support": support, "coef": coef}


@of_claim
def change_the_list(random, claim, p):
    listed = list(exact.supports(claim.listed.tolist()))
    if listed and random.random() < 0.5:
        del listed[random.randrange(len(listed))]
    else:
        size = random.choice([min(claim.k, p), random.randint(0, p)])
        listed.append(tuple(sorted(random.sample(range(p), size))))
    if random.random() < 0.3:
        listed.append(tuple(claim.support.tolist()))
    numbers = [number for z in listed for number in (len(z), *z)]
    return {"listed": np.array(numbers, dtype=np.int32)}


@of_claim
def claim_anything(random, claim, p):
    """A bound out of thin air: a few leaves, with multipliers and a diagonal of any size."""
    j = random.randrange(p)
    tree = random.choice(
        [[BOUND, 0], [SPLIT, j, BOUND, 0, BOUND, 1], [SPLIT, j, SOLVE, BOUND, 0], [FIX, 0, 1, j, BOUND, 1]]
    )
    diagonal = np.full(random.choice([0, p]), random.choice([0.0, 0.01, 0.1]))
    diagonal[j : j + 1] *= 10.0 ** random.uniform(0, 10)
    bound = claim.objective * random.choice([0.5, 1.001, 1.5, 10.0])
    changes = {
        "offsets": np.array([0, 1, 2], dtype=np.int64),
        "columns": np.array([random.choice([j, random.randrange(p)]) for _ in range(2)], dtype=np.int32),
        "values": np.array([random.choice([-1, 1]) * 10.0 ** random.uniform(-4, 1) for _ in range(2)]),
        "diagonal": diagonal,
        "dual_bound": bound,
        "objective": random.choice([claim.objective, max(claim.objective, 1.01 * bound)]),
    }
    if random.random() < 0.3:
        changes["listed"] = np.array([len(claim.support), *claim.support.tolist()], dtype=np.int32)
    return changes | _tokens(claim, tree)


@mutation
def change_a_penalty(random, certificate, data):
    name = random.choice(["lambda0", "lambda1", "lambda2"])
    old = certificate.settings[name]
    factor = random.choice([0.0, 0.5, 0.9, 1 - 1e-9, 1 + 1e-9, 1.1, 2.0])
    return with_settings(certificate, **{name: factor * old if old else random.choice([0.0, 0.1, 1.0])})


@mutation
def change_a_switch(random, certificate, data):
    name = random.choice(["fit_intercept", "standardize"])
    return with_settings(certificate, **{name: not certificate.settings[name]})


@mutation
def change_the_structure(random, certificate, data):
    p = data.X.shape[1]
    columns = random.sample(range(p), p)
    name = random.choice(["include", "exclude", "groups"])
    new = sorted(columns[: random.randint(0, 2)])
    if name == "groups":
        new = random.choice([[], [sorted(columns[:2])], [sorted(columns[:3]), sorted(columns[3:5])]])
    return with_settings(certificate, **{name: new})


@mutation
def change_the_rules(random, certificate, data):
    rules = [dict(rule) for rule in certificate.settings.get("rules", [])]
    if not rules:
        return certificate
    kind, at = random.randrange(6), random.randrange(len(rules))
    if kind == 0:
        del rules[at]
    elif kind == 1:
        rules[at]["limit"] += random.choice([-1.0, -0.1, -1e-12, 1e-12, 0.1, 1.0])
    elif kind == 2:
        coefs = list(rules[at]["coefs"])
        coefs[random.randrange(len(coefs))] *= random.choice([-1.0, 0.0, 0.5, 2.0])
        rules[at]["coefs"] = coefs
    elif kind == 3:
        rules[at]["columns"] = random.sample(range(data.X.shape[1]), len(rules[at]["columns"]))
    elif kind == 4:
        random.shuffle(rules)
    else:
        return with_settings(certificate, single=random.choice([[], certificate.settings["groups"]]))
    return with_settings(certificate, rules=rules)


@of_claim
def change_the_model(random, claim, p):
    if claim.model is None:
        return {}
    j = random.randrange(p)
    return {"model": tuple(sorted({*claim.model} ^ {j}))}


@mutation
def change_the_bounds(random, certificate, data):
    p = data.X.shape[1]
    lower, upper = certificate.lower, certificate.upper
    if lower is None or upper is None:
        lower, upper = np.full(p, -np.inf), np.full(p, np.inf)
        j = random.randrange(p)
        lower[j], upper[j] = -random.choice([0.0, 0.5, 2.0]), random.choice([0.0, 0.5, 2.0])
    elif random.random() < 0.3:
        return replace(with_settings(certificate, bounds=False), lower=None, upper=None)
    else:
        factor = random.choice([0.5, 0.9, 1 - 1e-9, 1 + 1e-7, 1.1, 2.0])
        lower, upper = random.choice([(factor * lower, factor * upper), (-upper, -lower), (lower, np.full(p, np.inf))])
    return replace(with_settings(certificate, bounds=True), lower=lower, upper=upper)


@mutation
def change_the_claims(random, certificate, data):
    claims = list(certificate.claims)
    kind = random.randrange(3)
    if kind == 0:
        claims.append(random.choice(claims))
    elif kind == 1:
        random.shuffle(claims)
    else:
        ks = [claim.k for claim in claims]
        random.shuffle(ks)
        claims = [replace(claim, k=k) for claim, k in zip(claims, ks, strict=True)]
    return replace(certificate, claims=tuple(claims))


def change_the_data(random: Random, certificate: Certificate, data: Data) -> Mutant:
    """One number of the data; as often as not the certificate is about the new data."""
    arrays = {name: None if (a := getattr(data, name)) is None else a.copy() for name in ("X", "y", "weights")}
    if arrays["weights"] is None and random.random() < 0.2:
        arrays["weights"] = np.ones(len(data.y))
    changed = random.choice([a for a in arrays.values() if a is not None]).reshape(-1)
    at = random.randrange(len(changed))
    old = changed[at]
    little = [np.nextafter(old, 9.0), old * (1 + 1e-9), 0.0, abs(old) + 0.1, 2 * abs(old) + 1.0]
    changed[at] = random.choice([*little, *little, *little, 1e8, np.inf, np.nan, 1e300, 1e-320, -1.0])
    return _about(random, certificate, Data(**arrays))


def spoil_a_column(random: Random, certificate: Certificate, data: Data) -> Mutant:
    """A column becomes constant, zero, a multiple of another, or huge."""
    X, p = data.X.copy(), data.X.shape[1]
    j, i = random.randrange(p), random.randrange(p)
    X[:, j] = random.choice([np.zeros(len(X)), np.full(len(X), 3.0), 2 * X[:, i], X[:, j] + 1e9, X[:, j] * 1e160])
    return _about(random, certificate, Data(X, data.y, data.weights))


def _about(random: Random, certificate: Certificate, data: Data) -> Mutant:
    if random.random() < 0.7:
        weights = None if data.weights is None or np.all(data.weights == 1.0) else array_digest(data.weights)
        digests = {"X": array_digest(data.X), "y": array_digest(data.y), "sample_weight": weights}
        certificate = replace(certificate, data_source=certificate.data | digests)
    return certificate, data


def go_to_the_truth(random: Random, certificate: Certificate, data: Data) -> Mutant:
    """Both numbers of a claim within a rounding or two of what is true, if that is known exactly."""
    truth = Truth(data, certificate.settings, certificate.lower, certificate.upper)
    if not truth.is_exact or not data.is_table:
        return certificate, data
    claims = []
    for claim in certificate.claims:
        value = truth.incumbent(claim)
        least = min(map(truth.value, truth.bounded_places(claim)), default=None)
        changes = {name: _near(random, x) for name, x in [("objective", value), ("dual_bound", least)] if x is not None}
        claims.append(replace(claim, **changes))
    return replace(certificate, claims=tuple(claims)), data


def _near(random: Random, value: Fraction) -> float:
    near = float(min(value, Fraction(10) ** 300))
    return random.choice([near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf), near * (1 + 2e-15)])


MUTATIONS += [change_the_data, spoil_a_column, go_to_the_truth, go_to_the_truth]


def flip_bits(random: Random, content: bytes) -> bytes:
    flipped = bytearray(content)
    for _ in range(random.randint(1, 3)):
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def flip_bits_of_a_member(random: Random, path) -> bytes:
    """Flip bits behind the back of the archive's checksums."""
    members = make_files.members(path)
    name = random.choice([*members, "header.json"])
    return make_files.zipped(members | {name: flip_bits(random, members[name])})


# The tests.


@cache
def original(name: str) -> Mutant:
    return Certificate.load(VALID / f"{name}.cert"), Data(*data_of(VALID / f"{name}.csv"))


def judged_by_verify(path, data: Data) -> tuple[str, Certificate | None]:
    """What verify says, and the certificate if it could be read."""
    certificate = None
    try:
        certificate = Certificate.load(path)
        verdict = bs.verify(certificate, data.X, data.y, data.weights)
    except bs.MalformedCertificate:
        return "malformed", certificate
    assert verdict.valid or verdict.reason
    return "valid" if verdict.valid else "refused", certificate


def judged_by_exact(path, data: Data) -> str:
    weights = None if data.weights is None else data.weights.tolist()
    table = exact.Table([column.tolist() for column in data.X.T], data.y.tolist(), weights)
    try:
        exact.check_file(str(path), table)
    except exact.MalformedError:
        return "malformed"
    except exact.RefusedError:
        return "refused"
    return "valid"


@pytest.mark.parametrize("name", NAMES)
def test_the_judge_knows_what_is_true(name):
    """Every valid file is true, and false with a bound above its objective."""
    certificate, data = original(name)
    assert truth_of(certificate, data) in (True, None)
    claim = certificate.claims[0]
    if not len(claim.listed):
        raised = claim.objective + 3e-7 * (1 + claim.objective)
        assert truth_of(with_claim(certificate, dual_bound=raised), data) is False
    truth = Truth(data, certificate.settings, certificate.lower, certificate.upper)
    for z in () if truth.has_kinks else truth.places(claim.k):
        assert float(truth.value(z)) == pytest.approx(
            oracle.best_value(truth.problem, list(z), truth.size(set(z))), rel=1e-9
        )
    assert truth_of(with_claim(certificate, objective=0.9 * claim.objective), data) is False


def test_nothing_false_is_accepted(tmp_path):
    path, tally, met = tmp_path / "mutant.cert", Counter(), set()

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        name=st.sampled_from(NAMES),
        changes=st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3),
        flips=st.sampled_from([None] * 8 + ["file", "member"]),
        seed=st.integers(0, 2**32),
    )
    def run(name, changes, flips, seed):
        random = Random(seed)
        certificate, data = original(name)
        with np.errstate(all="ignore"):
            for change in changes if flips is None else []:
                certificate, data = change(random, certificate, data)
        certificate.save(path)
        if flips == "file":
            path.write_bytes(flip_bits(random, path.read_bytes()))
        elif flips == "member":
            path.write_bytes(flip_bits_of_a_member(random, path))
        content = [make_files.members(path).values() if flips is None else [path.read_bytes()]]
        met.add(hashlib.sha256(b"".join(*content)).digest())
        said, read = judged_by_verify(path, data)
        truth = None if read is None else truth_of(read, data)
        tally[truth, said] += 1
        assert (truth, said) != (False, "valid")
        tally["kinked", truth, said] += original(name)[0].settings["loss"] != "squared"
        tally["all"] += 1
        if tally["all"] % EXACT_EVERY == 0 and data.is_table:
            said_exactly = judged_by_exact(path, data)
            tally["exact", truth, said_exactly] += 1
            assert (truth, said_exactly) != (False, "valid")

    run()
    assert len(met) >= 2000
    assert sum(count for key, count in tally.items() if key[:1] == (False,)) > 800
    assert tally[False, "refused"] > 800
    assert tally[True, "valid"] > 100
    assert sum(count for key, count in tally.items() if key[0] == "exact") >= 400
    assert tally["exact", False, "refused"] > 100
    assert tally["kinked", False, "refused"] > 100
    assert tally["kinked", True, "valid"] > 30
