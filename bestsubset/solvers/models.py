"""Every model that a selection allows, with branches that no model can come from left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bestsubset.certificates.write import INFEASIBLE, SOLVE, SPLIT
from formulations.selection import Selection

_SLACK = 1e-9  # of a limit: the sums of a search are rounded, `Selection.allows` has the last word

Model = tuple[int, ...]


class ModelSearch:
    """Blocks of columns are decided one after another; a rule's least activity says when it can no longer be obeyed."""

    def __init__(self, selection: Selection, k: int) -> None:
        self.selection, self.k = selection, k
        grouped = {j for group in selection.groups for j in group}
        out = set(selection.excluded)
        alone = [(j,) for j in range(selection.n_columns) if j not in grouped]
        blocks = sorted(block for block in [*selection.groups, *alone] if block[0] not in out)
        included = [block for block in blocks if block[0] in selection.included]
        self.free = [block for block in blocks if block[0] not in selection.included]
        self.weights = [selection.size(block) for block in self.free]
        self.forced = tuple(j for block in included for j in block)
        included_columns = set(self.forced)
        self.room = k - selection.size(self.forced)
        block_of = {j: b for b, block in enumerate(self.free) for j in block}
        self.effects: list[list[tuple[int, float]]] = [[] for _ in self.free]  # of each block: rules, and its share
        self.least = []
        for r, rule in enumerate(selection.rules):
            sums: dict[int, float] = {}
            for j, a in zip(rule.columns, rule.coefs, strict=True):
                b = block_of.get(j, -1 if j in included_columns else -2)
                sums[b] = sums.get(b, 0.0) + a
            self.least.append(sums.get(-1, 0.0) + sum(min(a, 0.0) for b, a in sums.items() if b >= 0))
            for b, a in sums.items():
                if b >= 0:
                    self.effects[b].append((r, a))
        self.limits = [rule.limit + _SLACK * (1.0 + abs(rule.limit)) for rule in selection.rules]

    def models(self) -> Iterator[Model]:
        """Yield every allowed model of at most k columns, each once."""
        for first, chosen, broken in self._nodes():
            if broken is None and first == len(self.free):
                model = tuple(sorted(chosen))
                if self.selection.allows(model):
                    yield model

    def tokens(self, names: Sequence[int], most: int) -> list[int] | None:
        """The tree over all models as tokens of a certificate, ``names`` being the columns there.

        One split after another; a leaf where a rule is broken, or nothing is left to decide. None where it would have
        more than ``most`` nodes.
        """
        tokens: list[int] = []
        for number, (first, chosen, broken) in enumerate(self._nodes()):
            if number >= most:
                return None
            if broken is None and first < len(self.free):
                tokens += [SPLIT, int(names[self.free[first][0]])]
            else:
                if broken is None:
                    broken = self._broken_by(set(chosen))
                tokens += [SOLVE] if broken is None else [INFEASIBLE, broken]
        return tokens

    def _broken_by(self, chosen: set[int]) -> int | None:
        rules = self.selection.rules
        return next((r for r, rule in enumerate(rules) if not rule.allows(chosen)), None)

    def _nodes(self) -> Iterator[tuple[int, list[int], int | None]]:
        """Preorder: how many blocks are decided, what is in, and the rule broken; in before out."""
        waiting: list[tuple[int, int, list[int], list[float]]] = [(0, self.room, list(self.forced), self.least)]
        while waiting:
            first, room, chosen, least = waiting.pop()
            while first < len(self.free) and self.weights[first] > room:  # as if it were decided: it does not fit
                least = self._changed(least, first, is_in=False)
                first += 1
            broken = next((r for r, a in enumerate(least) if a > self.limits[r]), None)
            yield first, chosen, broken
            if broken is None and first < len(self.free):
                waiting.append((first + 1, room, chosen, self._changed(least, first, is_in=False)))
                there = [*chosen, *self.free[first]]
                waiting.append((first + 1, room - self.weights[first], there, self._changed(least, first, is_in=True)))

    def _changed(self, least: list[float], block: int, *, is_in: bool) -> list[float]:
        """The least activities once a block is decided: in adds what is positive, out takes back what is negative."""
        changes = [(r, a) for r, a in self.effects[block] if (a > 0) == is_in]
        if not changes:
            return least
        least = least.copy()
        for r, a in changes:
            least[r] += abs(a)
        return least
