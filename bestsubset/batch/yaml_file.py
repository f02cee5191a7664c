"""A YAML file as a tree whose every value knows its line and column. Nothing in it is ever executed.

The tree is built from the parser's events rather than by its constructors: so there are no tags that make objects, a
key given twice is seen, and a file that would grow out of proportion is refused while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from bestsubset.batch.complaints import FieldPath
from bestsubset.errors import Complaint, SpecError
from bestsubset.spelling import similar_file

MAX_LINES = 30_000  # the parser reads some ten thousand lines a second
MAX_BYTES = 4_000_000
MAX_NODES = 200_000  # values, those behind aliases counted as often as they are used
MAX_DEPTH = 40

Scalar = str | int | float | bool | None
# YAML 1.2: `no` and `on` are words, and 012 is twelve.
_CONSTANTS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= {word: True for word in ("true", "True", "TRUE")} | {word: False for word in ("false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Mark:
    """Where something stands, both counted from one."""

    line: int
    column: int


@dataclass(eq=False)
class Node:
    """A value of the file: a scalar, a list of nodes, or a mapping of them; ``keys`` say where a mapping's keys are."""

    mark: Mark
    value: Scalar | list[Node] | dict[str, Node]
    keys: dict[str, Mark] = field(default_factory=dict)
    size: int = 1

    def plain(self) -> Any:
        """Return the value as lists, dictionaries and scalars."""
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value

    def child(self, part: str | int) -> Node | None:
        """Return the entry of that key or index, or None."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def locate(self, path: FieldPath, at_key: bool = False) -> Mark:
        """Return where the value at ``path`` stands, or the nearest one around it; ``at_key`` where its key does."""
        node, mark = self, self.mark
        for part in path:
            following = node.child(part)
            if following is None and isinstance(part, str) is not isinstance(node.value, dict):
                continue  # a list written for a mapping that holds it, or one value for a list of it
            if following is None:
                return mark
            key = node.keys.get(str(part)) if at_key else None
            node, mark = following, key or following.mark
        return mark

    def over(self, other: Node, alternatives: Mapping[str, frozenset[str]]) -> Node:
        """Return this mapping laid over another one: mappings are merged, all else is replaced.

        A key of ``alternatives`` replaces those named there: with itself among them, its mapping is not merged.
        """
        if not (isinstance(self.value, dict) and isinstance(other.value, dict)):
            return self
        replaced = frozenset[str]().union(*(alternatives.get(key, ()) for key in self.value))
        merged = {key: node for key, node in other.value.items() if key not in replaced}
        for key, node in self.value.items():
            merged[key] = node.over(merged[key], alternatives) if key in merged else node
        return Node(self.mark, merged, {**other.keys, **self.keys}, self.size + other.size)

    def marks(self) -> set[Mark]:
        """Return where this value, and all that is in it, stands."""
        items: list[Node] = []
        if isinstance(self.value, list):
            items = self.value
        elif isinstance(self.value, dict):
            items = list(self.value.values())
        return {self.mark, *self.keys.values()}.union(*(item.marks() for item in items))


def read(path: Path) -> Node:
    """Return the one document of a YAML file.

    Raises
    ------
    SpecError
        If the file cannot be read, is not UTF-8, is not YAML, is empty, holds several documents, gives a key twice, or
        is larger than the limits of this module.
    """
    text = _text(path)
    try:
        return _Builder(path).build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Mark(mark.line + 1, mark.column + 1) if mark is not None else None
        context = f"{error.context}, " if error.context else ""
        what = " ".join(f"{context}{error.problem}".split())
        raise _refusal(path, where, f"the file is not YAML ({what}); expected a specification. Mend it.") from error
    except ReaderError as error:
        before = text[: error.position]
        where = Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise _refusal(path, where, "the file holds a control character; expected text. Drop it.") from error


def _refusal(path: Path, mark: Mark | None, message: str) -> SpecError:
    place = (mark.line, mark.column) if mark is not None else (1, 1)
    return SpecError([Complaint(str(path), *place, message)])


def _text(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except FileNotFoundError as error:
        message = f"the file is not there; expected a specification in YAML. {similar_file(path)}"
        raise _refusal(path, None, message) from error
    except OSError as error:
        message = f"the file is unreadable ({error.strerror}); expected a specification in YAML. Check its rights."
        raise _refusal(path, None, message) from error
    if content is None:
        raise _refusal(path, None, f"the file has more than {MAX_BYTES:,} bytes; expected fewer. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise _refusal(path, mark, "the file is not UTF-8; expected text in UTF-8. Save it as such.") from error
    lines = text.count("\n")
    if lines > MAX_LINES:
        raise _refusal(
            path, Mark(MAX_LINES + 1, 1), f"the file has {lines:,} lines; expected at most {MAX_LINES:,}. Split it."
        )
    return text


class _Builder:
    """From the parser's events to the tree; the open collections lie on a stack, so that depth costs no recursion."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.anchors: dict[str, Node | None] = {}  # None while the value is still open
        self.open: list[tuple[Node, str | None]] = []
        self.waiting: list[tuple[str, Mark] | None] = []  # the key read last in each open mapping
        self.root: Node | None = None
        self.nodes = 0

    def build(self, stream: Iterator[Any]) -> Node:
        for event in stream:
            mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, events.DocumentStartEvent) and self.root is not None:
                raise _refusal(self.path, mark, "a second document starts here; expected one. Put it in its own file.")
            if isinstance(event, events.ScalarEvent):
                self._scalar(event, mark)
            elif isinstance(event, events.AliasEvent):
                self._place(self._aliased(event.anchor, mark), mark)
            elif isinstance(event, events.SequenceStartEvent | events.MappingStartEvent):
                self._start(event, mark)
            elif isinstance(event, events.SequenceEndEvent | events.MappingEndEvent):
                self._end()
        if self.root is None or self.root.value is None:
            raise _refusal(self.path, None, "the file is empty; expected problems. Write some.")
        return self.root

    def _scalar(self, event: Any, mark: Mark) -> None:
        self._check_tag(event.tag, mark)
        is_key = bool(self.open) and isinstance(self.open[-1][0].value, dict) and self.waiting[-1] is None
        if is_key:
            self._key(event.value, mark)
            return
        value = _scalar_value(event.value) if event.implicit[0] and event.tag is None else event.value
        node = Node(mark, value)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._place(node, mark)

    def _key(self, key: str, mark: Mark) -> None:
        node = self.open[-1][0]
        if key in node.keys:
            first = node.keys[key]
            raise _refusal(
                self.path, mark, f"field {key!r} is given twice, first in line {first.line}; expected once. Drop one."
            )
        node.keys[key] = mark
        self.waiting[-1] = (key, mark)

    def _start(self, event: Any, mark: Mark) -> None:
        self._check_tag(event.tag, mark)
        if len(self.open) >= MAX_DEPTH:
            raise _refusal(self.path, mark, f"values lie more than {MAX_DEPTH} deep; expected fewer. Flatten them.")
        if self.open and isinstance(self.open[-1][0].value, dict) and self.waiting[-1] is None:
            raise _refusal(self.path, mark, "a list or mapping is used as a key; expected a name. Write a name.")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append((Node(mark, [] if isinstance(event, events.SequenceStartEvent) else {}), event.anchor))
        self.waiting.append(None)

    def _end(self) -> None:
        node, anchor = self.open.pop()
        self.waiting.pop()
        if anchor is not None:
            self.anchors[anchor] = node
        self._place(node, node.mark)

    def _aliased(self, anchor: str, mark: Mark) -> Node:
        node = self.anchors.get(anchor)
        if node is None:
            kind = "within itself" if anchor in self.anchors else "and there is no such anchor before it"
            raise _refusal(self.path, mark, f"alias *{anchor} is used {kind}; expected an earlier &{anchor}. Mend it.")
        if self.open and isinstance(self.open[-1][0].value, dict) and self.waiting[-1] is None:
            raise _refusal(self.path, mark, f"alias *{anchor} is used as a key; expected a name. Write a name.")
        self.nodes += node.size
        return node

    def _place(self, node: Node, mark: Mark) -> None:
        """Put a finished value where it belongs."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _refusal(
                self.path, mark, f"the file holds more than {MAX_NODES:,} values up to here; expected fewer. Split it."
            )
        if not self.open:
            self.root = node
            return
        parent = self.open[-1][0]
        parent.size += node.size
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif isinstance(parent.value, dict):
            waiting = self.waiting[-1]
            assert waiting is not None  # a value follows its key
            parent.value[waiting[0]] = node
            self.waiting[-1] = None

    def _check_tag(self, tag: str | None, mark: Mark) -> None:
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            raise _refusal(
                self.path, mark, f"a value has the tag {tag}; expected none, since nothing in it is run. Drop the tag."
            )


def _scalar_value(text: str) -> Scalar:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 400 else float("inf")  # longer ones are no number for us
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text
