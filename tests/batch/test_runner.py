"""What a folder of results holds: each run once, whatever came in between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.batch import outcome as outcome_module
from bestsubset.batch import read_specs
from bestsubset.batch.ledger import opened, read_rows
from bestsubset.batch.outcome import Outcome, State, execute
from bestsubset.batch.task import packed, tasks, unpacked
from bestsubset.errors import DataError
from tests.batch.batches import Here, Watching, lasting, rows_in, run_here, write_grid, write_hard
from tests.batch.written import spec


def test_a_row_says_what_enumeration_says(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"

    run_here(path, out)

    for run, row in zip(read_specs([path]), rows_in(out), strict=True):
        judge = bs.solve(run.problem(), bs.Enumeration())
        assert row["name"] == run.name
        assert (row["state"], row["status"], row["proof"]) == ("done", "optimal", "certificate")
        assert row["names"] == list(judge.support_names)
        assert row["objective"] == pytest.approx(judge.objective, rel=1e-9)
        assert row["dual_bound"] <= judge.objective * (1 + 1e-9)
        assert row["criteria"]["bic"] == pytest.approx(30 * np.log(judge.rss / 30) + np.log(30) * (run.k + 1))
        certificate = bs.Certificate.load(out / row["certificate"])
        assert bs.verify(certificate, run.problem().X, run.problem().y).valid
        assert (out / row["spec"]).resolve() == path
        assert row["versions"]["bestsubset"]


def test_what_is_done_is_left_alone(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 2), tmp_path / "out"
    run_here(path, out)
    before = (out / "runs.jsonl").read_bytes()
    again, watching = Here(), Watching()

    rows = run_here(path, out, again, watching)

    assert again.solved == []
    assert watching.settled == len(rows) == 10
    assert all(row is not None and row["state"] == "done" for row in rows)
    assert (out / "runs.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("name: p1, ", "name: p1, lambda2: 0.1, ", 5),  # another problem
        ("name: p1, ", "name: p1, limits: {time_limit: 9}, ", 5),  # other settings
        ("name: p1, ", "name: p1, solver: enumeration, ", 5),
        ("k: 1..5, random_state: 1", "k: 1..6, random_state: 1", 1),
        ("name: p1, ", "name: p1, criterion: bic, ", 0),  # read when it is reported
    ],
)
def test_what_is_asked_anew_is_done_anew(tmp_path: Path, old: str, new: str, count: int) -> None:
    path, out = write_grid(tmp_path, 2), tmp_path / "out"
    run_here(path, out)
    path.write_text(path.read_text().replace(old, new))
    again = Here()

    run_here(path, out, again)

    assert len(again.solved) == count
    assert all(name.startswith("p1/") for name in again.solved)
    names = [row["name"] for row in rows_in(out)]
    assert len(names) == len(set(names)) == 10 + (count == 1)


def test_other_data_are_another_problem(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    run_here(path, out)
    lines = (tmp_path / "small.csv").read_text().splitlines()
    (tmp_path / "small.csv").write_text("\n".join(lines[:-1]) + "\n")
    again = Here()

    run_here(path, out, again)

    assert len(again.solved) == 5
    assert {row["n"] for row in rows_in(out)} == {29}


def test_a_certificate_that_is_lost_is_made_again(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    run_here(path, out)
    lost = rows_in(out)[2]
    (out / lost["certificate"]).unlink()
    again = Here()

    run_here(path, out, again)

    assert again.solved == [lost["name"]]
    assert (out / lost["certificate"]).is_file()


@pytest.mark.parametrize("state", [State.FAILED, State.INTERRUPTED])
def test_what_came_to_nothing_is_tried_again(tmp_path: Path, state: State) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    broken = Here(lambda task: Outcome(state, "it broke") if task.name == "p0/k=2" else None)
    run_here(path, out, broken)
    assert [(row["name"], row["reason"]) for row in rows_in(out) if row["state"] != "done"] == [("p0/k=2", "it broke")]
    again = Here()

    run_here(path, out, again)

    assert again.solved == ["p0/k=2"]
    assert sorted(row["name"] for row in rows_in(out)) == [f"p0/k={k}" for k in range(1, 6)]
    assert {row["state"] for row in rows_in(out)} == {"done"}


def test_a_refusal_is_an_answer(tmp_path: Path) -> None:
    path = spec(
        tmp_path,
        """
        problems:
          - {name: x, data: {file: data.csv, target: y, without: [w, level]}, k: 2, solver: lp_branch_and_bound}
        """,
    )

    (row,) = run_here(path, tmp_path / "out")
    again = Here()
    run_here(path, tmp_path / "out", again)

    assert row is not None
    assert row["state"] == "refused"
    assert "squared" in row["reason"]
    assert again.solved == []


@pytest.mark.parametrize("n_bytes", [1, 200, -1])
def test_a_torn_line_is_cut_off_and_its_run_is_done_again(tmp_path: Path, n_bytes: int) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    run_here(path, out)
    whole = rows_in(out)
    lines = (out / "runs.jsonl").read_bytes().splitlines(keepends=True)
    (out / "runs.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:n_bytes])
    assert len(read_rows(out)) == 4
    again, watching = Here(), Watching()

    run_here(path, out, again, watching)

    assert again.solved == [whole[-1]["name"]]
    (notice,) = watching.notices
    assert notice.startswith(f"{out}/runs.jsonl:5: the last line was torn")
    assert [lasting(row) for row in rows_in(out)] == [lasting(row) for row in whole]


def test_a_line_in_the_midst_that_is_none_is_refused(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    run_here(path, out)
    lines = (out / "runs.jsonl").read_text().splitlines()
    (out / "runs.jsonl").write_text("\n".join([lines[0], lines[1][:50], *lines[2:], ""]))

    with pytest.raises(DataError, match=r"runs\.jsonl:2: the line is no row"):
        run_here(path, out)


def test_unfinished_certificates_are_swept_away(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"
    (out / "certificates").mkdir(parents=True)
    (out / "certificates" / "x.cert.part").write_bytes(b"half")

    run_here(path, out)

    assert len(list((out / "certificates").iterdir())) == 5
    assert all(file.suffix == ".cert" for file in (out / "certificates").iterdir())


def test_a_folder_has_one_runner(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"

    with opened(out), pytest.raises(DataError, match="is in use by process"):
        run_here(path, out)
    run_here(path, out)

    assert len(rows_in(out)) == 5


def test_certificates_are_checked_where_asked(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 1), tmp_path / "out"

    run_here(path, out, check=True)

    assert {row["proof"] for row in rows_in(out)} == {"checked"}


def test_outputs_of_the_specification_are_heeded(tmp_path: Path) -> None:
    path, out = write_grid(tmp_path, 2), tmp_path / "out"
    text = path.read_text().replace("name: p0,", "name: p0, outputs: {verify: true},")
    path.write_text(text.replace("name: p1,", "name: p1, outputs: {certificate: false},"))

    run_here(path, out)

    assert {row["proof"] for row in rows_in(out) if row["problem"] == "p0"} == {"checked"}
    assert {row["certificate"] for row in rows_in(out) if row["problem"] == "p1"} == {None}
    assert {row["proof"] for row in rows_in(out) if row["problem"] == "p1"} == {"backend"}


def test_a_certificate_that_does_not_hold_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = bs.Verdict(False, reason="leaf 3 proves less")
    monkeypatch.setattr(bs.Result, "verify", lambda self: verdict)

    rows = run_here(write_grid(tmp_path, 1), tmp_path / "out", check=True)

    assert {(row or {})["state"] for row in rows} == {"failed"}
    assert {(row or {})["reason"] for row in rows} == {"the certificate does not hold: leaf 3 proves less"}


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (MemoryError(), State.FAILED, "MemoryError"),
        (ZeroDivisionError("by what"), State.FAILED, "ZeroDivisionError: by what"),
        (bs.RefusedError("not this one"), State.REFUSED, "not this one"),
        (KeyboardInterrupt(), State.INTERRUPTED, "interrupted before there was an answer"),
    ],
)
def test_whatever_happens_is_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, state: State, reason: str
) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr(outcome_module, "solve", fail)

    found = execute(read_specs([write_grid(tmp_path, 1)])[0], 1, False)

    assert (found.state, found.reason, found.certificate) == (state, reason, None)


def test_a_limit_that_is_met_is_an_answer_with_a_gap(tmp_path: Path) -> None:
    path = write_hard(tmp_path, "20, limits: {time_limit: 0.2}")

    (row,) = run_here(path, tmp_path / "out")

    assert row is not None
    assert (row["state"], row["status"], row["termination"]) == ("done", "feasible", "time limit")
    assert row["relative_gap"] > 0


def test_runs_travel_without_their_table(tmp_path: Path) -> None:
    run = read_specs([write_grid(tmp_path, 1)])[2]
    content = packed(run)

    arrived = unpacked(content, run.parts.table)

    assert run.parts.table.y.tobytes() not in content
    assert arrived.problem().digest == run.problem().digest
    assert arrived.settings() == run.settings()


def test_digests_tell_runs_apart_and_last(tmp_path: Path) -> None:
    path = write_grid(tmp_path, 2)

    first, second = ([task.digest for task in tasks(read_specs([path]))] for _ in range(2))

    assert first == second
    assert len(set(first)) == 10


def test_rows_are_json_that_any_reader_takes(tmp_path: Path) -> None:
    path = spec(
        tmp_path,
        """
        problems:
          - {name: x, data: {file: data.csv, target: y, without: level}, k: 4, solver: enumeration}
        """,
    )

    run_here(path, tmp_path / "out")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    (line,) = (tmp_path / "out" / "runs.jsonl").read_text().splitlines()
    row = json.loads(line, parse_constant=refuse)
    assert row["criteria"]["aicc"] is None  # six rows are too few for it
