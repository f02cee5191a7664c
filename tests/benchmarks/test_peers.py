"""The comparison with other solvers: its instances, its flags and its page. No peer is needed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import claims, report, tables
from benchmarks.peers.evaluate import evaluated, refit
from benchmarks.peers.instances import Setting, build, differences
from benchmarks.peers.results import Results, load
from benchmarks.peers.rows import ROWS, by_name
from benchmarks.peers.targets import reached

SETTING = Setting(
    "T40a", n=50, p=8, k=3, form="card", boxed=False, lambda0=1.0, lambda2=0.0, M=2.0, support=[0], F=90.0
)
BEST = claims.Best(card=90.0, penalised=93.0)


def run(**changes: Any) -> claims.Run:
    """A run that found the best known and proved it."""
    honest = {
        **{"instance": "T40a", "peer": "gurobi", "limit": 60.0, "k": 3, "stage": "done", "form": "card"},
        **{"status": "optimal", "seconds": 0.5, "import_seconds": 0.1, "warm_up_seconds": 0.0, "peak_mb": 80.0},
        **{"objective": 90.0, "bound": 89.999, "objectives": [90.0], "nodes": 7, "size": 3, "F": 90.0, "P": 93.0},
        **{"version": "1"},
    }
    return {**honest, **changes}


@pytest.mark.parametrize(
    ("name", "lambda0", "lambda2", "M", "F"),
    [  # of the measurements of 2026-11 that the targets come from; all of them are in reference.json
        ("T30b", 39.00252241814123, 0.0, 5.904317822361271, 5184.963715725557),
        ("Tbc8", 1.4308961473797304, 0.0, 2.083672990351734, 65.06204318330819),
        ("H60a", 5.145726048160332, 7.07945784384138, 1.5680889187876854, 193.6027244686229),
    ],
)
def test_instances_come_out_as_published(name: str, lambda0: float, lambda2: float, M: float, F: float) -> None:
    X, y, setting = build(by_name()[name])
    _, refitted = refit(X[:, setting.support], y, lambda2)

    found = (setting.lambda0, setting.lambda2, setting.M, setting.F)
    assert found == pytest.approx((lambda0, lambda2, M, F), rel=1e-6)
    assert refitted == pytest.approx(F)
    assert not differences(setting)


def test_an_instance_that_differs_from_the_published_one_is_told() -> None:
    _, _, setting = build(by_name()["H60a"])

    assert differences(Setting(**{**asdict(setting), "lambda0": 5.2})) == ["lambda0 is 5.2; expected 5.145726048160332"]


def test_names_are_unique() -> None:
    assert len(by_name()) == len(ROWS)


def test_large_problems_have_a_table(tmp_path: Path) -> None:
    kept = tmp_path / "scale.json"
    found = {"row": "n = 5, p = 7", "seconds": 70.0, "check": 3.0, "valid": True, "gap": 1e-9, "memory": 1.2}
    kept.write_text(json.dumps({"million": found}), encoding="utf-8")

    assert tables.large(kept)[-1].split(" | ")[-1].startswith("no")
    assert "Not measured" in tables.large(tmp_path / "missing")[0]


def test_an_honest_run_has_no_flag() -> None:
    assert claims.flags(run(), BEST) == []
    assert claims.is_closed(run(), BEST)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": 95.0, "F": 95.0, "bound": 94.0}, "bound 94 is above the best known objective 90"),
        ({"objective": 95.0, "F": 95.0, "bound": 80.0}, "optimal, yet worse than the best known by 5.6e-02"),
        ({"bound": 90.5}, "negative gap"),
        ({"objective": 89.0, "bound": 88.0}, "below the least of its support"),
        ({"size": 4}, "4 columns"),
        ({"objectives": [90.0, 91.0]}, "the same call gave objectives from 90 to 91"),
    ],
)
def test_false_claims_are_flagged(changes: dict[str, Any], words: str) -> None:
    false = run(**changes)

    assert any(words in flag for flag in claims.flags(false, BEST))
    assert not claims.is_closed(false, BEST)


def test_the_best_known_minds_the_number_of_columns() -> None:
    larger = run(F=10.0, P=14.0, size=4)

    best = claims.best_known(asdict(SETTING), [run(F=89.0, P=92.0), larger])

    assert (best.card, best.penalised) == (89.0, 14.0)


def test_a_refit_stays_in_the_box() -> None:
    X, y = np.eye(4)[:, :2], np.array([3.0, 1.0, 0.0, 0.0])
    boxed = Setting("H60a", n=4, p=2, k=2, form="penalised", boxed=True, lambda0=0.5, lambda2=0.0, M=2.0)

    found = evaluated({"coefficients": [2.0, 1.0]}, X, y, boxed)

    assert found["F"] == pytest.approx(0.0)  # without the box
    assert found["P"] == pytest.approx(0.5 * (3 - 2) ** 2 + 2 * 0.5)


def test_a_target_is_reached_with_a_proof_in_time() -> None:
    target = by_name()["T40a"].target  # 0.02 s

    assert reached(target, run(peer="ours", seconds=0.01, bound=90.0), asdict(SETTING), BEST) == "yes"
    assert reached(target, run(peer="ours", seconds=0.04, bound=90.0), asdict(SETTING), BEST) == "no: 2 × the time"
    assert reached(target, run(peer="ours", status="time_limit"), asdict(SETTING), BEST) == "no: open"


def test_the_page_has_a_row_for_each_result(tmp_path: Any) -> None:
    results = Results(settings={"T40a": asdict(SETTING)}, missing={"leaps": "Rscript is not there"})
    results.keep(run(peer="ours", bound=90.0))
    results.keep(run(bound=95.0))
    results.keep({"instance": "T40a", "peer": "cplex", "limit": 60.0, "k": 3, "stage": "failed", "reason": "too large"})
    results.save(tmp_path / "results.json")

    page = report.page(load(tmp_path / "results.json"))

    every_run = page.split("## Every run")[1]
    assert all(f"| T40a | {peer} |" in every_run for peer in ("ours", "gurobi", "cplex"))
    assert "bound 95 is above the best known objective 90" in page.split("## Wrong claims")[1]
    assert "| cplex | failed: too large | T40a |" in page
    assert "| leaps | missing: Rscript is not there | all |" in page
