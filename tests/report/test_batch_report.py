"""The report of a batch: what its page shows in a browser, what its tables hold, and what it finds out anew."""

from __future__ import annotations

import json
import math
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bestsubset as bs
from bestsubset.batch import read_specs
from bestsubset.batch.outcome import Outcome, State
from bestsubset.cli.main import run
from tests.batch.batches import Here, rows_in, run_here
from tests.report.browser import needs_chromium, opened, parsed

NASTY = ["a<script>alert(1)</script>", 'b"onload="alert(2)', "c'&amp;", "</style>d", "${e}"]
SPEC = """
problems:
  - name: path
    data: {file: nasty.csv, target: y}
    k: 1..4
    criterion: aicc
  - name: grid
    data: {file: nasty.csv, target: y}
    k: [1, 2]
    lambda2: [0.5, 2]
  - {name: fails, data: {file: nasty.csv, target: y}, k: 2, random_state: 9}
  - {name: median, data: {file: nasty.csv, target: y}, k: 1, loss: absolute, outputs: {certificate: false}}
"""


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a batch has run: one of its runs has failed."""
    folder = tmp_path_factory.mktemp("batch")
    rng = np.random.default_rng(11)
    X = rng.standard_normal((40, 5))
    y = X @ [1.0, 0.5, 0, 0, 0.2] + 0.5 * rng.standard_normal(40)
    pd.DataFrame(X, columns=NASTY).assign(y=y).to_csv(folder / "nasty.csv", index=False)
    (folder / "spec.yaml").write_text(SPEC)
    broken = Outcome(State.FAILED, "it <b>broke</b>")
    run_here(folder / "spec.yaml", folder / "out", Here(lambda task: broken if task.name == "fails" else None))
    return folder


@pytest.fixture
def copied(batch: Path, tmp_path: Path) -> Path:
    """A copy of it, to be tampered with."""
    shutil.copytree(batch, tmp_path / "batch")
    return tmp_path / "batch"


@pytest.fixture(scope="module")
def page(batch: Path) -> Path:
    assert run(["report", str(batch / "out"), "--quiet"]) == 0
    return batch / "out" / "report.html"


def summary(dom: str) -> list[dict[str, str]]:
    head, *lines = parsed(dom).tables[0]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_the_page_shows_each_run(batch: Path, page: Path) -> None:
    shown = {line["run"]: line for line in summary(page.read_text())}

    assert len(shown) == 10
    for row in rows_in(batch / "out"):
        line = shown[row["name"]]
        if row["state"] == "failed":
            assert (line["state"], line["certificate"], line["support"]) == ("failed", "none", "it <b>broke</b>")
            continue
        assert line["certificate"] == ("valid" if row["certificate"] else "none")
        assert line["support"] == ", ".join(row["names"])
        assert float(line["objective"]) == pytest.approx(row["objective"], rel=1e-7)
        assert row["statement"] in parsed_text(page)


def parsed_text(page: Path) -> str:
    import html

    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text()))


def test_names_are_text_and_nothing_comes_from_outside(page: Path) -> None:
    text = page.read_text()
    tags = parsed(text).tags

    assert tags.count("script") == tags.count("style") == 1
    assert "b" not in tags
    assert not re.search(r"https?:|//[a-z]+\.|src=|url\(|@import", text.replace("http://www.w3.org/2000/svg", ""))
    assert " onload=" not in re.sub(r'"[^"]*"', "", text)


def test_the_criterion_chooses_the_size(batch: Path, page: Path) -> None:
    values = {}
    for one in read_specs([batch / "spec.yaml"]):
        if one.spec.name == "path":
            rss = bs.solve(one.problem(), bs.Enumeration()).rss
            m = (one.k or 0) + 1
            values[one.k] = 40 * math.log(rss / 40) + 2 * m + 2 * m * (m + 1) / (40 - m - 1)
    best = min(values, key=lambda k: values[k])

    assert f"By aicc, the model chosen is that of k = {best}: " in page.read_text()


@needs_chromium
def test_a_browser_renders_it_without_complaint(page: Path, tmp_path: Path) -> None:
    seen = opened(page, tmp_path)

    assert seen.console == []
    assert [line["run"] for line in summary(seen.dom)] == [line["run"] for line in summary(page.read_text())]
    assert seen.dom.count("<polyline") >= 3  # gaps of two problems at least, and the criterion of the path


@needs_chromium
def test_complaints_of_a_browser_would_be_seen(page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace('"use strict";', '"use strict"; missing.call();'))

    assert any("missing is not defined" in line for line in opened(broken, tmp_path).console)


@needs_chromium
@pytest.mark.parametrize(("fragment", "is_falling"), [("#sort=objective", False), ("#sort=-objective", True)])
def test_the_address_sorts_the_runs(page: Path, tmp_path: Path, fragment: str, is_falling: bool) -> None:
    lines = summary(opened(page, tmp_path, fragment).dom)

    figures = [line["objective"] for line in lines]
    assert figures[-1] == "–"  # what has failed comes last either way
    numbers = [float(figure) for figure in figures[:-1]]
    assert numbers == sorted(numbers, reverse=is_falling)
    assert numbers != sorted(numbers, reverse=not is_falling)


@needs_chromium
def test_clicks_sort_the_runs_one_way_and_the_other(page: Path, tmp_path: Path) -> None:
    click = "<script>for (const i of [1, 2]) document.querySelectorAll('th button')[0].click();</script>"
    clicked = tmp_path / "clicked.html"
    clicked.write_text(page.read_text().replace("</body>", f"{click}</body>"))

    seen = opened(clicked, tmp_path)

    names = [line["run"] for line in summary(seen.dom)]
    assert names == sorted(names, reverse=True)
    assert 'aria-sort="descending"' in seen.dom
    assert seen.console == []


@needs_chromium
def test_a_link_opens_its_run(page: Path, tmp_path: Path) -> None:
    seen = opened(page, tmp_path, "#run%3Apath/k%3D2")

    assert re.search(r'<details id="run:path/k=2" open="">', seen.dom)
    assert not re.search(r'<details id="run:path/k=3" open="">', seen.dom)


def test_the_tables_hold_what_the_rows_hold(batch: Path, page: Path) -> None:
    rows = rows_in(batch / "out")
    table = pd.read_csv(page.parent / "results.csv")

    assert table["name"].tolist() == [row["name"] for row in rows]
    assert [json.loads(names) for names in table["names"]] == [row.get("names") or [] for row in rows]
    for number, row in enumerate(rows):
        if row["state"] == "done":
            assert table["objective"][number] == row["objective"]
            assert (
                table["certificate_now"][number] == ("valid" if row["certificate"] else "none")
                or not row["certificate"]
            )
    if find_spec("pyarrow") is None:
        pytest.skip("pyarrow is not installed")
    other = pd.read_parquet(page.parent / "results.parquet")
    assert other["objective"].tolist()[:4] == table["objective"].tolist()[:4]


def row_of(out: Path, name: str) -> dict[str, str]:
    return next(row for row in rows_in(out) if row["name"] == name)


def test_a_certificate_that_is_tampered_with_leaves_with_three(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copied / "out"
    target = out / row_of(out, "path/k=2")["certificate"]
    target.write_bytes(target.read_bytes().replace(b'"k": 2', b'"k": 3'))

    code = run(["report", str(out), "--quiet"])

    assert code == 3
    assert "path/k=2: certificate refused: " in capsys.readouterr().err
    assert {line["run"]: line["certificate"] for line in summary((out / "report.html").read_text())}[
        "path/k=2"
    ] == "refused"


@pytest.mark.parametrize("other", ["path/k=3", "grid/k=2/lambda2=0.5"])
def test_the_certificate_of_another_run_is_refused(
    copied: Path, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copied / "out"
    shutil.copy(out / row_of(out, other)["certificate"], out / row_of(out, "path/k=2")["certificate"])

    assert run(["report", str(out), "--quiet"]) == 3
    assert "path/k=2: certificate refused: the certificate is not that of this run" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["data", "specification", "missing"])
def test_without_the_data_nothing_is_called_valid(
    copied: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if change == "data":
        lines = (copied / "nasty.csv").read_text().splitlines()
        (copied / "nasty.csv").write_text("\n".join(lines[:-1]) + "\n")
    elif change == "specification":
        (copied / "spec.yaml").write_text(SPEC.replace("name: path", "name: road").replace("0.5, 2", "3, 4"))
    else:
        (copied / "nasty.csv").unlink()

    code = run(["report", str(copied / "out"), "--quiet"])

    found = {line["certificate"] for line in summary((copied / "out" / "report.html").read_text())}
    assert code == 0
    assert found == {"not checked", "none"}
    assert capsys.readouterr().err.count("certificate not checked: the specification or its data") == 8


def test_a_folder_without_runs_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 2
    assert "expected a folder that bestsubset run has written" in capsys.readouterr().err
