"""``bestsubset run``: the exit code, what is said where, and bad input, which leaves nothing behind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bestsubset.cli.board import board
from bestsubset.cli.main import run
from bestsubset.events import Progress
from tests.batch.batches import rows_in, write_grid, write_hard
from tests.batch.written import spec


def test_all_proved_leaves_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "a" / "out"

    code = run(["run", str(path), "-o", str(out), "--verify"])
    text, error = capsys.readouterr()

    assert code == 0
    assert text == "5 runs: 5 proved\n"
    head, *lines = error.splitlines()
    assert head.split() == ["ended", "state", "run", "gap", "seconds"]
    assert [line.split()[:3] for line in lines] == [[f"{k}/5", "done", f"p0/k={k}"] for k in range(1, 6)]
    assert {row["proof"] for row in rows_in(out)} == {"checked"}

    code = run(["run", str(path), "-o", str(out)])
    assert code == 0
    assert capsys.readouterr().err == "5 of 5 runs are done already\n"


def test_a_gap_that_is_left_leaves_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_hard(tmp_path, "20, limits: {time_limit: 0.2}")

    code = run(["run", str(path), "-o", str(tmp_path / "out"), "--quiet"])
    text, error = capsys.readouterr()

    assert code == 1
    assert text == "1 run: 1 stopped with a gap\n"
    assert error == ""


SOUND = "problems:\n- name: x\n  data: {file: data.csv, target: y, without: [w, level]}\n  k: 1\n"
BAD: dict[str, tuple[str | bytes, str]] = {
    "malformed": ("problems: [\n", "2:1: "),
    "wrong type": (SOUND.replace("k: 1", "k: true"), "4:6: "),
    "unknown field": (SOUND.replace("k: 1", "cardnality: 1"), "4:3: "),
    "unknown column": (SOUND.replace("target: y", "target: z"), "3:34: "),
    "unknown solver": (SOUND + "  solver: magic\n", "5:11: "),
    "missing file": (SOUND.replace("data.csv", "dat.csv"), "3:16: "),
    "duplicate names": (SOUND + SOUND.removeprefix("problems:\n"), "5:9: "),
    "alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg")),
        "6:",
    ),
    "empty": ("", "1:1: "),
    "no problems": ("problems: []\n", "1:11: "),
    "not UTF-8": (b"problems:\n- name: \xff\n", "2:9: "),
    "long": (SOUND + "\n" * 100_000, "30001:1: "),
    "size zero": (SOUND.replace("k: 1", "k: [1, 0]"), "4:10: "),
    "in and out": (SOUND + "  constraints: {include: a, exclude: a}\n", "5:"),
    "target as predictor": (SOUND.replace("without:", "predictors: [a, y], without:"), "3:53: "),
    "too many runs": (SOUND + f"  lambda1: {list(range(200))}\n  lambda2: {list(range(200))}\n", "5:12: "),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_with_its_place_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, place = BAD[name]
    path = spec(tmp_path, SOUND)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = sorted(tmp_path.iterdir())

    code = run(["run", str(path), "-o", str(tmp_path / "out")])
    text, error = capsys.readouterr()

    assert code == 2
    assert text == ""
    (line,) = error.splitlines()
    assert line.startswith(f"{path}:{place}")
    assert sorted(tmp_path.iterdir()) == before


def test_the_same_name_in_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(spec(tmp_path, SOUND, name)) for name in ("a.yaml", "b.yaml")]

    code = run(["run", *paths, "-o", str(tmp_path / "out")])

    assert code == 2
    assert capsys.readouterr().err.startswith(f"{paths[1]}:2:9: problem 'x': name is 'x', as in {paths[0]}:2;")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "output"),
        (["-o", "{folder}/data.csv"], "cannot be written"),
        (["-o", "{folder}/out", "--jobs", "0"], "jobs"),
        (["-o", "{folder}/out", "--jobs", "many"], "jobs"),
    ],
)
def test_bad_options_leave_with_two(
    options: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spec(tmp_path, SOUND)

    code = run(["run", str(path), *(option.format(folder=tmp_path) for option in options)])

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    assert word in line
    assert not (tmp_path / "out").exists()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    with board(quiet=False) as shown:
        shown.planned(["x/k=1", "x/k=[2]", "x/k=3"], 4)
        shown.began("x/k=1")
        shown.began("x/k=[2]")
        shown.progressed("x/k=[2]", Progress(0.5, 12.5, 10.0, 0.2, 7))
        shown.ended({"name": "x/k=1", "state": "done", "reason": "", "relative_gap": 1e-7, "seconds": 0.25})
        shown.ended({"name": "x/k=3", "state": "failed", "reason": "it [b]broke[/b]"})
    text = terminal.getvalue()

    assert "6 done, 1 running, 1 queued" in text
    assert any(line.split()[:4] == ["x/k=[2]", "running", "12.5", "20"] for line in text.splitlines())
    assert "x/k=3: failed: it [b]broke[/b]" in text
    assert any(line.split()[:2] == ["x/k=1", "done"] for line in text.splitlines())


def test_check_solves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write_grid(tmp_path, 2), tmp_path / "out"
    code = run(["run", str(path), "-o", str(out), "--check"])

    assert code == 0
    assert "nothing is wrong" in capsys.readouterr().out
    assert not out.exists()


def test_elsewhere_a_run_that_takes_long_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with board(quiet=False) as shown:
        shown.planned(["x"], 0)
        shown.began("x")
        shown.progressed("x", Progress(0.5, 12.5, 10.0, 0.25, 7))  # too early
        monkeypatch.setattr("bestsubset.cli.board._SECONDS_BETWEEN_ROWS", 0.0)
        shown.progressed("x", Progress(10.5, 12.5, 10.0, 0.2, 7))

    _, line = capsys.readouterr().err.splitlines()
    assert line.split() == ["running", "x", "20", "%", "10.500"]
