"""Sets of special order as rows, for programs that know none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from bestsubset.errors import RefusedError
from formulations._types import BoolVector
from formulations.mio.model import Block, Model, SOS1Set


def unbounded_set(model: Model) -> str | None:
    """Return why the sets of special order cannot be stated as rows, or None: a column without finite bounds."""
    switches = binary_columns(model)
    for sos in model.sos1:
        for j in sos.columns:
            if not switches[j] and not (np.isfinite(model.lower[j]) and np.isfinite(model.upper[j])):
                return (
                    f"column {model.column_names[j]!r} of the SOS1 set {sos.name!r} has bounds [{model.lower[j]:g},"
                    f" {model.upper[j]:g}]; expected finite ones. No M is proved for it: add lambda2 or bounds, or hand"
                    " the model to a solver that knows these sets, such as Pyomo('scip')."
                )
    return None


def without_sos1(model: Model) -> Model:
    """Return the model with its sets of special order stated as rows.

    Of a pair (x, s) with s binary, x is nonzero only where s = 0, and its own bounds are the M: ``lo (1 - s) <= x <=
    hi (1 - s)``. Any other set gets a binary for each column that is none, of which one may be 1; they come after the
    model's own columns. No bound is invented, so the model stays exact.

    Raises
    ------
    RefusedError
        If a column of a set has an infinite bound.
    """
    if not model.sos1:
        return model
    reason = unbounded_set(model)
    if reason is not None:
        raise RefusedError(reason)
    rows = _Rows(model)
    for sos in model.sos1:
        rows.add(sos)
    return rows.model()


def binary_columns(model: Model) -> BoolVector:
    """Tell which columns can only be 0 or 1, shape (N,): those stated so, and s where a row says z + s = 1."""
    in_box = (model.lower >= 0) & (model.upper <= 1)
    binary = model.is_integer & in_box
    A = model.A.tocsr()
    for i in np.flatnonzero(model.row_lower == model.row_upper):
        columns, coefs = A.indices[A.indptr[i] : A.indptr[i + 1]], A.data[A.indptr[i] : A.indptr[i + 1]]
        rest = ~model.is_integer[columns]
        whole = np.all(coefs == np.round(coefs)) and model.row_lower[i] == round(model.row_lower[i])
        if whole and rest.sum() == 1 and abs(coefs[rest][0]) == 1:
            j = columns[rest][0]
            binary[j] |= in_box[j]
    return np.asarray(binary)


class _Rows:
    """The rows, and the binaries, that take the place of the sets."""

    def __init__(self, given: Model) -> None:
        self.given = given
        self.binary = binary_columns(given)
        self.new_columns: list[str] = []
        self.names: list[str] = []
        self.entries: list[tuple[tuple[int, float], ...]] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, sos: SOS1Set) -> None:
        continuous = [j for j in sos.columns if not self.binary[j]]
        switches = [j for j in sos.columns if self.binary[j]]
        if len(continuous) == 1 and len(switches) == 1:
            j, s = continuous[0], switches[0]
            lo, hi = float(self.given.lower[j]), float(self.given.upper[j])
            self._row(f"{sos.name}_upper", ((j, 1.0), (s, hi)), -np.inf, hi)
            self._row(f"{sos.name}_lower", ((j, 1.0), (s, lo)), lo, np.inf)
            return
        for j in continuous:
            u = self.given.n_columns + len(self.new_columns)
            self.new_columns.append(f"{sos.name}_is_{self.given.column_names[j]}")
            self._row(f"{sos.name}_upper_{j}", ((j, 1.0), (u, -float(self.given.upper[j]))), -np.inf, 0.0)
            self._row(f"{sos.name}_lower_{j}", ((j, 1.0), (u, -float(self.given.lower[j]))), 0.0, np.inf)
            switches.append(u)
        self._row(f"{sos.name}_one", tuple((s, 1.0) for s in switches), -np.inf, 1.0)

    def _row(self, name: str, entries: tuple[tuple[int, float], ...], lower: float, upper: float) -> None:
        self.names.append(name)
        self.entries.append(tuple((j, a) for j, a in entries if a != 0))
        self.lower.append(lower)
        self.upper.append(upper)

    def model(self) -> Model:
        given, n_new = self.given, len(self.new_columns)
        wide = _widened(given, self.new_columns)
        where = np.repeat(np.arange(len(self.entries)), [len(row) for row in self.entries])
        columns = np.array([j for row in self.entries for j, _ in row], dtype=np.int64)
        coefs = np.array([a for row in self.entries for _, a in row])
        A = sparse.csr_matrix((coefs, (where, columns)), shape=(len(self.entries), given.n_columns + n_new))
        new = wide.with_rows(A, np.array(self.lower), np.array(self.upper), self.names)
        note = f"{len(given.sos1)} SOS1 sets are stated as rows, with the bounds of their columns as M"
        return replace(new, sos1=(), notes=(*given.notes, note))


def _widened(model: Model, names: list[str]) -> Model:
    """The model with further binaries, in no row yet."""
    if not names:
        return model
    n, first = len(names), model.n_columns
    return replace(
        model,
        column_names=(*model.column_names, *names),
        cost=np.append(model.cost, np.zeros(n)),
        lower=np.append(model.lower, np.zeros(n)),
        upper=np.append(model.upper, np.ones(n)),
        is_integer=np.append(model.is_integer, np.ones(n, dtype=bool)),
        A=sparse.hstack([model.A, sparse.csr_matrix((model.n_rows, n))], format="csr"),
        Q=None if model.Q is None else sparse.block_diag([model.Q, sparse.csc_matrix((n, n))], format="csc"),
        column_blocks=(*model.column_blocks, Block("switches", first, first + n, "which column of a set is nonzero")),
    )
