"""What is said of specifications: JSON Schema, tables of fields and examples agree with the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bestsubset.batch.plan import read_specs
from bestsubset.batch.schema import field_tables, json_schema
from bestsubset.batch.yaml_file import read
from bestsubset.solvers import members
from formulations import AbsoluteLoss
from tests.batch.json_schema import is_valid

SPECS = Path(__file__).parents[2] / "specs"
EXAMPLES = sorted(SPECS.glob("*.yaml"))
SCHEMA = json_schema()


def test_the_schema_is_json() -> None:
    assert json.loads(json.dumps(SCHEMA, allow_nan=False)) == SCHEMA
    assert SCHEMA["$schema"].startswith("https://json-schema.org/")


def test_the_schema_is_valid_by_its_own_rules() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the tests' own validator stands in for it")

    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_takes_the_examples(path: Path) -> None:
    assert is_valid(read(path).plain(), SCHEMA, SCHEMA)


FULL: dict[str, Any] = {
    "name": "x",
    "data": {
        "file": "a.csv",
        "target": "y",
        "positive": True,
        "predictors": ["a*"],
        "categorical": "c",
        "missing": "drop",
        "transforms": {"log": "a"},
    },
    "loss": "quantile",
    "tau": [0.1, 0.9],
    "k": {"from": 1, "to": 3},
    "lambda0": 1,
    "lambda2": [0, 0.5],
    "bounds": {"lower": -1},
    "constraints": {
        "include": "a",
        "groups": [["a", "b"], {"columns": ["c", "d"], "counts": "one"}],
        "at_most": {"columns": "a*", "count": 1},
        "implies": [{"child": "a", "parents": ["b"], "rule": "any"}],
        "budget": {"limit": 3, "costs": {"a": 1.5}},
        "signs": {"nonnegative": ["a"]},
        "bounds": {"columns": ["a"], "upper": 2.5},
        "exclude_pairs": 0.9,
    },
    "solver": {"name": "branch_and_bound", "tree": "perspective"},
    "start": ["a"],
    "limits": {"time_limit": 3.5, "threads": 2},
    "criterion": "bic",
    "outputs": {"certificate": False},
}


def accepted(problem: dict[str, Any], **changes: Any) -> bool:
    return is_valid({"problems": [{**problem, **changes}]}, SCHEMA, SCHEMA)


def test_the_schema_takes_every_field() -> None:
    assert accepted(FULL)
    assert all(accepted(FULL, solver=name) for name in [*members(), "branch-and-bound"])
    assert all(accepted(FULL, k=k) for k in (1, [1, 2], "1..10"))
    assert is_valid({"defaults": {"k": 3}, "problems": [{"name": "x"}]}, SCHEMA, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"cardnality": 3},
        {"k": 0},
        {"k": "five"},
        {"loss": "sqared"},
        {"tau": 1},
        {"solver": "branch_and_bond"},
        {"fit_intercept": "yes"},
        {"limits": {"threads": 0}},
        {"constraints": {"groups": ["a"]}},
        {"constraints": {"at_most": {"columns": "a"}}},
        {"data": {"fil": "a.csv"}},
        {"name": "a/b"},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any]) -> None:
    assert not accepted(FULL, **change)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_sound(path: Path) -> None:
    found = read_specs([path])

    assert len({run.name for run in found}) == len(found) > 0
    assert all(run.solver is None or run.solver.refuses(run.problem()) is None for run in found)


def test_the_examples_go_together() -> None:
    found = read_specs(EXAMPLES)

    assert {run.loss.name for run in found} >= {"squared", AbsoluteLoss.name}
    assert any(run.problem().n < run.problem().p for run in found)


def test_the_page_of_fields_is_that_of_the_models() -> None:
    assert (SPECS / "FIELDS.md").read_text(encoding="utf-8") == field_tables()


def test_the_data_of_the_examples_are_small() -> None:
    assert all(path.stat().st_size <= 50_000 for path in (SPECS / "data").iterdir())
