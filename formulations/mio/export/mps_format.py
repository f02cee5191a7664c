"""Free MPS, with quadratic objectives (QUADOBJ) and sets of special order in one section."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from formulations.errors import ProblemError
from formulations.mio.export.names import legal, number, read_me, with_constant_as_column
from formulations.mio.model import Model


def mps_text(model: Model) -> str:
    """Return a model in free MPS.

    Raises
    ------
    ProblemError
        If it has indicator rows or cones, for which readers of MPS do not agree on a section.
    """
    for kind, parts in (("indicator rows", model.indicators), ("cones", model.cones)):
        if parts:
            raise ProblemError(f"The model {model.name!r} has {kind}; expected none in MPS. Write it as .lp.")
    comments = [f"* {line}" for line in read_me(model)]
    model = with_constant_as_column(model)
    names, rows = legal(model.column_names), legal(model.row_names)
    lines = [
        *comments,
        f"NAME {legal([model.name])[0]}",
        "ROWS",
        " N obj",
        *(f" {_kind(lo, up)} {row}" for lo, up, row in zip(model.row_lower, model.row_upper, rows, strict=True)),
        "COLUMNS",
        *_columns(model, names, rows),
        "RHS",
        *_right_sides(model, rows),
        *_ranges(model, rows),
        "BOUNDS",
        *_bounds(model, names),
        *_sets(model, names),  # before the quadratic part: SCIP reads them in this order alone
        *_quadratic(model, names),
        "ENDATA",
    ]
    return "\n".join(lines) + "\n"


def _kind(lower: float, upper: float) -> str:
    if lower == upper:
        return "E"
    if np.isfinite(upper):
        return "L"
    return "G" if np.isfinite(lower) else "N"


def _columns(model: Model, names: list[str], rows: list[str]) -> Iterator[str]:
    A = model.A.tocsc()
    inside = False
    for j, name in enumerate(names):
        if model.is_integer[j] != inside:
            inside = not inside
            yield f" MARKER_{j} 'MARKER' '{'INTORG' if inside else 'INTEND'}'"
        column = slice(A.indptr[j], A.indptr[j + 1])
        if model.cost[j] or column.start == column.stop:
            yield f" {name} obj {number(model.cost[j])}"
        for i, a in zip(A.indices[column], A.data[column], strict=True):
            yield f" {name} {rows[i]} {number(a)}"
    if inside:
        yield f" MARKER_{len(names)} 'MARKER' 'INTEND'"


def _right_sides(model: Model, rows: list[str]) -> Iterator[str]:
    for lower, upper, row in zip(model.row_lower, model.row_upper, rows, strict=True):
        side = upper if np.isfinite(upper) else lower
        if np.isfinite(side) and side != 0:
            yield f" RHS {row} {number(side)}"


def _ranges(model: Model, rows: list[str]) -> list[str]:
    both = np.isfinite(model.row_lower) & np.isfinite(model.row_upper) & (model.row_lower < model.row_upper)
    width = model.row_upper - model.row_lower
    lines = [f" RNG {rows[i]} {number(width[i])}" for i in np.flatnonzero(both)]
    return ["RANGES", *lines] if lines else []


def _bounds(model: Model, names: list[str]) -> Iterator[str]:
    """Both sides are spelled out wherever readers have different defaults."""
    for lower, upper, whole, name in zip(model.lower, model.upper, model.is_integer, names, strict=True):
        if whole and lower == 0 and upper == 1:
            yield f" BV BND {name}"
        elif lower == upper:
            yield f" FX BND {name} {number(lower)}"
        elif np.isinf(lower) and np.isinf(upper):
            yield f" FR BND {name}"
        else:
            if np.isinf(lower):
                yield f" MI BND {name}"
            elif lower != 0 or upper < 0 or whole:
                yield f" LO BND {name} {number(lower)}"
            if np.isfinite(upper):
                yield f" UP BND {name} {number(upper)}"
            elif whole:
                yield f" PL BND {name}"


def _quadratic(model: Model, names: list[str]) -> list[str]:
    """½ x'Qx by one triangle of Q."""
    if model.Q is None or not model.Q.nnz:
        return []
    half = sparse.tril(model.Q).tocoo()
    entries = zip(half.col.tolist(), half.row.tolist(), half.data.tolist(), strict=True)
    return ["QUADOBJ", *(f" {names[i]} {names[j]} {number(a)}" for i, j, a in entries)]


def _sets(model: Model, names: list[str]) -> list[str]:
    if not model.sos1:
        return []
    lines = ["SOS"]  # once: Pyomo repeats it before each set, which SCIP and Gurobi cannot read
    for label, group in zip(legal([s.name for s in model.sos1]), model.sos1, strict=True):
        lines.append(f" S1 {label}")
        lines += [f"    {names[j]} {number(w)}" for j, w in zip(group.columns, group.weights, strict=True)]
    return lines
