"""YAML as a tree with places: what it reads, where things stand, and what it refuses at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bestsubset.batch.yaml_file import MAX_LINES, Mark, read
from bestsubset.errors import SpecError


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "spec.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read(path)
    (complaint,) = caught.value.complaints
    return str(complaint).removeprefix(f"{path.parent}/")


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    text = "[1, -2, 012, 1.5, 1e3, .inf, -.inf, true, no, null, ~, '3', \"x\", 2020-01-01, 1_000]"

    found = read(written(tmp_path, text)).plain()

    inf = float("inf")
    assert found == [1, -2, 12, 1.5, 1000.0, inf, -inf, True, "no", None, None, "3", "x", "2020-01-01", "1_000"]


def test_every_value_knows_its_place(tmp_path: Path) -> None:
    tree = read(written(tmp_path, "a:\n  - b: 1\n  - {c: [2, 3]}\n"))

    assert tree.locate(("a", 0, "b")) == Mark(2, 8)
    assert tree.locate(("a", 1, "c", 1)) == Mark(3, 13)
    assert tree.locate(("a", 1, "c"), at_key=True) == Mark(3, 6)
    assert tree.locate(("a", 1, "missing")) == Mark(3, 5)


def test_aliases_stand_for_their_anchors(tmp_path: Path) -> None:
    tree = read(written(tmp_path, "a: &x {k: [1, 2]}\nb: *x\n"))

    assert tree.plain() == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}}


@pytest.mark.parametrize(
    ("content", "place", "word"),
    [
        ("a: [1, 2\n", "2:1", "not YAML"),
        ("a: b: c\n", "1:5", "not YAML"),
        ("a:\n\t- 1\n", "2:1", "not YAML"),
        ("a: 'b\n", "2:1", "not YAML"),
        ("a: 1\nb: 2\na: 3\n", "3:1", "first in line 1"),
        ("a: 1\n---\nb: 2\n", "2:1", "second document"),
        ("", "1:1", "empty"),
        ("# nothing\n", "1:1", "empty"),
        ("a: 1\nb: \x07\n", "2:4", "control character"),
        (b"a: 1\nb: \xe9\n", "2:4", "not UTF-8"),
        ("a: !!python/object/apply:os.system ['true']\n", "1:4", "tag"),
        ("a: *x\n", "1:4", "no such anchor"),
        ("a: &x [1, *x]\n", "1:11", "within itself"),
        ("? [1]\n: 2\n", "1:3", "used as a key"),
        ("[" * 60 + "]" * 60, "1:41", "deep"),
        ("[" * 100_000, "1:41", "deep"),
    ],
)
def test_what_is_no_specification_is_refused_at_its_place(
    tmp_path: Path, content: str | bytes, place: str, word: str
) -> None:
    said = refusal(written(tmp_path, content))

    assert said.startswith(f"spec.yaml:{place}: ")
    assert word in said
    assert "\n" not in said


def test_an_alias_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    began = time.perf_counter()

    said = refusal(written(tmp_path, "\n".join(levels)))

    assert "values" in said
    assert time.perf_counter() - began < 2


def test_files_of_many_lines_are_refused_at_once(tmp_path: Path) -> None:
    began = time.perf_counter()

    said = refusal(written(tmp_path, "problems:\n" + "- {name: a}\n" * 100_000))

    assert said.startswith(f"spec.yaml:{MAX_LINES + 1}:1: the file has 100,001 lines")
    assert time.perf_counter() - began < 1


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    written(tmp_path, "a: 1")

    assert "Did you mean" in refusal(tmp_path / "specs.yaml")
    assert "unreadable" in refusal(tmp_path)
