"""scikit-learn estimators: thin shells over `solve` that keep its `Result`, and selection by resampling."""

from bestsubset.estimators.classifier import BestSubsetClassifier
from bestsubset.estimators.cross_validation import BestSubsetRegressorCV
from bestsubset.estimators.regressor import BestSubsetRegressor
from bestsubset.estimators.stability import Frequencies, bootstrap_selection, stability_selection

__all__ = [
    "BestSubsetClassifier",
    "BestSubsetRegressor",
    "BestSubsetRegressorCV",
    "Frequencies",
    "bootstrap_selection",
    "stability_selection",
]
