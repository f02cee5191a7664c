"""Bounds on coefficients, each with the name of its proof: nothing here is guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulations import level_sets
from formulations._types import Vector
from formulations.errors import ProblemError
from formulations.level_sets import Unbounded
from formulations.losses import KinkedLoss, LogisticLoss, SquaredLoss
from formulations.problem import Problem

BigMs = float | tuple[float, ...] | None  # the user's word: one bound for all columns, one for each, or none


@dataclass(frozen=True, eq=False)
class CoefficientBounds:
    """``lower <= beta <= upper`` for every point that is at least as good as the incumbent.

    Attributes
    ----------
    lower, upper : shape (p,)
        In the user's units.
    proofs : tuple of str
        How they were proved, or that the user imposed them.
    is_imposed : bool
        Some of them are the user's word alone and not part of the problem.
    missing : str
        Why the level set of the loss bounds nothing; empty where it does.
    """

    lower: Vector
    upper: Vector
    proofs: tuple[str, ...]
    is_imposed: bool = False
    missing: str = ""


_INFLATION = 1 + 1e-9  # so that rounding cannot cut the optimum off
_PROGRAMMES = 20_000  # (rows + columns) · columns up to which linear programmes tighten the bounds of kinked losses
_LARGEST = 1e4  # of the scale of coefficients: a solver that takes 1e-6 for zero lets a hundredth of it through


def prove(problem: Problem, upper: float, imposed: BigMs = None, programmes: bool | None = None) -> CoefficientBounds:
    r"""Return bounds that hold at every feasible point whose objective is at most ``upper``.

    Whatever can be proved is intersected: the problem's own bounds; :math:`|\beta_j| \le UB/(\lambda_1 s_j)` and
    :math:`|\beta_j| \le \sqrt{UB/\lambda_2}/s_j`, as no term exceeds the sum; and the level set of the loss: an
    ellipsoid for squared error, by linear duality for losses of straight pieces and for the logistic one. UB is
    ``upper`` less what the least number of columns costs. Where nothing is proved a bound is infinite and ``missing``
    says why.

    Parameters
    ----------
    problem : Problem
    upper : float
        The objective of a feasible point.
    imposed : float or tuple of float, optional
        The user's word that :math:`|\beta_j|` is at most this.
    programmes : bool, optional
        Whether two linear programmes a column are solved for the level set of a loss of straight pieces: they give its
        tightest bounds, and a loss with a flat side (hinge, logistic) has no others. In small problems unless given.

    Source
    ------
    Bertsimas, King and Mazumder (2016), section 2.3.
    """
    least = max(1, problem.selection.charged(np.zeros(0, dtype=np.int64))) if problem.lambda0 else 0
    room = max(0.0, upper * _INFLATION + 1e-12 * problem.null_objective - problem.lambda0 * least)
    excluded = list(problem.selection.excluded)
    lower, above = problem.lower.copy(), problem.upper.copy()
    lower[excluded], above[excluded] = 0.0, 0.0
    is_boxed = np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any()
    proofs = ["the problem's own bounds"] if is_boxed else []
    scale = problem.penalty_scale
    for proof, bound in (
        ("λ1 s_j |β_j| ≤ UB", room / (problem.lambda1 * scale) if problem.lambda1 else None),
        ("λ2 s_j² β_j² ≤ UB", np.sqrt(room / problem.lambda2) / scale if problem.lambda2 else None),
    ):
        if bound is not None:
            lower, above = np.maximum(lower, -bound * _INFLATION), np.minimum(above, bound * _INFLATION)
            proofs.append(proof)
    missing = ""
    try:
        low, high = _level_set(problem, room, _may_solve(problem) if programmes is None else programmes)
        lower, above = np.maximum(lower, np.minimum(low, 0.0)), np.minimum(above, np.maximum(high, 0.0))
        proofs.append("the points whose loss is at most UB")
    except Unbounded as finding:
        missing = str(finding)
    proved = CoefficientBounds(lower, above, tuple(proofs), missing=missing)
    return proved if imposed is None else _with_imposed(proved, imposed)


def _may_solve(problem: Problem) -> bool:
    return (problem.n + problem.p) * problem.p <= _PROGRAMMES


def _level_set(problem: Problem, room: float, programmes: bool) -> tuple[Vector, Vector]:
    match problem.loss:
        case SquaredLoss():
            return level_sets.ellipsoid(problem, room)
        case KinkedLoss() | LogisticLoss():
            return level_sets.kinked(problem, room, programmes)
    raise Unbounded(f"nothing is known of the level sets of the loss {problem.loss.name!r}")


def _with_imposed(proved: CoefficientBounds, imposed: float | tuple[float, ...]) -> CoefficientBounds:
    p = len(proved.lower)
    given = np.asarray(imposed, dtype=np.float64)
    if given.shape not in ((), (p,)) or not np.all(given > 0):
        raise ProblemError(
            f"big_m is {imposed}; expected a positive number, or one for each of the {p} columns. Leave it out."
        )
    limit = np.broadcast_to(given, (p,))
    if np.all(limit >= np.maximum(proved.upper, -proved.lower)):
        return proved  # the user's word is not needed
    return CoefficientBounds(
        np.maximum(proved.lower, -limit), np.minimum(proved.upper, limit), proved.proofs, True, proved.missing
    )


def require_finite(problem: Problem, bounds: CoefficientBounds, incumbent: Vector) -> None:
    r"""Refuse bounds that are infinite, or too far from zero for rows :math:`lo_j z_j \le \beta_j \le hi_j z_j`.

    A solver takes an indicator of 1e-6 for zero, and :math:`|\beta_j|` may then be :math:`10^{-6} M_j`. So a bound may
    be at most 1e4 of the scale: the largest standardised coefficient of the incumbent, or the spread of the response.

    Raises
    ------
    ProblemError
    """
    far = np.maximum(bounds.upper, -bounds.lower)
    missing = np.flatnonzero(~np.isfinite(far))
    advice = "Add lambda2 or lambda1, give bounds=(lo, hi), impose big_m, or use a formulation that needs none: SOS1."
    if len(missing):
        raise ProblemError(
            f"The bound on the coefficient of {problem.feature_names[missing[0]]!r} is infinite; expected one that can"
            f" be proved, but {bounds.missing}. {advice}"
        )
    deviation = problem.column_norms / np.sqrt(problem.sample_weight.sum())
    spread = np.sqrt(problem.total_sum_of_squares / problem.sample_weight.sum())
    scale = max(float(spread), float(np.max(np.abs(incumbent) * deviation)))
    worst = int(np.argmax(far * deviation))
    if far[worst] * deviation[worst] > _LARGEST * scale:
        raise ProblemError(
            f"The bound on the coefficient of {problem.feature_names[worst]!r} is {far[worst]:.3g}, which moves the"
            f" predictor by {far[worst] * deviation[worst] / scale:.1e} times what the response varies by; expected at"
            f" most {_LARGEST:g} times, or solvers take a coefficient for zero that is not. {advice}"
        )
