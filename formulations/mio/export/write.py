"""A model into a file, by its suffix."""

from __future__ import annotations

from pathlib import Path

from formulations.errors import ProblemError
from formulations.mio.export.lp_format import lp_text
from formulations.mio.export.mps_format import mps_text
from formulations.mio.model import Model

_FORMATS = {".lp": lp_text, ".mps": mps_text}


def write(model: Model, path: str | Path) -> None:
    """Write a model to a file of the format LP (``.lp``) or free MPS (``.mps``).

    Raises
    ------
    ProblemError
        If the suffix is another, or the format has no words for a part of the model.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise ProblemError(f"The suffix of {str(path)!r} is {suffix!r}; expected .lp or .mps. Rename the file.")
    Path(path).write_text(_FORMATS[suffix](model), encoding="ascii")
