"""The command line: the answer in the exit code, results on stdout, talk on stderr, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bestsubset
from bestsubset.cli.main import run
from bestsubset.solvers.enumeration import Enumeration
from bestsubset.solvers.interface import Answer
from formulations import Problem

RNG = np.random.default_rng(11)
NAMES = ["a", "b", "c", "d", "e", "f"]
X = RNG.standard_normal((40, 6))
Y = X @ np.array([1.0, 0.0, -1.0, 0.0, 0.5, 0.0]) + 0.5 * RNG.standard_normal(40)
WEIGHTS = RNG.uniform(0.5, 2.0, 40)


def written(path: Path, names: list[str], *columns: Any) -> str:
    rows = [",".join(repr(float(v)) for v in row) for row in np.column_stack(columns)]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return written(tmp_path / "data.csv", [*NAMES, "y"], X, Y)


def best_rss(columns: tuple[int, ...], response: np.ndarray = Y) -> float:
    design = np.column_stack([np.ones(len(response)), X[:, columns]])
    return float(np.sum((response - design @ np.linalg.lstsq(design, response, rcond=None)[0]) ** 2))


def best_support(k: int) -> tuple[int, ...]:
    return min(combinations(range(6), k), key=best_rss)


def test_proved_optimal_leaves_with_zero(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["solve", data, "-k", "2"])
    out, err = capsys.readouterr()

    assert code == 0
    assert "No model with at most 2 of these 6 predictors has R² above" in " ".join(out.split())
    assert [name for name in ("(intercept)", *(NAMES[j] for j in best_support(2))) if name not in out] == []
    assert "incumbent" in err
    assert "incumbent" not in out


def test_json_is_valid_and_alone_on_stdout(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["solve", data, "-k", "3", "--json"])
    answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    assert code == 0
    assert tuple(answer["support"]) == best_support(3)
    assert answer["names"] == [NAMES[j] for j in best_support(3)]
    assert answer["rss"] == pytest.approx(best_rss(best_support(3)))
    assert answer["objective"] == pytest.approx(answer["rss"] / 2)
    assert answer["r2"] == pytest.approx(1 - answer["rss"] / np.sum((Y - Y.mean()) ** 2))
    fitted = answer["intercept"] + X[:, answer["support"]] @ answer["coefficients"]
    assert np.sum((Y - fitted) ** 2) == pytest.approx(answer["rss"])
    assert answer["dual_bound"] <= answer["objective"]
    assert (answer["status"], answer["termination"], answer["proof"]) == ("optimal", "gap closed", "backend")
    assert answer["digest"] == Problem(X, Y, 3, feature_names=NAMES).digest
    assert set(answer) >= {"relative_gap", "seconds", "nodes", "statement", "versions"}


def test_path_as_table_and_as_json(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["solve", data, "--k-max", "3"]) == 0
    table = capsys.readouterr().out
    assert run(["solve", data, "--k-max", "3", "--json"]) == 0
    path = json.loads(capsys.readouterr().out)["path"]

    assert [tuple(entry["support"]) for entry in path] == [best_support(k) for k in (1, 2, 3)]
    assert [entry["k"] for entry in path] == [1, 2, 3]
    assert [line.split()[0] for line in table.splitlines()[1:4]] == ["1", "2", "3"]
    assert table.count("No model with at most") == 3


def test_quiet_says_nothing_on_stderr(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["solve", data, "-k", "2", "--quiet"])

    assert capsys.readouterr().err == ""


def answered(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["solve", *arguments, "--json", "--quiet"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_target_and_weights_are_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "w.csv", ["y", *NAMES, "w"], Y, X, WEIGHTS)
    answer = answered([path, "-k", "2", "--target", "y", "--weights", "w"], capsys)

    assert answer["p"] == 6
    assert answer["digest"] == Problem(X, Y, 2, sample_weight=WEIGHTS, feature_names=NAMES).digest


def test_without_a_target_the_last_column_that_is_left_is_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "w.csv", [*NAMES, "y", "w"], X, Y, WEIGHTS)
    answer = answered([path, "-k", "2", "--weights", "w"], capsys)

    assert answer["digest"] == Problem(X, Y, 2, sample_weight=WEIGHTS, feature_names=NAMES).digest


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (["-k", "2", "--lambda2", "0.5", "--standardize"], {"k": 2, "lambda2": 0.5, "standardize": True}),
        (["--lambda0", "2"], {"lambda0": 2.0}),
        (["-k", "2", "--lambda1", "0.25", "--lambda2", "1"], {"k": 2, "lambda1": 0.25, "lambda2": 1.0}),
        (["-k", "2", "--no-intercept"], {"k": 2, "fit_intercept": False}),
        (
            ["-k", "2", "--lambda2", "1", "--lower", "-0.5"],
            {"k": 2, "lambda2": 1.0, "bounds": (-0.5, np.inf)},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_are_fields_of_the_problem(
    options: list[str], fields: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered([data, *options], capsys)["digest"] == Problem(X, Y, feature_names=NAMES, **fields).digest


def test_include_exclude_and_group(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered([data, "-k", "3", "--include", "b", "--exclude", "a", "--group", "c,d"], capsys)
    allowed = [s for s in combinations(range(6), 3) if 1 in s and 0 not in s and (2 in s) == (3 in s)]

    assert tuple(answer["support"]) == min(allowed, key=best_rss)


def test_stopped_with_a_gap_leaves_with_one(
    data: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    solved = Enumeration.solve

    def stopped(self: Enumeration, problem: Problem, run: Any) -> Answer:
        answer = solved(self, problem, run)
        return Answer(answer.coef, 0.9 * answer.dual_bound, bestsubset.Termination.INTERRUPTED, 1)

    monkeypatch.setattr(Enumeration, "solve", stopped)
    code = run(["solve", data, "-k", "2", "--solver", "enumeration"])
    table = " ".join(capsys.readouterr().out.split())

    assert code == 1
    assert "Interrupted after" in table
    assert "a gap of 10 %" in table


def test_no_bound_is_null_in_json(
    data: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: Enumeration, problem: Problem, run: Any) -> Answer:
        return Answer(None, -np.inf, bestsubset.Termination.TIME_LIMIT, 0)

    monkeypatch.setattr(Enumeration, "solve", nothing)
    code = run(["solve", data, "-k", "2", "--solver", "enumeration", "--json"])
    answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    assert code == 1
    assert [answer[key] for key in ("coefficients", "objective", "dual_bound", "relative_gap", "rss")] == [None] * 5


FILES = {
    "empty.csv": ("", "is empty"),
    "header.csv": ("a,y\n", "0 rows"),
    "long.csv": ("a,y\n1,2\n3,4,5\n", "ragged"),
    "all_long.csv": ("a,y\n1,2,3\n3,4,5\n", "ragged"),
    "short.csv": ("a,b,y\n1,2,3\n4,5\n6,7,9\n", "missing"),
    "twice.csv": ("a,b,a\n1,2,3\n2,5,1\n", "a more than once"),
    "text.csv": ("a,b,y\n1,u,3\n2,v,4\n", "not numbers: b"),
    "text_target.csv": ("a,b,y\n1,2,u\n2,3,v\n", "y"),
    "unnamed.csv": (",a,y\n1,2,3\n2,3,5\n", "no name over column 1"),
    "numbers.csv": ("1,2,3\n4,5,6\n", "numbers in its first line"),
    "alone.csv": ("y\n1\n2\n", "alone"),
    "constant.csv": ("a,b,y\n1,2,3\n1,3,4\n1,4,4\n", "constant"),
    "constant_target.csv": ("a,b,y\n1,2,3\n2,3,3\n3,3,3\n", "y is constant"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_leave_with_two(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, words = FILES[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    code = run(["solve", str(tmp_path / name), "-k", "1"])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert words in err
    assert "Traceback" not in err


def test_a_file_that_is_not_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data.bin").write_bytes(b"\xff\xfe\x00a,\x81")

    assert run(["solve", str(tmp_path / "data.bin"), "-k", "1"]) == 2
    assert "UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-k", "9"], "k is 9"),
        (["-k", "0"], "k is 0"),
        ([], "k is None"),
        (["-k", "2", "--k-max", "3"], "-k is 2 and --k-max is 3"),
        (["--k-max", "9"], "k is 9"),
        (["-k", "2", "--target", "yy"], "Did you mean 'y'"),
        (["-k", "2", "--weights", "w"], "--weights is 'w'"),
        (["-k", "2", "--weights", "b", "--target", "b"], "--target is 'b'"),
        (["-k", "2", "--include", "z"], "'z'"),
        (["-k", "2", "--group", ","], "Group is empty"),
        (["-k", "2", "--solver", "enumerate"], "Did you mean 'enumeration'"),
        (["-k", "2", "--lambda0", "-1"], "lambda0 is -1.0"),
        (["-k", "2", "--lambda2", "nan"], "lambda2 is nan"),
        (["-k", "2", "--lower", "1"], "lo <= 0 <= hi"),
        (["-k", "2", "--gap", "-1"], "gap is -1.0"),
        (["-k", "2", "--time-limit", "-1"], "time_limit is -1.0"),
        (["--k-max", "2", "--time-limit", "-1"], "time_limit is -1.0"),
        (["-k", "2", "--threads", "0"], "threads is 0"),
        (["-k", "2", "--seed", "-1"], "--seed"),
        (["-k", "two"], "-k"),
        (["-k", "2", "--foo"], "--foo"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options_leave_with_two(
    options: list[str], words: str, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["solve", data, *options])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert words in err
    assert "Traceback" not in err


def test_missing_file_names_the_close_match(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["solve", data.replace("data.csv", "dta.csv"), "-k", "1"])
    err = capsys.readouterr().err

    assert code == 2
    assert "is not there" in err
    assert "data.csv'" in err


@pytest.mark.parametrize("arguments", [[], ["slove"], ["solve"], ["--bogus"]], ids=" ".join)
def test_usage_errors_leave_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = run(arguments)

    assert code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_refusal_leaves_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    path = written(tmp_path / "wide.csv", [f"x{j}" for j in range(300)], rng.standard_normal((20, 300)))
    code = run(["solve", path, "-k", "8"])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith("error: X has 20 rows and 299 columns")
    assert "lambda2" in err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"bestsubset {bestsubset.__version__}"


def test_the_module_runs_as_a_program(data: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bestsubset", "solve", data, "-k", "99"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: k is 99")
