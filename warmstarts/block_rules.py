"""The rules of a scaled problem on its blocks of columns: groups are whole by construction."""

from __future__ import annotations

import math

import numpy as np

from formulations import ScaledProblem
from formulations._types import IntVector
from formulations.rules import FREE, IN, Status
from warmstarts.rule_kernels import NOTHING_BROKEN, complete, propagate

_SLACK = 1e-9  # of a limit: rounding of sums decides nothing


class BlockRules:
    """Every rule as a row over blocks; the bound on the size by what each block counts.

    Attributes
    ----------
    sizes : shape (b,)
        What each block counts towards k.
    root : shape (b,)
        What is decided from the start.
    """

    def __init__(self, scaled: ScaledProblem) -> None:
        self._scaled = scaled
        self.blocks = [np.array(block, dtype=np.int64) for block in scaled.blocks]
        self.sizes = np.array([float(scaled.selection.size(block)) for block in scaled.blocks])
        self.root = np.array([IN if scaled.included[block[0]] else FREE for block in scaled.blocks], dtype=np.int8)
        self.k = float(scaled.k)
        block_of = {j: b for b, block in enumerate(scaled.blocks) for j in block}
        rows = []
        for rule in scaled.selection.rules:
            terms: dict[int, list[float]] = {}
            for j, a in zip(rule.columns, rule.coefs, strict=True):
                terms.setdefault(block_of[j], []).append(a)
            sums = {b: math.fsum(parts) for b, parts in terms.items()}
            rows.append([(b, a) for b, a in sums.items() if a])
        self.starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        self.members = np.array([b for row in rows for b, _ in row], dtype=np.int64)
        self.coefs = np.array([a for row in rows for _, a in row], dtype=np.float64)
        self.limits = np.array([rule.limit for rule in scaled.selection.rules], dtype=np.float64)
        self._ceiling = self.limits + _SLACK * (1.0 + np.abs(self.limits))
        self._decided = np.empty(len(self.blocks), dtype=np.int64)
        self._by = np.empty(len(self.blocks), dtype=np.int64)

    @property
    def count(self) -> int:
        """Number of rules."""
        return len(self.limits)

    def propagate(self, status: Status) -> tuple[list[tuple[int, int]], int]:
        """Decide in place what follows; return what was decided, and by which row, and the row that is broken.

        See `warmstarts.rule_kernels`.
        """
        n, broken = propagate(
            self.starts, self.members, self.coefs, self._ceiling, self.sizes, self.k, status, self._decided, self._by
        )
        return list(zip(self._decided[:n].tolist(), self._by[:n].tolist(), strict=True)), broken

    def is_feasible(self, status: Status) -> bool:
        """Propagate; False where no model is left."""
        return self.propagate(status)[1] == NOTHING_BROKEN

    def completed(self, status: Status, order: IntVector, wishes: int) -> IntVector | None:
        """Return the blocks of a model of what is in and of wishes, see `complete`; None if none was found."""
        trial = status.copy()
        if not complete(self.starts, self.members, self.coefs, self._ceiling, self.sizes, self.k, trial, order, wishes):
            return None
        return np.flatnonzero(trial == IN)

    def columns(self, blocks: IntVector) -> IntVector:
        """The local columns of some blocks, sorted."""
        if not len(blocks):
            return np.zeros(0, dtype=np.int64)
        return np.sort(np.concatenate([self.blocks[b] for b in blocks.tolist()]))

    def broken_by(self, support: IntVector) -> int | None:
        """The first rule that a model of exactly these columns breaks, without slack."""
        chosen = set(support.tolist())
        rules = self._scaled.selection.rules
        return next((r for r, rule in enumerate(rules) if not rule.allows(chosen)), None)
