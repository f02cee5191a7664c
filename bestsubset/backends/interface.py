"""What a backend is: a mixed-integer model in, values and a bound out, and nothing repaired on the way."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bestsubset.run import Run
from bestsubset.status import Termination
from formulations._types import Vector
from formulations.mio.model import Model


@dataclass(frozen=True, eq=False)
class Solved:
    """A backend's word on a model.

    Attributes
    ----------
    values : shape (N,), or None
        The best point it found; None if it found none.
    dual_bound : float
        Its bound on the model's objective, the constant included; ``-inf`` if it has none.
    termination : Termination
    nodes : int
    pool : tuple of arrays
        Other feasible points it met.
    is_infeasible : bool
        It says that the model has no feasible point.
    tolerances : str
        Those its word rests on.
    bound_tolerance : float
        How far, relative to the objective, those may put its bound above the optimum.
    notes : tuple of str
        What was restated before it was solved.
    version : str
        The program and its version, as in ``"highspy 1.14.0"``.
    """

    values: Vector | None
    dual_bound: float
    termination: Termination
    nodes: int
    pool: tuple[Vector, ...] = ()
    is_infeasible: bool = False
    tolerances: str = ""
    bound_tolerance: float = 0.0
    notes: tuple[str, ...] = ()
    version: str = ""


class Backend(ABC):
    """A program with its settings: a frozen dataclass whose fields have defaults."""

    name: ClassVar[str]

    @abstractmethod
    def refuses(self, model: Model) -> str | None:
        """Return what of the model it does not take, and what to use instead, or None.

        A package that is not installed is a reason as well: the message says how to install it.
        """

    @abstractmethod
    def solve(
        self,
        model: Model,
        run: Run,
        start: Vector | None = None,
        lower_bound: float = 0.0,
        upper_bound: float = math.inf,
    ) -> Solved:
        """Solve a model within the limits of the run (its seconds left, gap and threads).

        ``start`` is a point, shape (N,), to begin from; only its integer columns need be right, and NaN stands for
        what is not known. ``lower_bound`` is reported while the backend has none of its own. ``upper_bound`` is an
        objective that some feasible point does not exceed: a backend may leave out what is worse. Progress goes to
        ``run.report``.

        Raises
        ------
        BackendError
            If the program breaks down, or ends in a way that says nothing; the message names its status.
        """
