"""All the best supports of one size, by the downdating tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bestsubset.blas import blas_threads
from bestsubset.bnb.conditioning import has_definite_moments
from bestsubset.bnb.downdating import LARGEST, stack_bytes
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.residual_tree import ResidualTree
from bestsubset.certificates.write import LoggedTree
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts.refit import forced_columns

_BURST = 2_000  # nodes between looks at the clock
_TIES = 1e-9  # relative: supports so close to the last one wanted are looked at
_SLACK = 5e-10  # of the tree's pruning
_MEMORY = 4e9  # bytes of the tree's stack, at most


@dataclass(frozen=True, eq=False)
class Listing:
    """Supports in the user's columns, best first, and what is proved of all others.

    Attributes
    ----------
    supports : list of arrays
    dual_bound : float
        In the user's units: every support of this size that is not listed has at least this objective.
    termination : Termination
    nodes : int
    logged : LoggedTree or None
    """

    supports: list[IntVector]
    dual_bound: float
    termination: Termination
    nodes: int
    logged: LoggedTree | None


def can_list(scaled: ScaledProblem) -> bool:
    """Tell whether the downdating tree takes the problem: definite moments, no λ0, λ1, bounds, groups or rules."""
    is_plain = scaled.is_plain and not (scaled.lambda0 > 0 or scaled.has_groups or scaled.has_rules)
    fits = scaled.m <= LARGEST and stack_bytes(scaled.m, scaled.k) <= _MEMORY
    return is_plain and fits and scaled.has_gram and has_definite_moments(scaled)


def list_best(scaled: ScaledProblem, best: IntVector, n_best: int, within: float, run: Run) -> Listing:
    """List the ``n_best`` supports of size k below ``within``, an objective in the user's units; one may be infinite.

    ``best`` is a good support in local columns: its neighbours tell what the last of the ``n_best`` is worth at most.
    """
    log = TreeLog(scaled.columns, scaled.coef_unit, scaled.n_columns) if run.certificate else None
    with blas_threads(1):
        upper = min(within / scaled.unit, _value_of_last(scaled, best, n_best) * (1 + _TIES))
        tree = ResidualTree(scaled, upper, _SLACK, log=log, n_listed=n_best)
        termination = _grow(tree, run, scaled)
    logged = tree.close_log()
    return Listing(
        [scaled.columns[support] for _, support in tree.listed],
        tree.bound * scaled.unit * (1 - 2.0**-50),
        termination,
        tree.nodes,
        None if logged is None else logged.arrays(),
    )


def _grow(tree: ResidualTree, run: Run, scaled: ScaledProblem) -> Termination:
    try:
        while not run.is_out_of_time:
            if tree.grow(_BURST):
                return Termination.GAP_CLOSED
            best = tree.listed[0][0] * scaled.unit if tree.listed else np.inf
            run.report(best, tree.bound * scaled.unit, tree.nodes)
        return Termination.TIME_LIMIT
    except KeyboardInterrupt:
        return Termination.INTERRUPTED


def _value_of_last(scaled: ScaledProblem, best: IntVector, n_best: int) -> float:
    """What the ``n_best``-th support is worth at most: a good one and its neighbours are as many as that."""
    G, c = scaled.gram + 2 * np.diag(scaled.ridge), scaled.correlation
    others = np.setdiff1d(np.arange(scaled.m), best)
    values = [np.array([_values(G, c, best, others[:0])[0]])]
    for out in np.setdiff1d(best, forced_columns(scaled)).tolist():
        values.append(_values(G, c, best[best != out], others)[1:])
    near = np.sort(np.concatenate(values))
    return float(near[n_best - 1]) if n_best <= len(near) else 0.5


def _values(G: Matrix, c: Vector, support: IntVector, others: IntVector) -> Vector:
    """What a support is worth, and then with each other column."""
    left, gains, explained = np.diag(G)[others], c[others], 0.0
    if len(support):
        half = linalg.solve_triangular(
            linalg.cholesky(G[np.ix_(support, support)], lower=True),
            np.column_stack([c[support], G[np.ix_(support, others)]]),
            lower=True,
        )
        explained = float(half[:, 0] @ half[:, 0])
        left = left - np.einsum("ij,ij->j", half[:, 1:], half[:, 1:])
        gains = gains - half[:, 1:].T @ half[:, 0]
    value = 0.5 * (1.0 - explained)
    return np.append(value, value - 0.5 * gains**2 / left)
