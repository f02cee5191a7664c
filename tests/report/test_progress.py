"""Who listens to a search, and what is shown where."""

from __future__ import annotations

import io
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.report import progress
from bestsubset.report.progress import shown

RNG = np.random.default_rng(4)
X = RNG.standard_normal((40, 6))
Y = X[:, 0] + RNG.standard_normal(40)
STATES = [
    bs.Progress(0.25, 9.5, -np.inf, np.inf, 10),
    bs.Progress(2.0, 9.0, 4.5, 0.5, 3000),
    bs.Progress(2.5, 8.0, 7.0, 0.125, 5000),
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_callable_listens_itself() -> None:
    heard: list[bs.Progress] = []
    with shown(heard.append) as listener:
        assert listener == heard.append
    result = bs.best_subset(X, Y, 2, progress=heard.append)

    assert heard[-1].incumbent == result.objective
    assert heard[-1].dual_bound == result.dual_bound


@pytest.mark.parametrize("nothing", [None, False])
def test_nobody_listens_unless_asked(nothing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with shown(nothing) as listener:
        assert listener is None
    bs.best_subset(X, Y, 2, progress=nothing)

    assert capsys.readouterr() == ("", "")


def test_rows_go_to_stderr_at_most_one_a_second(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with shown(True) as listener:
        assert listener is not None
        for clock[0], state in zip((5.0, 5.9, 6.1), STATES, strict=True):
            listener(state)
    out, err = capsys.readouterr()

    assert out == ""
    assert [line.split() for line in err.splitlines()] == [
        ["seconds", "nodes", "incumbent", "dual", "bound", "gap"],
        ["0.25", "10", "9.5", "–", "–"],
        ["2.50", "5000", "8", "7", "12.5", "%"],
    ]


@pytest.mark.parametrize("asked", [True, "rich"])
def test_a_search_shows_itself(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = bs.best_subset(X, Y, 2, progress=asked)
    out, err = capsys.readouterr()

    assert out == ""
    assert err.splitlines()[0].split() == ["seconds", "nodes", "incumbent", "dual", "bound", "gap"]
    assert float(err.splitlines()[1].split()[2]) >= result.objective * (1 - 1e-7)


def test_a_path_has_one_display(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    bs.best_path(X, Y, 3, progress=True)

    assert capsys.readouterr().err.count("dual bound") == 1


def test_a_terminal_has_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with shown(True) as listener:
        assert listener is not None
        for state in STATES:
            listener(state)
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())

    assert "incumbent 8  bound 7  gap 12.5 %  nodes 5,000 (2,000 a second)  2.5 s" in written
    assert "\x1b[2K" in terminal.getvalue()  # a line is erased, not added


def test_a_notebook_has_one_line_that_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, str]] = []

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> SimpleNamespace:
        assert raw
        assert display_id
        written.append(("new", data["text/plain"]))
        return SimpleNamespace(update=lambda data, raw: written.append(("update", data["text/plain"])))

    kernel, display_module = ModuleType("IPython"), ModuleType("IPython.display")
    kernel.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display_module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    with shown(True) as listener:
        assert listener is not None
        for state in STATES:
            listener(state)

    assert [kind for kind, _ in written] == ["new", "update", "update"]
    assert written[0][1] == "incumbent 9.5  bound –  gap –  nodes 10  0.2 s"
    assert written[2][1] == "incumbent 8  bound 7  gap 12.5 %  nodes 5,000 (2,000 a second)  2.5 s"


def test_ipython_without_a_kernel_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = ModuleType("IPython")
    shell.get_ipython = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    with shown(True) as listener:
        assert isinstance(listener, progress._Rows)


@pytest.mark.parametrize("wrong", ["bar", 3, 0.5])
def test_what_is_no_listener_is_refused(wrong: Any) -> None:
    with pytest.raises(bs.ProblemError, match=f"progress is {wrong!r}"):
        bs.best_subset(X, Y, 2, progress=wrong)
