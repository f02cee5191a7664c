"""Certified best subset selection: the best model, the bound, the gap and the proof."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bestsubset import plots
from bestsubset.api import best_path, best_subset, verify
from bestsubset.backends.cp_sat import CPSAT
from bestsubset.backends.highs import HiGHS
from bestsubset.backends.pyomo import Pyomo
from bestsubset.best_by import BestBy, best_by
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import MalformedCertificate, Verdict
from bestsubset.certify import Distance, certify
from bestsubset.errors import BackendError, BigMWarning, DataError, InvalidBoundError, RefusedError
from bestsubset.events import Progress
from bestsubset.formula import best_subset_formula
from bestsubset.gap import relative_gap
from bestsubset.near_models import NearModel, NearOptimal
from bestsubset.near_optimal import near_optimal
from bestsubset.path import Path
from bestsubset.report.summary import Summary
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

if TYPE_CHECKING:
    from bestsubset.estimators import (
        BestSubsetClassifier,
        BestSubsetClassifierCV,
        BestSubsetRegressor,
        BestSubsetRegressorCV,
        SelectionFrequencies,
        StabilitySelection,
        bootstrap_selection,
        stability_selection,
    )

__version__ = "0.1.0"

__all__ = [
    "CPSAT",
    "MIO",
    "SOS1",
    "AbsoluteLoss",
    "AtLeast",
    "AtMost",
    "BackendError",
    "BestBy",
    "BestSubsetClassifier",
    "BestSubsetClassifierCV",
    "BestSubsetRegressor",
    "BestSubsetRegressorCV",
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
    "NearModel",
    "NearOptimal",
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
    "SelectionFrequencies",
    "Sign",
    "Solver",
    "SquaredLoss",
    "StabilitySelection",
    "Stats",
    "Status",
    "Summary",
    "Termination",
    "Verdict",
    "best_by",
    "best_path",
    "best_subset",
    "best_subset_formula",
    "bootstrap_selection",
    "certify",
    "heuristics",
    "near_optimal",
    "plots",
    "relative_gap",
    "solve",
    "stability_selection",
    "verify",
]


def __getattr__(name: str) -> Any:
    # scikit-learn takes longer to load than all else together: it waits for the first use of what stands on it.
    if name in __all__:
        return getattr(import_module("bestsubset.estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
