"""The walk through a certificate's tree: what each node holds, whether the children cover it (FORMAT.md, section 3).

Sets of columns are integers, column j being bit j. The walk proves coverage; what remains to be proved of leaves goes
to a `Leaves`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.rules import Rules
from bestsubset.certificates.sets import columns_of, mask_of
from bestsubset.certificates.tokens import (
    BOUND,
    CHAIN,
    COPY,
    DEPENDENT,
    FIX,
    INFEASIBLE,
    SEEN,
    SIZES,
    SOLVE,
    SPLIT,
    Refusal,
    TokenError,
    read,
)


class Node(NamedTuple):
    """The places z with ``inside`` ⊆ z ⊆ ``allowed`` and ``least`` ≤ \\|z\\| ≤ ``most``; or nothing left to prove."""

    inside: int
    allowed: int
    least: int
    most: int
    is_proved: bool = False

    @property
    def path(self) -> str:
        """The decisions that lead here, for messages."""
        return f"with {columns_of(self.inside)} in and all but {columns_of(self.allowed)} out"


class Leaves(Protocol):
    """What the walk finds to be proved."""

    def solve(self, node: Node) -> None:
        """A leaf without a multiplier."""

    def bound(self, node: Node, multiplier: int) -> None:
        """A leaf with one."""

    def fix(self, node: Node, multiplier: int, signed: Sequence[int]) -> None:
        """The implied leaves of columns that are fixed."""

    def chains(self, node: Node, tokens: Iterator[int]) -> None:
        """A chain and all chains below it, to be read from the tokens."""

    def dependent(self, node: Node, column: int, others: Sequence[int]) -> None:
        """A column that is to be a combination of others."""

    def infeasible(self, node: Node, rule: int) -> None:
        """A leaf in which a rule cannot be obeyed."""


class Walk:
    """One claim's tree, read once from the front, with memory for the open nodes only."""

    def __init__(self, certificate: Certificate, claim: Claim, leaves: Leaves) -> None:
        settings = certificate.settings
        self._leaves = leaves
        self._p = int(certificate.data["p"])
        self._n_multipliers = len(claim.offsets) - 1
        self._include = mask_of(settings["include"])
        self._rules = Rules(settings)
        self._blocks = [mask_of(group) for group in settings["groups"]]
        self._is_penalised = settings["lambda0"] > 0
        self._listed = {mask_of(support) for support in listed_supports(claim)}
        self._is_ruled = bool(self._blocks) or self._rules.count > 0
        plain = not (settings["lambda1"] or settings["lambda2"] or settings["bounds"] or self._is_ruled or self._listed)
        self._allows_dependence = plain
        allowed = (1 << self._p) - 1 & ~mask_of(settings["exclude"])
        most = claim.k
        least = self._rules.size(self._include)
        if not self._is_penalised and not self._is_ruled:
            least = most = min(claim.k, allowed.bit_count())
        self.root = self._normal(self._include, allowed, least, most)
        self._tokens = read(claim.tree)
        self._open: list[Iterator[Node]] = []  # the children still to come
        self._above: list[int] = []  # kinds of the open nodes
        self._seen: set[Node] = set()

    def run(self) -> None:
        """Walk to the end.

        Raises
        ------
        TokenError
            If the tokens are no tree.
        Refusal
            If the tree does not cover the root, or names columns that it may not.
        """
        node: Node | None = self.root
        while node is not None:
            self._visit(node, self._take())
            node = self._next()
        if next(self._tokens, None) is not None:
            raise TokenError("there are tokens behind the tree")

    def _take(self) -> int:
        token = next(self._tokens, None)
        if token is None:
            raise TokenError("the tree ends too early")
        return token

    def _take_columns(self, count: int) -> list[int]:
        columns = list(islice(self._tokens, max(0, count)))
        if len(columns) != count:
            raise TokenError("a list of columns is longer than the tree")
        return columns

    def _take_multiplier(self) -> int:
        number = self._take()
        if not 0 <= number < self._n_multipliers:
            raise TokenError(f"there is no multiplier {number}")
        return number

    def _visit(self, node: Node, kind: int) -> None:
        if kind == SOLVE:
            if not node.is_proved:
                self._leaves.solve(node)
        elif kind == CHAIN:
            self._chain(node)
        elif kind == BOUND:
            multiplier = self._take_multiplier()
            if not node.is_proved:
                self._leaves.bound(node, multiplier)
        elif kind == SPLIT:
            block = self._block_of(self._free(node, [self._take()]))
            inside, outside = node.inside | block, node.allowed & ~block
            children = [self._child(node, inside, node.allowed), self._child(node, node.inside, outside)]
            self._push(kind, children)
        elif kind == FIX:
            self._fix(node)
        elif kind == SIZES:
            self._sizes(node)
        elif kind == INFEASIBLE:
            self._infeasible(node)
        elif kind in (DEPENDENT, COPY, SEEN):
            self._dependence(node, kind)
        else:
            raise TokenError(f"{kind} is no kind of node")

    def _next(self) -> Node | None:
        """Return the next node of the walk, closing the open ones that are complete."""
        while self._open:
            child = next(self._open[-1], None)
            if child is not None:
                return child
            self._open.pop()
            self._above.pop()
        return None

    def _push(self, kind: int, children: Iterable[Node]) -> None:
        self._open.append(iter(children))
        self._above.append(kind)

    def _chain(self, node: Node) -> None:
        if not node.is_proved and (node.least != node.most or self._is_ruled):
            raise Refusal(f"a chain stands where it may not, {node.path}")
        self._leaves.chains(node, self._tokens)

    def _fix(self, node: Node) -> None:
        multiplier = self._take_multiplier()
        signed = self._take_columns(self._take())
        if node.is_proved:
            self._push(FIX, [node])
            return
        if self._is_ruled:
            raise Refusal(f"columns are fixed where there are groups or rules, {node.path}")
        self._leaves.fix(node, multiplier, signed)
        columns = [s if s >= 0 else -1 - s for s in signed]
        decided = mask_of(j for j in columns if j < self._p)
        if decided.bit_count() != len(columns) or decided & ~(node.allowed & ~node.inside):
            self._free(node, columns)
        into = mask_of(s for s in signed if s >= 0)
        inside, allowed = node.inside | into, node.allowed & ~(decided & ~into)
        self._push(FIX, [self._normal(inside, allowed, node.least, node.most)])

    def _sizes(self, node: Node) -> None:
        count = self._take()
        if not 0 <= count <= self._p + 1:
            raise TokenError(f"{count} is no number of sizes")
        size = self._rules.size(node.inside)

        def children() -> Iterator[Node]:
            for i in range(count):
                yield self._child(node._replace(least=size + i, most=min(node.most, size + i)))
            yield self._child(node._replace(least=max(node.least, size + count)))

        self._push(SIZES, children())

    def _infeasible(self, node: Node) -> None:
        rule = self._take()
        if not 0 <= rule < self._rules.count:
            raise TokenError(f"there is no rule {rule}")
        if not node.is_proved:
            self._leaves.infeasible(node, rule)

    def _dependence(self, node: Node, kind: int) -> None:
        if kind == SEEN:
            if not node.is_proved and not (self._above and self._above[-1] in (DEPENDENT, COPY) and node in self._seen):
                raise Refusal(f"the node was not seen before, {node.path}")
            return
        count = 2 if kind == COPY else self._take()
        columns = self._take_columns(count)
        if kind == COPY:
            left_out, column, others = columns[1:], columns[1], columns[:1]
        else:
            left_out = [j for j in columns if j >= 0 and not self._include >> j & 1]
            column, others = (columns or [-1])[-1], columns[:-1]
        if not node.is_proved:
            self._free(node, columns if kind == COPY else [column])
            self._check_dependence(node, columns)
            self._leaves.dependent(node, column, others)
        children = [self._without(node, j) for j in left_out]
        self._push(kind, self._remembered(children))

    def _check_dependence(self, node: Node, columns: Sequence[int]) -> None:
        if not self._allows_dependence or not set(self._above) <= {DEPENDENT, COPY}:
            raise Refusal(f"columns are left out as dependent where they may not be, {node.path}")
        mask = mask_of(columns) if min(columns, default=0) >= 0 and max(columns, default=0) < self._p else -1
        if mask.bit_count() != len(columns) or mask & ~node.allowed:
            raise Refusal(f"dependent columns are out or named twice, {node.path}")

    def _without(self, node: Node, column: int) -> Node:
        if node.is_proved or column >= self._p:
            return node
        allowed = node.allowed & ~(1 << column)
        if not self._is_penalised:  # exactly as many places as before, or as many as there are
            least = min(node.least, allowed.bit_count())
            node = node._replace(least=least, most=least)
        return self._child(node, node.inside, allowed)

    def _remembered(self, children: list[Node]) -> Iterator[Node]:
        """Yield the children; each is complete when the next one is asked for."""
        for child in children:
            yield child
            self._seen.add(child)

    def _free(self, node: Node, columns: Sequence[int]) -> int:
        """Return the set of columns that must be free and distinct."""
        if node.is_proved:
            return mask_of(j for j in columns if 0 <= j < self._p)
        free = node.allowed & ~node.inside
        mask = 0
        for j in columns:
            bit = 1 << j if 0 <= j < self._p else 0
            if not bit & free or bit & mask:
                raise Refusal(f"column {j} is not free, {node.path}")
            mask |= bit
        return mask

    def _block_of(self, column: int) -> int:
        return next((block for block in self._blocks if block & column), column)

    def _child(self, node: Node, inside: int | None = None, allowed: int | None = None) -> Node:
        if node.is_proved:
            return node
        inside = node.inside if inside is None else inside
        return self._normal(inside, node.allowed if allowed is None else allowed, node.least, node.most)

    def _normal(self, inside: int, allowed: int, least: int, most: int) -> Node:
        """What every node goes through before anything else."""
        size = self._rules.size
        room = most - size(inside)
        is_empty = least > most or room < 0 or size(allowed) < least or inside & ~allowed != 0
        for block in self._blocks:
            if block & ~inside and size(block) > room:
                allowed &= ~block
        if room <= 0:
            allowed = inside
        is_empty = is_empty or size(allowed) < least
        is_single = inside == allowed or (least == size(allowed) and not self._is_ruled)
        return Node(inside, allowed, least, most, is_empty or (is_single and allowed in self._listed))


def listed_supports(claim: Claim) -> Iterator[tuple[int, ...]]:
    """The supports that a claim leaves out."""
    numbers = iter(claim.listed.tolist())
    for size in numbers:
        yield tuple(islice(numbers, size))
