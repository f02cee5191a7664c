"""The claim that a result makes, in a sentence or two, worded by what was proved and by whom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from bestsubset.gap import ROUNDING_OF_OBJECTIVE
from bestsubset.status import Proof, Status, Termination
from formulations import Problem

if TYPE_CHECKING:
    from bestsubset.result import Result

_R2_DECIMALS = 4
_OBJECTIVE_DIGITS = 6


def statement(result: Result) -> str:
    """Return what is known of the model found, and whose word it is.

    Squared error without penalties is put in terms of R², everything else in terms of the objective. Figures
    are rounded; a bound that is not met is rounded to the side on which the claim stays true.

    Examples
    --------
    >>> import bestsubset as bs
    >>> r = bs.best_subset([[0.0, 1], [1, 0], [2, 0], [3, 1]], [0.0, 1.1, 1.9, 3.0], k=1)
    >>> print(statement(r))  # doctest: +ELLIPSIS
    No model with at most 1 of these 2 predictors has R² above 0.9957. The one found has 0.9957. Proved in ...
    """
    match result.status:
        case Status.OPTIMAL:
            sentences = [_optimal(result)]
        case Status.FEASIBLE:
            sentences = [_feasible(result)]
        case Status.INFEASIBLE:
            sentences = [f"No model{_scope(result.problem)} exists{_given(result)}. {_proved(result)}."]
        case Status.UNKNOWN:
            sentences = [f"{_stopped(result)}: no model was found, and nothing is proved."]
        case _:
            assert_never(result.status)
    return " ".join([*sentences, *_ties(result)])


def _optimal(result: Result) -> str:
    value = _value(result)
    # The bound may have crossed the objective by the rounding that `solve` allows: no smaller gap is claimed.
    gap = one_digit_up(max(result.relative_gap, ROUNDING_OF_OBJECTIVE))
    return (
        f"No model{_scope(result.problem)} has {_measure(result.problem)} {value}{_given(result)}."
        f" The one found has {value}. {_proved(result)}, to a relative gap of {gap}."
    )


def _feasible(result: Result) -> str:
    problem = result.problem
    count = f"{result.cardinality} of these {problem.p} predictors"
    found = f"The model found, with {count}, has {_measure(problem).rsplit(' ', 1)[0]} {_value(result)}"
    if result.proof is Proof.NONE:
        return f"{_stopped(result)}. {found}. It may or may not be the best: nothing is proved."
    return (
        f"{_stopped(result)}: not proved to be the best. {found}."
        f" What is proved{_given(result)}, {_by(result)}: no model{_scope(problem)} has {_measure(problem)}"
        f" {_bound(result)}, a gap of {_percent(result.relative_gap)}."
    )


def _in_r2(problem: Problem) -> bool:
    return problem.loss.name == "squared" and not (problem.lambda0 or problem.lambda1 or problem.lambda2)


def _measure(problem: Problem) -> str:
    if not _in_r2(problem):
        penalised = problem.lambda0 or problem.lambda1 or problem.lambda2
        return "a penalised objective below" if penalised else "an objective below"
    weighted = "weighted " if problem.sample_weight.min() < problem.sample_weight.max() else ""
    return f"{weighted}R²{'' if problem.fit_intercept else ' (about zero)'} above"


def _scope(problem: Problem) -> str:
    predictors = f"these {problem.p} predictors"
    scope = f"of {predictors}" if problem.k is None else f"with at most {problem.k} of {predictors}"
    return f" that obeys the constraints, {scope}," if problem.constraints else f" {scope}"


def _given(result: Result) -> str:
    return f", given {' and '.join(result.assumptions)}" if result.assumptions else ""


def _value(result: Result) -> str:
    if _in_r2(result.problem):
        return f"{result.r2:.{_decimals(result.r2)}f}"
    return f"{result.objective:.{_OBJECTIVE_DIGITS}g}"


def _bound(result: Result) -> str:
    if _in_r2(result.problem):
        bound = min(1.0, 1.0 - 2.0 * result.dual_bound / result.problem.total_sum_of_squares)
        step = 10.0 ** _decimals(bound)
        return f"{min(1.0, math.ceil(bound * step) / step):.{_decimals(bound)}f}"
    if result.dual_bound == 0:
        return "0"
    step = 10.0 ** (_OBJECTIVE_DIGITS - 1 - math.floor(math.log10(abs(result.dual_bound))))
    return f"{math.floor(result.dual_bound * step) / step:.{_OBJECTIVE_DIGITS}g}"


def _decimals(r2: float) -> int:
    """Enough decimals for two digits of 1 - R², so that a close fit is not printed as a perfect one."""
    short = 1.0 - r2
    if short <= 1e-12 or short >= 1e-2:
        return _R2_DECIMALS
    return max(_R2_DECIMALS, 1 - math.floor(math.log10(short)))


def _stopped(result: Result) -> str:
    after = f"after {_seconds(result)}"
    match result.termination:
        case Termination.TIME_LIMIT:
            return f"Stopped by the time limit {after}"
        case Termination.NODE_LIMIT:
            return f"Stopped by the limit on nodes {after}"
        case Termination.MEMORY_LIMIT:
            return f"Stopped by the limit on memory {after}"
        case Termination.INTERRUPTED:
            return f"Interrupted {after}"
        case Termination.EXHAUSTED | Termination.GAP_CLOSED:
            asked = f"the {result.gap_tolerance:g} asked for"
            return f"The search ended {after}, yet rounding leaves a gap above {asked}"
        case _:
            assert_never(result.termination)


def _proved(result: Result) -> str:
    return f"Proved in {_seconds(result)} {_by(result)}"


def _by(result: Result) -> str:
    method = f"by {result.stats.solver.replace('_', ' ')}"
    match result.proof:
        case Proof.CHECKED:
            return f"{method}, with a certificate that was checked"
        case Proof.CERTIFICATE:
            return f"{method}, with a certificate that is not yet checked"
        case Proof.BACKEND | Proof.NONE:
            return f"{method} in double precision"
        case _:
            assert_never(result.proof)


def _seconds(result: Result) -> str:
    seconds = result.stats.seconds
    decimals = 1 if seconds >= 10 else 2 if seconds >= 1 else 3
    return f"{max(seconds, 0.001):.{decimals}f} s"


def one_digit_up(value: float) -> str:
    """``1.2e-9`` becomes ``2e-9``: a gap is not made smaller by printing it."""
    exponent = math.floor(math.log10(value))
    digit = math.ceil(value / 10.0**exponent * (1 - 1e-12))
    return f"{digit}e{exponent}" if digit < 10 else f"1e{exponent + 1}"


def _percent(gap: float) -> str:
    return f"{100 * gap:.2g} %" if gap < 0.5 else f"{100 * gap:.0f} %"


def _ties(result: Result) -> list[str]:
    """Name the columns that are copies of chosen ones."""
    names, chosen = result.feature_names, set(result.support)
    parts = []
    for columns in result.ties:
        used = ", ".join(names[j] for j in columns if j in chosen)
        others = " or ".join(names[j] for j in columns if j not in chosen)
        parts.append(f"{others} in place of {used}")
    return [f"Identical columns would serve as well: {'; '.join(parts)}."] if parts else []
