"""The matrix of predictors: numbers as they are or transformed, levels of categorical columns as 0/1 columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from bestsubset.batch.columns import ColumnNames
from bestsubset.batch.complaints import Complain
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
    frame: pd.DataFrame, predictors: list[str], categorical: list[str], transforms: Transforms, complain: Complain
) -> Design | None:
    """Return the matrix of predictors, in their order, followed by squares and products; None after a complaint."""
    numeric = ColumnNames([name for name in predictors if name not in set(categorical)])
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
        return Design(_matrix(frame[predictors]), tuple(predictors), {})
    columns = _columns(frame, predictors, categorical, chosen, complain)
    if columns is None:
        return None
    parts, factors = columns
    parts |= {f"{name}^2": numbers(frame[name]) ** 2 for name in chosen["square"]}
    parts |= {f"{a}*{b}": numbers(frame[a]) * numbers(frame[b]) for a, b in combinations(chosen["product"], 2)}
    if not parts:
        complain(("data", "predictors"), "data.predictors leaves no column; expected at least one. Name some.")
        return None
    return Design(np.column_stack(list(parts.values())), tuple(parts), factors)


def _columns(
    frame: pd.DataFrame, predictors: list[str], categorical: list[str], chosen: dict[str, list[str]], complain: Complain
) -> tuple[dict[str, Vector], dict[str, tuple[str, ...]]] | None:
    """The columns of each predictor by name, and those of each categorical one."""
    parts: dict[str, Vector] = {}
    factors: dict[str, tuple[str, ...]] = {}
    is_factor, logged, rooted = set(categorical), set(chosen["log"]), set(chosen["sqrt"])
    sound = True
    for name in predictors:
        if name in is_factor:
            levels = _levels(frame[name])
            factors[name] = tuple(f"{name}={level}" for level in levels[1:])
            if not factors[name]:
                number = categorical.index(name)
                complain(
                    ("data", "categorical", number),
                    f"data.categorical[{number}] has one level alone in {name!r}; expected at least two. Drop it.",
                )
                sound = False
            text = frame[name].astype(str).to_numpy()
            parts |= {f"{name}={level}": (text == level).astype(np.float64) for level in levels[1:]}
        elif name in logged or name in rooted:
            values = numbers(frame[name])
            label = "log" if name in logged else "sqrt"
            wrong = int(np.count_nonzero(values <= 0 if name in logged else values < 0))
            if wrong:
                rule = "positive" if name in logged else "non-negative"
                complain(
                    ("data", "transforms", label),
                    f"data.transforms.{label} has {name!r}, of which {wrong} entries are not {rule}; expected all"
                    " to be. Leave it out.",
                )
                sound = False
                continue
            parts[f"{label}({name})"] = np.log(values) if name in logged else np.sqrt(values)
        else:
            parts[name] = numbers(frame[name])
    return (parts, factors) if sound else None


def _levels(column: pd.Series[Any]) -> list[str]:
    """The levels as text: numbers in their order, all else in that of the alphabet."""
    return [str(level) for level in sorted(column.unique().tolist(), key=_by_value)]


def _by_value(level: Any) -> tuple[int, float, str]:
    return (0, float(level), "") if isinstance(level, int | float) else (1, 0.0, str(level))


def _matrix(frame: pd.DataFrame) -> Data:
    kinds = {str(kind) for kind in frame.dtypes.unique()}
    kind = np.float32 if kinds == {"float32"} else np.float64
    return np.asarray(frame.to_numpy(dtype=kind, na_value=np.nan))


def numbers(column: pd.Series[Any]) -> Vector:
    """Return a numeric column as float64, NaN where it is missing."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
