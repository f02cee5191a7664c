"""The best models of all sizes, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.write import join
from bestsubset.criteria import CRITERIA, Sample, by_name
from bestsubset.result import Result
from formulations import ProblemError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Path(Mapping[int, Result]):
    """One `Result` for each size k; a mapping from k."""

    results: dict[int, Result]

    def __getitem__(self, k: int) -> Result:
        return self.results[k]

    def __iter__(self) -> Iterator[int]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @cached_property
    def certificate(self) -> Certificate | None:
        """One certificate with a claim for each size; None where a size has none."""
        certificates = [result.certificate for result in self.results.values()]
        present = [certificate for certificate in certificates if certificate is not None]
        return join(present) if present and len(present) == len(certificates) else None

    def table(self) -> pd.DataFrame:
        """Return one row a size: k, rss, r2, adj_r2, aic, aicc, bic, ebic, cp, gap; see `bestsubset.criteria`."""
        import pandas as pd

        return pd.DataFrame([self._row(k) for k in self.results])

    def select(self, criterion: str | Callable[[int, float, int, int], float] = "bic") -> Result:
        """Return the result of the size that is best by a criterion.

        Raises
        ------
        ProblemError
            If no criterion has that name, or it is defined for no size.
        """
        price = by_name(criterion)
        prices = {k: price(result.cardinality, result.rss, self.sample) for k, result in self.results.items()}
        defined = {k: value for k, value in prices.items() if not math.isnan(value)}
        if not defined:
            raise ProblemError(f"{criterion} is undefined for every size; expected more rows than columns. Use bic.")
        return self.results[min(defined, key=defined.__getitem__)]

    def plot(self, criterion: str = "r2", ax: Axes | None = None) -> Axes:
        """Draw R² or a criterion over the size; see `bestsubset.plots.sizes`."""
        from bestsubset.plots import sizes

        return sizes(self, criterion, ax)

    def plot_criteria(self, names: Sequence[str] = ("aic", "bic", "ebic"), ax: Axes | None = None) -> Axes:
        """Draw several criteria over the size; see `bestsubset.plots.criteria`."""
        from bestsubset.plots import criteria

        return criteria(self, names, ax)

    def plot_coefficients(self, scale: Literal["deviation", "none"] = "deviation", ax: Axes | None = None) -> Axes:
        """Draw the coefficients over the size; see `bestsubset.plots.coefficients`."""
        from bestsubset.plots import coefficients

        return coefficients(self, scale, ax)

    def plot_models(self, criterion: str = "bic", ax: Axes | None = None) -> Axes:
        """Draw which predictors are in which model, the best by a criterion first; see `bestsubset.plots.models`."""
        from bestsubset.plots import models

        return models(self, criterion, ax)

    def _repr_html_(self) -> str:
        from bestsubset.report.summary import path_html

        return path_html(self)

    @cached_property
    def sample(self) -> Sample:
        """What criteria know of the data."""
        return Sample.of(next(iter(self.results.values())).problem)

    def _row(self, k: int) -> dict[str, float]:
        result = self.results[k]
        size, rss = result.cardinality, result.rss
        prices = {name: CRITERIA[name](size, rss, self.sample) for name in ("aic", "aicc", "bic", "ebic", "cp")}
        adjusted = -CRITERIA["adj_r2"](size, rss, self.sample)
        return {"k": k, "rss": rss, "r2": result.r2, "adj_r2": adjusted, **prices, "gap": result.relative_gap}
