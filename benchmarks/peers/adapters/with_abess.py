"""abess, a heuristic with at most k columns: no bound. The ridge is given as further rows, up to 2000 columns."""

from __future__ import annotations

from typing import Any

from common import Answer, Instance, serve

MOST_RIDGE_ROWS = 2000  # beyond, it is run without the ridge, and its support judged with it


def load() -> Any:
    from abess import LinearRegression

    return LinearRegression


def warm_up(instance: Instance, setting: str) -> None:
    """Nothing is compiled."""


def solve(instance: Instance, limit: float, setting: str) -> Answer:
    X, y = instance.with_ridge_rows() if instance.p <= MOST_RIDGE_ROWS else (instance.X, instance.y)
    model = load()(support_size=instance.k, fit_intercept=False).fit(X, y)
    return {"form": "card", "coefficients": model.coef_, "status": "heuristic"}


if __name__ == "__main__":
    serve("abess", load, warm_up, solve)
