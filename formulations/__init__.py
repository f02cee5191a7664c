"""Ground floor: the statement of best subset selection. Solves nothing."""

from formulations.constraints import (
    AtLeast,
    AtMost,
    Bounds,
    Budget,
    Constraint,
    Exclude,
    ExcludePairs,
    Group,
    Implies,
    Include,
    Sign,
)
from formulations.errors import ProblemError
from formulations.losses import Loss, SquaredLoss
from formulations.moments import Moments
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

__all__ = [
    "AtLeast",
    "AtMost",
    "Bounds",
    "Budget",
    "Constraint",
    "Exclude",
    "ExcludePairs",
    "Group",
    "Implies",
    "Include",
    "Loss",
    "Moments",
    "Problem",
    "ProblemError",
    "ScaledProblem",
    "Sign",
    "SquaredLoss",
]
