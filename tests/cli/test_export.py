"""``bestsubset export``: which models are written where, and that nothing is written when anything is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from scipy import sparse

from bestsubset.batch import members
from bestsubset.cli.main import run
from formulations import Problem
from formulations._types import Vector
from formulations.mio.interface import Formulation
from formulations.mio.model import Model
from tests.batch.written import spec

DATA = "data: {file: data.csv, target: y, without: [w, level]}"


@dataclass(frozen=True, eq=False)
class WritableModel(Model):
    """Its text is its name and the number of its columns."""

    def write(self, path: Path) -> None:
        path.write_text(f"{path.suffix} {self.name} {self.n_columns}\n", encoding="utf-8")


@dataclass(frozen=True)
class Tiny(Formulation):
    """The columns alone, in a box about the incumbent."""

    name: ClassVar[str] = "tiny_box"
    factor: float = 2.0

    def refuses(self, problem: Problem) -> str | None:
        return "tiny_box takes no lambda1; expected 0. Drop it." if problem.lambda1 > 0 else None

    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        assert incumbent is not None
        assert 1 <= np.count_nonzero(incumbent) <= problem.max_cardinality
        p = problem.p
        return WritableModel(
            name=f"k{problem.k}f{self.factor:g}",
            column_names=[f"beta[{name}]" for name in problem.feature_names],
            row_names=["total"],
            cost=np.ones(p),
            lower=np.full(p, -self.factor),
            upper=np.full(p, self.factor),
            is_integer=np.zeros(p, dtype=bool),
            A=sparse.csr_matrix(np.ones((1, p))),
            row_lower=np.zeros(1),
            row_upper=np.ones(1),
        )


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "formulations", lambda: {Tiny.name: Tiny})


def many(folder: Path, more: str = "") -> str:
    return str(spec(folder, f"problems:\n- {{name: x, {DATA}, k: 1..2{more}}}\n- {{name: z, {DATA}, k: 3}}\n"))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["tiny-box", "tiny_box"])
def test_one_run_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    target = tmp_path / "model.mps"

    code = run(["export", many(tmp_path), "--problem", "x/k=2", "--formulation", name, "-o", str(target)])

    assert code == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert target.read_text(encoding="utf-8") == ".mps k2f2 3\n"


def test_the_formulation_of_the_problem_has_its_settings(tmp_path: Path) -> None:
    path = many(tmp_path, ", formulation: {name: tiny-box, factor: 3}")
    target = tmp_path / "model.lp"

    assert run(["export", path, "--problem", "x/k=1", "-o", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == ".lp k1f3 3\n"


def test_all_runs_are_written_to_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "models"

    code = run(["export", many(tmp_path), "--formulation", "tiny-box", "--format", "mps", "-o", str(target)])

    assert code == 0
    assert files(target) == ["x_k=1.mps", "x_k=2.mps", "z.mps"]
    assert (target / "z.mps").read_text(encoding="utf-8") == ".mps k3f2 3\n"


def test_a_module_for_pyomo_stands_alone(tmp_path: Path) -> None:
    target = tmp_path / "small.py"

    code = run(["export", many(tmp_path), "--problem", "z", "--formulation", "tiny-box", "-o", str(target)])

    text = target.read_text(encoding="utf-8")
    assert code == 0
    assert "from small import model" in text
    assert "('beta[a]', -2.0, 2.0, False)" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--formulation", "tiny-box", "-o", "m.mps"], "has 3 runs: x/k=1, x/k=2, z"),
        (["--formulation", "tiny-box", "-o", "m.mps", "--problem", "x"], "has 2 runs: x/k=1, x/k=2"),
        (["--formulation", "tiny-box", "-o", "m.mps", "--problem", "x/k=3"], "Did you mean 'x/k="),
        (["--formulation", "tiny-bux", "-o", "m.mps", "--problem", "z"], "Did you mean 'tiny_box'?"),
        (["-o", "m.mps", "--problem", "z"], "--formulation is not given and the problem 'z' has none"),
        (["--formulation", "tiny-box", "-o", "m.txt", "--problem", "z"], "does not end in .mps, .lp or .py"),
        (["--formulation", "tiny-box", "-o", "m.mps", "--problem", "z", "--format", "gms"], "gms"),
        (["--formulation", "tiny-box", "-o", "no/m.mps", "--problem", "z"], "no folder"),
        (["--formulation", "tiny-box", "--problem", "z"], "output"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    path = many(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = files(tmp_path)

    code = run(["export", path, *arguments])

    assert code == 2
    assert words in capsys.readouterr().err
    assert files(tmp_path) == before


def test_one_refusal_of_many_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = many(tmp_path, ", lambda1: [0, 1]")

    code = run(["export", path, "--formulation", "tiny-box", "--format", "lp", "-o", str(tmp_path / "models")])

    assert code == 2
    assert "tiny_box refuses x/k=1/lambda1=1" in capsys.readouterr().err
    assert files(tmp_path) == ["data.csv", "spec.yaml"]


def test_a_wrong_specification_is_told_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = many(tmp_path, ", lambda3: 1")

    assert run(["export", path, "--formulation", "tiny-box", "-o", str(tmp_path / "m.mps")]) == 2
    assert capsys.readouterr().err.startswith(f"{path}:2:")
    assert files(tmp_path) == ["data.csv", "spec.yaml"]
