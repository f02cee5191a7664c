"""What a search writes down for its certificate, in streams that stay small in memory however long it runs."""

from __future__ import annotations

import numpy as np

from bestsubset.certificates.write import LoggedTree
from bestsubset.stream import Stream
from formulations._types import IntVector, Vector


class TreeLog:
    """The tokens of a tree and its multipliers, in the form and the units of a certificate: see its FORMAT.md.

    Parameters
    ----------
    names : shape (m,)
        The user's columns behind the columns of the scaled problem.
    coef_unit : shape (m,)
        The user's coefficients for one unit of the scaled ones.
    n_columns : int
        The user's columns: a multiplier names rule r as column ``n_columns + r``.
    """

    def __init__(self, names: IntVector, coef_unit: Vector, n_columns: int = 0) -> None:
        self.names, self.n_columns = names, n_columns
        self.coef_unit = coef_unit
        self.tokens = Stream(np.int16 if names.max() < 2**15 else np.int32)
        self.ends = Stream(np.int64)
        self.columns = Stream(np.int32)
        self.values = Stream(np.float64)
        self.diagonal: Vector = np.zeros(0)
        self.boxed: list[int] = []
        self.limits: list[float] = []

    def add_multiplier(self, columns: IntVector, gamma: Vector) -> int:
        """Append a multiplier in the scaled problem's columns and units; return its number."""
        self.columns.append(self.names[columns])
        self.values.append(gamma * self.coef_unit[columns])
        self.ends.append([self.columns.length])
        return self.ends.length - 1

    def add_priced_multiplier(self, gamma: Vector, prices: Vector) -> int:
        """Append a multiplier over all columns with the prices of rules, in the user's units, behind it."""
        used, priced = np.flatnonzero(gamma), np.flatnonzero(prices)
        number = self.add_multiplier(used, gamma[used])
        self.columns.append(self.n_columns + priced)
        self.values.append(prices[priced])
        self.ends.replace(number, self.columns.length)
        return number

    def add_box(self, column: int, limit: float, gamma: Vector) -> None:
        """Append a derived bound on a coefficient, an upper one where it is positive, and what proves it.

        The multipliers of boxes come before all others.
        """
        used = np.flatnonzero(gamma)
        self.add_multiplier(used, gamma[used])
        name = int(self.names[column])
        self.boxed.append(name if limit > 0 else -1 - name)
        self.limits.append(abs(limit) * float(self.coef_unit[column]))

    def arrays(self) -> LoggedTree:
        """The log as the arrays of a certificate."""
        offsets = np.concatenate([[0], self.ends.array()]).astype(np.int64)
        return LoggedTree(
            self.tokens.array(), offsets, self.columns.array(), self.values.array(), self.diagonal,
            np.array(self.boxed, dtype=np.int32), np.array(self.limits, dtype=np.float64),
        )  # fmt: skip
