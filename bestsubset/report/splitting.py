"""Honest figures by splitting the data: some rows choose the model, the others say what is in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bestsubset.errors import RefusedError
from bestsubset.report.estimates import Estimates, estimates, why_not
from bestsubset.result import Result
from bestsubset.solve import solve
from formulations import Problem, ProblemError
from formulations._types import IntVector


@dataclass(frozen=True, eq=False)
class Split:
    """The best subset of some of the rows, and the figures of least squares on the others.

    Attributes
    ----------
    chosen : Result
        The answer on the rows that choose.
    estimates : Estimates
        Of its support, on the other rows.
    n_chosen, n_estimated : int
        The rows of each part.
    """

    chosen: Result
    estimates: Estimates
    n_chosen: int
    n_estimated: int


def split(result: Result, share: float, random_state: int, time_limit: float | None) -> Split:
    r"""Choose the best subset anew on a random share of the rows, and estimate it on the others.

    The second part knows nothing of the choice, so its intervals cover the coefficients :math:`(E\,x_S x_S^\top)^{-1}
    E\,x_S y` of the chosen support S at their level, whichever support that is and however it was found. The price is
    that both parts are smaller: the support may be another than that of all rows, and the intervals are wider.

    Raises
    ------
    RefusedError
        If the loss is not squared error, there are penalties lambda1 or lambda2, no rows, or too few for a split.

    Source
    ------
    Cox (1975), *A note on data-splitting for the evaluation of significance levels*, Biometrika 62(2).
    """
    problem = result.problem
    reason = why_not(problem)
    if reason is not None:
        raise RefusedError(
            f"split is {share} and {reason}; expected squared error with lambda1 = lambda2 = 0 and its rows."
            " Drop the split."
        )
    if not 0 < share < 1:
        raise ProblemError(f"split is {share}; expected 0 < split < 1, the share of the rows that choose. Use 0.5.")
    if random_state < 0:
        raise ProblemError(f"random_state is {random_state}; expected a whole number >= 0. Use 0.")
    order = np.random.default_rng(random_state).permutation(problem.n)
    n_chosen = round(share * problem.n)
    try:
        chosen = solve(_on_rows(problem, np.sort(order[:n_chosen])), gap=result.gap_tolerance, time_limit=time_limit)
    except ProblemError as error:
        raise _too_few(share, str(error)) from error
    others, support = np.sort(order[n_chosen:]), list(chosen.support)
    found = estimates(
        problem.X[others][:, support], problem.y[others], problem.sample_weight[others], problem.fit_intercept
    )
    if found is None:
        raise _too_few(share, "the chosen columns are dependent on the other rows, or these are too few")
    return Split(chosen, found, n_chosen, problem.n - n_chosen)


def _on_rows(problem: Problem, rows: IntVector) -> Problem:
    return Problem(
        problem.X[rows],
        problem.y[rows],
        problem.k,
        lambda0=problem.lambda0,
        loss=problem.loss,
        bounds=(problem.lower, problem.upper),
        constraints=problem.constraints,
        fit_intercept=problem.fit_intercept,
        sample_weight=problem.sample_weight[rows],
        feature_names=problem.feature_names,
    )


def _too_few(share: float, reason: str) -> RefusedError:
    return RefusedError(
        f"split is {share} and leaves rows that will not do ({reason.rstrip('.')}); expected two parts that each"
        " determine a model. Change split or random_state."
    )
