"""From a data frame to the arrays of a problem: target, weights and predictors, with what is missing dealt with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bestsubset.batch.columns import ColumnNames
from bestsubset.batch.complaints import Complain, Listening
from bestsubset.batch.design import Design, design, numbers
from bestsubset.batch.frames import Frame
from bestsubset.batch.spec import Data
from bestsubset.spelling import did_you_mean
from formulations._types import Vector
from formulations.arrays import listed


@dataclass(frozen=True, eq=False)
class Table:
    """The data of a problem, shared by all of its runs; ``n_dropped`` rows had missing entries."""

    design: Design
    y: Vector
    sample_weight: Vector | None
    n_dropped: int

    @property
    def names(self) -> ColumnNames:
        """The columns that constraints may name."""
        return ColumnNames(self.design.names, self.design.factors)


def table(frame: Frame, data: Data, complain: Complain) -> Table | None:
    """Return the arrays of a problem, or complain of the fields that do not fit the data."""
    listening = Listening(complain)
    roles = _roles(frame, data, listening)
    if roles is not None:
        _check_kinds(frame.columns, roles, data, listening)
    if roles is None or listening.heard():
        return None
    special = [roles.target] if roles.weights is None else [roles.target, roles.weights]
    used, n_dropped = _without_missing(frame.columns[[*special, *roles.predictors]], roles, data, listening)
    if listening.heard():
        return None
    made = design(used, roles.predictors, roles.categorical, data.transforms, listening)
    y = _response(used[roles.target], data, listening)
    weights = None if roles.weights is None else numbers(used[roles.weights])
    if made is None or y is None or listening.heard():
        return None
    return Table(made, y, weights, n_dropped)


@dataclass(frozen=True, eq=False)
class _Roles:
    """Which column is what."""

    target: str
    weights: str | None
    predictors: list[str]
    categorical: dict[str, int]  # each with its place in the specification


def _roles(frame: Frame, data: Data, complain: Complain) -> _Roles | None:
    every = ColumnNames([str(name) for name in frame.columns.columns])
    target = data.target or frame.target
    if target is None:
        complain(("data",), "field 'target' of data is missing; expected the response's column. Add it.")
        return None
    special = {"target": target}
    if data.weights is not None:
        special["weights"] = data.weights
    for role, name in special.items():
        if name not in every.names:
            complain(("data", role), every.unknown(name, f"data.{role}"))
    if data.weights == target:
        complain(("data", "weights"), f"data.weights is {target!r}, the target; expected another column. Change it.")
    for field in ("predictors", "without", "categorical"):
        for number, text in enumerate(getattr(data, field)):
            part = next((part for part, name in special.items() if name == text), None)
            if part is not None:
                complain(
                    ("data", field, number), f"data.{field} names {text!r}, the {part}; expected predictors. Drop it."
                )
    others = ColumnNames([name for name in every.names if name not in special.values()])
    taken = set(special.values())
    chosen = others.expand(data.predictors, ("data", "predictors"), complain, taken)
    left_out = others.expand(data.without, ("data", "without"), complain, taken)
    predictors = [name for name in others.names if name in chosen and name not in left_out]
    if not predictors:
        if chosen:
            complain(("data", "without"), "data.without leaves no predictor; expected at least one. Name fewer.")
        return None
    factors = ColumnNames(predictors).expand(data.categorical, ("data", "categorical"), complain, taken)
    are_there = all(name in every.names for name in special.values())
    return _Roles(target, data.weights, predictors, factors) if are_there else None


def _check_kinds(frame: pd.DataFrame, roles: _Roles, data: Data, complain: Complain) -> None:
    is_number = {str(name): is_numeric(kind) for name, kind in frame.dtypes.items()}
    texts = [name for name in roles.predictors if not is_number[name] and name not in roles.categorical]
    if texts:
        complain(
            ("data", "predictors"),
            f"data.predictors has columns that are not numbers: {listed(texts)}; expected numbers."
            " Name them in categorical, or in without.",
        )
    if roles.weights is not None and not is_number[roles.weights]:
        complain(("data", "weights"), f"data.weights is {roles.weights!r}, which is not numeric; expected numbers.")
    if data.positive is None and not is_number[roles.target]:
        complain(
            ("data", "target"),
            f"data.target is {roles.target!r}, which is not numeric; expected numbers."
            " Say which value is the class +1: positive: value.",
        )


def _without_missing(used: pd.DataFrame, roles: _Roles, data: Data, complain: Complain) -> tuple[pd.DataFrame, int]:
    """Deal with missing entries as the specification says; return the rows that stay and how many do not."""
    missing = used.isna()
    if not missing.to_numpy().any():
        return used, 0
    if data.missing == "drop":
        kept = used[~missing.any(axis=1)]
        if not len(kept):
            complain(("data", "missing"), "data.missing is 'drop' and every row has missing entries; expected others.")
        return kept, len(used) - len(kept)
    if data.missing == "median":
        numeric = [name for name in roles.predictors if name not in roles.categorical and missing[name].any()]
        used = used.assign(**{name: _filled(used[name]) for name in numeric})
        missing = used.isna()
        if not missing.to_numpy().any():
            return used, 0
    counts = missing.sum()
    found = listed([f"{name!r} ({counts[name]})" for name in used.columns if counts[name]])
    rule = "numeric predictors alone can have medians" if data.missing == "median" else "none"
    complain(
        ("data", "missing"),
        f"data.missing is {data.missing!r} and entries are missing in column {found}; expected {rule}."
        + (" Say drop." if data.missing == "median" else " Say drop or median."),
    )
    return used, 0


def _filled(column: pd.Series[Any]) -> pd.Series[Any]:
    values = numbers(column)
    known = values[~np.isnan(values)]
    return pd.Series(np.where(np.isnan(values), np.median(known) if len(known) else np.nan, values), column.index)


def _response(column: pd.Series[Any], data: Data, complain: Complain) -> Vector | None:
    if data.positive is not None:
        is_positive = np.array([value == data.positive for value in column.tolist()], dtype=bool)
        if not is_positive.any():
            levels = [str(level) for level in column.unique()]
            hint = did_you_mean(str(data.positive), levels, "Name one of these.")
            complain(
                ("data", "positive"),
                f"data.positive is {data.positive!r}; expected a value of {column.name!r}: {listed(levels)}. {hint}",
            )
        return np.where(is_positive, 1.0, -1.0)
    y = numbers(column)
    if data.target_transform is None:
        return y
    wrong = int(np.count_nonzero(y <= 0 if data.target_transform == "log" else y < 0))
    if wrong:
        rule = "positive" if data.target_transform == "log" else "non-negative"
        complain(
            ("data", "target_transform"),
            f"data.target_transform is {data.target_transform!r} and {wrong} responses are not {rule}; expected all to"
            " be. Drop the transform, or shift the response.",
        )
        return None
    return np.asarray(np.log(y) if data.target_transform == "log" else np.sqrt(y))


def is_numeric(kind: Any) -> bool:
    """Tell whether a column of this type holds real numbers or truth values."""
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
