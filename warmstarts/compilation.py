"""How kernels are compiled: two decorators, so that all are compiled alike, and a pause for the first call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

# Sums may be reassociated and contracted, so that loops vectorise; infinities keep their meaning, and a
# division by zero gives one instead of a branch.
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract"}, "error_model": "numpy"}


_njit: Any = numba.njit  # its type stubs do not know the two wrapper options


def kernel(function: F) -> F:
    """Compile a kernel that Python calls: on its first call, kept on disk, releasing the interpreter lock."""
    return cast(F, _njit(cache=True, **_OPTIONS)(function))


def part(function: F) -> F:
    """Compile a part of a kernel, which only kernels call.

    It has no entry from Python, and is kept on disk inside its kernels: that makes the first call ever much shorter.
    """
    return cast(F, _njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)(function))


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
