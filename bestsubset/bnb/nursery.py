"""The trees of a squared-error problem, each planted with what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bestsubset.bnb.block_tree import BlockTree
from bestsubset.bnb.coefficient_bounds import derived_box
from bestsubset.bnb.derived_boxes import DerivedBoxes
from bestsubset.bnb.diagonal import optimise_diagonal
from bestsubset.bnb.downdating import stack_bytes
from bestsubset.bnb.independence import Parts
from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.perspective import PerspectiveTree
from bestsubset.bnb.quadratic import Quadratic
from bestsubset.bnb.residual_tree import ResidualTree
from bestsubset.bnb.tree import Tree
from bestsubset.bnb.union_tree import UnionTree
from bestsubset.bnb.wide_tree import WideTree
from bestsubset.incumbent import Incumbent
from bestsubset.run import Run
from formulations import ScaledProblem
from formulations._types import IntVector, Matrix, Vector

SOLVE, _SIZES = 0, 8  # tokens of the certificate


@dataclass(frozen=True)
class Settings:
    """What a caller may fix; see `BranchAndBound`."""

    tree: str = "race"
    node_limit: int | None = None
    memory_limit: float = 4e9


class OutOfTime(Exception):  # noqa: N818  # not an error: the search ends with the bound it has
    """Raised where a row of a large problem is asked for after the time limit."""


class Nursery:
    """Plants trees that know the incumbent of the moment."""

    def __init__(self, scaled: ScaledProblem, incumbent: Incumbent, run: Run, settings: Settings) -> None:
        self.scaled, self.incumbent, self._run, self._settings = scaled, incumbent, run, settings
        # The trees prune within the tolerance, but at the default one they all but ignore it: 5e-10 for 1e-6.
        self._slack = max(5e-4 * run.gap, run.gap - 1e-6, 1e-12)

    def log(self, separable: Vector | None = None) -> TreeLog | None:
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
    def _threads(self) -> int:
        """Threads for a downdating tree, each with a stack of its own."""
        fitting = self._settings.memory_limit / stack_bytes(self.scaled.m, self.scaled.k)
        return max(1, int(min(self._run.cores, fitting)))

    def residual(self) -> ResidualTree:
        """The downdating tree on residual sums of squares."""
        return ResidualTree(self.scaled, self.incumbent.value, self._slack, log=self.log(), threads=self._threads)

    def perspective(self, with_diagonal: bool) -> PerspectiveTree | None:
        """The perspective tree; None where a column has neither ridge nor box nor a diagonal to take out."""
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
            log=self.log(None if Q is None else quadratic.rho),
            threads=self._run.cores,
        )

    def boxed(self, tree: PerspectiveTree) -> PerspectiveTree | None:
        """A tree with derived boxes; None where they would not pay."""
        quadratic, _, _, _ = self._quadratic(with_diagonal=False)
        assert quadratic is not None
        log = self.log()
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

    def wide(self) -> WideTree:
        """The tree over candidate columns."""
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
            log=self.log() or TreeLog(scaled.columns, scaled.coef_unit),
            is_logged=self._run.certificate,
            stop=self._stop_in_time,
        )

    def union(self, parts: Parts) -> UnionTree:
        """Exactly dependent columns: a downdating tree for each choice of what is left out."""
        log = self.log()

        def plant(columns: IntVector) -> Callable[[float], Tree]:
            return lambda upper: ResidualTree(self.scaled, upper, self._slack, columns, log, self._threads)

        # All columns of one part span what all columns span, so its floor is everybody's.
        floor = ResidualTree(self.scaled, self.incumbent.value, self._slack, parts.columns[0]).bound
        # That floor as a leaf: no column, or some of them at their price.
        leaf = [_SIZES, 1, SOLVE, SOLVE] if self.scaled.lambda0 > 0 else [SOLVE]
        plants = [plant(columns) for columns in parts.columns]
        return UnionTree(plants, self.incumbent.value, floor, log, parts.splits, leaf)

    def blocks(self, is_definite: bool) -> BlockTree:
        """The tree over blocks of columns."""
        quadratic, Q = None, None
        if is_definite or has_ridge_or_box(self.scaled):
            quadratic, Q, _, _ = self._quadratic(with_diagonal=is_definite)
        log = self.log(quadratic.rho if quadratic is not None and Q is not None else None)
        if quadratic is not None and Q is None:
            Q = self.scaled.gram
        limit = self._settings.memory_limit
        return BlockTree(self.scaled, self.incumbent.value, self._slack, quadratic, Q, limit, log)

    def _stop_in_time(self) -> None:
        # One node of a large problem may ask for rows for minutes. A limit of zero is for the root, however long.
        if self.scaled.design.is_blocked and self._run.time_limit and self._run.is_out_of_time:
            raise OutOfTime

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


def has_ridge_or_box(scaled: ScaledProblem) -> bool:
    """Tell whether every column has a ridge, an ℓ1 price (which bounds it) or finite bounds."""
    bounded = np.isfinite(scaled.lower) & np.isfinite(scaled.upper)
    return bool(np.all((scaled.ridge > 0) | (scaled.lambda1 > 0) | bounded))
