"""What a solver is: frozen settings, a reason to refuse, and an answer that `solve` turns into a result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bestsubset.certificates.write import LoggedTree
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import Problem
from formulations._types import Vector


@dataclass(frozen=True, eq=False)
class Answer:
    """A solver's word: coefficients, a bound, and why it stopped. The objective is not the solver's to state.

    ``logged`` is the tree behind the bound, for a certificate. It ``is_doubtful`` where columns are so nearly dependent
    that exact arithmetic may tell them apart otherwise than floating point: such a certificate is checked before it is
    handed out.

    ``notes`` are for the reader of the result: tolerances, what was rewritten. ``imposed`` is what the bound rests on
    beside the problem itself. ``bound_tolerance`` is how far, relative to the objective, the bound may stand above it
    by the tolerances of the solver that states it. ``versions`` are those of other programs that took part.
    """

    coef: Vector | None
    dual_bound: float
    termination: Termination
    nodes: int
    threads: int = 1
    logged: LoggedTree | None = None
    is_doubtful: bool = False
    notes: tuple[str, ...] = ()
    imposed: tuple[str, ...] = ()
    bound_tolerance: float = 0.0
    versions: tuple[tuple[str, str], ...] = ()


class Solver(ABC):
    """A method with its settings: a frozen dataclass whose fields all have defaults."""

    name: ClassVar[str]

    @abstractmethod
    def refuses(self, problem: Problem) -> str | None:
        """Return why the problem cannot be taken and what would take it, or None."""

    @abstractmethod
    def solve(self, problem: Problem, run: Run) -> Answer:
        """Search until the gap is closed or a limit of the run is met. Never raises for a limit."""
