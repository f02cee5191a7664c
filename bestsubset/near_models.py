"""A list of models near the best: what is proved of it, as tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bestsubset.certificates.certificate import Certificate
from bestsubset.certificates.verdict import Verdict
from bestsubset.errors import RefusedError
from formulations import Problem
from formulations._types import Vector

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class NearModel:
    """One model of the list."""

    k: int
    support: tuple[int, ...]
    coef: Vector
    intercept: float
    objective: float
    rss: float


@dataclass(frozen=True, eq=False)
class NearOptimal(Sequence[NearModel]):
    """Models near the best, size by size, best first; a sequence of `NearModel`.

    Attributes
    ----------
    models : tuple of NearModel
    bounds : dict of int to float
        For each size: no model that is not listed has an objective below it.
    complete : dict of int to bool
        For each size: whether the list is proved to be what was asked for.
    problem : Problem
    certificate : Certificate or None
        A claim for each size, which lists the models.
    seconds : float
    nodes : int
    """

    models: tuple[NearModel, ...]
    bounds: dict[int, float]
    complete: dict[int, bool]
    problem: Problem
    certificate: Certificate | None
    seconds: float
    nodes: int

    def __len__(self) -> int:
        return len(self.models)

    def __getitem__(self, number: Any) -> Any:
        return self.models[number]

    @property
    def is_complete(self) -> bool:
        return all(self.complete.values())

    @property
    def supports(self) -> tuple[tuple[int, ...], ...]:
        return tuple(model.support for model in self.models)

    def verify(self) -> Verdict:
        """Check the certificate: that no model of these sizes but the listed ones is below the bounds.

        Raises
        ------
        RefusedError
            If there is none.
        """
        if self.certificate is None:
            raise RefusedError(
                "the list has no certificate; expected one to verify. Squared error without bounds, λ1, groups and"
                " rules, with more rows than columns or a ridge, gives one."
            )
        from bestsubset.api import verify

        problem = self.problem
        return verify(self.certificate, problem.X, problem.y, problem.sample_weight)

    def table(self) -> pd.DataFrame:
        """Return one row a model: k, rank, objective, rss, r2, the names of its columns."""
        import pandas as pd

        rows, ranks = [], dict.fromkeys(self.bounds, 0)
        for model in self.models:
            ranks[model.k] += 1
            names = tuple(self.problem.feature_names[j] for j in model.support)
            r2 = 1 - model.rss / self.problem.total_sum_of_squares
            rows.append((model.k, ranks[model.k], model.objective, model.rss, r2, names))
        return pd.DataFrame(rows, columns=["k", "rank", "objective", "rss", "r2", "support"])

    def inclusion_frequencies(self) -> pd.Series:
        """Return the share of the listed models that each predictor is in."""
        import pandas as pd

        counts = np.zeros(self.problem.p)
        for support in self.supports:
            counts[list(support)] += 1
        return pd.Series(counts / max(1, len(self)), index=list(self.problem.feature_names), name="frequency")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw which predictors are in which model, the best at the top; see `bestsubset.plots.raster`."""
        from bestsubset.plots import raster

        models = [(model.support, model.objective) for model in self.models]
        return raster(models, self.problem.feature_names, ax=ax)

    def plot_exchanges(self, ax: Axes | None = None) -> Axes:
        """Draw which predictors stand in for which; see `bestsubset.plots.exchanges`."""
        from bestsubset.plots import exchanges

        return exchanges(self.supports, self.problem.feature_names, ax=ax)

    def _repr_html_(self) -> str:
        return str(self.table().to_html(index=False))

    def statement(self) -> str:
        """Return what is proved, in a sentence a size."""
        sentences = []
        for k, bound in self.bounds.items():
            listed = sum(model.k == k for model in self.models)
            which = f"of {k} of these {self.problem.p} predictors but the {listed} listed"
            done = "" if self.complete[k] else " The list was stopped before it was proved complete."
            sentences.append(f"No model {which} has an objective below {bound:.6g}.{done}")
        return " ".join(sentences)
