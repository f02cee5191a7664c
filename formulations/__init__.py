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
from formulations.losses import AbsoluteLoss, HingeLoss, KinkedLoss, LogisticLoss, Loss, QuantileLoss, SquaredLoss
from formulations.moments import Moments
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

__all__ = [
    "AbsoluteLoss",
    "AtLeast",
    "AtMost",
    "Bounds",
    "Budget",
    "Constraint",
    "Exclude",
    "ExcludePairs",
    "Group",
    "HingeLoss",
    "Implies",
    "Include",
    "KinkedLoss",
    "LogisticLoss",
    "Loss",
    "Moments",
    "Problem",
    "ProblemError",
    "QuantileLoss",
    "ScaledProblem",
    "Sign",
    "SquaredLoss",
]
