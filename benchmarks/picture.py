"""The picture of the first page: ``python -m benchmarks.picture`` writes near_optimal.png beside this file."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import bestsubset as bs

DATA = Path(__file__).parents[1] / "notebooks" / "data" / "hitters.csv"
FILE = Path(__file__).with_name("near_optimal.png")


def main() -> None:
    """Draw the twenty best models of six predictors of baseball salaries, and the criteria of all sizes."""
    players = pd.read_csv(DATA).dropna()
    X = pd.get_dummies(players.drop(columns="Salary"), drop_first=True, dtype=float)
    near = bs.near_optimal(X, players["Salary"], 6, n_best=20)
    path = bs.best_path(X, players["Salary"], X.shape[1])
    if not (near.is_complete and near.verify() and bs.verify(path.certificate, X, players["Salary"])):
        raise SystemExit("error: a list or a path is not proved; expected a picture of what is proved.")
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", width_ratios=[3, 2])
    near.plot(ax=left)
    left.set_title("The 20 best models of 6 predictors, proved to be all", fontsize=11)
    path.plot("bic", ax=right)
    right.set_title("BIC of the best model of every size", fontsize=11)
    plt.savefig(FILE, dpi=110)


if __name__ == "__main__":
    main()
