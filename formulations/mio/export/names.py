"""Names that every reader of a format takes, and the constant of the objective as a column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from formulations.mio.model import Model

CONSTANT = "objective_constant"
_LONGEST = 200  # characters; readers stop at 255
_RESERVED = {"st", "free", "inf", "infinity", "end", "bound", "bounds", "binary", "binaries", "bin", "general", "gen"}
_RESERVED |= {"generals", "integer", "integers", "int", "sos", "semi", "semis", "subject", "such", "min", "max", "obj"}
_RESERVED |= {"minimize", "maximize", "minimise", "maximise", "minimum", "maximum", "rhs", "rng", "bnd", "marker"}


def legal(names: Iterable[str], taken: Sequence[str] = ()) -> list[str]:
    """Return names of ASCII letters, digits, points and underscores that start with a letter, each once.

    A name that starts with e and a digit would be read as a number by readers of the format LP.
    """
    found: list[str] = []
    used = set(taken)
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.]", "_", name)[:_LONGEST]
        if not re.match(r"[A-Za-z]", plain) or re.match(r"[eE][0-9.]*$|[eE][0-9]", plain) or plain.lower() in _RESERVED:
            plain = f"x_{plain}"
        candidate, count = plain, 1
        while candidate in used:
            count += 1
            candidate = f"{plain}_{count}"
        used.add(candidate)
        found.append(candidate)
    return found


def with_constant_as_column(model: Model) -> Model:
    """Return the model with a column fixed at 1 that costs the constant: readers disagree on constants."""
    if model.constant == 0.0:
        return model
    n = model.n_columns
    Q = model.Q
    return Model(
        **{
            **model.__dict__,
            "column_names": (*model.column_names, CONSTANT),
            "cost": np.append(model.cost, model.constant),
            "lower": np.append(model.lower, 1.0),
            "upper": np.append(model.upper, 1.0),
            "is_integer": np.append(model.is_integer, False),
            "A": sparse.csr_matrix((model.A.data, model.A.indices, model.A.indptr), shape=(model.n_rows, n + 1)),
            "Q": None if Q is None else sparse.block_diag([Q, sparse.csc_matrix((1, 1))], format="csc"),
            "constant": 0.0,
        }
    )


def number(value: float) -> str:
    """Return the shortest digits that give the same double when read."""
    return repr(float(value) + 0.0).removesuffix(".0")  # + 0: no minus before a zero


def read_me(model: Model) -> list[str]:
    """Return what the file says about itself: what stands where, and what it rests on."""
    lines = [f"Best subset selection, formulation {model.name}: minimise the objective."]
    for kind, blocks, names in (
        ("Columns", model.column_blocks, model.column_names),
        ("Rows", model.row_blocks, model.row_names),
    ):
        lines.append(f"{kind}:")
        for block in blocks:
            n = block.stop - block.start
            if n:
                first, last = legal([names[block.start], names[block.stop - 1]])
                span = first if n == 1 else f"{first} ... {last}"
                lines.append(f"  {block.name} ({n}) {span}: {block.meaning}")
        if model.constant and kind == "Columns":
            lines.append(f"  {CONSTANT} (1): fixed at 1, carries the constant of the objective")
    lines += [f"Given: {sentence}" for sentence in model.imposed]
    lines += [f"Note: {sentence}" for sentence in model.notes]
    return [_in_ascii(line) for line in lines]


_SPELLED = dict(zip("βγηθκλτΣ", ("beta", "gamma", "eta", "theta", "kappa", "lambda", "tau", "sum "), strict=True))
_SPELLED |= dict(zip("ℓ√≤≥±²½·…", ("l", "sqrt ", "<=", ">=", "+/-", "^2", "1/2", "*", "..."), strict=True))


def _in_ascii(line: str) -> str:
    spelled = "".join(_SPELLED.get(character, character) for character in line)
    return spelled.replace("\n", " ").encode("ascii", "replace").decode()
