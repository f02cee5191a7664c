"""``bestsubset check`` and ``bestsubset schema``: what they say, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bestsubset.cli.main import run
from tests.batch.written import spec

SOUND = "problems:\n- {name: x, data: {file: data.csv, target: y, without: [w, level]}, k: 1..2, lambda2: [0, 1]}\n"


def test_sound_specifications_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = spec(tmp_path, SOUND, "a.yaml")
    second = spec(tmp_path, SOUND.replace("name: x", "name: y").replace("1..2", "1").replace("[0, 1]", "0"), "b.yaml")

    code = run(["check", str(first), str(second)])
    out, err = capsys.readouterr()

    assert code == 0
    assert out == "x: 4 runs, n = 6, p = 3\ny: 1 run, n = 6, p = 3\n2 problems, 5 runs: nothing is wrong.\n"
    assert err == ""


def test_each_mistake_is_one_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec(tmp_path, SOUND.replace("k: 1..2", "k: [0]\n   , lambda1: -1"))

    code = run(["check", str(path)])
    out, err = capsys.readouterr()

    assert code == 2
    assert out == ""
    assert err.splitlines() == [
        f"{path}:2:73: problem 'x': k[0] is 0; expected a number >= 1. Change it.",
        f"{path}:3:15: problem 'x': lambda1 is -1; expected a number >= 0. Change it.",
    ]


def test_a_solver_that_refuses_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec(
        tmp_path, SOUND.replace("k:", "loss: logistic, solver: branch_and_bound, k:").replace("y,", "b, positive: 1,")
    )

    code = run(["check", str(path)])

    assert code == 2
    assert ": branch_and_bound refuses x/" in capsys.readouterr().err


def test_dropped_rows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "holes.csv").write_text("a,b,y\n1,2,3\n2,,4\n5,1,3\n4,4,1\n", encoding="utf-8")
    path = spec(tmp_path, "problems: [{name: x, data: {file: holes.csv, target: y, missing: drop}, k: 1}]")

    assert run(["check", str(path)]) == 0
    assert "n = 3, p = 2, 1 rows dropped" in capsys.readouterr().out


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert "problems" in json.loads(capsys.readouterr().out)["properties"]


def test_nothing_to_check_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 2
    assert run(["check", "nothing.yaml"]) == 2
    assert "nothing.yaml:1:1: the file is not there" in capsys.readouterr().err
