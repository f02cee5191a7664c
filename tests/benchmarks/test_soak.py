"""The long runs, run for a moment: both find nothing wrong, and an error in what they watch is caught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import bestsubset as bs
from benchmarks import soak, soak_hard

PROBLEMS = ["problems", "--count", "30", "--seed", "3"]
HARD = ["hard", "--instances", "1", "--time-limit", "0.5", "--seed", "3"]


def test_problems_agree_with_enumeration(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(PROBLEMS) == 0
    assert "problems 30," in capsys.readouterr().out


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_another_least_objective_is_caught(
    factor: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = soak.judge

    def wrong(problem: bs.Problem) -> Any:
        least, close = honest(problem)
        return factor * least, close

    monkeypatch.setattr(soak, "judge", wrong)

    assert soak.main(PROBLEMS) == 1
    assert "FAILURE problems --seed 3 --first " in capsys.readouterr().out


def test_a_failure_can_be_repeated_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(soak, "judge", lambda problem: (-1.0, []))
    soak.main(PROBLEMS)
    first = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILURE"))

    soak.main(first.removeprefix("FAILURE ").split(":")[0].split())

    assert first in capsys.readouterr().out


def test_an_error_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> bs.Result:
        raise ArithmeticError("no")

    monkeypatch.setattr(bs, "solve", fail)

    assert soak.main(PROBLEMS) == 1
    assert "failures 30" in capsys.readouterr().out


def test_a_hard_instance_keeps_its_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(HARD) == 0
    assert "1 instances, 2 solves" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("constant", "words"),
    [
        ({"CONSTANT": -1e12}, "allowed"),
        ({"_LATE": -1.0}, "with a limit of 0.5 s"),
        ({"_ROOM": -1e9}, "of a run of the same instance"),
    ],
)
def test_what_exceeds_a_limit_is_caught(
    constant: dict[str, float], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if "CONSTANT" in constant and not soak_hard.Soak(0).is_watched:
        pytest.skip("the system does not tell the peak of memory")
    for name, value in constant.items():
        monkeypatch.setattr(soak_hard, name, value)

    assert soak.main(HARD) == 1
    assert words in capsys.readouterr().out


def test_a_history_that_worsens_is_told() -> None:
    result = bs.solve(bs.Problem([[1.0, 0.0], [0.0, 1.0], [1.0, 1.1]], [1.0, 2.0, 4.0], 1))
    rows = ((0.0, 3.0, 1.0, 0), (0.1, 3.0, 2.0, 5))

    assert soak_hard.worsening(replace(result, rows=rows)) == []
    assert len(soak_hard.worsening(replace(result, rows=rows[::-1]))) == 1


def test_outliers_are_no_trend() -> None:
    assert soak_hard.slope([10, 10, 500, 10, 10, 10, 10, 10, 10]) == 0
    assert soak_hard.slope([10, 21, 29, 40, 50]) == pytest.approx(10, rel=0.1)
