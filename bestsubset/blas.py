"""Small matrices want one thread: waking a second costs more than the product, and far more on a busy machine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import cast

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def blas_threads(count: int | None) -> AbstractContextManager[object]:
    """Limit the linear algebra libraries to so many threads within a ``with`` block; None leaves them alone."""
    return cast("AbstractContextManager[object]", _controller().limit(limits=count, user_api="blas"))
