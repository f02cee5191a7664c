"""The matrix of predictors: numbers as they are or transformed, levels of categorical columns as 0/1 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from bestsubset.batch.columns import ColumnNames
from bestsubset.batch.complaints import Complain, Listening
from bestsubset.batch.spec import Transforms
from formulations._types import Data, Vector
from formulations.arrays import listed


@dataclass(frozen=True, eq=False)
class Design:
    """Predictors, shape (n, p), with their names; ``factors`` are the columns of each categorical one."""

    X: Data
    names: tuple[str, ...]
    factors: dict[str, tuple[str, ...]]


def design(
    frame: pd.DataFrame,
    predictors: Sequence[str],
    categorical: Mapping[str, int],
    transforms: Transforms,
    complain: Complain,
) -> Design | None:
    """Return the matrix of predictors, in their order, followed by squares and products; None after a complaint.

    ``categorical`` are those that become 0/1 columns, each with its place in the specification.
    """
    complain = Listening(complain)
    numeric = ColumnNames([name for name in predictors if name not in categorical])
    chosen = {
        field: list(numeric.expand(getattr(transforms, field), ("data", "transforms", field), complain))
        for field in Transforms.model_fields
    }
    twice = [name for name in chosen["log"] if name in chosen["sqrt"]]
    if twice:
        complain(
            ("data", "transforms", "sqrt"),
            f"data.transforms has {listed(twice)} both in log and in sqrt; expected one of them. Drop one.",
        )
    if not categorical and not any(chosen.values()):
        return None if complain.heard() else Design(_matrix(frame[list(predictors)]), tuple(predictors), {})
    replaced = {name: field for field in ("log", "sqrt") for name in chosen[field]}
    parts: dict[str, Vector] = {}
    factors: dict[str, tuple[str, ...]] = {}
    for name in predictors:
        if name in categorical:
            levels = _dummies(frame[name], categorical[name], complain)
            factors[name] = tuple(levels)
            parts |= levels
        elif name in replaced:
            parts[f"{replaced[name]}({name})"] = _replaced(frame[name], replaced[name], complain)
        else:
            parts[name] = numbers(frame[name])
    parts |= {f"{name}^2": numbers(frame[name]) ** 2 for name in chosen["square"]}
    parts |= {f"{a}*{b}": numbers(frame[a]) * numbers(frame[b]) for a, b in combinations(chosen["product"], 2)}
    return None if complain.heard() else Design(np.column_stack(list(parts.values())), tuple(parts), factors)


def _dummies(column: pd.Series[Any], number: int, complain: Complain) -> dict[str, Vector]:
    """Return a 0/1 column for each level but the first, by name."""
    levels = _levels(column)
    if len(levels) == 1:
        complain(
            ("data", "categorical", number),
            f"data.categorical has {column.name!r}, which is {levels[0]!r} in every row; expected two levels or more."
            " Drop it.",
        )
    text = np.array([str(value) for value in column.tolist()])
    return {f"{column.name}={level}": (text == level).astype(np.float64) for level in levels[1:]}


def _replaced(column: pd.Series[Any], transform: str, complain: Complain) -> Vector:
    """Return the logarithms or the square roots of a column."""
    values = numbers(column)
    wrong = int(np.count_nonzero(values <= 0 if transform == "log" else values < 0))
    if wrong:
        rule = "positive" if transform == "log" else "non-negative"
        complain(
            ("data", "transforms", transform),
            f"data.transforms.{transform} has {column.name!r}, of which {wrong} entries are not {rule}; expected all to"
            " be. Leave it out.",
        )
        return values
    return np.asarray(np.log(values) if transform == "log" else np.sqrt(values))


def _levels(column: pd.Series[Any]) -> list[str]:
    """The levels as text: numbers in their order, all else in that of the alphabet."""
    return list(dict.fromkeys(str(level) for level in sorted(column.unique().tolist(), key=_by_value)))


def _by_value(level: Any) -> tuple[int, float, str]:
    return (0, float(level), "") if isinstance(level, int | float) else (1, 0.0, str(level))


def _matrix(frame: pd.DataFrame) -> Data:
    kinds = {str(kind) for kind in frame.dtypes.unique()}
    kind = np.float32 if kinds == {"float32"} else np.float64
    return np.asarray(frame.to_numpy(dtype=kind, na_value=np.nan))


def numbers(column: pd.Series[Any]) -> Vector:
    """Return a numeric column as float64, NaN where it is missing."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
