"""Certified best subset selection: the best model, the bound, the gap and the proof."""

from bestsubset.api import best_path, best_subset, verify
from bestsubset.backends.cp_sat import CPSAT
from bestsubset.backends.highs import HiGHS
from bestsubset.backends.pyomo import Pyomo
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import MalformedCertificate, Verdict
from bestsubset.certify import Distance, certify
from bestsubset.errors import BackendError, BigMWarning, DataError, InvalidBoundError, RefusedError
from bestsubset.events import Progress
from bestsubset.gap import relative_gap
from bestsubset.path import Path
from bestsubset.result import Result, Stats
from bestsubset.solve import solve
from bestsubset.solvers import MIO, BranchAndBound, Enumeration, LPBranchAndBound, Solver
from bestsubset.status import Proof, Status, Termination
from formulations import (
    SOS1,
    AbsoluteLoss,
    AtLeast,
    AtMost,
    BigM,
    Bounds,
    Budget,
    Constraint,
    Exclude,
    ExcludePairs,
    Formulation,
    Group,
    HingeLoss,
    Implies,
    Include,
    KinkedLoss,
    LogisticLoss,
    Loss,
    Model,
    Moments,
    OuterApproximation,
    Perspective,
    Problem,
    ProblemError,
    QuantileLoss,
    Sign,
    SquaredLoss,
)
from warmstarts.interface import Heuristic
from warmstarts.members import members as heuristics

__version__ = "0.1.0"

__all__ = [
    "CPSAT",
    "MIO",
    "SOS1",
    "AbsoluteLoss",
    "AtLeast",
    "AtMost",
    "BackendError",
    "BigM",
    "BigMWarning",
    "Bounds",
    "BranchAndBound",
    "Budget",
    "Certificate",
    "Constraint",
    "DataError",
    "Distance",
    "Enumeration",
    "Exclude",
    "ExcludePairs",
    "Formulation",
    "Group",
    "Heuristic",
    "HiGHS",
    "HingeLoss",
    "Implies",
    "Include",
    "InvalidBoundError",
    "KinkedLoss",
    "LPBranchAndBound",
    "LogisticLoss",
    "Loss",
    "MalformedCertificate",
    "Model",
    "Moments",
    "OuterApproximation",
    "Path",
    "Perspective",
    "Problem",
    "ProblemError",
    "Progress",
    "Proof",
    "Pyomo",
    "QuantileLoss",
    "RefusedError",
    "Result",
    "Sign",
    "Solver",
    "SquaredLoss",
    "Stats",
    "Status",
    "Termination",
    "Verdict",
    "best_path",
    "best_subset",
    "certify",
    "heuristics",
    "relative_gap",
    "solve",
    "verify",
]
