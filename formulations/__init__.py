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
from formulations.mio.big_m import BigM
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from formulations.mio.outer_approximation import OuterApproximation
from formulations.mio.perspective import Perspective
from formulations.mio.sos1 import SOS1
from formulations.moments import Moments
from formulations.problem import Problem
from formulations.scaling import ScaledProblem

__all__ = [
    "SOS1",
    "AbsoluteLoss",
    "AtLeast",
    "AtMost",
    "BigM",
    "Bounds",
    "Budget",
    "Constraint",
    "Exclude",
    "ExcludePairs",
    "Formulation",
    "Group",
    "HingeLoss",
    "Implies",
    "Include",
    "KinkedLoss",
    "LogisticLoss",
    "Loss",
    "Model",
    "Moments",
    "OuterApproximation",
    "Perspective",
    "Problem",
    "ProblemError",
    "QuantileLoss",
    "ScaledProblem",
    "Sign",
    "SquaredLoss",
]
