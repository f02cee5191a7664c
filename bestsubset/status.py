"""The words of a result: what is known, why the search stopped, and who vouches for the bound."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What is known of the coefficients."""

    OPTIMAL = "optimal"  # the relative gap is at most the tolerance asked for
    FEASIBLE = "feasible"  # an incumbent, and a larger gap
    INFEASIBLE = "infeasible"  # proved: no support satisfies the constraints
    UNKNOWN = "unknown"  # no incumbent


class Termination(StrEnum):
    """Why the search stopped."""

    GAP_CLOSED = "gap closed"
    EXHAUSTED = "exhausted"  # nothing is left to search, yet rounding keeps the gap above the tolerance
    TIME_LIMIT = "time limit"
    NODE_LIMIT = "node limit"
    MEMORY_LIMIT = "memory limit"
    INTERRUPTED = "interrupted"


class Proof(StrEnum):
    """Who vouches for the dual bound."""

    CHECKED = "checked"  # a certificate that the checker accepted
    CERTIFICATE = "certificate"  # a certificate, not checked yet
    BACKEND = "backend"  # the word of the solver that ran, ours or another, in floating point: nothing to re-check
    NONE = "none"  # there is no bound
