"""What `warmstarts.parts` relies on in numba: parts stay unfinished until a kernel takes them in."""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np
import pytest

from formulations._types import Vector
from warmstarts.compilation import kernel, lean_kernel, lean_part, part


@lean_part
def add(values: Vector, at: int, amount: float) -> None:
    values[at] += amount


@lean_part
def add_twice(values: Vector, at: int) -> None:
    add(values, at, 1.0)
    add(values, at + 1, 2.0)


@lean_kernel
def add_everywhere(values: Vector) -> None:
    add(values, 0, 10.0)
    for i in range(len(values) - 1):
        add_twice(values, i)


@part
def positive(value: float) -> Vector:
    if value <= 0.0:
        raise ValueError("not positive")
    return np.full(2, value)


@kernel
def halves(value: float) -> Vector:
    return positive(value) / 2.0


def test_kernels_take_in_the_parts_they_call() -> None:
    values = np.zeros(4)
    add_everywhere(values)
    np.testing.assert_array_equal(values, [11.0, 3.0, 3.0, 2.0])


def test_parts_may_allocate_and_raise() -> None:
    np.testing.assert_array_equal(halves(3.0), [1.5, 1.5])
    with pytest.raises(ValueError, match="not positive"):
        halves(-1.0)


def test_a_part_is_compiled_once_for_all_constants_and_not_by_itself_to_machine_code() -> None:
    uncached = numba.njit(cast(Any, add_everywhere).py_func)
    uncached(np.zeros(4))
    (compiled,) = cast(Any, add).overloads.values()
    assert not getattr(compiled.library, "_compiled", False)
    (compiled,) = uncached.overloads.values()
    assert compiled.library._compiled
