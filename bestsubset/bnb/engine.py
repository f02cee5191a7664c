"""Which trees a squared-error problem gets, and how their search ends in an answer."""

from __future__ import annotations

import time

import numpy as np

from bestsubset.blas import blas_threads
from bestsubset.bnb.conditioning import SMALLEST_EIGENVALUE, has_definite_moments, is_nearly_dependent
from bestsubset.bnb.derived_boxes import LARGEST as LARGEST_FOR_BOXES
from bestsubset.bnb.downdating import LARGEST, stack_bytes
from bestsubset.bnb.independence import independent_parts
from bestsubset.bnb.nursery import SOLVE, Nursery, OutOfTime, Settings, has_ridge_or_box
from bestsubset.bnb.perspective import PerspectiveTree
from bestsubset.bnb.race import Race
from bestsubset.bnb.tree import MemoryLimitReached
from bestsubset.certificates.write import LoggedTree
from bestsubset.incumbent import Incumbent
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import ScaledProblem
from warmstarts import Restarts
from warmstarts.ruled_exchange import ruled_support

_SPRINT = 250  # nodes of the downdating tree before anything else is tried
_ILL_CONDITIONED = 1e4  # moments above this go on with it
_HEAD_START = 1.0  # seconds, before a diagonal is looked for
_RULED_START = 2.0  # seconds for a warm start that obeys rules
_BEFORE_BOXES = 2.5  # seconds, before boxes are derived: about as long as that takes
_LARGE_GAP = 0.15  # of the incumbent, with which they may pay
WIDE = 30_000  # columns from which a tree over candidates pays
_WORTHWHILE = 0.5  # share of the root's gap that a diagonal must close for its tree to lead


class Engine:
    """One search: warm start, then the trees that suit the problem, then the answer's parts."""

    def __init__(self, scaled: ScaledProblem, run: Run, settings: Settings) -> None:
        self.scaled = scaled
        self.incumbent = Incumbent(scaled, run.cutoff / scaled.unit)
        self._run = run
        self._settings = settings
        self._nursery = Nursery(scaled, self.incumbent, run, settings)
        self.race = Race(self.incumbent, run, scaled.unit, settings.node_limit)
        self.is_doubtful = True  # see `Answer`

    def search(self) -> Termination:
        """Run until the gap is closed or a limit is met; KeyboardInterrupt included."""
        try:
            with blas_threads(1):  # threads share trees and blocks of data: those of BLAS wait for each other
                self._warm_start()
                return self._search()
        except KeyboardInterrupt:
            return Termination.INTERRUPTED
        except MemoryLimitReached:
            return Termination.MEMORY_LIMIT
        except OutOfTime:
            return Termination.TIME_LIMIT

    @property
    def dual_bound(self) -> float:
        """What is proved, in the user's units: by the tree that proves most, so that one log vouches for it."""
        best = self.race.best
        # Less what rounding may add on the way to the user's units.
        return 0.0 if best is None else best.bound * self.scaled.unit * (1 - 2.0**-50)

    def logged(self) -> LoggedTree | None:
        """The log behind `dual_bound`; None where nothing was logged."""
        if not self._run.certificate:
            return None
        best = self.race.best
        if best is None:  # stopped before there was a tree: that nothing is below zero needs none
            log = self._nursery.log()
            assert log is not None
            log.tokens.append([SOLVE])
            return log.arrays()
        log = best.close_log()
        return None if log is None else log.arrays()

    def _warm_start(self) -> None:
        scaled = self.scaled
        local = np.flatnonzero(np.isin(scaled.columns, self._run.start_columns()))
        self.incumbent.offer(local)
        if self._run.start_is_good:
            return
        if scaled.has_rules:
            seconds = max(_RULED_START / 10, min(_RULED_START, 0.3 * self._run.seconds_left))
            self.incumbent.offer(ruled_support(scaled, self._run.rng(), local, seconds))
            self._run.report(self.incumbent.value * scaled.unit, 0.0, 0, force=True)
            return
        sizes = [scaled.k] if scaled.lambda0 == 0 else list(range(1, scaled.most_useful + 1))
        proposals = Restarts().supports(scaled, sizes, self._run.rng(), local if len(local) else None)
        for support in proposals.values():
            self.incumbent.offer(support)
        self._run.report(self.incumbent.value * scaled.unit, 0.0, 0, force=True)

    def _search(self) -> Termination:
        scaled = self.scaled
        is_definite = has_definite_moments(scaled)
        self.is_doubtful = is_nearly_dependent(scaled, is_definite)
        has_blocks = scaled.has_groups or scaled.has_rules
        if not has_blocks and not is_definite and scaled.is_plain and not scaled.ridge.any() and scaled.has_gram:
            parts = independent_parts(scaled, SMALLEST_EIGENVALUE)
            if parts is not None:
                return self.race.run([self.race.enter(self._nursery.union(parts))])
        if has_blocks or not (is_definite or has_ridge_or_box(scaled)):
            return self._blocks(is_definite)
        fits = scaled.m <= LARGEST and stack_bytes(scaled.m, scaled.k) <= self._settings.memory_limit
        if is_definite and scaled.is_plain and fits:
            return self._tall()
        return self._perspective(is_definite)

    def _tall(self) -> Termination:
        """Positive definite moments: both trees can, and most problems end in the sprint of the first."""
        residual = self.race.enter(self._nursery.residual())
        if self._settings.tree == "downdating":
            return self.race.run([residual])
        if self._settings.tree == "race" and not self._run.is_out_of_time:
            if self.race.sprint(residual, _SPRINT):
                return Termination.GAP_CLOSED
            if residual.condition > _ILL_CONDITIONED:  # next to no diagonal can be taken out
                stopped = self.race.run([residual], seconds=_HEAD_START)
                if stopped is not None:
                    return stopped
        floor = residual.bound
        perspective = self._nursery.perspective(with_diagonal=True)
        if perspective is None:
            return self.race.run([residual])
        self.race.enter(perspective)
        if self.race.sprint(perspective, 1):
            return Termination.GAP_CLOSED
        perspective.compress()
        if self._settings.tree == "perspective":
            return self.race.run([perspective])
        closed = (perspective.bound - floor) / max(self.incumbent.value - floor, 1e-300)
        return self.race.run([perspective, residual] if closed > _WORTHWHILE else [residual, perspective])

    def _perspective(self, is_definite: bool) -> Termination:
        """A ridge or a box on every column, or a diagonal to take out: the perspective tree alone."""
        if not is_definite and not has_ridge_or_box(self.scaled):
            raise AssertionError("the perspective tree needs a ridge, a box or definite moments")
        if not is_definite and self.scaled.lambda0 > 0 and self.scaled.m > WIDE:
            wide = self.race.enter(self._nursery.wide())
            return Termination.GAP_CLOSED if self.race.sprint(wide, 1) else self.race.run([wide])
        tree = self._nursery.perspective(with_diagonal=is_definite)
        assert tree is not None
        self.race.enter(tree)
        if self.race.sprint(tree, 1):
            return Termination.GAP_CLOSED
        tree.compress()
        if self._can_derive_boxes(tree):
            # Time of the processor: on a busy machine, boxes take longer as well.
            until = time.process_time() + _BEFORE_BOXES
            while time.process_time() < until:
                stopped = self.race.run([tree], seconds=_BEFORE_BOXES / 8)
                if stopped is not None:
                    return stopped
            boxed = self._nursery.boxed(tree)
            if boxed is not None:
                tree = self.race.enter(boxed)
                if self.race.sprint(tree, 1):
                    return Termination.GAP_CLOSED
                tree.compress()
        return self.race.run([tree])

    def _can_derive_boxes(self, tree: PerspectiveTree) -> bool:
        """Tell whether boxes may pay: a ridge that bounds coefficients badly, and a large gap at the root."""
        scaled, upper = self.scaled, self.incumbent.value
        is_wide = scaled.has_gram and scaled.n <= scaled.m <= LARGEST_FOR_BOXES  # else a diagonal helps more
        return is_wide and bool(np.all(scaled.ridge > 0)) and upper - tree.bound > _LARGE_GAP * upper

    def _blocks(self, is_definite: bool) -> Termination:
        """Groups, rules, or moments too near singular for the compiled trees."""
        tree = self.race.enter(self._nursery.blocks(is_definite))
        self.is_doubtful = self.is_doubtful or tree.is_delicate
        if self.race.sprint(tree, 1):  # the root's bound, however little time there is
            return Termination.GAP_CLOSED
        return self.race.run([tree])
