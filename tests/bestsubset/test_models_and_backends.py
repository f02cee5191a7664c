"""Every formulation with every backend, loss and kind of constraint, against enumeration on random problems."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest

import bestsubset as bs
from formulations import AbsoluteLoss, HingeLoss, LogisticLoss, Loss, QuantileLoss, SquaredLoss

FORMULATIONS = [bs.BigM(), bs.SOS1(), bs.Perspective(), bs.OuterApproximation()]
BACKENDS = [bs.HiGHS(), bs.CPSAT(), *([bs.Pyomo("scip")] if find_spec("pyscipopt") else [])]
LOSSES: list[Loss] = [SquaredLoss(), AbsoluteLoss(), QuantileLoss(0.3), HingeLoss(), LogisticLoss()]
CONSTRAINTS: list[tuple[bs.Constraint, ...]] = [
    (),
    (bs.Include([1]),),
    (bs.Exclude([0]),),
    (bs.Group([0, 2]),),
    (bs.Group([0, 2], counts="one"),),
    (bs.AtMost([0, 1, 2], 1),),
    (bs.AtLeast([2, 3], 1),),
    (bs.Implies(0, [2, 3], "all"),),
    (bs.Implies(0, [2, 3], "any"), bs.AtMost([2, 3], 1)),
    (bs.Budget((1.0, 2.5, 0.0, 1.5), 3.0),),
    (bs.Sign([0, 1], 1),),
    (bs.Bounds([0, 3], -0.3, 0.4),),
    (bs.ExcludePairs(0.3),),
]
FORMS = [{"k": 2}, {"lambda0": 0.7}, {"k": 3, "lambda0": 0.3, "fit_intercept": False}]
SECONDS = 1.0  # where a backend needs more, its gap must cover what is left
REFUSED: Counter[str] = Counter()
SOLVED: Counter[str] = Counter()


def problem(loss: Loss, seed: int, constraints: tuple[bs.Constraint, ...], form: dict[str, object]) -> bs.Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((9, 4)) + 0.5 * rng.standard_normal((9, 1))
    y = X @ [1.0, -0.7, 0.5, 0.0] + 0.5 * rng.standard_normal(9)
    settings: dict[str, object] = {"constraints": constraints, **form}
    if isinstance(loss, HingeLoss | LogisticLoss):
        y = np.where(y > np.median(y), 1.0, -1.0)
        settings["lambda1"] = 0.2  # separable classes bound no coefficient
    if isinstance(loss, SquaredLoss) and seed % 2:
        settings["lambda2"] = 0.3
    return bs.Problem(X, y, loss=loss, **settings)


CASES = list(product(range(len(FORMULATIONS)), range(len(BACKENDS)), range(len(LOSSES))))


@pytest.mark.parametrize(
    ("formulation", "backend", "loss"),
    CASES,
    ids=[f"{FORMULATIONS[f].name}-{BACKENDS[b].name}-{LOSSES[x].name}" for f, b, x in CASES],
)
def test_equals_enumeration_or_its_gap_covers_the_difference(formulation: int, backend: int, loss: int) -> None:
    solver = bs.MIO(FORMULATIONS[formulation], BACKENDS[backend])
    name = f"{FORMULATIONS[formulation].name} × {BACKENDS[backend].name} × {LOSSES[loss].name}"
    reasons: list[str] = []
    for number, constraints in enumerate(CONSTRAINTS):
        seed = 100 * formulation + 10 * backend + number
        given = problem(LOSSES[loss], seed, constraints, FORMS[(number + loss) % len(FORMS)])
        try:
            result = bs.solve(given, solver, time_limit=SECONDS, threads=1)
        except bs.RefusedError as error:
            reasons.append(str(error))
            if number == 0:
                break  # by what the formulation and the backend are, not by the constraint
            continue
        least = bs.solve(given, bs.Enumeration()).objective
        SOLVED[name] += 1

        tolerance = 1e-6 * abs(least) + 1e-9
        assert result.dual_bound <= least + tolerance, (constraints, seed)
        assert least - tolerance <= result.objective, (constraints, seed)
        assert result.objective <= least + max(result.relative_gap * abs(result.objective), tolerance)
        model = given.selection.completion(result.support)
        assert model is not None
        assert given.selection.allows(model)
        if result.termination == "gap closed":
            assert result.objective == pytest.approx(least, rel=3e-6)
    REFUSED[name] += len(reasons)
    assert [reason for reason in reasons if ". " not in reason] == []  # the reason, and what to do


def test_enough_was_solved() -> None:
    if len(SOLVED) + len(REFUSED) < len(CASES):
        pytest.skip("only a part of the cases was run")
    assert sum(SOLVED.values()) >= 200
    for formulation in FORMULATIONS:
        assert any(name.startswith(formulation.name) for name in SOLVED)
    for backend in BACKENDS:
        assert any(f"× {backend.name} ×" in name for name in SOLVED)
