"""Columns of a specification: names, patterns, and categorical columns that stand for all of their levels."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from bestsubset.batch.complaints import Complain, FieldPath, dotted
from bestsubset.spelling import did_you_mean


class ColumnNames:
    """The names that may be written, in the order of the columns; ``factors`` stand for several columns each."""

    def __init__(self, names: Sequence[str], factors: Mapping[str, Sequence[str]] | None = None) -> None:
        self.names = tuple(names)
        self.factors = dict(factors or {})
        self._places = {name: j for j, name in enumerate(self.names)}

    def expand(
        self, written: Sequence[str], path: FieldPath, complain: Complain, passing: Collection[str] = ()
    ) -> dict[str, int]:
        """Return the columns meant, each with the entry of ``written`` that names it first.

        A name is taken for itself before it is taken for a pattern, since data may have a column ``x[1]``. What stands
        for no column is complained of, but for the names that are ``passing``.
        """
        found: dict[str, int] = {}
        for number, text in enumerate(written):
            columns = self.meant(text)
            if not columns and text not in passing:
                complain((*path, number), self.unknown(text, dotted((*path, number))))
            for column in columns:
                found.setdefault(column, number)
        return found

    def places(self, columns: Iterable[str]) -> tuple[int, ...]:
        """Return the indices of columns."""
        return tuple(self._places[column] for column in columns)

    def meant(self, text: str) -> Sequence[str]:
        """Return the columns that a name or a pattern stands for."""
        if text in self._places:
            return (text,)
        if text in self.factors:
            return self.factors[text]
        if not is_pattern(text):
            return ()
        if text == "*":
            return self.names
        matches = re.compile(fnmatch.translate(text)).match
        return [name for name in self.names if matches(name)]

    def unknown(self, text: str, what: str) -> str:
        """Say that a name or a pattern stands for no column."""
        if is_pattern(text):
            return f"{what} is {text!r}; expected a pattern that some column has. Look at the names in the data."
        hint = did_you_mean(text, [*self.names, *self.factors], "Look at the names in the data.")
        return f"{what} is {text!r}; expected a column of the data. {hint}"


def is_pattern(text: str) -> bool:
    """Tell whether a name may stand for several."""
    return any(character in text for character in "*?[")
