"""What came out: the model, the bound, the gap, and who vouches for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import Verdict
from bestsubset.errors import RefusedError
from bestsubset.gap import relative_gap
from bestsubset.status import Proof, Status, Termination
from formulations import Problem, ProblemError
from formulations._types import Vector

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bestsubset.report.summary import Summary


@dataclass(frozen=True)
class Stats:
    """What the search cost. ``seconds`` is wall time, compilation of kernels on a first call included."""

    solver: str
    seconds: float
    nodes: int
    threads: int
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Result:
    """The best model found, with its bound. Made by `solve` alone; everything else is derived.

    Attributes
    ----------
    status, termination : StrEnum
    coef : array, shape (p,), or None
        In the user's units; None when there is no incumbent.
    intercept : float
    objective : float
        Recomputed from ``coef``; ``inf`` without an incumbent.
    dual_bound : float
        No feasible point has an objective below it, given `assumptions`.
    problem : Problem
    certificate : Certificate or None
        The proof that can be re-checked, where there is one.
    stats : Stats
    gap_tolerance : float
    rows : tuple of tuples
        The history behind `trace`.
    notes : tuple of str
        What the solver has to say: tolerances, what was rewritten.
    imposed : tuple of str
        What the bound rests on beside the problem, such as a big-M that the user imposed.
    """

    status: Status
    termination: Termination
    coef: Vector | None
    intercept: float
    objective: float
    dual_bound: float
    problem: Problem
    certificate: Certificate | None
    stats: Stats
    gap_tolerance: float
    rows: tuple[tuple[float, float, float, int], ...] = ()
    notes: tuple[str, ...] = ()
    imposed: tuple[str, ...] = ()

    @property
    def proof(self) -> Proof:
        """Who vouches for the bound; "checked" once `verify` has accepted the certificate."""
        if not math.isfinite(self.dual_bound):
            return Proof.NONE
        if self.certificate is None:
            return Proof.BACKEND
        verdict = self.certificate.verdict
        return Proof.CHECKED if verdict is not None and verdict.valid else Proof.CERTIFICATE

    def verify(self) -> Verdict:
        """Check the certificate against the data of the problem; see `bestsubset.verify`.

        Raises
        ------
        RefusedError
            If there is no certificate.
        """
        if self.certificate is None:
            raise RefusedError(
                "certificate is None; expected a certificate to check."
                " Solve with branch_and_bound and certificate=True."
            )
        from bestsubset.api import verify

        problem = self.problem
        return verify(self.certificate, problem.X, problem.y, problem.sample_weight)

    @property
    def relative_gap(self) -> float:
        """See `relative_gap`; ``inf`` without an incumbent or a bound."""
        if self.coef is None or not math.isfinite(self.dual_bound):
            return math.inf
        return relative_gap(self.objective, self.dual_bound, self.problem.null_objective)

    @property
    def support(self) -> tuple[int, ...]:
        """Columns with a nonzero coefficient, sorted."""
        return () if self.coef is None else tuple(int(j) for j in np.flatnonzero(self.coef))

    @property
    def cardinality(self) -> int:
        return len(self.support)

    @property
    def feature_names(self) -> Sequence[str]:
        return self.problem.feature_names

    @property
    def support_names(self) -> tuple[str, ...]:
        return tuple(self.feature_names[j] for j in self.support)

    @property
    def rss(self) -> float:
        """Weighted residual sum of squares; NaN without an incumbent."""
        if self.coef is None:
            return math.nan
        return self.problem.residual_sum_of_squares(self.coef)

    @property
    def r2(self) -> float:
        """1 - RSS / TSS; the total about the mean with an intercept, about zero without."""
        return 1.0 - self.rss / self.problem.total_sum_of_squares

    @property
    def ties(self) -> tuple[tuple[int, ...], ...]:
        """Sets of identical columns that touch the support: swapping within a set gives the same objective.

        Columns that constraints or bounds tell apart are not in one set.
        """
        problem, chosen = self.problem, set(self.support)
        selection = problem.selection
        tied = {j for group in selection.groups for j in group}.union(selection.included, selection.excluded)
        tied.update(j for rule in selection.rules for j in rule.columns)
        sets: dict[tuple[int, float, float], list[int]] = {}
        for columns in problem.duplicate_columns:
            for j in set(columns) - tied:
                sets.setdefault((columns[0], problem.lower[j], problem.upper[j]), []).append(j)
        return tuple(tuple(sorted(s)) for s in sets.values() if chosen.intersection(s) and not chosen.issuperset(s))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the user imposed and the claim therefore rests on."""
        problem = self.problem
        return (*_bounds_in_words(problem.lower, problem.upper), *_pairs_in_words(problem), *self.imposed)

    @property
    def trace(self) -> pd.DataFrame:
        """The history of the search: seconds, objective, dual_bound, nodes."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=["seconds", "objective", "dual_bound", "nodes"])

    def statement(self) -> str:
        """Return the claim in a sentence or two."""
        from bestsubset.report.statement import statement

        return statement(self)

    def summary(
        self,
        split: float | None = None,
        *,
        level: float = 0.95,
        random_state: int = 0,
        time_limit: float | None = None,
    ) -> Summary:
        r"""Return the regression table of the model, with its proof.

        For squared error with :math:`\lambda_1 = \lambda_2 = 0` and no coefficient at a bound it has the standard
        errors, t statistics, p-values and confidence intervals of least squares, weighted where the problem is. They
        are those of a model fixed in advance: chosen on the same rows, it looks better than it is. With ``split`` the
        best subset is found anew on that share of the rows, and the table has the figures of least squares on the
        others, which had no part in the choice and so are honest about the support found, whichever it is.

        Parameters
        ----------
        split : float, optional
            The share of the rows that choose, in (0, 1).
        level : float
            Of the confidence intervals.
        random_state : int
            Of the rows that choose.
        time_limit : float, optional
            Seconds for the search on the rows that choose.

        Returns
        -------
        Summary
            ``str`` of it is the table as text; it has ``to_frame``, ``to_latex`` and ``to_html``.

        Raises
        ------
        RefusedError
            If a split is asked for where there are no figures of least squares.

        Source
        ------
        Data splitting: Cox (1975), Biometrika 62(2). Why the naive figures are wrong: Berk, Brown, Buja, Zhang and
        Zhao (2013), Annals of Statistics 41(2). Tables of best subsets: Hofmann, Gatu, Kontoghiorghes, Colubi and
        Zeileis (2020), Journal of Statistical Software 93(3).
        """
        from bestsubset.report.summary import Summary

        if not 0 < level < 1:
            raise ProblemError(f"level is {level}; expected 0 < level < 1. Use 0.95.")
        if split is None:
            return Summary(self, level)
        from bestsubset.report.splitting import split as split_rows

        parts = split_rows(self, split, random_state, time_limit)
        return Summary(parts.chosen, level, parts)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the gap over time; see `bestsubset.plots.gap`."""
        from bestsubset.plots import gap

        return gap(self, ax)

    def _repr_html_(self) -> str:
        return self.summary().to_html()

    def __repr__(self) -> str:
        return (
            f"Result({self.status}, cardinality={self.cardinality}, objective={self.objective:.6g},"
            f" relative_gap={self.relative_gap:.2g}, {self.termination}, proof={self.proof})"
        )


def _pairs_in_words(problem: Problem) -> tuple[str, ...]:
    """Correlations are found in floating point: what is proved is about the pairs, and a certificate names them."""
    count = sum(rule.kind == "pair" for rule in problem.selection.rules)
    if not count:
        return ()
    return (f"the {count} pair{'s' if count > 1 else ''} of columns found to be too highly correlated",)


def _bounds_in_words(lower: Vector, upper: Vector) -> tuple[str, ...]:
    if not (np.isfinite(lower).any() or np.isfinite(upper).any()):
        return ()
    if np.all(lower == lower[0]) and np.all(upper == upper[0]):
        if lower[0] == -upper[0]:
            return (f"|β_j| ≤ {upper[0]:g}",)
        if np.isinf(upper[0]) or np.isinf(lower[0]):
            return (f"β_j ≥ {lower[0]:g}" if np.isinf(upper[0]) else f"β_j ≤ {upper[0]:g}",)
        return (f"{lower[0]:g} ≤ β_j ≤ {upper[0]:g}",)
    return ("the bounds imposed on each β_j",)
