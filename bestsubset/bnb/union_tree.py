"""Several trees over parts of a problem as one: what all of them rule out together is ruled out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bestsubset.bnb.log import TreeLog
from bestsubset.bnb.tree import Tree
from formulations._types import IntVector


class UnionTree:
    """Search parts that together hold a best support, one after the other, with one incumbent.

    Parameters
    ----------
    plant : sequence of callables
        Make the tree of a part, given the value to beat. Called when its turn comes.
    upper : float
        The value to beat at first.
    floor : float
        A bound on every part, for those whose turn has not come.
    log : TreeLog, optional
        Where the parts log their trees, one behind the other.
    splits : sequence of lists, optional
        Tokens that the log has before each part, and behind the last.
    leaf : list of int, optional
        Tokens of a part whose turn has not come.
    """

    def __init__(
        self,
        plant: Sequence[Callable[[float], Tree]],
        upper: float,
        floor: float,
        log: TreeLog | None = None,
        splits: Sequence[list[int]] = (),
        leaf: Sequence[int] = (),
    ) -> None:
        self._waiting = list(plant)
        self._log = log
        self._splits = list(splits)
        self._leaf = list(leaf)
        self._logged = (0, 0)  # parts done, and where the log of the next one begins
        self._tree: Tree | None = None
        self._upper = upper
        self._floor = floor
        self.threads = 1
        self._support: IntVector | None = None
        self._bound_of_done = float("inf")
        self._nodes_of_done = 0

    @property
    def nodes(self) -> int:
        return self._nodes_of_done + (self._tree.nodes if self._tree else 0)

    @property
    def upper(self) -> float:
        return self._upper

    @property
    def support(self) -> IntVector | None:
        return self._support

    def proposal(self) -> IntVector | None:
        return self._tree.proposal() if self._tree else None

    @property
    def bound(self) -> float:
        bound = min(self._upper, self._bound_of_done)
        if self._tree is not None:
            bound = min(bound, self._tree.bound)
        return min(bound, self._floor) if self._waiting else bound

    def lower_upper(self, value: float) -> None:
        self._upper = min(self._upper, value)
        if self._tree is not None:
            self._tree.lower_upper(value)

    def grow(self, nodes: int) -> bool:
        stop_at = self.nodes + nodes
        while self._tree is not None or self._waiting:
            if self._tree is None:
                self._log_split()
                self._tree = self._waiting.pop(0)(self._upper)
            finished = self._tree.grow(max(1, stop_at - self.nodes))
            self.threads = max(self.threads, self._tree.threads)
            if self._tree.support is not None and self._tree.upper < self._upper:
                self._upper, self._support = self._tree.upper, self._tree.support
            if not finished:
                return False
            self._bound_of_done = min(self._bound_of_done, self._tree.bound)
            self._nodes_of_done += self._tree.nodes
            self._tree.close_log()
            if self._log is not None:
                self._logged = (self._logged[0] + 1, self._log.tokens.length)
            self._tree = None
        return True

    def _log_split(self) -> None:
        if self._log is not None:
            done, end = self._logged
            self._log.tokens.cut(end)
            self._log.tokens.append(self._splits[done])

    def close_log(self) -> TreeLog | None:
        """Log what is open as leaves; return the log."""
        if self._log is None:
            return None
        done, end = self._logged
        if self._tree is not None and self._log.tokens.length > end:
            self._tree.close_log()
            done += 1
        else:
            self._log.tokens.cut(end)
        for split in self._splits[done:-1]:
            self._log.tokens.append([*split, *self._leaf])
        self._log.tokens.append(self._splits[-1])
        return self._log
