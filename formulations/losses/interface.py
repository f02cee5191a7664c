"""What a loss must offer, and how a loss is found by its name."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from importlib import import_module
from inspect import getmembers, isabstract, isclass
from pkgutil import iter_modules
from typing import ClassVar

import numpy as np

import formulations.losses as folder
from formulations._types import Vector
from formulations.errors import ProblemError


class Loss(ABC):
    r"""A convex loss :math:`L(y, \eta) = \sum_i w_i\,\ell(y_i, \eta_i)` of the linear predictor.

    A member is a frozen dataclass in a file named after ``name``; nothing else needs editing to add one.
    """

    name: ClassVar[str]
    depends_on_residual_alone: ClassVar[bool] = False  # on y - eta: then both may be shifted alike

    def check_response(self, y: Vector) -> str | None:
        """Return what is wrong with the response, as a sentence of an error, or None."""
        return None

    @abstractmethod
    def value(self, y: Vector, eta: Vector, weights: Vector) -> float:
        """Return the loss at the linear predictor ``eta``, shape (n,)."""

    @abstractmethod
    def gradient(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        """Return the gradient with respect to ``eta``, shape (n,)."""

    def curvature(self, y: Vector, eta: Vector, weights: Vector) -> Vector:
        """Return the second derivatives with respect to each entry of ``eta``; zero where there is none."""
        return np.zeros(len(eta))

    @abstractmethod
    def conjugate(self, y: Vector, u: Vector, weights: Vector) -> float:
        r"""Return :math:`L^*(u) = \sup_\eta u^\top\eta - L(y, \eta)`, ``inf`` outside its domain.

        Lower bounds come from here: :math:`L(y, \eta) \ge u^\top\eta - L^*(u)` for every dual point ``u``.
        """

    @abstractmethod
    def best_intercept(self, y: Vector, eta: Vector, weights: Vector) -> float:
        """Return the ``b`` that minimises the loss at ``eta + b``."""


def members() -> dict[str, type[Loss]]:
    """Scan this folder: every loss by its name."""
    found: dict[str, type[Loss]] = {}
    for module in iter_modules(folder.__path__, folder.__name__ + "."):
        for _, cls in getmembers(import_module(module.name), isclass):
            if issubclass(cls, Loss) and not isabstract(cls):
                found[cls.name] = cls
    return found


def by_name(loss: str | Loss) -> Loss:
    """Return the loss itself, or the member of this folder that bears the name.

    Raises
    ------
    ProblemError
        If no loss has that name.
    """
    if isinstance(loss, Loss):
        return loss
    known = members()
    if loss not in known:
        close = difflib.get_close_matches(str(loss), known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Pass one of these, or an instance of Loss."
        raise ProblemError(f"loss is {loss!r}; expected one of {sorted(known)}. {hint}")
    return known[loss]()
