"""The rounding that the checker allows for is never less than what happens."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bestsubset.certificates.exact import Moments as ExactMoments
from bestsubset.certificates.moments import Moments, ScaleError
from bestsubset.certificates.semidefinite import are_semidefinite, is_below, is_semidefinite, share_below

SETTINGS = {"lambda0": 0.0, "lambda1": 0.0, "lambda2": 0.7, "fit_intercept": True, "standardize": False}


def data(seed: int, offset: float, n: int = 40):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5)) * 10.0 ** np.arange(-2, 3) + offset
    return X, rng.standard_normal(n) + offset, rng.uniform(0.1, 3, n)


def exact_moments(X, y, w, settings):
    """M of FORMAT.md, section 5, without t, in fractions."""
    columns = [[Fraction(v) for v in column] for column in [*X.T.tolist(), y.tolist()]]
    weights = [Fraction(v) for v in w.tolist()]
    total = sum(weights)
    if settings["fit_intercept"]:
        means = [sum(map(Fraction.__mul__, weights, column)) / total for column in columns]
        columns = [[v - mean for v in column] for column, mean in zip(columns, means, strict=True)]
    M = [[sum(a * b * c for a, b, c in zip(weights, x, z, strict=True)) for z in columns] for x in columns]
    for j in range(len(M) - 1):
        M[j][j] += 2 * Fraction(settings["lambda2"]) * (M[j][j] / total if settings["standardize"] else 1)
    return M


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_moments_are_within_their_error(offset, fit_intercept, standardize, is_weighted) -> None:
    X, y, w = data(3, offset)
    settings = {**SETTINGS, "fit_intercept": fit_intercept, "standardize": standardize}
    moments = Moments(X, y, w if is_weighted else None, settings)
    M = exact_moments(X, y, w if is_weighted else np.ones(len(y)), settings)
    exponents = moments._exponent
    for i in range(6):
        for j in range(6):
            power = int(-exponents[i] - exponents[j]) - moments._weight_exponent
            difference = Fraction(float(moments.matrix[i, j])) - M[i][j] * Fraction(2) ** power
            assert abs(difference) <= moments.error * moments.nu[i] * moments.nu[j]
        assert M[i][i] * Fraction(2) ** int(-2 * exponents[i] - moments._weight_exponent) <= moments.nu[i] ** 2
    assert moments.error < 1e-13


def test_rows_on_demand_are_the_same_moments() -> None:
    X, y, w = data(4, 10.0)
    whole = Moments(X, y, w, SETTINGS)
    some = Moments(X, y, w, SETTINGS)
    some._whole = None
    some._at_hand, some._rows_at_hand = np.array([1, 5]), whole.matrix[[1, 5]]

    for columns in ([1, 5], [0, 3], []):
        rows = some.rows(np.array(columns, dtype=np.int64))
        assert np.all(np.abs(rows - whole.matrix[columns]) <= 2 * whole.error)


def test_objectives_are_bounded_from_above() -> None:
    for seed in range(50):
        X, y, w = data(seed, 10.0 ** (seed % 7))
        moments = Moments(X, y, w, SETTINGS)
        coef = np.random.default_rng(seed).standard_normal(2)
        settings = {**SETTINGS, "include": [], "exclude": [], "groups": []}
        exact = ExactMoments(X.T.tolist(), y.tolist(), w.tolist(), settings)
        value = exact.incumbent_value([1, 3], coef.tolist())
        above = moments.objective_above(np.array([1, 3]), coef, 2)
        unit = Fraction(2) ** moments._objective_exponent

        assert value * unit <= above
        assert above <= float(value * unit) * (1 + 1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_indefinite_matrices_are_never_called_semidefinite(seed: int) -> None:
    """Gram matrices less a little more than their smallest eigenvalue, down to where rounding decides."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 12))
    A = rng.integers(-(2**10), 2**10, (m + 3, m)).astype(float)
    G = A.T @ A  # exact: small integers
    for depth in (1e-3, 1e-9, 1e-12, 1e-14, 1e-15):
        smallest = np.linalg.eigvalsh(G)[0]
        shifted = G - np.diag(np.full(m, np.float64(smallest + depth * np.trace(G))))
        is_indefinite = not semidefinite_exactly(shifted)
        nu = np.sqrt(np.maximum(np.diag(shifted), 1.0))
        claimed = is_semidefinite(shifted, nu, 0.0)
        several = are_semidefinite(shifted[None], nu[None], 0.0)[0]

        assert not (is_indefinite and (claimed or several))
    assert is_semidefinite(G + np.eye(m), np.sqrt(np.diag(G) + 1), 0.0)
    assert are_semidefinite((G + np.eye(m))[None], np.sqrt(np.diag(G) + 1)[None], 0.0)[0]


def semidefinite_exactly(A) -> bool:
    """Elimination in fractions."""
    rows = [[Fraction(v) for v in row] for row in A.tolist()]
    for s in range(len(rows)):
        if rows[s][s] < 0 or (rows[s][s] == 0 and any(rows[s][s:])):
            return False
        for i in range(s + 1, len(rows)):
            factor = rows[i][s] / rows[s][s] if rows[s][s] else 0
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[s], strict=True)]
    return True


def test_a_share_of_the_diagonal_can_be_taken_out() -> None:
    X, y, w = data(5, 0.0)
    moments = Moments(X, y, w, SETTINGS)
    theta = share_below(moments, np.arange(5))
    smallest = np.linalg.eigvalsh(moments.matrix[:5, :5] / np.outer(moments.nu[:5], moments.nu[:5]))[0]

    assert 0.05 * smallest < theta < smallest
    assert is_below(moments, theta * moments.nu[:5] ** 2, np.arange(5))
    assert not is_below(moments, 1.01 * smallest * moments.nu[:5] ** 2, np.arange(5))


def test_numbers_out_of_range_are_told() -> None:
    X, y, _ = data(6, 0.0)
    with pytest.raises(ScaleError):
        Moments(X, 1e-300 * y, None, {**SETTINGS, "lambda0": 1.0})
    with pytest.raises(ScaleError):
        Moments(np.ones_like(X), y, None, {**SETTINGS, "standardize": True})
