"""Check a certificate in floating point with every rounding accounted for; shares nothing with the search."""

from __future__ import annotations

import math
import time
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bestsubset.certificates.certificate import Certificate, Claim, array_digest
from bestsubset.certificates.exact import Checker, Kinked, MalformedError, RefusedError, Statement
from bestsubset.certificates.exact import Claim as ExactClaim
from bestsubset.certificates.exact import Moments as ExactMoments
from bestsubset.certificates.kinked_leaves import KinkedLeaves
from bestsubset.certificates.kinked_rows import KinkedRows
from bestsubset.certificates.leaves import FloatLeaves
from bestsubset.certificates.moments import Moments, ScaleError
from bestsubset.certificates.reading import Array
from bestsubset.certificates.rules import Rules
from bestsubset.certificates.semidefinite import is_below
from bestsubset.certificates.sets import columns_of, mask_of
from bestsubset.certificates.squared_leaves import SquaredLeaves
from bestsubset.certificates.tokens import Refusal, TokenError
from bestsubset.certificates.tree import Walk
from bestsubset.certificates.verdict import MalformedCertificate, Verdict


def verify(certificate: Certificate, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Verdict:
    r"""Check a certificate against the data that it is about.

    Both halves of every claim are proved anew: that the incumbent is feasible with at most its objective, and that no
    feasible model lies below the bound. Nothing is believed but the data as float64 numbers (float32 ones being among
    them), IEEE arithmetic, and bounds on coefficients that the user imposed; FORMAT.md states the mathematics.

    Parameters
    ----------
    certificate : Certificate
    X : array-like or data frame, shape (n, p)
    y : array-like or Series, shape (n,)
    sample_weight : array-like, shape (n,), optional

    Returns
    -------
    Verdict
        ``valid``, with the proved interval [``dual_bound``, ``objective``], or the reason for the refusal. It is kept
        as ``certificate.verdict``, so that `Result.proof` becomes "checked".

    Raises
    ------
    MalformedCertificate
        If the certificate's tree is no tree.
    """
    began = time.perf_counter()
    check = _Check(certificate, _array(X), _vector(y), None if sample_weight is None else _vector(sample_weight))
    try:
        check.require_same_data()
        verdicts = []
        for number, claim in enumerate(certificate.claims):
            verdicts.append(check.claim(number, claim))
        last = verdicts[-1]
        verdict = Verdict(
            True, last.objective, last.dual_bound, last.relative_gap, "", tuple(verdicts),
            sum(v.leaves for v in verdicts), sum(v.exact_leaves for v in verdicts), time.perf_counter() - began,
        )  # fmt: skip
    except Refusal as refusal:
        verdict = Verdict(False, reason=str(refusal), seconds=time.perf_counter() - began)
    certificate.verdict = verdict
    return verdict


def _array(data: Any) -> Array:
    if isinstance(data, np.ndarray) and data.dtype == np.float32:  # its numbers, as they are: no copy of them all
        return np.asarray(data)
    if hasattr(data, "to_numpy"):
        data = data.to_numpy(dtype=np.float64)
    return np.asarray(data, dtype=np.float64)


def _vector(data: Any) -> Array:
    return _array(data).astype(np.float64, copy=False)


class _Check:
    """One certificate and the data, and what is computed of them for all claims."""

    def __init__(self, certificate: Certificate, X: Array, y: Array, weights: Array | None) -> None:
        self._certificate = certificate
        self._X, self._y = X, y
        self._weights = None if weights is None or np.all(weights == 1.0) else weights
        self._below: dict[bytes, bool] = {}

    def require_same_data(self) -> None:
        """Refuse other data than those that the certificate names."""
        certificate, X, y = self._certificate, self._X, self._y
        data = certificate.data
        if X.ndim != 2 or X.shape != (data["n"], data["p"]):
            raise Refusal(f"X has shape {X.shape}; the certificate is about ({data['n']}, {data['p']})")
        if y.shape != (data["n"],):
            raise Refusal(f"y has shape {y.shape}; the certificate is about ({data['n']},)")
        weights = self._weights
        if weights is not None and weights.shape != (data["n"],):
            raise Refusal(f"sample_weight has shape {weights.shape}; the certificate is about ({data['n']},)")
        if array_digest(X) != data["X"]:
            raise Refusal("X is not the data that the certificate is about: their digests differ")
        if array_digest(y) != data["y"]:
            raise Refusal("y is not the data that the certificate is about: their digests differ")
        if (None if weights is None else array_digest(weights)) != data["sample_weight"]:
            raise Refusal("sample_weight is not what the certificate is about: their digests differ")
        if not (all(np.isfinite(row).all() for row in X) and np.isfinite(y).all()):
            raise Refusal("the data are not finite")
        if weights is not None and not (np.isfinite(weights).all() and np.all(weights >= 0) and np.any(weights > 0)):
            raise Refusal("the weights are not finite, >= 0 and somewhere positive")

    def claim(self, number: int, claim: Claim) -> Verdict:
        """Prove both halves of one claim."""
        began = time.perf_counter()
        where = f"claim {number}: "
        try:
            with np.errstate(all="ignore"):
                self._check_incumbent(claim)
                leaves, exact_leaves = self._check_bound(claim)
        except ScaleError:
            leaves = exact_leaves = self._check_exactly(claim)
        except Refusal as refusal:
            raise Refusal(where + str(refusal)) from None
        except TokenError as error:
            raise MalformedCertificate(where + str(error)) from None
        difference = claim.objective - claim.dual_bound
        gap = difference / abs(claim.objective) if claim.objective else math.inf if difference else 0.0
        seconds = time.perf_counter() - began
        return Verdict(
            True, claim.objective, claim.dual_bound, gap, leaves=leaves, exact_leaves=exact_leaves, seconds=seconds
        )

    def _check_incumbent(self, claim: Claim) -> None:
        support = claim.support.tolist()
        places = self._places_of_incumbent(claim)
        count = Rules(self._certificate.settings).size(places)
        if count > claim.k:
            raise Refusal(f"the incumbent has {count} places; k is {claim.k}")
        if places & mask_of(self._certificate.settings["exclude"]):
            raise Refusal("the incumbent has a column that is excluded")
        lower, upper = self._certificate.lower, self._certificate.upper
        if lower is not None and upper is not None:
            outside = (claim.coef < lower[claim.support]) | (claim.coef > upper[claim.support])
            if np.any(outside):
                raise Refusal(f"the incumbent breaks the bounds of columns {claim.support[outside].tolist()}")
        scale = self._rows if self._has_kinks else self._moments
        value = scale.objective_above(claim.support.astype(np.int64), claim.coef, count)
        holds = value <= scale.of_objective(claim.objective)
        if not (holds or self._exact.incumbent_value(support, claim.coef.tolist(), places) <= claim.objective):
            raise Refusal("the incumbent's objective is larger than claimed")

    def _places_of_incumbent(self, claim: Claim) -> int:
        """The smallest places that hold the support; where there are rules, those that the claim names."""
        settings = self._certificate.settings
        places = mask_of([*claim.support.tolist(), *settings["include"]])
        for group in settings["groups"]:
            if mask_of(group) & places:
                places |= mask_of(group)
        if claim.model is None:
            return places
        model = mask_of(claim.model)
        if places & ~model or any(mask_of(group) & model not in (0, mask_of(group)) for group in settings["groups"]):
            raise Refusal("the incumbent's model misses a column of its support, of include or of a group")
        broken = Rules(settings).first_broken(model)
        if broken is not None:
            raise Refusal(f"the incumbent's model breaks rule {broken}")
        return model

    def _check_bound(self, claim: Claim) -> tuple[int, int]:
        leaves = self._leaves(claim)
        if len(claim.diagonal):
            self._check_diagonal(claim)
        walk = Walk(self._certificate, claim, leaves)
        leaves.boxes(walk.root)
        walk.run()
        leaves.finish()
        return leaves.leaves, leaves.exact_leaves

    def _leaves(self, claim: Claim) -> FloatLeaves:
        if self._has_kinks:
            return KinkedLeaves(self._certificate, claim, self._rows, lambda: self._exact_rows)
        return SquaredLeaves(self._certificate, claim, self._moments, lambda: self._exact_moments)

    def _check_exactly(self, claim: Claim) -> int:
        """Prove a claim whose numbers floating point cannot hold; return the number of leaves."""
        arrays = {f.name: getattr(claim, f.name) for f in fields(claim)}
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in arrays.items()}
        checker = Checker(self._exact, [ExactClaim(**plain)])
        try:
            checker.check()
        except RefusedError as error:
            raise Refusal(str(error)) from None
        except MalformedError as error:
            raise MalformedCertificate(str(error)) from None
        return checker.leaves

    def _check_diagonal(self, claim: Claim) -> None:
        """G + 2Λ - D must be positive semidefinite on all columns that are not excluded."""
        key = claim.diagonal.tobytes()
        if key not in self._below:
            excluded = mask_of(self._certificate.settings["exclude"])
            columns = columns_of((1 << self._X.shape[1]) - 1 & ~excluded)
            moments = self._moments
            self._below[key] = is_below(
                moments, moments.of_diagonal(claim.diagonal), np.array(columns, dtype=np.int64)
            ) or self._exact.is_dominated(claim.diagonal.tolist(), columns)
        if not self._below[key]:
            raise Refusal("the diagonal is too large: G + 2Λ - D is not positive semidefinite")

    @cached_property
    def _moments(self) -> Moments:
        certificate = self._certificate
        wanted = np.zeros(self._X.shape[1], dtype=bool)
        for claim in certificate.claims:
            wanted[claim.columns[claim.columns < len(wanted)]] = wanted[claim.support] = True
        return Moments(
            self._X,
            self._y,
            self._weights,
            certificate.settings,
            certificate.lower,
            certificate.upper,
            np.flatnonzero(wanted),
        )

    @cached_property
    def _rows(self) -> KinkedRows:
        certificate = self._certificate
        return KinkedRows(self._X, self._y, self._weights, certificate.settings, certificate.lower, certificate.upper)

    @property
    def _has_kinks(self) -> bool:
        return "tau" in self._certificate.settings

    @property
    def _exact(self) -> Statement:
        return self._exact_rows if self._has_kinks else self._exact_moments

    @cached_property
    def _exact_moments(self) -> ExactMoments:
        return ExactMoments(*self._exact_data())

    @cached_property
    def _exact_rows(self) -> Kinked:
        try:
            return Kinked(*self._exact_data())
        except RefusedError as error:
            raise Refusal(str(error)) from None

    def _exact_data(self) -> tuple[Any, ...]:
        certificate = self._certificate
        lists = [None if a is None else a.tolist() for a in (self._weights, certificate.lower, certificate.upper)]
        return self._X.T.tolist(), self._y.tolist(), lists[0], certificate.settings, lists[1], lists[2]
