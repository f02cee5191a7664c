"""How a run ended: done, refused, failed or interrupted, with what there is to say about it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any

from bestsubset.batch.expansion import BatchRun
from bestsubset.certificates.certificate import Certificate
from bestsubset.errors import RefusedError
from bestsubset.events import Listener
from bestsubset.gap import relative_gap
from bestsubset.path import Path
from bestsubset.report.fields import fields, finite
from bestsubset.result import Result
from bestsubset.solve import solve
from bestsubset.status import Termination
from formulations import ProblemError

_LONGEST_TRACE = 200  # points: enough for a curve, whatever the search took


class State(StrEnum):
    """How a run ended."""

    DONE = "done"  # with an answer: optimal, or stopped by a limit of its own
    REFUSED = "refused"  # the solver does not take the problem, and never will
    FAILED = "failed"  # an error, a certificate that does not hold, or a worker that died
    INTERRUPTED = "interrupted"  # with the gap so far, where there was one

    @property
    def is_final(self) -> bool:
        """Whether another attempt would say the same."""
        return self in (State.DONE, State.REFUSED)


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    state : State
    reason : str
        Why there is no answer, or no whole one; empty if done.
    figures : dict
        The fields of the result, ready for JSON; few where there is none.
    certificate : bytes or None
        The content of the certificate's file.
    """

    state: State
    reason: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    certificate: bytes | None = None


def execute(run: BatchRun, threads: int, check: bool, listener: Listener | None = None) -> Outcome:
    """Solve a run and say how it ended, whatever happens.

    ``threads`` are those where the specification names none; ``check`` asks for the certificate to be checked, as
    ``outputs.verify`` does.
    """
    settings = run.settings()
    settings["threads"] = settings["threads"] or threads
    try:
        result = solve(run.problem(), run.solver, progress=listener, **settings)
        return _outcome(result, check or run.spec.outputs.verify)
    except KeyboardInterrupt:
        return Outcome(State.INTERRUPTED, "interrupted before there was an answer")
    except (RefusedError, ProblemError) as error:
        return Outcome(State.REFUSED, str(error))
    except Exception as error:  # a run that fails costs no other
        return Outcome(State.FAILED, f"{type(error).__name__}: {error}".removesuffix(": "))


def _outcome(result: Result, check: bool) -> Outcome:
    state, reason = State.DONE, ""
    if result.termination is Termination.INTERRUPTED:
        state, reason = State.INTERRUPTED, "interrupted; the gap is the one so far"
    elif check and result.certificate is not None:
        verdict = result.verify()
        if not verdict.valid:
            state, reason = State.FAILED, f"the certificate does not hold: {verdict.reason}"
    figures = fields(result)
    figures["problem_digest"] = figures.pop("digest")
    figures |= {"criteria": _criteria(result), "notes": list(result.notes), "trace": _trace(result)}
    if result.certificate is None:
        return Outcome(state, reason, figures)
    figures["certificate_digest"] = result.certificate.digest  # of what it is about, so that none is taken for another
    return Outcome(state, reason, figures, _content(result.certificate))


def _criteria(result: Result) -> dict[str, float | None]:
    """The criteria of `Path.table`, which are about least squares."""
    if result.coef is None or result.problem.loss.name != "squared":
        return {}
    row = Path({result.cardinality: result}).table().iloc[0].to_dict()
    return {str(name): finite(value) for name, value in row.items() if name not in ("k", "rss", "r2", "gap")}


def _trace(result: Result) -> list[list[float | None]]:
    """Seconds and relative gap, at moments spread over the search; the last of them is its end."""
    rows = result.rows
    step = max(1, -(-len(rows) // _LONGEST_TRACE))
    kept = [*rows[:-1:step], *rows[-1:]]
    null = result.problem.null_objective
    return [[seconds, finite(relative_gap(objective, bound, null))] for seconds, objective, bound, _ in kept]


def _content(certificate: Certificate) -> bytes:
    with tempfile.TemporaryDirectory(prefix="certificate-") as folder:
        path = FilePath(folder) / "cert"
        certificate.save(path)
        return path.read_bytes()
