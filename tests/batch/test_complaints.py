"""Every mistake in a specification is told with its line and column, and all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bestsubset.batch.plan import read_specs
from bestsubset.errors import SpecError
from tests.batch.written import complaints, spec

# Each is the text below a problem's name and data, the place of the mistake, and words of the message.
MISTAKES = [
    ("cardnality: 3", "4:5", "field 'cardnality' is unknown. Did you mean 'k'?"),
    ("lambda_2: 3", "4:5", "field 'lambda_2' is unknown. Did you mean 'lambda2'?"),
    ("time_limit: 3", "4:5", "It belongs in limits."),
    ("k: five", "4:8", "k is 'five'; expected a whole number, a list"),
    ("k: true", "4:8", "k is true; expected a whole number"),
    ("k: 2.5", "4:8", "k is 2.5; expected a whole number"),
    ("k: [1, 0, 2]", "4:12", "k[1] is 0; expected a number >= 1"),
    ("k: 3..1", "4:8", "k is '3..1'; expected a range"),
    ("k: 1..99999999", "4:8", "at most 10,000 sizes"),
    ("k: {from: 1}", "4:8", "k is a mapping; expected"),
    ("k: []", "4:8", "expected at least one entry"),
    ("k: [2, 2]", "4:8", "2 is there twice"),
    ("k: [1, 4]", "4:12", "k is 4; expected at most 3"),
    ("lambda2: [0.1, -1]", "4:20", "lambda2[1] is -1; expected a number >= 0"),
    ("lambda2: .nan", "4:14", "lambda2 is nan"),
    ("lambda1: '1'", "4:14", "lambda1 is '1'; expected a number"),
    ("loss: sqared", "4:11", "Did you mean 'squared'?"),
    ("tau: 0.5", "4:10", "the loss 'squared' has none"),
    ("loss: quantile\ntau: [0.5, 1]", "5:16", "tau[1] is 1; expected a number < 1"),
    ("bounds: {lower: 1}", "4:21", "bounds.lower is 1; expected a number <= 0"),
    ("fit_intercept: yes", "4:20", "fit_intercept is 'yes'; expected true or false"),
    ("constraints: {include: [a, zz]}", "4:32", "constraints.include[1] is 'zz'; expected a column"),
    ("constraints: {include: aa}", "4:28", "Did you mean 'a'?"),
    ("constraints: {include: 3}", "4:28", "constraints.include is 3; expected a text. Put it in quotes."),
    ("constraints: {include: ['x*']}", "4:29", "expected a pattern that some column has"),
    ("constraints: {include: [a], exclude: [b, a]}", "4:46", "'a' is included too"),
    ("constraints: {groups: [[a]]}", "4:28", "has the column 'a' alone"),
    ("constraints: {groups: [[a, 1]]}", "4:32", "constraints.groups[0][1] is 1"),
    ("constraints: {groups: [a]}", "4:28", "constraints.groups[0] is 'a'"),
    ("constraints: {at_most: {columns: [a, b], count: 3}}", "4:53", "between 0 and 2"),
    ("constraints: {at_least: [{columns: [a, b]}]}", "4:30", "field 'count' of constraints.at_least[0]"),
    ("constraints: {implies: {child: zz, parents: [a]}}", "4:36", "implies[0].child is 'zz'"),
    ("constraints: {implies: {child: a, parents: b, rule: some}}", "4:57", "expected 'all' or 'any'"),
    ("constraints: {budget: {limit: 1, costs: {a: 1, zz: 2}}}", "4:52", "'zz'; expected a column"),
    ("constraints: {budget: {limit: 1, costs: {a: -1}}}", "4:49", "costs.a is -1; expected a number >= 0"),
    ("constraints: {signs: {positive: [a]}}", "4:27", "field 'positive' of constraints.signs is unknown"),
    ("constraints: {bounds: {columns: a, lower: 2}}", "4:47", "expected a number <= 0"),
    ("constraints: {exclude_pairs: 1}", "4:34", "expected a number < 1"),
    ("k: 1\nconstraints: {include: [a, b]}", "5:18", "expected at most k = 1"),
    ("solver: branch_and_bond", "4:13", "Did you mean 'branch_and_bound'?"),
    ("solver: {name: branch_and_bound, tre: race}", "4:38", "has no field 'tre'. Did you mean 'tree'?"),
    ("solver: {name: branch_and_bound, tree: rac}", "4:44", "solver.tree is 'rac'; expected 'race'"),
    ("solver: {name: branch_and_bound, node_limit: 3}", "4:38", "expected it in limits"),
    ("solver: {tree: race}", "4:13", "field 'name' of solver is missing"),
    ("formulation: no_such", "4:18", "formulation is 'no_such'"),
    ("limits: {node_limit: 3}", "4:26", "no solver is named"),
    ("solver: enumeration\nlimits: {node_limit: 3}", "5:26", "the solver 'enumeration' has no node_limit"),
    ("limits: {threads: 0}", "4:23", "limits.threads is 0; expected a number >= 1"),
    ("limits: 3", "4:13", "limits is 3; expected fields"),
    ("criterion: bix", "4:16", "expected 'aic', 'aicc'"),
    ("outputs: {certificate: 1}", "4:28", "expected true or false"),
    ("start: [zz]", "4:13", "start[0] is 'zz'"),
    ("lambda0: 0", "4:14", "k is not given and lambda0 is 0"),
]


@pytest.mark.parametrize(("fields", "place", "words"), MISTAKES, ids=[fields for fields, _, _ in MISTAKES])
def test_each_mistake_has_its_place(tmp_path: Path, fields: str, place: str, words: str) -> None:
    (said,) = complaints(tmp_path, problem(fields))

    assert said.startswith(f"spec.yaml:{place}: problem 'x': ")
    assert words in said


def problem(fields: str) -> str:
    """A problem whose fields begin in the fourth line; of two columns at most unless they say otherwise."""
    size = [] if fields.startswith(("k:", "lambda0")) else ["k: 2"]
    lines = [f"    {line}" for line in [*fields.split("\n"), *size]]
    return "\n".join(["problems:", "  - name: x", "    data: {file: data.csv, target: y, without: [w, level]}", *lines])


DATA_MISTAKES = [
    ("{file: data.csv}", "3:11", "field 'target' of data is missing"),
    ("{target: y}", "3:11", "data has neither file nor dataset"),
    ("{file: data.csv, dataset: diabetes, target: y}", "3:11", "both file and dataset"),
    ("{file: dta.csv, target: y}", "3:18", "data.csv'?"),
    ("{file: data.txt, target: y}", "3:18", "ends in '.txt'"),
    ("{dataset: diabetis}", "3:21", "Did you mean 'diabetes'?"),
    ("{file: data.csv, target: yy, without: level}", "3:36", "data.target is 'yy'; expected a column of the data"),
    ("{file: data.csv, target: y, weights: ww, without: level}", "3:48", "data.weights is 'ww'"),
    ("{file: data.csv, target: y, weights: y, without: level}", "3:48", "the target; expected another"),
    ("{file: data.csv, target: y, predictors: [a, y]}", "3:55", "names 'y', the target"),
    ("{file: data.csv, target: y, predictors: [a, bb]}", "3:55", "data.predictors[1] is 'bb'"),
    ("{file: data.csv, target: y, predictors: [a, 'q*']}", "3:55", "expected a pattern"),
    ("{file: data.csv, target: y, predictors: a, without: a}", "3:63", "leaves no predictor"),
    ("{file: data.csv, target: y}", "3:11", "not numbers: level"),
    ("{file: data.csv, target: level, predictors: a}", "3:36", "not numeric"),
    ("{file: data.csv, target: level, positive: z, predictors: a}", "3:53", "expected a value of 'level': u, v, w"),
    ("{file: data.csv, target: y, predictors: [a, b], categorical: c}", "3:72", "data.categorical[0] is 'c'"),
    ("{file: data.csv, target: y, predictors: [a], transforms: {log: b}}", "3:74", "log[0] is 'b'"),
    ("{file: data.csv, target: y, predictors: [a], transforms: {log: a, sqrt: a}}", "3:83", "both in log and in sqrt"),
    ("{file: data.csv, target: y, predictors: [a], transforms: {exp: a}}", "3:69", "field 'exp' of data.transforms"),
    ("{file: data.csv, target: y, predictors: [a], missing: mean}", "3:65", "expected 'refuse', 'drop' or 'median'"),
]


@pytest.mark.parametrize(("data", "place", "words"), DATA_MISTAKES, ids=[data for data, _, _ in DATA_MISTAKES])
def test_each_mistake_in_the_data_has_its_place(tmp_path: Path, data: str, place: str, words: str) -> None:
    (said,) = complaints(tmp_path, f"problems:\n  - name: x\n    data: {data}\n    k: 1\n")

    assert said.startswith(f"spec.yaml:{place}: problem 'x': ")
    assert words in said


FILE_MISTAKES = [
    ("[]", "1:1", "the file is an empty list"),
    ("problem: []", "1:1", "field 'problem' is unknown. Did you mean 'problems'?"),
    ("k: 3\nproblems: [{name: x, data: {dataset: diabetes}, k: 1}]", "1:1", "It belongs in a problem"),
    ("problems: []", "1:11", "problems is an empty list"),
    ("problems: {name: x}", "1:11", "problems is a mapping"),
    ("problems: [3]", "1:12", "problem 1: it is 3"),
    ("problems: [{data: {dataset: diabetes}, k: 1}]", "1:12", "problem 1: field 'name' is missing"),
    ("problems: [{name: x, k: 1}]", "1:12", "field 'data' is missing"),
    ("problems: [{name: 'a/b', data: {dataset: diabetes}, k: 1}]", "1:19", "expected letters, digits"),
    ("defaults: 3\nproblems: [{name: x, data: {dataset: diabetes}, k: 1}]", "1:11", "defaults is 3"),
    ("defaults: {name: x}\nproblems: [{name: x, data: {dataset: diabetes}, k: 1}]", "1:12", "in each problem alone"),
    ("defaults: {loss: 3}\nproblems: [{name: x, data: {dataset: diabetes}, k: 1}]", "1:18", "defaults: loss is 3"),
    ("defaults: {k: 0}\nproblems: [{name: x, data: {dataset: diabetes}, k: 1}]", "1:15", "defaults: k is 0"),
]


@pytest.mark.parametrize(("text", "place", "words"), FILE_MISTAKES, ids=[text for text, _, _ in FILE_MISTAKES])
def test_each_mistake_around_the_problems_has_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    said = complaints(tmp_path, text)

    assert said[0].startswith(f"spec.yaml:{place}: ")
    assert words in said[0]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    data = "data: {file: data.csv, target: y, without: level}"
    first = spec(tmp_path, f"problems:\n- {{name: x, {data}, k: 0}}\n- {{name: y, {data}, k: 99}}\n", "a.yaml")
    second = spec(tmp_path, f"problems:\n- {{name: z, {data}, k: 1, loss: 3}}\n- {{name: y, {data}, k: 1}}\n", "b.yaml")
    third = spec(tmp_path, "problems: [", "c.yaml")

    with pytest.raises(SpecError) as caught:
        read_specs([first, second, third, tmp_path / "d.yaml"])

    places = [(Path(c.file).name, c.line) for c in caught.value.complaints]
    assert places == [("a.yaml", 2), ("a.yaml", 3), ("b.yaml", 2), ("b.yaml", 3), ("c.yaml", 1), ("d.yaml", 1)]
    assert f"name is 'y', as in {first}:3" in caught.value.complaints[3].message


def test_a_mistake_in_the_defaults_is_told_once(tmp_path: Path) -> None:
    text = "defaults: {data: {dataset: diabetis}, k: 1}\nproblems: [{name: x}, {name: y}]\n"

    (said,) = complaints(tmp_path, text)

    assert said.startswith("spec.yaml:1:28: defaults: data.dataset is 'diabetis'")


def test_a_grid_that_multiplies_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    many = ", ".join(str(i) for i in range(1, 301))
    data = "{file: data.csv, target: y, without: level}"

    (said,) = complaints(
        tmp_path, f"problems:\n- name: x\n  data: {data}\n  k: 1..2\n  lambda2: [{many}]\n  lambda1: [{many}]\n"
    )

    assert said.startswith("spec.yaml:6:12: problem 'x': the lists make 180,000 runs (300 lambda1 x 300 lambda2 x 2 k)")
