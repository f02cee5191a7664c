"""Errors of the ground floor: a problem that was not stated properly."""


class ProblemError(ValueError):
    """The data or a setting of a problem breaks a rule; the message says which, and what to do."""
