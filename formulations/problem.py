"""The statement of best subset selection: the only place where the objective is written down."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from formulations import arrays, columns, settings
from formulations._types import Data, IntVector, Vector
from formulations.constraints import Constraint, ExcludePairs
from formulations.errors import ProblemError
from formulations.losses import Loss, by_name
from formulations.selection import Selection, select

if TYPE_CHECKING:
    from formulations.moments import Moments


@dataclass(frozen=True, eq=False, init=False)
class Problem:
    r"""Best subset selection, validated and frozen.

    .. math::
        \min_{\beta \in R^p,\, b \in R}\; L(y, b + X\beta) + \lambda_0 \|\beta\|_0
            + \lambda_1 \sum_j s_j |\beta_j| + \lambda_2 \sum_j s_j^2 \beta_j^2
        \quad\text{s.t.}\quad \|\beta\|_0 \le k,\; lo \le \beta \le hi,\; \text{structure on the support.}

    For squared error :math:`L = \tfrac12 \sum_i w_i (y_i - b - x_i^\top\beta)^2`. The intercept ``b`` is
    never penalised and never counted; a column that `Include` or a `Group` brings in is counted, whatever its
    coefficient. :math:`s_j = 1`, or with ``standardize=True`` the weighted standard
    deviation of column j (divisor :math:`\sum_i w_i`; about zero without an intercept), which is the
    same as penalising the coefficients of standardised columns. Coefficients and bounds are always in
    the user's units.

    Parameters
    ----------
    X : array-like or data frame, shape (n, p)
        Not copied where it is a float64 or float32 array, memory-mapped or not: do not change it while the problem
        is in use. A float32 number stands for itself, and all arithmetic is in float64. A column that is constant, or
        zero where there is no intercept, in the rows of positive weight has to be excluded.
    y : array-like or Series, shape (n,)
    k : int, optional
        At most this many nonzero coefficients, ``1 <= k <= p``. None leaves the number to ``lambda0``.
    lambda0 : float
        Price of each nonzero coefficient, in units of the objective.
    lambda1, lambda2 : float
        Weights of the absolute and of the squared coefficients.
    loss : str or Loss
        ``"squared"``, ``"absolute"``, ``"quantile"``, ``"hinge"``, ``"logistic"``, or an instance.
    bounds : pair of scalars or arrays, optional
        ``(lo, hi)`` with ``lo <= 0 <= hi``, imposed on every coefficient.
    constraints : sequence of Constraint
        `Include`, `Exclude`, `Group`, …: columns by index or by name. `Sign` and `Bounds` tighten ``bounds``.
    fit_intercept, standardize : bool
    sample_weight : array-like, shape (n,), optional
        The weights w, non-negative; 1 unless given.
    feature_names : sequence of str, optional
        Taken from a data frame's columns unless given.

    Raises
    ------
    ProblemError
        If anything above is broken: the message names the field, its value, the rule and the way out.

    Source
    ------
    Bertsimas, King and Mazumder (2016), eq. (1.1); Hazimeh, Mazumder and Saab (2022), eq. (1) for the penalised form.
    """

    has_rows = True  # X and y are the rows themselves, not only rows of the same moments

    X: Data
    y: Vector
    k: int | None
    lambda0: float
    lambda1: float
    lambda2: float
    loss: Loss
    lower: Vector
    upper: Vector
    constraints: tuple[Constraint, ...]
    fit_intercept: bool
    standardize: bool
    sample_weight: Vector
    feature_names: Sequence[str]

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        k: int | None = None,
        *,
        lambda0: float = 0.0,
        lambda1: float = 0.0,
        lambda2: float = 0.0,
        loss: str | Loss = "squared",
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        constraints: Sequence[Constraint] = (),
        fit_intercept: bool = True,
        standardize: bool = False,
        sample_weight: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        data = arrays.design(X)
        n, p = data.shape
        names = arrays.column_names(X, feature_names, p)
        given = tuple(c.resolved(names, p) for c in settings.constraint_list(constraints))
        lower, upper = settings.constrained_bounds(*settings.coefficient_bounds(bounds, p), given)
        fields: dict[str, Any] = {
            "X": settings.read_only(data),
            "y": settings.read_only(arrays.vector(y, "y", n)),
            "lambda0": settings.penalty(lambda0, "lambda0"),
            "k": settings.cardinality(k, p, lambda0),
            "lambda1": settings.penalty(lambda1, "lambda1"),
            "lambda2": settings.penalty(lambda2, "lambda2"),
            "loss": by_name(loss),
            "lower": lower,
            "upper": upper,
            "constraints": given,
            "fit_intercept": bool(fit_intercept),
            "standardize": bool(standardize),
            "sample_weight": settings.read_only(settings.weights(sample_weight, n)),
            "feature_names": names,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        self._check_variation()
        wrong = self.loss.check_response(self.y)
        if wrong is not None:
            raise ProblemError(wrong)
        self._check_selection()

    @classmethod
    def from_moments(cls, moments: Moments, k: int | None = None, **settings: Any) -> Problem:
        """State a problem of squared error whose rows are known by their moments alone.

        Takes the keywords of `Problem` but for ``loss`` and ``sample_weight``. What needs the rows (`predict`,
        `residuals`) raises, and there is no certificate, which would be about the rows.
        """
        from formulations.moments_problem import MomentsProblem

        return MomentsProblem(moments, k, **settings)

    def with_k(self, k: int) -> Problem:
        """Return the same problem with another bound on the cardinality; what is known of the data is shared."""
        other = copy(self)
        other.__dict__.pop("digest", None)
        object.__setattr__(other, "k", settings.cardinality(k, self.p, self.lambda0))
        other._check_selection()
        return other

    def with_more(self, *constraints: Constraint) -> Problem:
        """Return the same problem with further constraints on the support; what is known of the data is shared."""
        other = copy(self)
        for name in ("digest", "selection"):
            other.__dict__.pop(name, None)
        added = tuple(c.resolved(self.feature_names, self.p) for c in constraints)
        object.__setattr__(other, "constraints", (*self.constraints, *added))
        other._check_selection()
        return other

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def max_cardinality(self) -> int:
        """The bound on the cardinality: k, or p in the penalised form."""
        return self.p if self.k is None else self.k

    @cached_property
    def selection(self) -> Selection:
        """The constraints on the support, merged."""
        thresholds = {c.threshold for c in self.constraints if isinstance(c, ExcludePairs)}
        pairs = {t: columns.correlated_pairs(self.X, self.column_means, self.sample_weight, t) for t in thresholds}
        return select(self.constraints, self.p, pairs)

    @cached_property
    def column_means(self) -> Vector:
        """Weighted column means, shape (p,); zero without an intercept."""
        if not self.fit_intercept:
            return np.zeros(self.p)
        return columns.column_means(self.X, self.sample_weight)

    @cached_property
    def column_norms(self) -> Vector:
        """Weighted Euclidean norms of the centred columns, shape (p,)."""
        return columns.column_norms(self.X, self.column_means, self.sample_weight)

    @property
    def penalty_scale(self) -> Vector:
        """The s_j of the statement, shape (p,)."""
        if not self.standardize:
            return np.ones(self.p)
        return np.asarray(self.column_norms / np.sqrt(self.sample_weight.sum()))

    @cached_property
    def duplicate_columns(self) -> tuple[tuple[int, ...], ...]:
        """Sets of columns that are equal, entry by entry: any one of a set serves as well as another."""
        return columns.equal_columns(self.X)

    def intercept(self, coef: Vector) -> float:
        """Return the best intercept for ``coef``; zero without an intercept."""
        if not self.fit_intercept:
            return 0.0
        y, eta = self.y - self._origin, self._centred_predictor(coef)
        at_mean = self.loss.best_intercept(y, eta, self.sample_weight)
        return at_mean + self._origin - float(self.column_means @ coef)

    def predict(self, coef: Vector, intercept: float | None = None) -> Vector:
        """Return b + X @ coef, shape (n,); the intercept is profiled out unless given."""
        return self._centred(coef, intercept)[1] + self._origin

    def residuals(self, coef: Vector, intercept: float | None = None) -> Vector:
        """Return y - b - X @ coef, shape (n,), without the digits that a far origin would cost."""
        y, eta = self._centred(coef, intercept)
        return y - eta

    def residual_sum_of_squares(self, coef: Vector) -> float:
        """Return the weighted sum of squared residuals, the intercept profiled out."""
        y, eta = self._centred(coef, None)
        return float(self.sample_weight @ (y - eta) ** 2)

    def objective(self, coef: Vector, intercept: float | None = None) -> float:
        """Return the objective at ``coef``; the intercept is profiled out unless given."""
        used = np.flatnonzero(coef)
        scaled = self.penalty_scale[used] * coef[used]
        penalty = self.lambda1 * np.abs(scaled).sum() + self.lambda2 * (scaled @ scaled)
        loss = self.loss.value(*self._centred(coef, intercept), self.sample_weight)
        charged = self.selection.charged(used) if self.lambda0 else 0
        return loss + self.lambda0 * charged + float(penalty)

    @cached_property
    def _origin(self) -> float:
        """Where the response is measured from: its mean, where the loss allows it."""
        if not (self.fit_intercept and self.loss.depends_on_residual_alone):
            return 0.0
        return float(self.sample_weight @ self.y / self.sample_weight.sum())

    def _centred(self, coef: Vector, intercept: float | None) -> tuple[Vector, Vector]:
        """Response and linear predictor, both less the origin: a mean of 1e10 would cost ten digits otherwise."""
        y, eta = self.y - self._origin, self._centred_predictor(coef)
        if intercept is not None:
            return y, eta + (intercept - self._origin + float(self.column_means @ coef))
        if self.fit_intercept:
            return y, eta + self.loss.best_intercept(y, eta, self.sample_weight)
        return y, eta

    def _centred_predictor(self, coef: Vector) -> Vector:
        # Centred before multiplying: a column of mean 1e8 and deviation 1 would cost eight digits otherwise.
        used = np.flatnonzero(coef)
        return np.asarray((self.X[:, used] - self.column_means[used]) @ coef[used])

    @cached_property
    def null_objective(self) -> float:
        """The objective of the empty model: the scale of every relative gap."""
        return self.objective(np.zeros(self.p))

    @cached_property
    def total_sum_of_squares(self) -> float:
        """Weighted sum of squares of the response, about its mean where there is an intercept: R² is relative to it."""
        w, y = self.sample_weight, self.y
        mean = float(w @ y / w.sum()) if self.fit_intercept else 0.0
        return float(w @ (y - mean) ** 2)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over the bytes of the data and every field."""
        sha = hashlib.sha256()
        for array in (self.X, self.y, self.sample_weight, self.lower, self.upper):
            columns.update_hash(sha, array)
        penalties = (self.lambda0, self.lambda1, self.lambda2)
        options = (self.fit_intercept, self.standardize, self.feature_names)
        sha.update(repr((self.k, *penalties, self.loss, self.constraints, *options)).encode())
        return sha.hexdigest()

    def _check_variation(self) -> None:
        # A mean is finite only if every entry is, or it overflowed; it is wanted anyway.
        if not (self.fit_intercept and np.isfinite(self.column_means).all()):
            arrays.require_finite_columns(self.X, self.feature_names)
        kind = "constant" if self.fit_intercept else "zero"
        rule = "at least two distinct values" if self.fit_intercept else "at least one nonzero value"
        used = self.sample_weight > 0
        reference = self.y[used][0] if self.fit_intercept else 0.0
        if np.all(self.y[used] == reference):
            raise ProblemError(
                f"y is {kind}, {reference:g} in every row; expected {rule}. There is nothing to explain."
            )
        flat = np.setdiff1d(self._flat_columns(np.flatnonzero(used)), self.selection.excluded)
        if len(flat):
            found = arrays.listed([repr(self.feature_names[j]) for j in flat])
            raise ProblemError(
                f"X is {kind} in column {found}; expected {rule} in every column."
                + (" Drop it: the intercept does its work." if self.fit_intercept else " Drop it.")
            )

    def _flat_columns(self, rows: IntVector) -> IntVector:
        return columns.constant_columns(self.X, rows, self.X[rows[0]] if self.fit_intercept else np.zeros(self.p))

    def _check_selection(self) -> None:
        selection = self.selection
        least = selection.completion(())
        if least is None:
            raise ProblemError(
                "constraints contradict each other; expected at least one support that obeys them all."
                " Look at AtLeast, Implies, Budget and ExcludePairs beside Include and Exclude."
            )
        forced = selection.size(least)
        if forced > self.max_cardinality:
            what = "constraints force" if selection.has_rules else "Include forces"
            raise ProblemError(
                f"{what} {forced} columns in; expected at most k = {self.k}. Raise k, or force fewer columns in."
            )
