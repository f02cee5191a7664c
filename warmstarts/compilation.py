"""How kernels are compiled: two decorators, so that all are compiled alike, and a pause for the first call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba

from warmstarts.parts import PartDispatcher

F = TypeVar("F", bound=Callable[..., Any])

# Sums may be reassociated and contracted, so that loops vectorise; infinities keep their meaning, and a
# division by zero gives one instead of a branch.
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract"}, "error_model": "numpy"}


# Without the runtime that counts references: its atomic counters took over a third of the time of a search whose parts
# are handed many arrays, and threads would fight for them. The price is that nothing can be allocated.
_UNCOUNTED: dict[str, Any] = {"_nrt": False}
# Parts have no entry from Python, and are kept on disk inside their kernels: the first call ever is much shorter.
_INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_njit: Any = numba.njit  # its type stubs do not know all of these options
_settings: Any = numba.config


def kernel(function: F) -> F:
    """Compile a kernel that Python calls: on its first call, kept on disk, releasing the interpreter lock."""
    return cast(F, _njit(cache=True, **_OPTIONS)(function))


def part(function: F) -> F:
    """Compile a part of a kernel, which only kernels call."""
    return _part(function, _OPTIONS)


def lean_kernel(function: F) -> F:
    """As `kernel`, for one that allocates nothing."""
    return cast(F, _njit(cache=True, **_UNCOUNTED, **_OPTIONS)(function))


def lean_part(function: F) -> F:
    """As `part`, for one that allocates nothing."""
    return _part(function, {**_UNCOUNTED, **_OPTIONS})


def _part(function: F, options: dict[str, Any]) -> F:
    return function if _settings.DISABLE_JIT else cast(F, PartDispatcher(function, {**_INNER, **options}))


@contextmanager
def compiling(compiled: object) -> Iterator[None]:
    """Pause the collection of garbage where a kernel is about to be called for the first time.

    A compiler makes millions of small objects that live until it is done; looking through them all again and
    again takes a noticeable part of its time.
    """
    if getattr(compiled, "signatures", None) or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
