"""Which trees a squared-error problem gets, and how their search ends in an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bestsubset.blas import blas_threads
from bestsubset.bnb.block_tree import BlockTree
from bestsubset.bnb.coefficient_bounds import derived_box
from bestsubset.bnb.conditioning import SMALLEST_EIGENVALUE, has_definite_moments, is_nearly_dependent
from bestsubset.bnb.derived_boxes import LARGEST as LARGEST_FOR_BOXES
from bestsubset.bnb.derived_boxes import DerivedBoxes
from bestsubset.bnb.diagonal import optimise_diagonal
from bestsubset.bnb.downdating import LARGEST, stack_bytes
from bestsubset.bnb.independence import Parts, independent_parts
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.perspective import PerspectiveTree
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.race import Race
from bestsubset.bnb.residual_tree import ResidualTree
from bestsubset.bnb.tree import MemoryLimitReached, Tree
from bestsubset.bnb.union_tree import UnionTree
from bestsubset.bnb.wide_tree import WideTree
from bestsubset.certificates.write import LoggedTree
from bestsubset.incumbent import Incumbent
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector
from warmstarts import Restarts
from warmstarts.ruled_exchange import ruled_support

_SOLVE, _SIZES = 0, 8  # tokens of the certificate
_SPRINT = 250  # nodes of the downdating tree before anything else is tried
_ILL_CONDITIONED = 1e4  # moments above this go on with it
_HEAD_START = 1.0  # seconds, before a diagonal is looked for
_RULED_START = 2.0  # seconds for a warm start that obeys rules
_BEFORE_BOXES = 2.5  # seconds, before boxes are derived: about as long as that takes
_LARGE_GAP = 0.15  # of the incumbent, with which they may pay
WIDE = 30_000  # columns from which a tree over candidates pays
_WORTHWHILE = 0.5  # share of the root's gap that a diagonal must close for its tree to lead


@dataclass(frozen=True)
class Settings:
    """What a caller may fix; see `BranchAndBound`."""

    tree: str = "race"
    node_limit: int | None = None
    memory_limit: float = 4e9


class _OutOfTime(Exception):  # noqa: N818  # not an error: the search ends with the bound it has
    """Raised where a row of a large problem is asked for after the time limit."""


class Engine:
    """One search: warm start, then the trees that suit the problem, then the answer's parts."""

    def __init__(self, scaled: ScaledProblem, run: Run, settings: Settings) -> None:
        self.scaled = scaled
        self.incumbent = Incumbent(scaled)
        self._run = run
        self._settings = settings
        # The trees prune within the tolerance, but at the default one they all but ignore it: 5e-10 for 1e-6.
        self._slack = max(5e-4 * run.gap, run.gap - 1e-6, 1e-12)
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
        except _OutOfTime:
            return Termination.TIME_LIMIT

    def _log(self, separable: Vector | None = None) -> TreeLog | None:
        """A log for one tree; ``separable`` is ρ where a diagonal was moved to the ridge."""
        if not self._run.certificate:
            return None
        scaled = self.scaled
        log = TreeLog(scaled.columns, scaled.coef_unit, scaled.n_columns)
        if separable is not None:
            log.diagonal = np.zeros(scaled.n_columns)
            # Rounded down: where Λ outweighs G, rounding it up would take more than G has to give.
            log.diagonal[scaled.columns] = 2 * separable * scaled.unit / scaled.coef_unit**2 * (1 - 8 * 2.0**-53)
        return log

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
            log = self._log()
            assert log is not None
            log.tokens.append([_SOLVE])
            return log.arrays()
        log = best.close_log()
        return None if log is None else log.arrays()

    def _warm_start(self) -> None:
        scaled = self.scaled
        local = np.flatnonzero(np.isin(scaled.columns, self._run.start_columns()))
        self.incumbent.offer(local)
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
                return self._parts(parts)
        if has_blocks or not (is_definite or _has_ridge_or_box(scaled)):
            return self._blocks(is_definite)
        fits = scaled.m <= LARGEST and stack_bytes(scaled.m, scaled.k) <= self._settings.memory_limit
        if is_definite and scaled.is_plain and fits:
            return self._tall()
        return self._perspective(is_definite)

    @property
    def _threads(self) -> int:
        """Threads for a downdating tree, each with a stack of its own."""
        fitting = self._settings.memory_limit / stack_bytes(self.scaled.m, self.scaled.k)
        return max(1, int(min(self._run.cores, fitting)))

    def _tall(self) -> Termination:
        """Positive definite moments: both trees can, and most problems end in the sprint of the first."""
        residual = self.race.enter(
            ResidualTree(self.scaled, self.incumbent.value, self._slack, log=self._log(), threads=self._threads)
        )
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
        perspective = self._perspective_tree(with_diagonal=True)
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
        if not is_definite and not _has_ridge_or_box(self.scaled):
            raise AssertionError("the perspective tree needs a ridge, a box or definite moments")
        if not is_definite and self.scaled.lambda0 > 0 and self.scaled.m > WIDE:
            wide = self.race.enter(self._wide_tree())
            return Termination.GAP_CLOSED if self.race.sprint(wide, 1) else self.race.run([wide])
        tree = self._perspective_tree(with_diagonal=is_definite)
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
            boxed = self._boxed_tree(tree)
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

    def _boxed_tree(self, tree: PerspectiveTree) -> PerspectiveTree | None:
        """A tree with derived boxes; None where they would not pay."""
        quadratic, _, _, _ = self._quadratic(with_diagonal=False)
        assert quadratic is not None
        log = self._log()
        gamma = np.zeros(self.scaled.m)
        gamma[self.incumbent.support] = self.incumbent.gamma
        upper = self.incumbent.value
        target = upper * (1 - self._slack) + 2 * quadratic.rounding
        boxes = DerivedBoxes(quadratic, self.scaled.gram, target, gamma, tree.first_mu, int(1.1 * self.scaled.n), log)
        boxed = boxes.derive(lambda: self._run.is_out_of_time)
        if boxed is None:
            return None
        return PerspectiveTree(
            boxed, self._rows, upper, self._slack, gamma=boxes.gamma, mu=boxes.mu,
            memory_limit=self._settings.memory_limit, log=log, threads=self._run.cores,
        )  # fmt: skip

    def _perspective_tree(self, with_diagonal: bool) -> PerspectiveTree | None:
        quadratic, Q, gamma, mu = self._quadratic(with_diagonal)
        if quadratic is None:
            return None
        return PerspectiveTree(
            quadratic,
            self._rows if Q is None else Q.__getitem__,
            self.incumbent.value,
            self._slack,
            gamma=gamma,
            mu=mu,
            memory_limit=self._settings.memory_limit,
            log=self._log(None if Q is None else quadratic.rho),
            threads=self._run.cores,
        )

    def _wide_tree(self) -> WideTree:
        quadratic, _, _, _ = self._quadratic(with_diagonal=False)
        assert quadratic is not None
        scaled = self.scaled
        gamma = np.zeros(scaled.m)
        gamma[self.incumbent.support] = self.incumbent.gamma
        return WideTree(
            quadratic,
            scaled.y,
            scaled.design,
            self.incumbent.value,
            self._slack,
            gamma=gamma,
            memory_limit=self._settings.memory_limit,
            log=self._log() or TreeLog(scaled.columns, scaled.coef_unit),
            is_logged=self._run.certificate,
            stop=self._stop_in_time,
        )

    def _stop_in_time(self) -> None:
        # One node of a large problem may ask for rows for minutes. A limit of zero is for the root, however long.
        if self.scaled.design.is_blocked and self._run.time_limit and self._run.is_out_of_time:
            raise _OutOfTime

    def _rows(self, columns: IntVector) -> Matrix:
        self._stop_in_time()
        return self.scaled.gram_rows(columns)

    def _quadratic(self, with_diagonal: bool) -> tuple[Quadratic | None, Matrix | None, Vector | None, float | None]:
        """The problem as the perspective tree takes it: a diagonal moved to the ridge where there is one to move."""
        scaled = self.scaled
        m = scaled.m
        rho, Q = scaled.ridge, None
        diagonal, gamma, mu = np.ones(m), None, None
        if not scaled.has_gram:  # rows are dear: from the incumbent, only columns that matter ask for theirs
            gamma, mu = np.zeros(m), scaled.lambda0 or None
            gamma[self.incumbent.support] = self.incumbent.gamma
        if with_diagonal and scaled.n >= m:  # else the Gram matrix is singular
            # Any diagonal is valid; one for about as many columns as will enter is good, λ0 or not.
            size = scaled.k if scaled.lambda0 == 0 else max(1, len(self.incumbent.support))
            found = optimise_diagonal(scaled.gram, scaled.correlation, 1.0, size, scaled.ridge)
            if found is not None:
                Q = np.ascontiguousarray(scaled.gram - np.diag(found.d))
                rho, diagonal = scaled.ridge + 0.5 * found.d, np.ascontiguousarray(np.diag(Q))
                if scaled.is_plain:
                    gamma, mu = found.gamma, found.mu
        lower, upper = derived_box(scaled, self.incumbent.value)
        if not np.all((rho > 0) | (np.isfinite(lower) & np.isfinite(upper))):
            return None, None, None, None
        quadratic = Quadratic(
            c=scaled.correlation, diagonal=diagonal, half_yy=0.5, k=scaled.k, lambda0=scaled.lambda0,
            lambda1=scaled.lambda1, rho=rho, lower=lower, upper=upper, included=scaled.included,
        )  # fmt: skip
        return quadratic, Q, gamma, mu

    def _parts(self, parts: Parts) -> Termination:
        """Exactly dependent columns: a downdating tree for each choice of what is left out."""
        log = self._log()

        def plant(columns: IntVector) -> Callable[[float], Tree]:
            return lambda upper: ResidualTree(self.scaled, upper, self._slack, columns, log, self._threads)

        # All columns of one part span what all columns span, so its floor is everybody's.
        floor = ResidualTree(self.scaled, self.incumbent.value, self._slack, parts.columns[0]).bound
        # That floor as a leaf: no column, or some of them at their price.
        leaf = [_SIZES, 1, _SOLVE, _SOLVE] if self.scaled.lambda0 > 0 else [_SOLVE]
        plants = [plant(columns) for columns in parts.columns]
        tree = self.race.enter(UnionTree(plants, self.incumbent.value, floor, log, parts.splits, leaf))
        return self.race.run([tree])

    def _blocks(self, is_definite: bool) -> Termination:
        """Groups, rules, or moments too near singular for the compiled trees."""
        quadratic, Q = None, None
        if is_definite or _has_ridge_or_box(self.scaled):
            quadratic, Q, _, _ = self._quadratic(with_diagonal=is_definite)
        log = self._log(quadratic.rho if quadratic is not None and Q is not None else None)
        if quadratic is not None and Q is None:
            Q = self.scaled.gram
        limit = self._settings.memory_limit
        tree = BlockTree(self.scaled, self.incumbent.value, self._slack, quadratic, Q, limit, log)
        self.race.enter(tree)
        if self.race.sprint(tree, 1):  # the root's bound, however little time there is
            return Termination.GAP_CLOSED
        return self.race.run([tree])


def _has_ridge_or_box(scaled: ScaledProblem) -> bool:
    """Tell whether every column has a ridge, an ℓ1 price (which bounds it) or finite bounds."""
    bounded = np.isfinite(scaled.lower) & np.isfinite(scaled.upper)
    return bool(np.all((scaled.ridge > 0) | (scaled.lambda1 > 0) | bounded))
