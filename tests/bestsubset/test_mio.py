"""MIO against every support, and against backends that lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.backends.interface import Backend, Solved
from bestsubset.run import Run
from bestsubset.status import Termination
from formulations.mio.big_m import BigM
from formulations.mio.sos1 import SOS1
from tests.oracle import allowed_supports
from warmstarts.support_fit import fit_support


def least(problem: bs.Problem) -> float:
    """The best of all supports, each fitted on its own."""
    return min(problem.objective(fit_support(problem, support)) for support in allowed_supports(problem))


def problem(loss: str = "absolute", seed: int = 0, k: int = 2, n: int = 20, p: int = 5, **settings) -> bs.Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X[:, : min(3, p)] @ [1.0, -0.7, 0.4][: min(3, p)] + 0.4 * rng.standard_normal(n) + 0.5
    if loss in ("hinge", "logistic"):
        y = np.where(y > np.median(y), 1.0, -1.0)
        settings.setdefault("lambda1", 0.1)
    return bs.Problem(X, y, k, loss=loss, **settings)


SCIP = bs.Pyomo("scip")
has_scip = pytest.mark.skipif(find_spec("pyscipopt") is None, reason="pyscipopt is not installed")
PAIRS = {
    "default": bs.MIO(),
    "big-M, HiGHS": bs.MIO(BigM(), bs.HiGHS()),
    "SOS1, HiGHS": bs.MIO(SOS1(), bs.HiGHS()),
    "SOS1, SCIP": bs.MIO(SOS1(), SCIP),
}
LOSSES = ["squared", "absolute", "quantile", "hinge", "logistic"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pair", [pytest.param(name, marks=has_scip if "SCIP" in name else ()) for name in PAIRS])
def test_every_pair_finds_and_proves_the_optimum(pair: str, loss: str) -> None:
    given = problem(loss)
    solver = PAIRS[pair]
    if loss == "squared" and "HiGHS" in pair:
        with pytest.raises(bs.RefusedError, match="perspective"):
            bs.solve(given, solver)
        return
    best = least(given)
    result = bs.solve(given, solver, time_limit=60)

    assert result.status == "optimal"
    assert result.objective == pytest.approx(best, rel=1e-7)
    assert result.dual_bound <= best * (1 + 1e-6)
    assert result.proof == "backend"
    assert result.certificate is None
    assert given.selection.size(result.support) <= 2


@has_scip
@pytest.mark.parametrize(("loss", "seed"), [("logistic", 0), ("logistic", 1), ("hinge", 1), ("hinge", 9)])
def test_sets_that_scip_cuts_optima_of_by_default(loss: str, seed: int) -> None:
    given = problem(loss, seed)
    model = SOS1().build(given, bs.solve(given, "mio", time_limit=0).coef)
    run = Run(given, gap=1e-9, threads=1)
    bound = bs.HiGHS().solve(model, run).dual_bound

    assert SCIP.solve(model, run).dual_bound == pytest.approx(bound, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_random_problems_with_rules(seed: int) -> None:
    rules = [
        (bs.AtMost([0, 1, 2], 1),),
        (bs.Implies(0, [3]),),
        (bs.Include([4]), bs.Exclude([0])),
        (bs.Group([0, 1]),),
        (bs.Budget((1.0, 2.0, 3.0, 1.0, 1.0), 3.0),),
        (bs.AtLeast([3, 4], 1),),
    ]
    given = problem(LOSSES[seed % 2], seed, k=3, constraints=rules[seed % 6])
    best = least(given)
    result = bs.solve(given, "mio", time_limit=60)

    assert result.objective == pytest.approx(best, rel=1e-7)
    assert result.status == "optimal"
    completed = given.selection.completion(result.support)
    assert completed is not None
    assert given.selection.size(completed) <= 3


@pytest.mark.parametrize("settings", [{"k": None, "lambda0": 0.8}, {"lambda1": 0.5}, {"bounds": (-0.3, 0.6)}])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_penalties_and_bounds(loss: str, settings: dict) -> None:
    given = problem(loss, **settings)
    result = bs.solve(given, "mio", time_limit=60)

    assert result.objective == pytest.approx(least(given), rel=1e-6)
    assert result.status == "optimal"


@pytest.mark.parametrize("seed", range(4))
def test_squared_error_agrees_with_branch_and_bound(seed: int) -> None:
    given = problem("squared", seed, n=60, p=12, k=4)
    ours, theirs = bs.solve(given), bs.solve(given, "mio", time_limit=60)

    assert theirs.support == ours.support
    assert theirs.dual_bound <= ours.objective * (1 + 1e-6)
    assert theirs.status == "optimal"


def test_cp_sat_gives_a_weaker_bound_that_holds() -> None:
    given = problem(n=10, p=3)
    best = least(given)
    result = bs.solve(given, bs.MIO(SOS1(), bs.CPSAT()), time_limit=30)

    assert result.objective == pytest.approx(best)
    assert result.dual_bound <= best
    assert result.relative_gap < 1e-2
    assert any("exact integers" in note for note in result.notes)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_no_time_gives_the_warm_start_and_the_trivial_bound(loss: str) -> None:
    result = bs.solve(problem(loss), "mio", time_limit=0)

    assert result.status == "feasible"
    assert result.dual_bound == 0.0
    assert 0 < result.cardinality <= 2


def test_a_short_limit_leaves_a_bound_that_holds() -> None:
    given = problem(n=150, p=30, k=8)
    short = bs.solve(given, "mio", time_limit=1.0)

    assert short.stats.seconds < 4
    assert short.status == "feasible"
    assert short.termination == "time limit"
    longer = bs.solve(given, bs.MIO(BigM(), bs.HiGHS(node_limit=20)))
    assert short.dual_bound <= min(short.objective, longer.objective)


def test_interrupting_returns_the_incumbent() -> None:
    def interrupt(progress) -> None:
        if progress.seconds > 0.0 and progress.dual_bound >= 0.0:
            raise KeyboardInterrupt

    result = bs.solve(problem(n=60, p=10), "mio", progress=interrupt)

    assert result.termination == "interrupted"
    assert result.coef is not None
    assert result.dual_bound <= result.objective


def test_an_imposed_big_m_is_said_and_warned_of() -> None:
    given = problem()
    with pytest.warns(bs.BigMWarning, match="x0"):
        result = bs.solve(given, bs.MIO(BigM(big_m=0.1), bs.HiGHS()))

    boxed = problem(bounds=(-0.1, 0.1))
    assert result.dual_bound <= least(boxed) * (1 + 1e-9)
    assert "big_m" in result.statement()
    assert any("big_m" in word for word in result.assumptions)
    assert any("touch" in note for note in result.notes)


def test_an_imposed_big_m_that_is_not_touched_is_not_warned_of() -> None:
    result = bs.solve(problem(), bs.MIO(BigM(big_m=5.0), bs.HiGHS()))

    assert result.objective == pytest.approx(least(problem()))
    assert not any("touch" in note for note in result.notes)


def test_what_was_rewritten_and_the_tolerances_are_in_the_summary() -> None:
    summary = str(bs.solve(problem(), bs.MIO(SOS1(), bs.HiGHS())).summary())

    assert "SOS1 sets are stated as rows" in summary
    assert "1e-09" in summary
    assert "rounds: 1" in summary
    assert "Note" not in str(bs.solve(problem("squared")).summary())


def test_versions_name_the_backend() -> None:
    import highspy

    assert bs.solve(problem(), "mio").stats.versions["highspy"] == highspy.Highs().version()


def test_cuts_are_added_until_the_gap_is_closed() -> None:
    given = problem("logistic", n=25, p=5)
    one = bs.solve(given, bs.MIO(max_rounds=1))
    all_of_them = bs.solve(given, bs.MIO())

    assert one.status == "feasible"
    assert one.termination == "node limit"
    assert one.dual_bound < all_of_them.dual_bound <= least(given) * (1 + 1e-6)
    assert all_of_them.status == "optimal"


@dataclass(frozen=True)
class Liar(Backend):
    """Says what it is told to say."""

    name: ClassVar[str] = "liar"
    is_infeasible: bool = False
    bound: float = 0.0
    chosen: int = 0
    reason: str | None = None

    def refuses(self, model):
        return self.reason

    def solve(self, model, run, start=None, lower_bound=0.0, upper_bound=math.inf):
        values = np.zeros(model.n_columns)
        values[model.block("z")[: self.chosen]] = 1.0
        values[model.block("beta")[: self.chosen]] = 1.0
        return Solved(values, self.bound, Termination.GAP_CLOSED, 1, is_infeasible=self.is_infeasible, version="liar 1")


def test_a_backend_that_calls_a_feasible_model_infeasible_is_named() -> None:
    with pytest.raises(bs.BackendError, match="liar"):
        bs.solve(problem(), bs.MIO(BigM(), Liar(is_infeasible=True)))


def test_a_bound_above_the_incumbent_is_a_bug() -> None:
    with pytest.raises(bs.InvalidBoundError, match="mio"):
        bs.solve(problem(), bs.MIO(BigM(), Liar(bound=1e6)))


def test_a_backend_that_refuses_is_heard() -> None:
    with pytest.raises(bs.RefusedError, match="not today"):
        bs.solve(problem(), bs.MIO(BigM(), Liar(reason="not today")))


def test_a_point_that_breaks_the_problem_is_not_taken() -> None:
    result = bs.solve(problem(), bs.MIO(BigM(), Liar(chosen=5)))

    assert result.cardinality <= 2
    assert result.status == "feasible"
    assert result.dual_bound == 0.0


def test_the_start_is_where_the_warm_start_begins() -> None:
    given = problem(k=3)
    best = bs.solve(given, "mio")
    again = bs.solve(given, "mio", start=best, time_limit=0)

    assert again.objective == pytest.approx(best.objective)


def test_what_it_does_not_take() -> None:
    assert "linear programmes" in bs.MIO().refuses(problem(lambda2=0.5))
    with pytest.raises(bs.ProblemError, match="formulation"):
        bs.MIO("big_m")
    with pytest.raises(bs.ProblemError, match="backend"):
        bs.MIO(BigM(), "highs")
    with pytest.raises(bs.ProblemError, match="max_rounds"):
        bs.MIO(max_rounds=0)
