"""How a crew paces its bursts."""

from __future__ import annotations

import time

from bestsubset.bnb.crew import Crew


class Idler:
    """A worker whose first nodes are slow and whose others take no time."""

    def __init__(self, nodes: int) -> None:
        self.left, self.nodes, self.bursts = nodes, 0, 0

    @property
    def is_idle(self) -> bool:
        return self.left == 0

    @property
    def upper(self) -> float:
        return 1.0

    def lower_upper(self, value: float) -> None:
        """There is nothing to prune."""

    def ask(self, waiting: int) -> None:
        """There is nothing to give."""

    def work(self, nodes: int) -> None:
        if self.bursts == 0:
            began, nodes = time.thread_time(), 1
            while time.thread_time() - began < 0.05:
                pass
        opened = min(nodes, self.left)
        self.left -= opened
        self.nodes += opened
        self.bursts += 1


class Alone(Crew[Idler]):
    def hand_over(self, giver: Idler, taker: Idler) -> bool:
        return False


def test_one_slow_burst_does_not_make_all_others_short() -> None:
    worker, other = Idler(100_000), Idler(0)
    crew = Alone([worker, other])
    while not crew.is_exhausted:
        crew.grow(2_000)
    # 50 calls, each of which halves what is left some ten times.
    assert worker.bursts < 2_000
