"""Bounds on coefficients, each with the name of its proof: nothing here is guessed."""

from __future__ import annotations

from dataclasses import dataclass

from formulations._types import Vector


@dataclass(frozen=True, eq=False)
class CoefficientBounds:
    """``lower <= beta <= upper`` for every point that is at least as good as the incumbent.

    Attributes
    ----------
    lower, upper : shape (p,)
        In the user's units.
    proofs : tuple of str
        How they were proved, or that the user imposed them.
    is_imposed : bool
        Some of them are the user's word alone and not part of the problem.
    """

    lower: Vector
    upper: Vector
    proofs: tuple[str, ...]
    is_imposed: bool = False
