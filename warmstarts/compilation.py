"""One decorator for every compiled kernel, so that all are compiled alike and cached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile on first call, cache on disk, release the interpreter lock.

    Sums may be reassociated and contracted (so that loops vectorise); infinities keep their meaning.
    """
    compiled = numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function)
    return cast(F, compiled)
