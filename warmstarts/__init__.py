"""Middle floor: heuristics that propose supports and claim nothing about them."""

from warmstarts.admm import ADMM
from warmstarts.basis_pursuit import BasisPursuit
from warmstarts.batch_pursuit import batch_pursuit
from warmstarts.beam_search import BeamSearch
from warmstarts.bidirectional_stepwise import BidirectionalStepwise
from warmstarts.continuous_sparsification import ContinuousSparsification
from warmstarts.coordinate_swaps import CoordinateSwaps
from warmstarts.cosamp import CoSaMP
from warmstarts.discrete_first_order import DiscreteFirstOrder
from warmstarts.gradient_support_pursuit import GradientSupportPursuit
from warmstarts.hard_concrete import HardConcrete
from warmstarts.hard_thresholding import IterativeHardThresholding
from warmstarts.hard_thresholding_pursuit import HardThresholdingPursuit
from warmstarts.interface import Heuristic
from warmstarts.lasso_path import LassoPath
from warmstarts.matching_pursuit import GeneralizedOMP, MatchingPursuit, OrthogonalMatchingPursuit
from warmstarts.members import by_name, members
from warmstarts.multi_start import MultiStart
from warmstarts.penalty_decomposition import PenaltyDecomposition
from warmstarts.portfolio import Portfolio
from warmstarts.refit import best_of, refit
from warmstarts.relaxation_rounding import RelaxationRounding
from warmstarts.restarts import Restarts
from warmstarts.smoothed_l0 import SmoothedL0
from warmstarts.splicing import Splicing
from warmstarts.stepwise import BackwardStepwise, ForwardStepwise
from warmstarts.subspace_pursuit import SubspacePursuit
from warmstarts.swaps import Swaps

__all__ = [
    "ADMM",
    "BackwardStepwise",
    "BasisPursuit",
    "BeamSearch",
    "BidirectionalStepwise",
    "CoSaMP",
    "ContinuousSparsification",
    "CoordinateSwaps",
    "DiscreteFirstOrder",
    "ForwardStepwise",
    "GeneralizedOMP",
    "GradientSupportPursuit",
    "HardConcrete",
    "HardThresholdingPursuit",
    "Heuristic",
    "IterativeHardThresholding",
    "LassoPath",
    "MatchingPursuit",
    "MultiStart",
    "OrthogonalMatchingPursuit",
    "PenaltyDecomposition",
    "Portfolio",
    "RelaxationRounding",
    "Restarts",
    "SmoothedL0",
    "Splicing",
    "SubspacePursuit",
    "Swaps",
    "batch_pursuit",
    "best_of",
    "by_name",
    "members",
    "refit",
]
