"""A process that solves one run after another, told by its parent through a pipe; it dies with its parent."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue

from bestsubset.batch.outcome import Outcome, State, execute
from bestsubset.batch.table import Table
from bestsubset.batch.task import unpacked

FOR_THE_PARENT = (signal.SIGINT, signal.SIGTERM)  # which says what is to be done about them


@dataclass(frozen=True)
class Order:
    """A run to solve; the table comes with the first run that needs it."""

    run: bytes
    table: Table | None
    threads: int
    check: bool


@dataclass(frozen=True)
class Stop:
    """Interrupt what runs."""


class _Interruption:
    """Turns a `Stop` into one KeyboardInterrupt, in the midst of a run and nowhere else."""

    def __init__(self) -> None:
        self._is_wanted = False
        self._is_armed = False
        signal.signal(signal.SIGINT, self._signalled)

    def demand(self) -> None:
        """Interrupt the run, or the next one before it begins; called from the thread that reads the pipe."""
        self._is_wanted = True
        if self._is_armed:  # a signal, since it also ends the waits in which the main thread may be
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _signalled(self, number: int, frame: object) -> None:
        if self._is_armed:
            self._is_armed = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self._is_armed = True
        if self._is_wanted:
            self._is_armed = False
            raise KeyboardInterrupt

    def __exit__(self, *error: object) -> None:
        self._is_armed = False


def serve(pipe: Connection) -> None:
    """Solve what comes through the pipe, and send back the progress and the outcome of each."""
    interruption = _Interruption()
    _leave_the_terminal()
    inbox: SimpleQueue[Order] = SimpleQueue()
    threading.Thread(target=_read, args=(pipe, inbox, interruption), daemon=True).start()
    table: Table | None = None
    while True:
        order = inbox.get()
        table = order.table or table
        assert table is not None  # the first order brings one
        try:
            with interruption:
                outcome = execute(unpacked(order.run, table), order.threads, order.check, pipe.send)
        except KeyboardInterrupt:
            outcome = Outcome(State.INTERRUPTED, "interrupted before there was an answer")
        pipe.send(outcome)


def _leave_the_terminal() -> None:
    """Get out of the reach of Ctrl-C, and forget what came while the process was starting."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FOR_THE_PARENT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _read(pipe: Connection, inbox: SimpleQueue[Order], interruption: _Interruption) -> None:
    """Take orders while the main thread solves; at the pipe's end, or without memory for what comes, leave at once."""
    try:
        while True:
            message = pipe.recv()
            if isinstance(message, Stop):
                interruption.demand()
            else:
                inbox.put(message)
    finally:
        os._exit(1)  # nobody is left to whom an answer could go
