"""From problems to runs: defaults beneath, lists that multiply, names that tell runs apart, solvers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.batch import members
from bestsubset.batch.plan import read_specs
from bestsubset.solvers import BranchAndBound, Enumeration
from tests.batch.written import complaints, runs, spec

DATA = "data: {file: data.csv, target: y, without: [w, level]}"


def names(folder: Path, fields: str) -> list[str]:
    return [run.name for run in runs(folder, f"problems:\n- {{name: x, {DATA}, {fields}}}\n")]


def test_one_value_of_each_field_is_one_run(tmp_path: Path) -> None:
    assert names(tmp_path, "k: 2, lambda2: 0.1") == ["x"]


@pytest.mark.parametrize("k", ["1..3", "'1..3'", "1 .. 3", "[1, 2, 3]", "{from: 1, to: 3}", "[1, 2.0, 3]"])
def test_sizes_may_be_written_in_many_ways(tmp_path: Path, k: str) -> None:
    assert [run.k for run in runs(tmp_path, f"problems:\n- {{name: x, {DATA}, k: {k}}}\n")] == [1, 2, 3]


def test_lists_multiply_with_the_sizes_innermost(tmp_path: Path) -> None:
    found = names(tmp_path, "k: {from: 1, to: 3, step: 2}, lambda2: [0, 0.1]")

    assert found == ["x/k=1/lambda2=0", "x/k=3/lambda2=0", "x/k=1/lambda2=0.1", "x/k=3/lambda2=0.1"]


def test_quantiles_and_prices_multiply_too(tmp_path: Path) -> None:
    found = names(tmp_path, "loss: quantile, tau: [0.25, 0.75], lambda0: [1, 1e-3], lambda1: [0, 2]")

    assert len(found) == len(set(found)) == 8
    assert found[0] == "x/tau=0.25/lambda0=1/lambda1=0"
    assert found[-1] == "x/tau=0.75/lambda0=0.001/lambda1=2"


def test_defaults_lie_under_every_problem(tmp_path: Path) -> None:
    text = f"""
    defaults:
      {DATA}
      lambda2: 0.5
      limits: {{time_limit: 9, gap: 1e-4}}
      solver: {{name: branch_and_bound, tree: perspective}}
    problems:
      - name: plain
        k: 1
      - name: other
        k: 2
        data: {{without: level}}
        limits: {{gap: 1e-2, threads: 1}}
        solver: branch_and_bound
      - name: elsewhere
        k: 2
        data: {{dataset: diabetes, target: target, without: []}}
    """

    plain, other, elsewhere = runs(tmp_path, text)

    assert plain.settings()["time_limit"] == other.settings()["time_limit"] == 9
    assert (plain.settings()["gap"], other.settings()["gap"], other.settings()["threads"]) == (1e-4, 1e-2, 1)
    assert plain.problem().lambda2 == other.problem().lambda2 == 0.5
    assert tuple(plain.problem().feature_names) == ("a", "b", "c")
    assert tuple(other.problem().feature_names) == ("a", "b", "c", "w")
    assert (plain.solver, other.solver) == (BranchAndBound(tree="perspective"), BranchAndBound())
    assert elsewhere.problem().n == 442  # a data set goes instead of the defaults' file


def test_solvers_take_their_settings_and_limits(tmp_path: Path) -> None:
    limits = "limits: {node_limit: 1e3, memory_limit: 2e9}"
    text = f"""
    problems:
      - {{name: x, {DATA}, k: 1, solver: branch-and-bound, {limits}}}
      - {{name: y, {DATA}, k: 1, solver: {{name: enumeration, max_supports: 100}}}}
      - {{name: z, {DATA}, k: 1}}
    """

    first, second, third = runs(tmp_path, text)

    assert first.solver == BranchAndBound(node_limit=1000, memory_limit=2e9)
    assert second.solver == Enumeration(max_supports=100)
    assert third.solver is None


@dataclass(frozen=True)
class Engine:
    """Stands for a backend."""

    name: ClassVar[str] = "engine"
    node_limit: int | None = None
    strict: bool = False


@dataclass(frozen=True)
class Shape:
    """Stands for a formulation."""

    name: ClassVar[str] = "big_box"
    size: float = 1.0


@dataclass(frozen=True)
class Through(Enumeration):
    """Stands for the solver that states a problem by a formulation and hands it to a backend."""

    name: ClassVar[str] = "through"
    formulation: Shape | None = None
    backend: Engine = field(default_factory=Engine)


@pytest.fixture
def _through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "formulations", lambda: {"big_box": Shape})
    monkeypatch.setattr(members, "backends", lambda: {"engine": Engine})
    monkeypatch.setattr(members.solvers, "members", lambda: {"through": Through, "enumeration": Enumeration})


@pytest.mark.usefixtures("_through")
def test_a_solver_takes_its_formulation_and_its_backend(tmp_path: Path) -> None:
    fields = "solver: through, formulation: {name: big-box, size: 2}, backend: engine, limits: {node_limit: 9}"

    (run,) = runs(tmp_path, f"problems:\n- {{name: x, {DATA}, k: 1, {fields}}}\n")

    assert run.solver == Through(formulation=Shape(2.0), backend=Engine(node_limit=9))


@pytest.mark.usefixtures("_through")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("solver: through, backend: {name: engine, strict: 1}", "backend.strict is 1; expected true or false"),
        ("solver: through, backend: engin", "Did you mean 'engine'?"),
        ("solver: through, limits: {memory_limit: 1}", "limits.memory_limit is 1.0 and the solver 'through' has no"),
        ("solver: enumeration, backend: engine", "backend is 'engine' and the solver 'enumeration' has no backend"),
        ("solver: enumeration, formulation: big_box", "the solver 'enumeration' has no formulation"),
        ("solver: {name: through, backend: engine}", "field 'backend' is set in solver"),
        ("backend: engine", "without a solver that has one"),
        ("formulation: {name: big_box, sise: 2}", "has no field 'sise'. Did you mean 'size'?"),
    ],
)
def test_parts_that_do_not_go_together_are_told(tmp_path: Path, fields: str, words: str) -> None:
    (said,) = complaints(tmp_path, f"problems:\n- {{name: x, {DATA}, k: 1, {fields}}}\n")

    assert words in said


def test_settings_are_those_of_solve(tmp_path: Path) -> None:
    fields = "k: 2, start: [c, a], random_state: 7, outputs: {certificate: false}, limits: {time_limit: 5}"
    (run,) = runs(tmp_path, f"problems:\n- {{name: x, {DATA}, {fields}}}\n")

    result = bs.solve(run.problem(), run.solver, **run.settings())

    assert run.settings()["start"] == (0, 2)
    assert run.settings()["random_state"] == 7
    assert result.status == "optimal"
    assert result.certificate is None


def test_the_runs_of_a_problem_and_problems_of_the_same_data_share_them(tmp_path: Path) -> None:
    text = f"""
    defaults: {{{DATA}}}
    problems:
      - {{name: x, k: 1..2, lambda2: [0, 1]}}
      - {{name: y, k: 1}}
    """

    found = runs(tmp_path, text)

    assert len({id(run.parts.table.design.X) for run in found}) == 1
    assert np.shares_memory(found[0].problem().X, found[-1].problem().X)


def test_paths_start_at_the_specification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path = spec(tmp_path / "inner", f"problems:\n- {{name: x, {DATA}, k: 1}}\n")
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert [run.name for run in read_specs([path])] == ["x"]


def test_the_solver_is_asked_where_that_is_wanted(tmp_path: Path) -> None:
    path = spec(tmp_path, f"problems:\n- {{name: x, {DATA}, k: 1..2, solver: branch_and_bound, loss: absolute}}\n")

    assert len(read_specs([path])) == 2
    with pytest.raises(bs.DataError, match="branch_and_bound refuses x/k=1, x/k=2: "):
        read_specs([path], ask_solvers=True)
