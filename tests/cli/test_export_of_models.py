"""Export from a problem file to a model that HiGHS reads: its optimum is that of our own search."""

from __future__ import annotations

from pathlib import Path

import highspy
import pytest

import bestsubset as bs
from bestsubset.batch import read_specs
from bestsubset.cli.main import run

SPECS = Path(__file__).parents[2] / "specs"


@pytest.mark.parametrize("ending", ["mps", "lp"])
@pytest.mark.parametrize("formulation", ["big-m", "big_m"])
def test_the_median_regression_of_a_problem_file(formulation: str, ending: str, tmp_path: Path) -> None:
    spec, target = SPECS / "median_regression.yaml", tmp_path / f"model.{ending}"
    first = read_specs([spec])[0]
    command = ["export", str(spec), "--formulation", formulation, "--problem", first.name, "-o", str(target)]

    assert run(command) == 0

    highspy.Highs.resetGlobalScheduler(True)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("mip_rel_gap", 1e-9)
    assert h.readModel(str(target)) == highspy.HighsStatus.kOk
    h.run()
    ours = bs.solve(first.problem())
    assert ours.status == "optimal"
    assert h.getInfo().objective_function_value == pytest.approx(ours.objective, rel=1e-7)


def test_outer_approximation_is_exported_with_its_first_cuts(tmp_path: Path) -> None:
    spec, target = SPECS / "diabetes.yaml", tmp_path / "master.lp"
    first = read_specs([spec])[0]

    command = ["export", str(spec), "--formulation", "outer-approximation", "--problem", first.name, "-o", str(target)]

    assert run(command) == 0

    text = target.read_text()
    assert "eta is at least a - g'z" in text
    assert "the bound k on the number of columns" in text
