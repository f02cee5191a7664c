"""The problem that a specification states is the one that Python states, digest and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

import bestsubset as bs
from bestsubset.batch.expansion import BatchRun
from formulations import Budget, ExcludePairs, QuantileLoss
from tests.batch.written import runs, spec


def frame(folder: Path) -> pd.DataFrame:
    spec(folder, "")
    return pd.read_csv(folder / "data.csv")


def only(folder: Path, fields: str) -> BatchRun:
    (run,) = runs(folder, "problems:\n  - name: x\n" + "".join(f"    {line}\n" for line in fields.split("\n")))
    return run


def test_a_plain_problem(tmp_path: Path) -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)

    assert only(tmp_path, "data: {dataset: diabetes}\nk: 4").problem().digest == bs.Problem(X, y, 4).digest


def test_every_setting(tmp_path: Path) -> None:
    data = frame(tmp_path)
    fields = """\
data: {file: data.csv, target: y, predictors: [c, a, b], weights: w}
loss: quantile
tau: 0.3
k: 2
lambda0: 0.5
lambda1: 0.25
lambda2: 0.125
bounds: {lower: -4, upper: 5}
fit_intercept: false
standardize: true"""
    stated = bs.Problem(
        data[["a", "b", "c"]],
        data["y"],
        2,
        lambda0=0.5,
        lambda1=0.25,
        lambda2=0.125,
        loss=QuantileLoss(0.3),
        bounds=(-4, 5),
        fit_intercept=False,
        standardize=True,
        sample_weight=data["w"],
    )

    assert only(tmp_path, fields).problem().digest == stated.digest


CONSTRAINTS = [
    ("include: a", [bs.Include(["a"])]),
    ("exclude: ['[bc]']", [bs.Exclude(["b", "c"])]),
    ("groups: [[a, c]]", [bs.Group(["a", "c"])]),
    ("groups: [{columns: '*', counts: one}]", [bs.Group(["a", "b", "c"], "one")]),
    ("at_most: {columns: [a, b], count: 1}", [bs.AtMost(["a", "b"], 1)]),
    ("at_least: [{columns: [a, b], count: 1}]", [bs.AtLeast(["a", "b"], 1)]),
    ("implies: {child: a, parents: [b, c], rule: any}", [bs.Implies("a", ["b", "c"], "any")]),
    ("budget: {limit: 3, costs: {b: 2, '[ab]': 1.5}, other: 1}", [Budget([1.5, 2.0, 1.0], 3.0)]),
    ("signs: {nonnegative: a, nonpositive: [b]}", [bs.Sign(["a"], 1), bs.Sign(["b"], -1)]),
    ("bounds: {columns: [a, c], lower: -1}", [bs.Bounds(["a", "c"], -1.0, float("inf"))]),
    ("exclude_pairs: 0.9", [ExcludePairs(0.9)]),
    ("{exclude: [b], include: [a], at_most: {columns: '*', count: 2}}", None),
]


@pytest.mark.parametrize(("written", "constraints"), CONSTRAINTS, ids=[text for text, _ in CONSTRAINTS])
def test_every_constraint(tmp_path: Path, written: str, constraints: list[bs.Constraint] | None) -> None:
    data = frame(tmp_path)
    if constraints is None:  # in the order of the fields, not of the text
        constraints = [bs.Include(["a"]), bs.Exclude(["b"]), bs.AtMost(["a", "b", "c"], 2)]
    text = written if written.startswith("{") else f"{{{written}}}"

    run = only(tmp_path, f"data: {{file: data.csv, target: y, without: [w, level]}}\nk: 2\nconstraints: {text}")

    stated = bs.Problem(data[["a", "b", "c"]], data["y"], 2, constraints=constraints)
    assert run.problem().constraints == stated.constraints
    assert run.problem().digest == stated.digest


def test_a_factor_enters_whole(tmp_path: Path) -> None:
    data = frame(tmp_path)
    run = only(tmp_path, "data: {file: data.csv, target: y, predictors: [a, level], categorical: level}\nk: 2")
    problem = run.problem()

    assert tuple(problem.feature_names) == ("a", "level=v", "level=w")
    assert problem.selection.groups == ((1, 2),)
    X = np.column_stack([data["a"], data["level"] == "v", data["level"] == "w"]).astype(float)
    stated = bs.Problem(X, data["y"], 2, constraints=[bs.Group([1, 2])], feature_names=["a", "level=v", "level=w"])
    assert problem.digest == stated.digest
    for support in (bs.solve(problem).support, bs.solve(stated).support):
        assert len({1, 2}.intersection(support)) in (0, 2)


def test_a_factor_may_be_named_as_one(tmp_path: Path) -> None:
    data = "data: {file: data.csv, target: y, predictors: [a, b, level], categorical: level}"
    run = only(tmp_path, f"{data}\nk: 3\nconstraints: {{include: level, implies: {{child: level, parents: a}}}}")
    problem = run.problem()

    assert problem.selection.included[:2] == (2, 3)
    assert [c for c in problem.constraints if isinstance(c, bs.Implies)] == [
        bs.Implies(2, (0,), "all"),
        bs.Implies(3, (0,), "all"),
    ]
