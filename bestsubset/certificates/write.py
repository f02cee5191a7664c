"""From a search's log and its answer to a certificate; FORMAT.md says what is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np

from bestsubset.certificates.certificate import Certificate, Claim, array_digest
from bestsubset.certificates.reading import Array
from formulations import Problem
from formulations._types import IntVector, Vector
from formulations.selection import Selection

SOLVE, SPLIT, INFEASIBLE = 0, 3, 10  # tokens of a tree


class LoggedTree(NamedTuple):
    """A tree as a search logged it, in the user's columns and units: the arrays of FORMAT.md, section 2."""

    tree: Array
    offsets: Array
    columns: Array
    values: Array
    diagonal: Array
    boxed: Array = np.zeros(0, dtype=np.int32)
    limits: Array = np.zeros(0)
    together: int = 0


def write(
    problem: Problem, coef: Vector, objective: float, dual_bound: float, logged: LoggedTree,
    listed: Sequence[IntVector] = (),
) -> Certificate:  # fmt: skip
    """Return the certificate of one answer; its bound leaves out what is listed."""
    support = np.flatnonzero(coef)
    claim = Claim(
        k=problem.max_cardinality,
        objective=_rounded_up(problem, coef, objective),
        dual_bound=dual_bound,
        support=support.astype(np.int32),
        coef=coef[support],
        listed=np.concatenate([np.zeros(0, dtype=np.int32), *([len(z), *z] for z in listed)]).astype(np.int32),
        diagonal=logged.diagonal,
        tree=logged.tree,
        offsets=logged.offsets,
        columns=logged.columns,
        values=logged.values,
        model=problem.selection.completion(support.tolist()) if _stated(problem).has_rules else None,
        boxed=logged.boxed,
        limits=logged.limits,
        together=logged.together,
    )
    is_bounded = bool(np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any())
    return Certificate(
        data_source=partial(_data, problem),
        settings=_settings(problem, is_bounded),
        feature_names=problem.feature_names,
        claims=(claim,),
        lower=problem.lower if is_bounded else None,
        upper=problem.upper if is_bounded else None,
        software=_software(),
    )


def join(certificates: list[Certificate]) -> Certificate:
    """Return one certificate with the claims of several on the same problem."""
    first = certificates[0]
    claims = tuple(claim for certificate in certificates for claim in certificate.claims)
    return Certificate(
        first.data_source, first.settings, first.feature_names, claims, first.lower, first.upper, first.software
    )


def _rounded_up(problem: Problem, coef: Vector, objective: float) -> float:
    """The objective with what rounding may have taken off it: the claim is an upper bound."""
    null = problem.null_objective
    if problem.loss.name != "squared":
        return objective + 1e-12 * (abs(objective) + null)
    used = np.flatnonzero(coef)
    columns = (problem.X[:, used] - problem.column_means[used]) * np.sqrt(problem.sample_weight)[:, None]
    size = 1.0 + float(np.abs(coef[used]) @ np.linalg.norm(columns, axis=0)) / math.sqrt(2 * null)
    unit = 2e-14 * size * math.sqrt(null)
    return objective * (1 + 1e-12) + unit * (2 * math.sqrt(max(objective, 0.0)) + unit)


def _data(problem: Problem) -> dict[str, Any]:
    weights = problem.sample_weight
    return {
        "n": problem.n,
        "p": problem.p,
        "X": array_digest(problem.X),
        "y": array_digest(problem.y),
        "sample_weight": None if np.all(weights == 1.0) else array_digest(weights),
    }


def _stated(problem: Problem) -> Selection:
    """The constraints without groups that are excluded, of which there is nothing to say."""
    selection = problem.selection
    out = set(selection.excluded)
    groups, single = (
        tuple(group for group in groups if group[0] not in out) for groups in (selection.groups, selection.single)
    )
    return replace(selection, groups=groups, single=single)


def _settings(problem: Problem, is_bounded: bool) -> dict[str, Any]:
    selection = _stated(problem)
    return {
        "loss": problem.loss.name,
        "fit_intercept": problem.fit_intercept,
        "standardize": problem.standardize,
        "lambda0": float(problem.lambda0),
        "lambda1": float(problem.lambda1),
        "lambda2": float(problem.lambda2),
        "include": [int(j) for j in selection.included],
        "exclude": [int(j) for j in selection.excluded],
        "groups": [[int(j) for j in block] for block in selection.groups],
        "bounds": is_bounded,
        **({"tau": getattr(problem.loss, "tau", None)} if problem.loss.name != "squared" else {}),
        **(_rules(selection) if selection.has_rules else {}),
    }


def _rules(selection: Selection) -> dict[str, Any]:
    """Rules as they are, those of correlated pairs as pairs; and the groups that count as one."""
    return {
        "rules": [
            {"columns": [int(j) for j in r.columns], "coefs": [float(a) for a in r.coefs], "limit": float(r.limit)}
            for r in selection.rules
        ],
        "single": [[int(j) for j in block] for block in selection.single],
    }


@cache  # looking the version up takes milliseconds
def _software() -> str:
    try:
        return f"bestsubset {version('bestsubset')}"
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "bestsubset"
