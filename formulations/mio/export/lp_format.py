"""The format LP, as CPLEX defined it and Gurobi, HiGHS and SCIP read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from formulations._types import BoolVector
from formulations.mio.export.names import legal, number, read_me, with_constant_as_column
from formulations.mio.model import Indicator, Model

_TERMS = 8  # a line: readers have limits on its length


def lp_text(model: Model) -> str:
    """Return a model in the format LP: comments that say what stands where, and every part of the model."""
    comments = [f"\\ {line}" for line in read_me(model)]
    model = with_constant_as_column(model)
    names = legal(model.column_names)
    binary = model.is_integer & (model.lower == 0) & (model.upper == 1)
    lines = [
        *comments,
        "Minimize",
        *_objective(model, names),
        "Subject To",
        *_rows(model, names),
        "Bounds",
        *_bounds(model, names, binary),
        *_listed("Binaries", names, binary),
        *_listed("Generals", names, model.is_integer & ~binary),
        *_sets(model, names),
        "End",
    ]
    return "\n".join(lines) + "\n"


def _terms(coefs: Iterable[float], words: Iterable[str]) -> list[str]:
    """Return `+ 2 x` or `- 3 y`, a few on each line."""
    terms = [f"{'-' if a < 0 else '+'} {number(abs(a))} {word}" for a, word in zip(coefs, words, strict=True)]
    return [" ".join(terms[i : i + _TERMS]) for i in range(0, len(terms), _TERMS)]


def _named(label: str, lines: list[str], end: str = "") -> list[str]:
    body = [f" {label}: {lines[0]}", *(f"   {line}" for line in lines[1:])]
    body[-1] += end
    return body


def _objective(model: Model, names: list[str]) -> list[str]:
    used = np.flatnonzero(model.cost)
    lines = _terms(model.cost[used], [names[j] for j in used]) or [f"0 {names[0]}"]
    if model.Q is None or not model.Q.nnz:
        return _named("obj", lines)
    # Inside the brackets stands x'Qx: each pair once, so twice its entry of the symmetric matrix.
    upper = sparse.triu(model.Q).tocoo()
    pairs = zip(upper.row.tolist(), upper.col.tolist(), strict=True)
    words = [f"{names[i]} ^2" if i == j else f"{names[i]} * {names[j]}" for i, j in pairs]
    factors = np.where(upper.row == upper.col, 1.0, 2.0)
    return _named("obj", [*lines, "+ [", *_terms(factors * upper.data, words), "] / 2"])


def _rows(model: Model, names: list[str]) -> Iterator[str]:
    labels = legal(model.row_names)
    A = model.A
    for i, label in enumerate(labels):
        row = slice(A.indptr[i], A.indptr[i + 1])
        words = [names[j] for j in A.indices[row]]
        lines = _terms(A.data[row], words) or [f"0 {names[0]}"]
        yield from _compared(label, lines, float(model.row_lower[i]), float(model.row_upper[i]))
    for row_if in model.indicators:
        yield from _indicator(row_if, names)
    for cone in model.cones:
        squares = [f"{names[j]} ^2" for j in cone.squares]
        product = f"- {names[cone.left]} * {names[cone.right]}"
        lines = ["[", *_terms([1.0] * len(squares), squares), product, "]"]
        yield from _named(legal([cone.name], labels)[0], lines, " <= 0")


def _compared(label: str, lines: list[str], lower: float, upper: float) -> Iterator[str]:
    """A row, or two for one with both bounds: readers spell ranges differently."""
    if lower == upper:
        yield from _named(label, lines, f" = {number(lower)}")
        return
    is_range = np.isfinite(lower) and np.isfinite(upper)
    if np.isfinite(lower):
        yield from _named(f"{label}.lower" if is_range else label, lines, f" >= {number(lower)}")
    if np.isfinite(upper):
        yield from _named(f"{label}.upper" if is_range else label, lines, f" <= {number(upper)}")


def _indicator(row: Indicator, names: list[str]) -> Iterator[str]:
    condition = f"{names[row.binary]} = {row.value} ->"
    lines = _terms(row.coefs, [names[j] for j in row.columns])
    yield from _compared(legal([row.name])[0], [f"{condition} {lines[0]}", *lines[1:]], row.lower, row.upper)


def _bounds(model: Model, names: list[str], binary: BoolVector) -> Iterator[str]:
    for j in np.flatnonzero(~binary):
        lower, upper, name = float(model.lower[j]), float(model.upper[j]), names[j]
        if lower == upper:
            yield f" {name} = {number(lower)}"
        elif np.isinf(lower) and np.isinf(upper):
            yield f" {name} free"
        elif np.isinf(upper):
            if lower != 0:
                yield f" {name} >= {number(lower)}"
        else:
            yield f" {'-inf' if np.isinf(lower) else number(lower)} <= {name} <= {number(upper)}"


def _listed(section: str, names: list[str], chosen: BoolVector) -> list[str]:
    listed = [names[j] for j in np.flatnonzero(chosen)]
    lines = [" " + " ".join(listed[i : i + _TERMS]) for i in range(0, len(listed), _TERMS)]
    return [section, *lines] if lines else []


def _sets(model: Model, names: list[str]) -> list[str]:
    if not model.sos1:
        return []
    labels = legal([s.name for s in model.sos1])
    lines = ["SOS"]
    for label, group in zip(labels, model.sos1, strict=True):
        members = " ".join(f"{names[j]}:{number(w)}" for j, w in zip(group.columns, group.weights, strict=True))
        lines.append(f" {label}: S1:: {members}")
    return lines
