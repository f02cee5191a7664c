"""Errors of the top floor. Every one of them that stems from input is a ValueError with one clear sentence."""

from collections.abc import Iterable
from dataclasses import dataclass

from formulations.errors import ProblemError


class RefusedError(ValueError):
    """A solver does not take the problem; the message says why, and what would."""


class DataError(ProblemError):
    """A file cannot be read as data; the message names the file."""


@dataclass(frozen=True, order=True)
class Complaint:
    """A place in a file, counted from one, and what is wrong there."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class SpecError(DataError):
    """Specifications are wrong: all that is wrong with them, by place, each told once."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(set(complaints)))
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


class InvalidBoundError(ArithmeticError):
    """A dual bound lies above the objective of a feasible point by more than rounding: a bug, never repaired."""


class BackendError(RuntimeError):
    """A program that was called broke down, or said what cannot be: the message names it and quotes its word."""


class BigMWarning(UserWarning):
    """A coefficient touches a bound that was imposed, not proved: the best model may lie beyond it."""
