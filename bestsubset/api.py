"""The statistician's calls: data in, result out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from bestsubset.blas import blas_threads
from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import Verdict
from bestsubset.events import Listener
from bestsubset.path import Path
from bestsubset.report.progress import Display, shown
from bestsubset.result import Result
from bestsubset.sizes import Sizes
from bestsubset.solve import solve
from bestsubset.solvers import Solver
from formulations import Constraint, Loss, Problem, ProblemError


def best_subset(
    X: ArrayLike,
    y: ArrayLike,
    k: int | None = None,
    *,
    lambda0: float = 0.0,
    lambda2: float = 0.0,
    lambda1: float = 0.0,
    loss: str | Loss = "squared",
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    constraints: Sequence[Constraint] = (),
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
    solver: Solver | str | None = None,
    time_limit: float | None = None,
    gap: float = 1e-6,
    start: Any = None,
    threads: int | None = None,
    progress: Listener | Display | None = None,
    random_state: int = 0,
    certificate: bool = True,
) -> Result:
    """Return the best model with at most ``k`` of the columns of X, and the proof that it is the best.

    The problem is stated in `Problem`, whose parameters these are up to ``feature_names``; the others are
    those of `solve`.

    Examples
    --------
    >>> import numpy as np, bestsubset as bs
    >>> X = np.array([[1.0, 0, 2], [0, 1, 1], [2, 1, 0], [1, 3, 1], [0, 2, 5]])
    >>> y = X[:, 0] - X[:, 2] + np.array([0.1, -0.1, 0.0, 0.1, 0.0])
    >>> bs.best_subset(X, y, k=2).support
    (0, 2)
    """
    problem = Problem(
        X,
        y,
        k,
        lambda0=lambda0,
        lambda1=lambda1,
        lambda2=lambda2,
        loss=loss,
        bounds=bounds,
        constraints=constraints,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        feature_names=feature_names,
    )
    return solve(
        problem,
        solver,
        time_limit=time_limit,
        gap=gap,
        start=start,
        threads=threads,
        progress=progress,
        random_state=random_state,
        certificate=certificate,
    )


def best_path(X: ArrayLike, y: ArrayLike, k_max: int, **settings: Any) -> Path:
    """Return the best model of each size k = 1 … k_max, each with its own proof.

    Takes the other arguments of `best_subset`. A size that the constraints rule out (fewer columns than
    they force in) is left out, and after an interruption the larger ones are. ``time_limit`` is for the
    whole path: what one size leaves, the next may use.
    """
    problem_settings, solve_settings = split_settings(settings)
    listener = solve_settings.pop("progress", None)
    with shown(listener) as shared:  # one display for all sizes
        return Path(Sizes(Problem(X, y, k_max, **problem_settings), progress=shared, **solve_settings).path())


def verify(certificate: Certificate, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Verdict:
    """Check a certificate against the data that it is about; see `bestsubset.certificates.verify.verify`.

    Every claim is proved anew from the data, with all rounding accounted for, by code that shares nothing with the
    search. X has shape (n, p), y and ``sample_weight`` shape (n,), as they were given to the solver. The verdict says
    whether the certificate is valid, the proved interval [``dual_bound``, ``objective``], or why it is refused.

    Raises
    ------
    MalformedCertificate
        If the certificate's tree is no tree.
    """
    from bestsubset.certificates.verify import verify as check

    with blas_threads(1):  # the products are many and small
        return check(certificate, X, y, sample_weight)


def split_settings(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the keywords of `solve` from those of `Problem`."""
    for_solve = ("solver", "time_limit", "gap", "start", "threads", "progress", "random_state", "certificate")
    unknown = {"k", "k_max"} & set(settings)
    if unknown:
        raise ProblemError(f"{unknown.pop()} is given twice; expected k_max alone. Drop the other.")
    solve_settings = {name: settings.pop(name) for name in for_solve if name in settings}
    return settings, solve_settings
