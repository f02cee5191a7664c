"""Every notebook runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
EXTRAS = {"plot": "matplotlib", "_formula(": "formulaic"}  # words of a notebook, and what they need


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [c for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    for word, package in EXTRAS.items():
        if any(word in source for source in sources):
            pytest.importorskip(package, reason=f"the notebook needs {package}")
    monkeypatch.chdir(notebook.parent)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {}
    for cell, source in zip(cells, sources, strict=True):
        assert cell["outputs"] == []
        exec(compile(source, notebook.name, "exec"), names)
    if any("plot" in source for source in sources):
        from matplotlib import pyplot

        pyplot.close("all")

    assert cells
