"""Estimators for scikit-learn, and how often a column is selected on other rows: shells over `solve`."""

from bestsubset.estimators.classifier import BestSubsetClassifier
from bestsubset.estimators.cross_validation import BestSubsetClassifierCV, BestSubsetRegressorCV
from bestsubset.estimators.regressor import BestSubsetRegressor
from bestsubset.estimators.stability import (
    SelectionFrequencies,
    StabilitySelection,
    bootstrap_selection,
    stability_selection,
)

__all__ = [
    "BestSubsetClassifier",
    "BestSubsetClassifierCV",
    "BestSubsetRegressor",
    "BestSubsetRegressorCV",
    "SelectionFrequencies",
    "StabilitySelection",
    "bootstrap_selection",
    "stability_selection",
]
