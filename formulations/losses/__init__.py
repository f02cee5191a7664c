"""Losses: one file each, named after the loss; ``by_name`` finds them."""

from formulations.losses.absolute import AbsoluteLoss
from formulations.losses.hinge import HingeLoss
from formulations.losses.interface import Loss, by_name
from formulations.losses.kinked import KinkedLoss
from formulations.losses.logistic import LogisticLoss
from formulations.losses.quantile import QuantileLoss
from formulations.losses.squared import SquaredLoss

__all__ = [
    "AbsoluteLoss",
    "HingeLoss",
    "KinkedLoss",
    "LogisticLoss",
    "Loss",
    "QuantileLoss",
    "SquaredLoss",
    "by_name",
]
