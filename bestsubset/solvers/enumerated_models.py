"""Every allowed model of a problem with any loss, fitted one by one."""

from __future__ import annotations

import numpy as np

from bestsubset.incumbent import ProblemIncumbent
from bestsubset.run import Run
from bestsubset.solvers.interface import Answer
from bestsubset.solvers.models import ModelSearch
from bestsubset.status import Termination
from formulations import KinkedLoss, Problem
from warmstarts.support_fit import fit_support

# How far above the least objective of its support a fit may end, relative to that objective.
_LINEAR_PROGRAMME, _NEWTON, _IN_A_BOX = 1e-7, 1e-9, 5e-7
_OF_NULL = 1e-9  # and of the empty model's


def enumerate_models(problem: Problem, run: Run) -> Answer:
    """Fit every allowed model; the bound is the least objective found, less what the fits may have missed of it."""
    incumbent = ProblemIncumbent(problem)
    visited, termination = 0, Termination.GAP_CLOSED
    try:
        for model in ModelSearch(problem.selection, problem.max_cardinality).models():
            incumbent.offer_coef(fit_support(problem, model))
            visited += 1
            run.report(incumbent.value, 0.0, visited)
            if run.is_out_of_time:
                termination = Termination.TIME_LIMIT
                break
    except KeyboardInterrupt:
        termination = Termination.INTERRUPTED
    accuracy = _accuracy(problem)
    bound = 0.0  # every term of an objective is non-negative
    if termination is Termination.GAP_CLOSED:
        missed = accuracy * abs(incumbent.value) + _OF_NULL * abs(problem.null_objective)
        bound = max(0.0, incumbent.value - missed)
    return Answer(
        coef=incumbent.coef,
        dual_bound=bound,
        termination=termination,
        nodes=visited,
        notes=(f"Each model was fitted to a relative {accuracy:g} of its objective; the bound is lower by as much.",),
    )


def _accuracy(problem: Problem) -> float:
    if isinstance(problem.loss, KinkedLoss):
        return _LINEAR_PROGRAMME
    bounded = np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any()
    return _IN_A_BOX if bounded or problem.lambda1 > 0 else _NEWTON
