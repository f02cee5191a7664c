"""Estimators for scikit-learn, and how often a column is selected on other rows: shells over `solve`."""

from bestsubset.estimators.classifier import BestSubsetClassifier
from bestsubset.estimators.regressor import BestSubsetRegressor

__all__ = ["BestSubsetClassifier", "BestSubsetRegressor"]
