"""Errors of the top floor. Every one of them that stems from input is a ValueError with one clear sentence."""

from formulations.errors import ProblemError


class RefusedError(ValueError):
    """A solver does not take the problem; the message says why, and what would."""


class DataError(ProblemError):
    """A file cannot be read as data; the message names the file."""


class InvalidBoundError(ArithmeticError):
    """A dual bound lies above the objective of a feasible point by more than rounding: a bug, never repaired."""


class BackendError(RuntimeError):
    """A program that was called broke down, or said what cannot be: the message names it and quotes its word."""


class BigMWarning(UserWarning):
    """A coefficient touches a bound that was imposed, not proved: the best model may lie beyond it."""
