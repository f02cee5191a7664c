"""The least objective of a problem by enumeration in rational arithmetic: no rounding at all, and no code of ours.

Plain and ridge problems only: with λ1 or bounds the least squares fit of a support is no linear system.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations


def least_objective(problem) -> Fraction:
    """Return the least objective over all supports that the constraints allow, exactly."""
    assert not problem.lambda1
    assert all(bound in (float("inf"), float("-inf")) for bound in [*problem.lower, *problem.upper])
    M = moments(problem)
    selection = problem.selection
    k = problem.p if problem.k is None else problem.k
    price = Fraction(problem.lambda0)
    values = [
        explained_away(M, support) / 2 + price * size
        for size in range(k + 1)
        for support in combinations(range(problem.p), size)
        if selection.allows(support)
    ]
    return min(values)


def moments(problem) -> list[list[Fraction]]:
    """X'X, X'y and y'y, weighted and centred, with the ridge on the diagonal; y is the last column."""
    columns = [[Fraction(v) for v in problem.X[:, j].tolist()] for j in range(problem.p)]
    columns.append([Fraction(v) for v in problem.y.tolist()])
    w = [Fraction(v) for v in problem.sample_weight.tolist()]
    total = sum(w)
    if problem.fit_intercept:
        means = [sum(a * b for a, b in zip(w, column, strict=True)) / total for column in columns]
        columns = [[v - mean for v in column] for column, mean in zip(columns, means, strict=True)]
    weighted = [[a * b for a, b in zip(w, column, strict=True)] for column in columns]
    M = [[sum(a * b for a, b in zip(x, z, strict=True)) for z in columns] for x in weighted]
    for j in range(problem.p):
        scale = M[j][j] / total if problem.standardize else Fraction(1)
        M[j][j] += 2 * Fraction(problem.lambda2) * scale
    return M


def explained_away(M: list[list[Fraction]], support: tuple[int, ...]) -> Fraction:
    """The residual sum of squares (with the ridge's share) after the columns of the support have been swept out."""
    rows = [[M[i][j] for j in (*support, -1)] for i in (*support, -1)]
    for s in range(len(support)):
        pivot = rows[s]
        if not pivot[s]:
            continue  # dependent on the columns before it: it explains nothing more
        for i in range(s + 1, len(rows)):
            factor = rows[i][s] / pivot[s]
            rows[i] = [a - factor * b for a, b in zip(rows[i], pivot, strict=True)]
    return rows[-1][-1]
