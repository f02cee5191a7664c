"""Specifications for the tests, as text."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from bestsubset.batch.expansion import BatchRun
from bestsubset.batch.plan import read_specs
from bestsubset.errors import SpecError

CSV = """\
a,b,c,w,level,y
1,2,9,1,u,1.5
2,1,8,2,v,2.5
3,5,1,1,w,3.0
4,3,2,2,u,4.5
5,8,6,1,v,4.0
6,7,3,2,w,6.5
"""


def spec(folder: Path, text: str, name: str = "spec.yaml") -> Path:
    """Write a specification beside its data."""
    (folder / "data.csv").write_text(CSV, encoding="utf-8")
    path = folder / name
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def runs(folder: Path, text: str) -> list[BatchRun]:
    return read_specs([spec(folder, text)])


def complaints(folder: Path, text: str) -> list[str]:
    """What is wrong, without the folder."""
    path = spec(folder, text)
    with pytest.raises(SpecError) as caught:
        read_specs([path])
    return [str(complaint).removeprefix(f"{folder}/") for complaint in caught.value.complaints]
