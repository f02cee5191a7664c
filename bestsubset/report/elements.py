"""HTML and SVG as nested calls: what is no markup is text, and is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element; ``class_`` stands for the attribute ``class``, ``text_anchor`` for ``text-anchor``.

    Attributes that are None are left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{joined(children)}</{name}>")


def joined(children: Iterable[object]) -> Markup:
    """Return pieces one after another, texts escaped."""
    return Markup("".join(child if isinstance(child, Markup) else html.escape(str(child)) for child in children))
