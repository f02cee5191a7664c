"""Pictures of results, paths and lists of models. Each takes matplotlib axes or makes its own, and returns them."""

from bestsubset.plots.exchanges import exchanges
from bestsubset.plots.gap import gap
from bestsubset.plots.raster import raster
from bestsubset.plots.sizes import coefficients, criteria, models, sizes

__all__ = ["coefficients", "criteria", "exchanges", "gap", "models", "raster", "sizes"]
