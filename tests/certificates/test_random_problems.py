"""A thousand problems of all forms: both checkers accept what was written, and what it says is true."""

from __future__ import annotations

from itertools import count, islice

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact
from formulations import ScaledProblem
from tests.certificates.problems import is_plain, random_problem, random_solver
from tests.certificates.rational import least_objective

PROBLEMS, PART = 1000, 100


def solved(first: int):
    """Results with certificates, from some seed on."""
    for seed in count(first):
        try:
            problem = random_problem(seed)
        except bs.ProblemError:  # a column without variation
            continue
        solver = random_solver(seed)
        if solver.refuses(problem) is None:
            result = bs.solve(problem, solver)
            if result.certificate is not None:
                yield result


def write_table(problem: bs.Problem, path) -> None:
    names = [*(f"x{j}" for j in range(problem.p)), "y", "w"]
    rows = np.column_stack([problem.X, problem.y, problem.sample_weight])
    if np.all(problem.sample_weight == 1.0):
        names, rows = names[:-1], rows[:, :-1]
    lines = [",".join(names), *(",".join(repr(v) for v in row) for row in rows.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def is_well_conditioned(result: bs.Result) -> bool:
    """Solved to the end, columns far from dependent, penalties on the scale of the data, a fit that is not perfect."""
    solver_ends = result.status == "optimal" and result.relative_gap <= 1e-8
    scaled = ScaledProblem.of(result.problem)
    smallest = np.linalg.eigvalsh(scaled.gram)[0]
    has_scale = bool(np.all((scaled.ridge == 0) | ((scaled.ridge > 1e-6) & (scaled.ridge < 1e6))))
    return solver_ends and smallest > 1e-2 and has_scale and result.objective > 1e-3 * result.problem.null_objective


@pytest.mark.parametrize("part", range(PROBLEMS // PART))
def test_certificates_are_accepted_and_true(part: int, tmp_path) -> None:
    gaps = []
    for result in islice(solved(100_000 * part), PART):
        problem, certificate = result.problem, result.certificate
        verdict = bs.verify(certificate, problem.X, problem.y, problem.sample_weight)

        assert verdict.valid, verdict.reason
        assert verdict.dual_bound == result.dual_bound
        assert verdict.objective >= result.objective
        if is_plain(problem):
            assert verdict.dual_bound <= least_objective(problem) <= verdict.objective
        if is_well_conditioned(result):
            gaps.append(verdict.relative_gap - result.relative_gap)  # what the certificate and its checker lose
        certificate.save(tmp_path / "a.cert")
        write_table(problem, tmp_path / "a.csv")
        weights = ["--weights", "w"] if np.any(problem.sample_weight != 1.0) else []
        assert exact.main([str(tmp_path / "a.cert"), str(tmp_path / "a.csv"), "--target", "y", *weights]) == 0
    assert len(gaps) > 5
    assert max(gaps) <= 1e-9
