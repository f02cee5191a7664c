"""The response of a classification: two classes, coded -1 and +1."""

from __future__ import annotations

import numpy as np

from formulations._types import Vector


def two_classes(y: Vector, loss: str) -> str | None:
    """Return what is wrong with the classes, or None."""
    other = y[(y != -1.0) & (y != 1.0)]
    if not len(other):
        return None
    hint = "Pass 2 * y - 1." if np.isin(y, (0.0, 1.0)).all() else "Recode the two classes."
    return f"y holds {other[0]:g}; expected the classes -1 and +1 for the loss {loss!r}. {hint}"
