"""Loading data: kinds of files, roles of columns, transforms, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bestsubset.batch.expansion import BatchRun
from tests.batch.written import complaints, runs

FRAME = pd.DataFrame(
    {
        "x1": [1.0, 2.0, 4.0, 8.0, 5.0],
        "x2": [0.0, 1.0, 4.0, 9.0, 16.0],
        "year": [2001, 2002, 2001, 2003, 2002],
        "is_new": [True, False, True, True, False],
        "y": [1.0, 3.0, 2.0, 5.0, 4.0],
    }
)


def only(folder: Path, data: str) -> BatchRun:
    (run,) = runs(folder, f"problems:\n- name: x\n  data: {data}\n  k: 1\n")
    return run


def said(folder: Path, data: str) -> str:
    (complaint,) = complaints(folder, f"problems:\n- name: x\n  data: {data}\n  k: 1\n")
    return complaint


def values(run: BatchRun) -> dict[str, list[float]]:
    problem = run.problem()
    return {name: problem.X[:, j].tolist() for j, name in enumerate(problem.feature_names)}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
def test_tables_are_read_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame.{suffix}"
    {
        "csv": lambda: FRAME.to_csv(path, index=False),
        "parquet": lambda: FRAME.to_parquet(path),
        "feather": lambda: FRAME.to_feather(path),
    }[suffix]()

    run = only(tmp_path, f"{{file: frame.{suffix}, target: y}}")

    assert values(run) == FRAME.drop(columns="y").astype(float).to_dict("list")
    assert run.problem().y.tolist() == FRAME["y"].tolist()


def test_matrices_come_with_vectors_and_names(tmp_path: Path) -> None:
    X = FRAME[["x1", "x2"]].to_numpy(np.float32)
    y, w = FRAME["y"].to_numpy(), np.arange(1.0, 6.0)
    np.savez(tmp_path / "named.npz", X=X, y=y, w=w, feature_names=np.array(["p", "q"]))
    np.savez(tmp_path / "plain.npz", X=X, other=y)

    named = only(tmp_path, "{file: named.npz, weights: w}").problem()
    plain = only(tmp_path, "{file: plain.npz, target: other}").problem()

    assert tuple(named.feature_names) == ("p", "q")
    assert tuple(plain.feature_names) == ("x0", "x1")
    assert named.X.dtype == plain.X.dtype == np.float32
    assert named.sample_weight.tolist() == w.tolist()
    assert plain.y.tolist() == y.tolist()


def test_matrices_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "short.npz", X=np.ones((3, 2)), y=np.ones(2))
    np.savez(tmp_path / "flat.npz", X=np.ones(3))
    np.savez(tmp_path / "objects.npz", X=np.array([[{}]], dtype=object))
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    (tmp_path / "broken.parquet").write_bytes(b"nothing")

    assert "y that does not fit X, 3 by 2" in said(tmp_path, "{file: short.npz}")
    assert "no matrix X" in said(tmp_path, "{file: flat.npz}")
    for name in ("objects.npz", "broken.npz", "broken.parquet"):
        assert f"{name} is unreadable" in said(tmp_path, f"{{file: {name}, target: y}}")


def test_predictors_are_chosen_by_name_and_pattern(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "frame.csv", index=False)

    assert list(values(only(tmp_path, "{file: frame.csv, target: y, predictors: ['x?', year]}"))) == [
        "x1",
        "x2",
        "year",
    ]
    assert list(values(only(tmp_path, "{file: frame.csv, target: y, without: ['*e*', x2]}"))) == ["x1"]
    assert list(values(only(tmp_path, "{file: frame.csv, target: y, predictors: '*'}"))) == list(FRAME)[:-1]


def test_a_name_goes_before_a_pattern(tmp_path: Path) -> None:
    FRAME.rename(columns={"x2": "x[1]"}).to_csv(tmp_path / "frame.csv", index=False)

    assert list(values(only(tmp_path, "{file: frame.csv, target: y, predictors: ['x[1]']}"))) == ["x[1]"]


def test_transforms(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "frame.csv", index=False)
    data = "{file: frame.csv, target: y, predictors: [x1, x2, year], target_transform: log, transforms: "

    run = only(tmp_path, data + "{log: x1, sqrt: x2, square: [x1], product: [x1, x2, year]}}")

    found, x1, x2, year = values(run), FRAME["x1"], FRAME["x2"], FRAME["year"]
    assert list(found) == ["log(x1)", "sqrt(x2)", "year", "x1^2", "x1*x2", "x1*year", "x2*year"]
    assert found["log(x1)"] == np.log(x1).tolist()
    assert found["sqrt(x2)"] == [0, 1, 2, 3, 4]
    assert found["x1^2"] == (x1**2).tolist()
    assert found["x2*year"] == (x2 * year).tolist()
    assert run.problem().y.tolist() == np.log(FRAME["y"]).tolist()


def test_transforms_of_what_has_none_are_refused(tmp_path: Path) -> None:
    FRAME.assign(y=-FRAME["y"]).to_csv(tmp_path / "frame.csv", index=False)

    assert "'x2', of which 1 entries are not positive" in said(
        tmp_path, "{file: frame.csv, target: y, transforms: {log: x2}}"
    )
    assert "5 responses are not non-negative" in said(tmp_path, "{file: frame.csv, target: y, target_transform: sqrt}")


def test_levels_of_numbers_keep_their_order(tmp_path: Path) -> None:
    FRAME.assign(year=[10, 9, 10, 100, 9]).to_csv(tmp_path / "frame.csv", index=False)

    run = only(tmp_path, "{file: frame.csv, target: y, predictors: [year, is_new], categorical: [year, is_new]}")

    assert values(run) == {
        "year=10": [1, 0, 1, 0, 0],
        "year=100": [0, 0, 0, 1, 0],
        "is_new=True": [1, 0, 1, 1, 0],
    }
    assert run.problem().selection.groups == ((0, 1),)  # a single column needs no group


def test_one_level_is_no_factor(tmp_path: Path) -> None:
    FRAME.assign(year=7).to_csv(tmp_path / "frame.csv", index=False)

    found = said(tmp_path, "{file: frame.csv, target: y, categorical: [is_new, year]}")

    assert found.startswith("spec.yaml:3:60: problem 'x': data.categorical has 'year', which is '7' in every row")


def test_classes(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "frame.csv", index=False)
    data = "{file: frame.csv, target: is_new, positive: true, predictors: [x1, x2]}"

    (run,) = runs(tmp_path, f"problems:\n- {{name: x, data: {data}, loss: logistic, k: 1}}\n")
    (complaint,) = complaints(
        tmp_path, "problems:\n- {name: x, data: {file: frame.csv, target: y}, loss: logistic, k: 1}\n"
    )

    assert run.problem().y.tolist() == [1, -1, 1, 1, -1]
    assert complaint.startswith("spec.yaml:2:19: problem 'x': y holds 3; expected the classes -1 and +1")


def with_holes(folder: Path) -> None:
    frame = FRAME.drop(columns="is_new").assign(level=["u", "v", None, "u", "v"])
    frame.loc[1, "x1"] = np.nan
    frame.to_csv(folder / "frame.csv", index=False)


def test_missing_entries_are_refused_unless_told_otherwise(tmp_path: Path) -> None:
    with_holes(tmp_path)

    assert "missing in column 'x1' (1); expected none. Say drop or median." in said(
        tmp_path, "{file: frame.csv, target: y, without: level}"
    )


def test_missing_entries_cost_their_rows(tmp_path: Path) -> None:
    with_holes(tmp_path)

    run = only(tmp_path, "{file: frame.csv, target: y, predictors: [x1, level], categorical: level, missing: drop}")
    unused = only(tmp_path, "{file: frame.csv, target: y, predictors: [x2], missing: drop}")

    assert values(run) == {"x1": [1, 8, 5], "level=v": [0, 0, 1]}
    assert (run.parts.table.n_dropped, unused.parts.table.n_dropped) == (2, 0)


def test_missing_entries_become_medians_of_numbers_alone(tmp_path: Path) -> None:
    with_holes(tmp_path)

    run = only(tmp_path, "{file: frame.csv, target: y, predictors: [x1, x2], missing: median}")

    assert values(run)["x1"] == [1, 4.5, 4, 8, 5]
    assert "numeric predictors alone can have medians" in said(
        tmp_path, "{file: frame.csv, target: y, categorical: level, missing: median}"
    )


def test_rows_that_make_no_problem_are_told_of(tmp_path: Path) -> None:
    FRAME.assign(x1=3.0).to_csv(tmp_path / "frame.csv", index=False)

    assert said(tmp_path, "{file: frame.csv, target: y}").startswith("spec.yaml:3:9: problem 'x': X is constant in")


def test_nothing_of_a_specification_is_run(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "frame.csv", index=False)

    for pattern in ("__import__('os').system('true')", "x1 + x2", "lambda: 0"):
        assert "expected a column of the data" in said(
            tmp_path, f'{{file: frame.csv, target: y, predictors: ["{pattern}"]}}'
        )
