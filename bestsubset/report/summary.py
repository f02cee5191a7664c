"""A result as a table: text, data frame, LaTeX or HTML; and a path of results as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

from bestsubset.criteria import CRITERIA, Sample
from bestsubset.report import markup
from bestsubset.report.estimates import Estimates, of_selected
from bestsubset.report.splitting import Split
from bestsubset.report.statement import statement

if TYPE_CHECKING:
    import pandas as pd

    from bestsubset.path import Path
    from bestsubset.result import Result

_WIDTH = 79
_SMALLEST_P = 1e-16
_NAIVE = (
    "These figures take the model as if it had been fixed in advance. It was chosen on the same rows: the p-values are"
    " too small, the intervals too narrow. summary(split=0.5) gives honest ones."
)


@dataclass(frozen=True, eq=False)
class Summary:
    """The regression table of a result, with its proof; ``print`` shows it, and so does a notebook.

    Attributes
    ----------
    result : Result
    level : float
        Of the confidence intervals.
    split : Split or None
        Where other rows than those of the result say what its coefficients are.
    """

    result: Result
    level: float = 0.95
    split: Split | None = None

    @cached_property
    def estimates(self) -> Estimates | None:
        """The figures of least squares, where the model is one of least squares."""
        return None if isinstance(self._found, str) else self._found

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient, the intercept first.

        The columns are coefficient, and where there are `estimates`, standard_error, t, p_value, lower and upper.
        """
        import pandas as pd

        index = pd.Index(self._names(), name="predictor")
        if self.estimates is None:
            return pd.DataFrame({"coefficient": self._coefficients()}, index=index)
        lower, upper = self.estimates.interval(self.level)
        figures = {
            "coefficient": self.estimates.coef,
            "standard_error": self.estimates.standard_error,
            "t": self.estimates.t,
            "p_value": self.estimates.p_value,
            "lower": lower,
            "upper": upper,
        }
        return pd.DataFrame(figures, index=index)

    def to_latex(self) -> str:
        r"""Return a ``tabular`` with the rules of the package booktabs; it goes into a ``table`` with your caption."""
        return markup.latex(self._header(), self._cells(), [*self._fit(), *self.remarks(), *self._claim()])

    def to_html(self) -> str:
        """Return the tables and remarks as an HTML fragment without styles of its own."""
        return markup.html(self._title(), self._facts(), self._header(), self._cells(), self.remarks() + self._claim())

    _repr_html_ = to_html

    def __str__(self) -> str:
        rule = "─" * _WIDTH
        left, right = self._facts()[::2], self._facts()[1::2]
        head = [f"{a:<14}{b:<24}   {c:<16}{d:>22}" for (a, b), (c, d) in zip(left, right, strict=True)]
        remarks = [line for remark in self.remarks() for line in _wrapped(remark)]
        claim = [line for sentence in self._claim() for line in _wrapped(sentence)]
        notes = [rule, *self._notes()] if self.result.notes else []
        return "\n".join(
            [self._title(), rule, *head, rule, *self._lines(), *remarks, rule, *claim, *notes],
        )

    __repr__ = __str__

    def remarks(self) -> list[str]:
        """Return what must be known to read the figures, a sentence or two each."""
        if self.result.coef is None:
            return []
        if isinstance(self._found, str):
            return [f"No standard errors: {self._found}."]
        lines = [
            f"Residual standard error {self._found.sigma:.6g} on {self._found.degrees_of_freedom} degrees of freedom."
        ]
        problem = self.result.problem
        if self.split is not None:
            lines.append(
                f"The support was chosen on {self.split.n_chosen} rows; the coefficients and their figures are those of"
                f" the other {self.split.n_estimated}, which had no part in the choice."
            )
        elif self.result.cardinality < problem.p or problem.lambda0:
            lines.append(_NAIVE)
        return lines

    @cached_property
    def _found(self) -> Estimates | str:
        return of_selected(self.result) if self.split is None else self.split.estimates

    def _title(self) -> str:
        if self.split is None:
            return "Best subset"
        return f"Best subset, chosen on {self.split.n_chosen} of {self.split.n_chosen + self.split.n_estimated} rows"

    def _facts(self) -> list[tuple[str, str]]:
        """The head: names and values, in pairs."""
        result, problem = self.result, self.result.problem
        adjusted = -self._price("adj_r2")
        left = [
            ("Status", str(result.status)),
            ("Termination", str(result.termination)),
            ("Proof", str(result.proof)),
            ("Rows n", str(problem.n)),
            ("Columns p", str(problem.p)),
            ("Bound k", "none" if problem.k is None else str(problem.k)),
            ("Chosen", str(result.cardinality)),
            ("Solver", result.stats.solver),
            ("Nodes", str(result.stats.nodes)),
        ]
        right = [
            ("RSS", number(result.rss)),
            ("R²", number(result.r2, 6)),
            ("Adjusted R²", number(adjusted, 6)),
            ("AIC", number(self._price("aic"))),
            ("BIC", number(self._price("bic"))),
            ("Objective", number(result.objective)),
            ("Dual bound", number(result.dual_bound)),
            ("Relative gap", gap(result.relative_gap)),
            ("Seconds", f"{result.stats.seconds:.3f}"),
        ]
        return [fact for pair in zip(left, right, strict=True) for fact in pair]

    def _price(self, criterion: str) -> float:
        """A criterion, NaN where the loss is another than squared error; see `bestsubset.criteria`."""
        result, problem = self.result, self.result.problem
        if result.coef is None or problem.loss.name != "squared":
            return math.nan
        # No criterion of this table asks for the noise, the costly part of a sample's description.
        total = problem.total_sum_of_squares
        sample = Sample(problem.n, problem.p, problem.fit_intercept, total, noise=math.nan)
        return CRITERIA[criterion](result.cardinality, result.rss, sample)

    def _names(self) -> list[str]:
        intercept = ["(intercept)"] if self.result.problem.fit_intercept and self.result.coef is not None else []
        return [*intercept, *self.result.support_names]

    def _coefficients(self) -> list[float]:
        result = self.result
        if result.coef is None:
            return []
        intercept = [result.intercept] if result.problem.fit_intercept else []
        return [*intercept, *(float(result.coef[j]) for j in result.support)]

    def _header(self) -> list[str]:
        if self.estimates is None:
            return ["predictor", "coefficient"]
        level = f"{100 * self.level:g}%"
        return ["predictor", "coefficient", "std. error", "t", "p-value", f"lower {level}", f"upper {level}"]

    def _cells(self) -> list[list[str]]:
        """The coefficients and their figures as text, a row each."""
        figures = self.to_frame().itertuples()
        return [[name, number(value), *_figures(more)] for name, value, *more in figures]

    def _lines(self) -> list[str]:
        if self.result.coef is None:
            return ["no coefficients: no model was found"]
        cells = self._cells()
        width = max([11, *(len(row[0]) for row in cells)])
        widths = (15, 12, 9, 8, 12, 12) if self.estimates is not None else (18,)
        return [
            f"{row[0]:<{width}}" + "".join(f"{cell:>{w}}" for cell, w in zip(row[1:], widths, strict=True))
            for row in [self._header(), *cells]
        ]

    def _fit(self) -> list[str]:
        """The figures of fit and proof in a line, for where the head does not go."""
        facts = dict(self._facts())
        shown = ("Rows n", "RSS", "R²", "Adjusted R²", "AIC", "BIC", "Relative gap", "Proof")
        return ["; ".join(f"{name} {facts[name]}" for name in shown) + "."]

    def _claim(self) -> list[str]:
        claim = statement(self.result)
        return [claim if self.split is None else f"On the {self.split.n_chosen} rows that chose: {claim}"]

    def _notes(self) -> list[str]:
        return [shorten(f"Note: {note}", 2 * _WIDTH, placeholder=" …") for note in self.result.notes]


def path_table(path: Path) -> str:
    """Return one row a size: k, R², gap, seconds, nodes and the names of the columns."""
    lines = [f"{'k':>3}  {'R²':>8}  {'gap':>8}  {'seconds':>8}  {'nodes':>10}  support"]
    for k, result in path.items():
        r2 = f"{result.r2:.4f}" if result.coef is not None else "–"
        lines.append(
            f"{k:>3}  {r2:>8}  {gap(result.relative_gap):>8}  {result.stats.seconds:>8.3f}"
            f"  {result.stats.nodes:>10}  {', '.join(result.support_names)}"
        )
    return "\n".join(lines)


def path_html(path: Path) -> str:
    """Return the same with adjusted R², AIC and BIC, as an HTML fragment."""
    header = ["k", "R²", "adjusted R²", "AIC", "BIC", "gap", "seconds", "support"]
    cells = [
        [
            str(row["k"]),
            number(row["r2"], 4),
            number(row["adj_r2"], 4),
            *(number(row[name], 6) for name in ("aic", "bic")),
            gap(row["gap"]),
            f"{result.stats.seconds:.3f}",
            ", ".join(result.support_names),
        ]
        for row, result in zip(path.table().to_dict("records"), path.values(), strict=True)
    ]
    return markup.html("Best subset of each size", [], header, cells, [])


def number(value: float, digits: int = 8) -> str:
    """Return a figure for a table; an en dash where there is none."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "–"


def gap(value: float) -> str:
    """Return a relative gap for a table; an en dash where there is no bound."""
    if not math.isfinite(value):
        return "–"
    return "0" if value == 0 else f"{value:.1e}"


def _figures(figures: list[float]) -> list[str]:
    if not figures:
        return []
    error, t, p_value, lower, upper = figures
    p_text = f"<{_SMALLEST_P:.0e}" if p_value < _SMALLEST_P else number(p_value, 2)
    t_text = f"{t:.3f}" if abs(t) < 1e3 else number(t, 3)
    return [number(error, 5), t_text, p_text, number(lower, 5), number(upper, 5)]


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
