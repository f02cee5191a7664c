"""The floors: imports point down, and each floor brings in only the packages that are its own."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("formulations", "warmstarts", "bestsubset")  # from the ground up
FILES = sorted(file for floor in FLOORS for file in (ROOT / floor).rglob("*.py"))


def allowed_packages(file: Path) -> set[str]:
    path = file.relative_to(ROOT)
    allowed = {"numpy", "scipy"}
    if path == Path("formulations/parquet.py"):
        allowed.add("pyarrow")
    if path.parts[0] == "warmstarts":
        allowed.add("numba")
    if path.parts[0] == "bestsubset":
        allowed.add("pandas")
        if path.parts[1] == "cli":
            allowed.update({"typer", "rich"})
        if path.parts[1] == "batch":
            allowed.update({"pydantic", "pydantic_core", "ruamel"})
        if path.parts[1:] == ("batch", "cluster.py"):
            allowed.add("distributed")
        if path.parts[1] == "bnb":
            allowed.add("numba")
        if path.parts[1] in ("backends", "solvers"):
            allowed.update({"highspy", "ortools", "pyomo"})
        if path.parts[1] == "estimators":
            allowed.add("sklearn")
            if path.name in ("cross_validation.py", "stability.py"):
                allowed.add("joblib")
        if path.parts[1:] == ("blas.py",):
            allowed.add("threadpoolctl")
        if path.parts[1:] == ("formula.py",):
            allowed.add("formulaic")
        if path.parts[1] in ("plots", "near_models.py", "path.py", "result.py"):  # the files for the type of axes
            allowed.add("matplotlib")
        if path.parts[1:] == ("report", "progress.py"):
            allowed.add("rich")
    return allowed


def imports(file: Path) -> list[ast.Import | ast.ImportFrom]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported_packages(file: Path) -> set[str]:
    names: set[str] = set()
    for node in imports(file):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        else:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_every_floor_has_files() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} == set(FLOORS)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_imports_point_down(file: Path) -> None:
    height = FLOORS.index(file.relative_to(ROOT).parts[0])

    assert imported_packages(file).isdisjoint(FLOORS[height + 1 :])


@pytest.mark.parametrize("file", FILES, ids=named)
def test_third_parties_stay_on_their_floor(file: Path) -> None:
    foreign = imported_packages(file) - set(sys.stdlib_module_names) - set(FLOORS)

    assert foreign <= allowed_packages(file)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_imports_are_absolute(file: Path) -> None:
    assert [node.lineno for node in imports(file) if isinstance(node, ast.ImportFrom) and node.level > 0] == []


CERTIFICATES = ROOT / "bestsubset" / "certificates"
WRITERS = {"write.py", "enumerated.py"}  # the program's side; all else there checks
CHECKERS = sorted(file for file in CERTIFICATES.glob("*.py") if file.name not in WRITERS)


@pytest.mark.parametrize("file", CHECKERS, ids=named)
def test_checkers_share_nothing_with_the_search(file: Path) -> None:
    checkers = {f"bestsubset.certificates.{other.stem}" for other in CHECKERS}
    modules = {node.module for node in imports(file) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in imports(file) if isinstance(node, ast.Import) for alias in node.names}

    ours = {module for module in modules if module and module.split(".")[0] in FLOORS}
    assert ours <= checkers
    assert {module.split(".")[0] for module in modules - ours if module} <= set(sys.stdlib_module_names) | {"numpy"}


def test_the_exact_checker_needs_nothing_but_python() -> None:
    assert imported_packages(CERTIFICATES / "exact.py") <= set(sys.stdlib_module_names)
