"""Middle floor: heuristics that propose supports and claim nothing about them."""

from warmstarts.hard_thresholding import IterativeHardThresholding
from warmstarts.interface import Heuristic
from warmstarts.refit import best_of, refit
from warmstarts.restarts import Restarts
from warmstarts.stepwise import BackwardStepwise, ForwardStepwise
from warmstarts.swaps import Swaps

__all__ = [
    "BackwardStepwise",
    "ForwardStepwise",
    "Heuristic",
    "IterativeHardThresholding",
    "Restarts",
    "Swaps",
    "best_of",
    "refit",
]
