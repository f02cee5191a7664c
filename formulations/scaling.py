"""The working form of a squared-error problem: centred, weighted, unit columns, unit response.

Every engine and heuristic works on this form, so none of them depends on the units of the data, and the
way back to the user's coefficients stands beside the way there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from formulations._types import BoolVector, IntVector, Matrix, Vector
from formulations.design import Design, scaled_design
from formulations.errors import ProblemError
from formulations.problem import Problem
from formulations.selection import Selection

_GRAM_LIMIT = 3000  # columns up to which the whole Gram matrix is formed at once


@dataclass(frozen=True, eq=False)
class ScaledProblem:
    r"""Squared error in units where every column and the response have norm one.

    .. math::
        \min_\gamma\; \tfrac12\|y - X\gamma\|^2
            + \sum_j \left[\rho_j \gamma_j^2 + \lambda_{1j}|\gamma_j|\right] + \lambda_0 \|\gamma\|_0,
        \qquad \|\gamma\|_0 \le k,\; lo \le \gamma \le hi

    over the columns that the user has not excluded: local index i stands for column ``columns[i]``.
    The user's objective is ``unit`` times this one.

    Attributes
    ----------
    design : Design
        The matrix X, shape (n, m): columns centred (with an intercept), weighted by the square roots of the weights,
        of norm one.
    y : shape (n,)
        The response, treated alike.
    columns : shape (m,)
        Indices of the user's columns.
    k : int
        At most this many columns, ``k <= m``.
    lambda0 : float
    lambda1, ridge : shape (m,)
        The λ1 and ρ above, one a column.
    lower, upper : shape (m,)
        The user's bounds on γ.
    included : shape (m,)
        Columns that every support holds.
    groups : tuple of tuples
        Sets of two or more local columns that enter together.
    unit : float
        Squared norm of the centred, weighted response.
    coef_unit : shape (m,)
        ``coef[columns] = gamma * coef_unit``.
    coef_lower, coef_upper : shape (m,)
        The bounds in the user's units.
    selection : Selection
        All constraints on the support, in local columns; ``included`` and ``groups`` are among them.
    """

    design: Design
    y: Vector
    columns: IntVector
    k: int
    lambda0: float
    lambda1: Vector
    ridge: Vector
    lower: Vector
    upper: Vector
    included: BoolVector
    groups: tuple[tuple[int, ...], ...]
    unit: float
    coef_unit: Vector
    coef_lower: Vector
    coef_upper: Vector
    n_columns: int
    selection: Selection

    @classmethod
    def of(cls, problem: Problem, threads: int | None = None) -> ScaledProblem:
        """Scale a squared-error problem; ``threads`` is for passes over large data, all cores unless given.

        Raises
        ------
        ProblemError
            If every column is excluded.
        """
        selection = problem.selection
        keep = np.ones(problem.p, dtype=bool)
        keep[list(selection.excluded)] = False
        columns = np.flatnonzero(keep)
        if not len(columns):
            raise ProblemError("Exclude leaves no column; expected at least one candidate. Exclude fewer columns.")
        root = np.sqrt(problem.sample_weight)
        y = problem.y
        if problem.fit_intercept:
            for _ in range(2):  # a mean far from zero is itself rounded: the second step takes what it left behind
                y = y - problem.sample_weight @ y / problem.sample_weight.sum()
        y = y * root
        y_norm = float(linalg.norm(y))
        names, means = None if keep.all() else columns, problem.column_means[columns]
        design, norms = scaled_design(problem.X, names, means, root, problem.fit_intercept, threads)
        coef_unit = y_norm / norms
        penalised = problem.penalty_scale[columns] * coef_unit
        local = np.full(problem.p, -1)
        local[columns] = np.arange(len(columns))
        included = np.zeros(len(columns), dtype=bool)
        included[local[list(selection.included)]] = True
        unit = y_norm**2
        return cls(
            design=design,
            y=y / y_norm,
            columns=columns,
            k=min(problem.max_cardinality, len(columns)),
            lambda0=problem.lambda0 / unit,
            lambda1=problem.lambda1 * penalised / unit,
            ridge=problem.lambda2 * penalised**2 / unit,
            lower=problem.lower[columns] / coef_unit,
            upper=problem.upper[columns] / coef_unit,
            included=included,
            groups=tuple(tuple(int(local[c]) for c in group) for group in selection.groups if keep[group[0]]),
            unit=unit,
            coef_unit=coef_unit,
            coef_lower=problem.lower[columns],
            coef_upper=problem.upper[columns],
            n_columns=problem.p,
            selection=selection.restricted_to(columns.tolist()),
        )

    @property
    def n(self) -> int:
        return self.design.n

    @property
    def m(self) -> int:
        """Number of candidate columns."""
        return self.design.m

    @property
    def X(self) -> Matrix:
        """All columns at once, shape (n, m): for problems small enough."""
        return self.design.whole()

    @property
    def has_groups(self) -> bool:
        return bool(self.groups)

    @property
    def has_rules(self) -> bool:
        """Tell whether there is more than included columns and groups, each counted by its size."""
        return self.selection.has_rules

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Local columns that enter together; a partition of ``0 … m-1``."""
        grouped = {j for group in self.groups for j in group}
        alone = [(j,) for j in range(self.m) if j not in grouped]
        return tuple(sorted([*self.groups, *alone]))

    @property
    def most_useful(self) -> int:
        """No best support is larger: λ0 a column cannot exceed what the least model leaves, at most ½."""
        if self.lambda0 == 0.0:
            return self.k
        return int(min(self.k, self.selection.least_size + np.floor(0.5 / self.lambda0) + 1))

    @property
    def is_boxed(self) -> bool:
        """Tell whether any coefficient is bounded."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def is_plain(self) -> bool:
        """Tell whether the fit on a support is plain (ridge) least squares: no λ1, no bounds."""
        return not self.is_boxed and not self.lambda1.any()

    @cached_property
    def correlation(self) -> Vector:
        """X'y, shape (m,)."""
        return np.asarray(self.design.correlate(self.y[:, None])[0])

    @property
    def has_gram(self) -> bool:
        """Tell whether `gram` is small enough to be formed whole."""
        return self.m <= _GRAM_LIMIT

    @cached_property
    def gram(self) -> Matrix:
        """X'X, shape (m, m), without the ridge; exactly symmetric."""
        gram = self.design.gram()
        return np.ascontiguousarray(0.5 * (gram + gram.T))

    def gram_rows(self, columns: IntVector) -> Matrix:
        """Rows of X'X for some columns, shape (len(columns), m), without forming the rest."""
        if "gram" in self.__dict__:
            return self.gram[columns]
        return self.design.gram_rows(columns)

    def allows(self, support: IntVector) -> bool:
        """Tell whether a model of exactly these columns obeys all constraints, its size among them."""
        chosen = support.tolist()
        return self.selection.size(chosen) <= self.k and self.selection.allows(chosen)

    def value(self, support: IntVector, gamma: Vector) -> float:
        """The objective of γ on a support; λ0 is charged as in `Problem`."""
        residual = self.y - self.design.columns(support) @ gamma
        penalty = self.ridge[support] @ gamma**2 + self.lambda1[support] @ np.abs(gamma)
        return float(0.5 * residual @ residual + penalty + self.lambda0 * self._charged(support[gamma != 0]))

    def _charged(self, nonzero: IntVector) -> int:
        return self.selection.charged(nonzero) if self.lambda0 else 0

    def to_coef(self, support: IntVector, gamma: Vector) -> Vector:
        """Return the user's coefficients, shape (n_columns,)."""
        coef = np.zeros(self.n_columns)
        # The bounds are the user's: a change of units may overstep them by a rounding.
        inside = np.clip(gamma * self.coef_unit[support], self.coef_lower[support], self.coef_upper[support])
        coef[self.columns[support]] = inside
        return coef
