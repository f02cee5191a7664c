"""Problems stated by formulas, as R and formulaic write them: each term is a block of columns, in or out as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike

from bestsubset.api import best_subset
from bestsubset.errors import RefusedError
from bestsubset.result import Result
from formulations import Constraint, Group, Implies, ProblemError
from formulations._types import IntVector, Matrix, Vector
from formulations.arrays import listed

if TYPE_CHECKING:
    import pandas as pd

_NAMES_OF_DOT = "__formulaic_variables_available__"  # what the dot in "y ~ ." stands for, but for y
_TILDE = "expected 'response ~ terms', with one response and one list of terms."


def best_subset_formula(
    formula: str,
    data: pd.DataFrame,
    k: int | None = None,
    *,
    heredity: Literal["strong", "weak"] | None = None,
    counts: Literal["columns", "one"] = "columns",
    missing: Literal["drop", "refuse"] = "drop",
    sample_weight: str | ArrayLike | None = None,
    constraints: Sequence[Constraint] = (),
    **settings: Any,
) -> Result:
    """Return the best model with at most ``k`` columns of a formula's design, terms kept whole.

    A term of several columns (a factor's levels, a spline's basis) is a `Group`: in or out together. Which columns a
    term has depends on the coding that formulaic chooses; with strong heredity the fit of a model does not.

    Parameters
    ----------
    formula : str
        Such as ``"log(salary) ~ hits + C(league) * years"``; the grammar is formulaic's. The intercept is fitted and
        never counted, unless the formula ends in ``- 1`` or begins with ``0 +``. Formulas may call functions: take them
        from whom you trust.
    data : DataFrame
    k : int, optional
        At most so many columns, or with ``counts="one"`` so many terms.
    heredity : {"strong", "weak"}, optional
        An interaction enters only with all, or any, of the terms that it is made of: of those with one factor less.
    counts : {"columns", "one"}
        What a term counts towards k, and at the price lambda0: its columns, or one.
    missing : {"drop", "refuse"}
        Rows with missing entries in what the formula uses are dropped, with a note in the result, or refused.
    sample_weight : str or array-like, shape (rows of data,), optional
        Weights of the rows, or the column of ``data`` that has them.
    constraints : sequence of Constraint
        More of them, on the columns of the design by name: ``"C(league)[T.N]"``.
    **settings
        Of `best_subset`.

    Raises
    ------
    RefusedError
        If formulaic is not installed: it comes with the extra ``formula``.
    ProblemError
        If the formula cannot be read or evaluated, a row is missing something and ``missing="refuse"``, or a term
        that ``heredity`` asks for is not in the formula.

    Source
    ------
    Heredity: Chipman (1996), *Bayesian variable selection with related predictors*, Canadian Journal of Statistics
    24(1). Groups: Yuan and Lin (2006), *Model selection and estimation in regression with grouped variables*, Journal
    of the Royal Statistical Society B 68(1).

    Examples
    --------
    >>> import bestsubset as bs, pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 2.1, 2.9, 4.2, 5.0, 6.1], "x": [1, 2, 3, 4, 5, 6], "g": list("ababba")})
    >>> bs.best_subset_formula("y ~ x + g", data, k=1).support_names
    ('x',)
    """
    for name, value, words in (
        ("heredity", heredity, ("strong", "weak", None)),
        ("counts", counts, ("columns", "one")),
        ("missing", missing, ("drop", "refuse")),
    ):
        if value not in words:
            raise ProblemError(f"{name} is {value!r}; expected one of {words}. Use one of them.")
    own = {"fit_intercept": "the formula says it: end it in - 1", "feature_names": "the formula names the columns"}
    for name in own.keys() & settings.keys():
        raise ProblemError(
            f"{name} is given beside a formula; expected it in the formula alone ({own[name]}). Drop it."
        )
    design = Design.of(formula, data)
    if design.n_dropped and missing == "refuse":
        raise ProblemError(
            f"data has {design.n_dropped} rows with missing entries in what the formula uses; expected none with"
            " missing='refuse'. Drop or impute them."
        )
    result = best_subset(
        design.X,
        design.y,
        k,
        constraints=[*design.constraints(heredity, counts), *constraints],
        fit_intercept=design.has_intercept,
        feature_names=design.names,
        sample_weight=_weights(sample_weight, data, design.rows),
        **settings,
    )
    if not design.n_dropped:
        return result
    note = f"{design.n_dropped} of {len(data)} rows with missing entries were dropped"
    return replace(result, notes=(*result.notes, note))


@dataclass(frozen=True, eq=False)
class Design:
    """What a formula makes of data.

    Attributes
    ----------
    X, y : shapes (n, p) and (n,)
        Without the intercept's column.
    names : tuple of str
    has_intercept : bool
    terms : mapping from sets of factors to columns
        The columns of each term; ``x`` and ``z`` are the factors of ``x:z``.
    rows : shape (n,)
        The rows of the data that are left, in their order.
    n_dropped : int
    """

    X: Matrix
    y: Vector
    names: tuple[str, ...]
    has_intercept: bool
    terms: Mapping[frozenset[str], tuple[int, ...]]
    rows: IntVector
    n_dropped: int

    @classmethod
    def of(cls, formula: str, data: pd.DataFrame) -> Design:
        """Read a formula and evaluate it on data, rows with missing entries left out."""
        matrices = _matrices(formula, data)
        left: Any = getattr(matrices, "lhs", None)
        right: Any = getattr(matrices, "rhs", None)
        if left is None or isinstance(left, tuple) or isinstance(right, tuple):
            raise ProblemError(f"formula is {formula!r}; {_TILDE} Write it so.")
        if left.shape[1] != 1:
            raise ProblemError(
                f"formula has a response of {left.shape[1]} columns ({listed(list(left.columns))}); expected one, a"
                " number. Encode it first."
            )
        found = right.model_spec.term_indices.items()
        columns = [(frozenset(str(factor) for factor in term.factors), list(at)) for term, at in found]
        kept = [j for factors, at in columns for j in at if factors != {"1"}]
        if not kept:
            raise ProblemError(f"formula is {formula!r}; expected at least one term beside the intercept. Add terms.")
        place = {j: i for i, j in enumerate(kept)}
        terms = {factors: tuple(place[j] for j in at) for factors, at in columns if factors != {"1"} and at}
        return cls(
            X=right.to_numpy(dtype=np.float64)[:, kept],
            y=left.to_numpy(dtype=np.float64)[:, 0],
            names=tuple(str(right.columns[j]) for j in kept),
            has_intercept=len(kept) < right.shape[1],
            terms=terms,
            rows=np.asarray(right.index, dtype=np.int64),
            n_dropped=len(data) - len(right),
        )

    def constraints(
        self, heredity: Literal["strong", "weak"] | None, counts: Literal["columns", "one"]
    ) -> list[Constraint]:
        """Return the groups of the terms, and what heredity asks of the interactions."""
        groups = [Group(columns, counts) for columns in self.terms.values() if len(columns) > 1]
        return [*groups, *([] if heredity is None else self._heredity(heredity))]

    def _heredity(self, heredity: Literal["strong", "weak"]) -> Iterator[Constraint]:
        """A block is in or out as a whole, so that its first column stands for it."""
        for factors, columns in self.terms.items():
            if len(factors) < 2:
                continue
            parents = [factors - {factor} for factor in sorted(factors)]
            present = [self.terms[parent][0] for parent in parents if parent in self.terms]
            absent = [":".join(sorted(parent)) for parent in parents if parent not in self.terms]
            if absent and (heredity == "strong" or not present):
                raise ProblemError(
                    f"heredity is {heredity!r} and the formula has {':'.join(sorted(factors))} without"
                    f" {listed(absent)}; expected its parents among the terms. Write a * b for a + b + a:b, or drop"
                    " heredity."
                )
            yield Implies(columns[0], present, "all" if heredity == "strong" else "any")


def _matrices(formula: str, data: pd.DataFrame) -> Any:
    try:
        from formulaic import Formula
        from formulaic.errors import FormulaicError
    except ImportError as error:
        raise RefusedError(
            "formulaic is not installed; expected it for formulas. Install the extra that brings it:"
            " pip install 'bestsubset[formula]'."
        ) from error
    numbered = data.reset_index(drop=True)  # so that the rows left are known by their place
    try:
        parsed = Formula(formula, _context={_NAMES_OF_DOT: list(data.columns)})
        if numbered.isna().to_numpy().any():
            # Before anything is computed: a mean or a basis must not see the rows that go.
            used = parsed.get_model_matrix(numbered, na_action="ignore", context={}).model_spec.required_variables
            numbered = numbered.dropna(subset=sorted(used))
        return parsed.get_model_matrix(numbered, na_action="drop", context={})
    except FormulaicError as error:
        reason = str(error).split("\n")[0].rstrip(".")  # what follows is a drawing
        raise ProblemError(
            f"formula is {formula!r} and cannot be read ({reason}); {_TILDE} Check its names and signs."
        ) from error


def _weights(given: str | ArrayLike | None, data: pd.DataFrame, rows: IntVector) -> Vector | None:
    if given is None:
        return None
    if isinstance(given, str):
        if given not in data.columns:
            raise ProblemError(
                f"sample_weight is {given!r}; expected a column of data, or the weights. Check its name."
            )
        given = data[given].to_numpy()
    weights = np.asarray(given)
    if weights.shape != (len(data),):
        raise ProblemError(
            f"sample_weight has the shape {weights.shape}; expected ({len(data)},), a weight for each row of data."
            " Align the two."
        )
    return cast(Vector, weights[rows])
