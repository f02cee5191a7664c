"""What a formulation is: a problem in, a model out, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from formulations._types import Vector
from formulations.mio.model import Model
from formulations.problem import Problem


class Formulation(ABC):
    """A way to state a problem as a mixed-integer model: a frozen dataclass whose fields have defaults.

    The docstring of each member has the parts *Reformulates*, *Exact when*, *Takes*, *Builds*, *Size*, *Source*.
    Every model has a block of binaries ``z``, one for each of the user's columns, in their order. Those that state
    coefficients have a block ``beta`` beside it, in the user's units, and ``intercept`` where the problem has one and
    the loss does not profile it out. The objective of the model is the user's.
    """

    name: ClassVar[str]

    @abstractmethod
    def refuses(self, problem: Problem) -> str | None:
        """Return why the problem cannot be stated so, and what can, or None."""

    @abstractmethod
    def build(self, problem: Problem, incumbent: Vector | None = None) -> Model:
        """Return the model.

        ``incumbent`` are feasible coefficients, shape (p,): bounds on coefficients are proved from its objective, and
        the better it is the tighter they are. The empty model unless given.

        Raises
        ------
        ProblemError
            If no bound on a coefficient can be proved and none was imposed; the message says what to add.
        """

    def refine(self, problem: Problem, model: Model, points: Sequence[Vector]) -> Model | None:
        """Return the model with rows that cut these feasible points off where they understate the objective.

        None where the model is exact at each of the points, so that nothing is left to add. A formulation that states
        the problem as a whole has nothing to add.
        """
        return None

    def recover(self, problem: Problem, values: Vector, model: Model) -> Vector:
        """Return coefficients, shape (p,), from the values of a model's columns: zero where z is zero."""
        chosen = values[model.block("z")] > 0.5
        return np.where(chosen, values[model.block("beta")], 0.0)
