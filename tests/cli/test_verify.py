"""``solve --certificate`` and ``verify``: the proof in a file, the verdict in the exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bestsubset.certificates import exact
from bestsubset.cli.main import run

RNG = np.random.default_rng(12)
NAMES = ["a", "b", "c", "d", "e"]
X = RNG.standard_normal((30, 5)) * [1, 10, 0.1, 1, 1] + 1 / 3
Y = X @ np.array([1.0, 0.0, -5.0, 0.0, 0.5]) + RNG.standard_normal(30)
W = RNG.uniform(0.5, 2.0, 30)


def written(path: Path, names: list[str], *columns: np.ndarray) -> str:
    rows = [",".join(map(repr, row)) for row in np.column_stack(columns).tolist()]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return written(tmp_path / "data.csv", ["w", *NAMES, "y"], W, X, Y)


@pytest.fixture
def certificate(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = str(tmp_path / "out.cert")
    assert run(["solve", data, "-k", "2", "--weights", "w", "--certificate", path, "--quiet"]) == 0
    capsys.readouterr()
    return path


def test_valid_leaves_with_zero_and_the_sentence_of_proof(
    data: str, certificate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["verify", certificate, data, "--target", "y", "--weights", "w"])
    out = capsys.readouterr().out

    assert code == 0
    assert out.startswith("No model with at most 2 of these 5 predictors has an objective")
    assert "a, c, has at most" in out
    assert out.splitlines()[-1].startswith("Valid. ")


def test_the_exact_checker_runs_by_path_and_agrees(data: str, certificate: str) -> None:
    command = [sys.executable, "-I", "-S", exact.__file__, certificate, data, "--weights", "w"]
    run_alone = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (run_alone.returncode, run_alone.stderr) == (0, "")
    assert run_alone.stdout.splitlines()[-1].startswith("Valid. ")


@pytest.mark.parametrize(
    ("options", "word"), [(["--target", "e", "--weights", "w"], "X is not"), (["--target", "y"], "shape")]
)
def test_other_data_leave_with_three(
    options: list[str], word: str, data: str, certificate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", certificate, data, *options]) == 3
    out = capsys.readouterr().out
    assert out.startswith("Refused: ")
    assert word in out


def test_no_certificate_leaves_with_two(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", data, data]) == 2
    assert "data.csv: not a zip archive" in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "nowhere.cert"), data]) == 2
    assert "expected a certificate" in capsys.readouterr().err


def test_a_path_goes_into_one_file(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "path.cert")
    assert run(["solve", data, "--k-max", "4", "--certificate", path, "--quiet"]) == 0
    capsys.readouterr()

    assert run(["verify", path, data]) == 0
    assert capsys.readouterr().out.count("No model with at most") == 4


def test_a_certificate_that_cannot_be_had_or_written_is_told(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = tmp_path / "a.cert"
    arguments = ["solve", data, "-k", "2", "--lambda1", "0.1", "--solver", "enumeration", "--quiet"]
    assert run([*arguments, "--certificate", str(wanted)]) == 2
    assert "expected an answer with a certificate" in capsys.readouterr().err
    assert not wanted.exists()

    nowhere = tmp_path / "nowhere" / "a.cert"
    assert run(["solve", data, "-k", "2", "--quiet", "--certificate", str(nowhere)]) == 2
    assert "cannot be written" in capsys.readouterr().err
