"""Certified best subset selection: the best model, the bound, the gap and the proof."""

from bestsubset.api import best_path, best_subset, verify
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import MalformedCertificate, Verdict
from bestsubset.errors import DataError, InvalidBoundError, RefusedError
from bestsubset.events import Progress
from bestsubset.gap import relative_gap
from bestsubset.path import Path
from bestsubset.result import Result, Stats
from bestsubset.solve import solve
from bestsubset.solvers import BranchAndBound, Enumeration, LPBranchAndBound, Solver
from bestsubset.status import Proof, Status, Termination
from formulations import (
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
    Loss,
    Moments,
    Problem,
    ProblemError,
    Sign,
    SquaredLoss,
)

__version__ = "0.1.0"

__all__ = [
    "AtLeast",
    "AtMost",
    "Bounds",
    "BranchAndBound",
    "Budget",
    "Certificate",
    "Constraint",
    "DataError",
    "Enumeration",
    "Exclude",
    "ExcludePairs",
    "Group",
    "Implies",
    "Include",
    "InvalidBoundError",
    "LPBranchAndBound",
    "Loss",
    "MalformedCertificate",
    "Moments",
    "Path",
    "Problem",
    "ProblemError",
    "Progress",
    "Proof",
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
    "relative_gap",
    "solve",
    "verify",
]
