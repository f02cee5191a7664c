"""Real data that scikit-learn ships, as arrays with names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn import datasets

from formulations._types import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Data:
    """A design, a response, and the names of the columns."""

    X: Matrix
    y: Vector
    names: tuple[str, ...]

    def standardised(self) -> Data:
        """Columns of mean zero and variance one; the response of mean zero."""
        X = self.X - self.X.mean(0)
        X = X / X.std(0)
        return Data(np.ascontiguousarray(X), self.y - self.y.mean(), self.names)


def diabetes_second_order() -> Data:
    """Diabetes progression by 10 baseline variables, their squares and products: n = 442, p = 64.

    The square of sex is left out: it takes two values, as sex does. Data of Efron, Hastie, Johnstone and
    Tibshirani (2004); used with these terms there, and by Bertsimas, King and Mazumder (2016).
    """
    bunch = datasets.load_diabetes()
    base, p = bunch.data, bunch.data.shape[1]
    names = [str(name) for name in bunch.feature_names]
    pairs = [(i, j) for i in range(p) for j in range(i, p) if (i, j) != (1, 1)]
    products = [base[:, i] * base[:, j] for i, j in pairs]
    labels = [f"{names[i]}^2" if i == j else f"{names[i]}*{names[j]}" for i, j in pairs]
    return Data(np.column_stack([base, *products]), bunch.target.astype(float), (*names, *labels))


def digits() -> Data:
    """Handwritten digits: the digit by its pixels, those that vary; n = 1797, p = 61."""
    bunch = datasets.load_digits()
    varies = bunch.data.std(0) > 0
    names = tuple(str(name) for name, keep in zip(bunch.feature_names, varies, strict=True) if keep)
    return Data(bunch.data[:, varies], bunch.target.astype(float), names)


def breast_cancer() -> Data:
    """Breast cancer: benign (+1) or malignant (-1) by 30 measures of cell nuclei; n = 569, p = 30."""
    bunch = datasets.load_breast_cancer()
    X = (bunch.data - bunch.data.mean(0)) / bunch.data.std(0)
    return Data(X, 2.0 * bunch.target - 1.0, tuple(str(name) for name in bunch.feature_names))
