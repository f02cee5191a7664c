"""What `import bestsubset` gives, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bestsubset
import formulations
import warmstarts

ROOT = Path(__file__).parents[1]

# Runs in a new process: imports each module as if it were the first, and prints those that fail.
IMPORT_EACH_ALONE = """
import importlib, json, pathlib, sys
floors = ("formulations", "warmstarts", "bestsubset")
files = [f for floor in floors for f in sorted(pathlib.Path(floor).rglob("*.py")) if f.name != "__main__.py"]
names = [".".join(f.with_suffix("").parts).removesuffix(".__init__") for f in files]
failed = {}
for name in names:
    for loaded in [m for m in sys.modules if m.split(".")[0] in floors]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps([len(names), failed]))
"""


def output_of(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("package", [bestsubset, formulations, warmstarts], ids=lambda p: p.__name__)
def test_every_public_name_exists(package: object) -> None:
    names = package.__all__

    assert len(names) == len(set(names)) > 0
    assert [name for name in names if not hasattr(package, name)] == []


def test_every_module_imports_alone() -> None:
    count, failed = json.loads(output_of(IMPORT_EACH_ALONE))

    assert count > 20
    assert failed == {}


def test_import_is_light() -> None:
    heavy = ("numba", "pandas", "pydantic", "ruamel.yaml", "typer", "rich", "sklearn", "joblib", "pyarrow")
    heavy += ("distributed", "highspy", "ortools", "pyomo", "formulaic", "matplotlib", "IPython")
    loaded = json.loads(output_of("import bestsubset, json, sys; print(json.dumps(list(sys.modules)))"))

    assert "bestsubset" in loaded
    assert [name for name in heavy if name in loaded] == []


def test_the_library_does_not_print() -> None:
    data = "[[0.0, 1], [1, 0], [2, 0], [3, 1]], [0.0, 1.1, 1.9, 3.0]"
    code = f"import bestsubset as bs; bs.best_subset({data}, k=1)"

    assert output_of(code) == ""
