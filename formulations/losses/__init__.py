"""Losses: one file each, named after the loss; ``by_name`` finds them."""

from formulations.losses.interface import Loss, by_name
from formulations.losses.squared import SquaredLoss

__all__ = ["Loss", "SquaredLoss", "by_name"]
