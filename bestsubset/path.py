"""The best models of all sizes, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.write import join
from bestsubset.result import Result
from formulations import ProblemError, ScaledProblem

if TYPE_CHECKING:
    import pandas as pd

# Criteria that `Path.select` can maximise or minimise: +1 where smaller is better.
_CRITERIA = {"adj_r2": -1, "aic": 1, "aicc": 1, "bic": 1, "ebic": 1, "cp": 1}


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
        r"""Return one row a size: k, rss, r2, adj_r2, aic, aicc, bic, ebic, cp, gap.

        With m = k + 1 parameters (k without an intercept): AIC is :math:`n\log(RSS/n) + 2m`, BIC has
        :math:`\log n` for the 2, AICc adds :math:`2m(m+1)/(n-m-1)`, EBIC (Chen and Chen 2008, γ = 1) adds
        :math:`2\log\binom{p}{k}` to BIC, and Mallows' Cp is :math:`RSS/\hat\sigma^2 - n + 2m` with
        :math:`\hat\sigma^2` from all columns (NaN unless n exceeds their number). Constants that do not depend
        on the model are left out, as in R's `extractAIC`.
        """
        import pandas as pd

        return pd.DataFrame([self._row(k) for k in self.results])

    def select(self, criterion: str = "bic") -> Result:
        """Return the result of the size that is best by a column of `table`.

        Raises
        ------
        ProblemError
            If the criterion is not one of adj_r2, aic, aicc, bic, ebic, cp.
        """
        if criterion not in _CRITERIA:
            raise ProblemError(f"criterion is {criterion!r}; expected one of {sorted(_CRITERIA)}. Choose one of them.")
        values = _CRITERIA[criterion] * self.table()[criterion].to_numpy()
        if np.isnan(values).all():
            raise ProblemError(f"{criterion} is undefined for every size; expected more rows than columns. Use bic.")
        return self.results[list(self.results)[int(np.nanargmin(values))]]

    def _row(self, k: int) -> dict[str, float]:
        from scipy.special import gammaln

        result = self.results[k]
        problem = result.problem
        n, p, rss, size = problem.n, problem.p, result.rss, result.cardinality
        m = size + int(problem.fit_intercept)
        # log(0) of a perfect fit is -inf by meaning, not by accident.
        deviance = n * np.log(rss / n) if rss > 0 else -np.inf
        bic = deviance + np.log(n) * m
        log_models = gammaln(p + 1) - gammaln(size + 1) - gammaln(p - size + 1)
        residual_df = n - m
        return {
            "k": k,
            "rss": rss,
            "r2": result.r2,
            "adj_r2": 1 - (1 - result.r2) * (n - int(problem.fit_intercept)) / residual_df
            if residual_df > 0
            else np.nan,
            "aic": deviance + 2 * m,
            "aicc": deviance + 2 * m + 2 * m * (m + 1) / (residual_df - 1) if residual_df > 1 else np.nan,
            "bic": bic,
            "ebic": bic + 2 * log_models,
            "cp": rss / self._noise - n + 2 * m if self._noise > 0 else np.nan,
            "gap": result.relative_gap,
        }

    @cached_property
    def _noise(self) -> float:
        """The residual variance with all columns; NaN where there are not enough rows."""
        problem = next(iter(self.results.values())).problem
        rank = problem.p + int(problem.fit_intercept)
        if problem.n <= rank:
            return np.nan
        scaled = ScaledProblem.of(problem)
        residual = scaled.y - scaled.X @ np.linalg.lstsq(scaled.X, scaled.y, rcond=None)[0]
        return scaled.unit * float(residual @ residual) / (problem.n - rank)
