"""The files that every solver reads: ``python -m benchmarks.peers.instances [NAME …] [--data DIR]``.

A file holds X, y (both centred) and, as JSON, the settings of the problem in the common objective

    F(b) = ½‖y − Xb‖² + λ2‖b‖²   with at most k columns, or   P(b) = F(b) + λ0‖b‖₀, and |b| ≤ M where that is said.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import real_data
from benchmarks.instances import planted, seeded, true_support, wide
from benchmarks.peers.rows import ROWS, Row, by_name
from benchmarks.peers.settings import placed, ridge_of_truth
from formulations._types import Matrix, Vector

FOLDER = Path(".peers/instances")
REFERENCE = Path(__file__).with_name("reference.json")
CLOSE = 1e-6  # relative: λ0, λ2, M and F agree with the reference to this


class NotBuiltError(Exception):
    """The instance cannot be built here; the message says why."""


@dataclass(frozen=True)
class Setting:
    """What an instance file says beside X and y."""

    name: str
    n: int
    p: int
    k: int
    form: str
    boxed: bool
    lambda0: float
    lambda2: float
    M: float
    support: list[int] = field(default_factory=list)  # of the heuristic, k columns
    F: float = math.nan  # there

    @property
    def data_bytes(self) -> int:
        return 8 * self.n * self.p


def build(row: Row, data: Path | None = None) -> tuple[Matrix, Vector, Setting]:
    """Generate an instance.

    Raises
    ------
    NotBuiltError
        If its data are not here.
    """
    X, y, lambda0 = _data(row, data)
    truth = true_support(row.p, row.k) if row.ridge_of_truth else None
    lambda2 = row.ridge if truth is None else row.ridge * ridge_of_truth(X, y, truth)
    found = placed(X, y, row.k, lambda2, row.price)
    n, p = X.shape
    lambda0 = found.lambda0 if lambda0 is None else lambda0
    problem = (row.name, n, p, row.k, row.form, row.boxed, lambda0, lambda2)
    return X, y, Setting(*problem, found.M, found.support, found.F)


def _data(row: Row, folder: Path | None) -> tuple[Matrix, Vector, float | None]:
    """X and y, and λ0 where the source fixes it."""
    if row.source in ("ar", "const"):
        return *planted(seeded(row.data or row.name), row.n, row.p, row.k, row.source, row.rho, row.snr), None
    if row.source == "unit":
        form = "k" if row.form == "card" else "lambda0"
        made = wide(row.rho, row.ridge, form, None, n=row.n, p=row.p)
        return made.X, made.y, made.lambda0 or None
    if row.source == "csv":
        return *_unit_columns(_csv_file(row, folder)), None
    if row.source == "breast_cancer_products":
        return *_with_products(real_data.breast_cancer()), None
    found = getattr(real_data, row.source)().standardised()
    return found.X, found.y, None


def _csv_file(row: Row, folder: Path | None) -> Path:
    if folder is None:
        raise NotBuiltError(f"{row.data}.csv is not there: give its folder with --data")
    file = folder / f"{row.data}.csv"
    if not file.exists():
        raise NotBuiltError(f"{file.name} is not in the folder given with --data")
    return file


def _unit_columns(file: Path) -> tuple[Matrix, Vector]:
    """The last column is the response; the others centred and of norm one, constant ones left out."""
    table = np.loadtxt(file, delimiter=",", skiprows=1)
    X = table[:, :-1] - table[:, :-1].mean(0)
    norms = np.linalg.norm(X, axis=0)
    varies = norms > 1e-12 * max(1.0, float(np.abs(table).max()))
    return np.ascontiguousarray(X[:, varies] / norms[varies]), table[:, -1] - table[:, -1].mean()


def _with_products(data: real_data.Data) -> tuple[Matrix, Vector]:
    """The columns with all their products and squares, standardised."""
    X, p = data.X, data.X.shape[1]
    products = [X[:, i] * X[:, j] for i in range(p) for j in range(i, p)]
    whole = real_data.Data(np.column_stack([X, *products]), data.y, ()).standardised()
    return whole.X, whole.y


def differences(setting: Setting) -> list[str]:
    """What differs from the settings published for the instance; none where there is nothing to compare with."""
    published = json.loads(REFERENCE.read_text(encoding="utf-8")).get(setting.name, {})
    mine = asdict(setting)
    return [
        f"{name} is {mine[name]!r}; expected {value!r}"
        for name, value in published.items()
        if not math.isclose(mine[name], value, rel_tol=CLOSE)
    ]


def write(row: Row, data: Path | None = None, folder: Path = FOLDER) -> Path:
    """Write the file of an instance, unless it is there; return its path.

    Raises
    ------
    NotBuiltError
        If it cannot be built here, or does not come out as published.
    """
    file = folder / f"{row.name}.npz"
    if file.exists():
        return file
    X, y, setting = build(row, data)
    wrong = differences(setting)
    if wrong:
        raise NotBuiltError(f"not as published: {'; '.join(wrong)}")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, X=X, y=y, setting=json.dumps(asdict(setting)))
    unfinished.replace(file)
    return file


def read_setting(file: Path) -> Setting:
    with np.load(file) as stored:
        return Setting(**json.loads(str(stored["setting"])))


def read_data(file: Path) -> tuple[Matrix, Vector]:
    with np.load(file) as stored:
        return stored["X"], stored["y"]


def main() -> None:
    """Write what the command line names; all, unless it names some."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.instances", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *by_name()])
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of riboflavin.csv, leukemia72.csv, trim32.csv")
    arguments = parser.parse_args()
    for row in ROWS if not arguments.names else [by_name()[name] for name in arguments.names]:
        try:
            setting: Any = read_setting(write(row, arguments.data))
            print(f"{row.name:<28} n={setting.n} p={setting.p} k={setting.k} λ0={setting.lambda0:.5g}", end=" ")
            print(f"λ2={setting.lambda2:.5g} M={setting.M:.4g} F={setting.F:.8g}", flush=True)
        except NotBuiltError as reason:
            print(f"{row.name:<28} not built: {reason}", flush=True)


if __name__ == "__main__":
    main()
