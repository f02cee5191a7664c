"""The checker in floating point: what it accepts, what it refuses and why, on small and on real searches."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import bestsubset as bs
from benchmarks.real_data import diabetes_second_order
from bestsubset import stream
from bestsubset.certificates import chains
from bestsubset.certificates.certificate import Certificate, Claim
from bestsubset.certificates.enumerated import every_support
from bestsubset.certificates.write import write
from tests.certificates.rational import explained_away, least_objective, moments
from tests.instances import NASTY

FORMS = [
    {"k": 3},
    {"lambda0": 0.5},
    {"k": 4, "lambda0": 0.2},
    {"k": 3, "lambda2": 0.7},
    {"lambda0": 0.3, "lambda2": 0.1},
    {"k": 3, "lambda1": 0.5},
    {"k": 3, "bounds": (-0.4, 0.6)},
    {"k": 2, "bounds": (0, np.inf), "lambda2": 0.1},
    {"k": 3, "lambda0": 0.1, "lambda1": 0.3, "lambda2": 0.2},
]
SOLVERS = [bs.BranchAndBound(), bs.BranchAndBound(tree="perspective"), bs.BranchAndBound(node_limit=3)]
# The eighth column is a sum of others but for rounding: in exact arithmetic it is not, and the claims do not hold.
SUMS_OF_ROUNDED = {"collinear", "groups, collinear"}


def checked(result: bs.Result) -> bs.Verdict:
    problem = result.problem
    return bs.verify(result.certificate, problem.X, problem.y, problem.sample_weight)


def hard(n: int = 60, p: int = 40, k: int = 8, **settings: object) -> bs.Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    return bs.Problem(X, X[:, :k].sum(axis=1) + 6 * rng.standard_normal(n), k, **settings)


@pytest.fixture(scope="module")
def diabetes() -> bs.Result:
    data = diabetes_second_order()
    return bs.best_subset(data.X, data.y, k=8)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize("name", NASTY)
def test_nasty_problems(name: str, solver: bs.Solver) -> None:
    made = 0
    for form in FORMS:
        k = min(form["k"], 1) if name == "one column" and "k" in form else form.get("k")
        problem = NASTY[name](**{**form, **({"k": k} if k else {})})
        if solver.refuses(problem) is not None:
            continue
        result = bs.solve(problem, solver)
        if result.certificate is None:
            assert name in SUMS_OF_ROUNDED
            assert result.proof == "backend"
            continue
        made += 1
        verdict = checked(result)

        assert verdict.valid, (form, verdict.reason)
        assert result.proof == "checked"
        if not ({"lambda1", "bounds"} & set(form)):
            assert verdict.dual_bound <= least_objective(problem) <= verdict.objective
    assert made or name in SUMS_OF_ROUNDED


def test_diabetes(diabetes: bs.Result) -> None:
    verdict = checked(diabetes)

    assert verdict.valid
    assert verdict.leaves > 4 * diabetes.stats.nodes  # triples are closed in the search, pairs in the certificate
    assert verdict.exact_leaves == 0
    assert verdict.relative_gap < 3e-9
    assert len(diabetes.certificate.claims[0].tree.tobytes()) <= 8 * verdict.leaves


def test_batches_change_nothing(diabetes: bs.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "_MOST", 100)

    assert checked(diabetes).valid


def without_chain(tokens: list[int], number: int) -> list[int]:
    """The tokens with a leaf in place of one chain and what is below it."""
    starts, depth, open_at, position = 0, 0, None, 0
    while True:
        if tokens[position] == 2:
            if starts == number:
                open_at = (position, depth)
            starts, depth = starts + 1, depth + 1
            position += 1 + tokens[position + 1]
        elif tokens[position] == 7:
            depth -= 1
            if open_at is not None and depth == open_at[1]:
                return [*tokens[: open_at[0]], 0, *tokens[position + 1 :]]
        position += 1


@pytest.mark.parametrize("most", [100, 2**15])
@pytest.mark.parametrize("number", [1, 2, 50, 1234, 4321])
def test_a_chain_that_is_missing_is_found_in_any_batch(
    number: int, most: int, diabetes: bs.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "_MOST", most)
    claim = diabetes.certificate.claims[0]
    tree = np.array(without_chain(claim.tree.tolist(), number), dtype=claim.tree.dtype)
    verdict = checked(replaced(diabetes, dataclasses.replace(claim, tree=tree)))

    assert len(tree) < len(claim.tree)
    assert "the bound is not reached by the fit on columns" in verdict.reason


@pytest.mark.parametrize("excess", [1e-8, 1e-3])
def test_a_bound_above_the_optimum_is_refused(excess: float, diabetes: bs.Result) -> None:
    claim = diabetes.certificate.claims[0]
    raised = dataclasses.replace(claim, dual_bound=diabetes.objective * (1 + excess))
    verdict = checked(replaced(diabetes, raised))

    assert not verdict.valid
    assert "the bound is not reached" in verdict.reason
    assert np.isnan(verdict.dual_bound)


def test_an_objective_below_the_incumbents_is_refused(diabetes: bs.Result) -> None:
    claim = diabetes.certificate.claims[0]
    lowered = dataclasses.replace(claim, objective=diabetes.objective * (1 - 1e-10))

    assert "larger than claimed" in checked(replaced(diabetes, lowered)).reason


def replaced(result: bs.Result, claim: Claim) -> bs.Result:
    certificate = dataclasses.replace(result.certificate, claims=(claim,), verdict=None)
    return dataclasses.replace(result, certificate=certificate)


@pytest.mark.parametrize(
    ("what", "word"),
    [("X", "X is not"), ("y", "y is not"), ("weights", "sample_weight"), ("rows", "shape"), ("columns", "shape")],
)
def test_other_data_are_named(what: str, word: str) -> None:
    problem = hard(n=30, p=6, k=2)
    result = bs.solve(problem)
    X, y, weights = problem.X.copy(), problem.y.copy(), np.ones(30)
    if what == "X":
        X[3, 2] = np.nextafter(X[3, 2], 9)
    elif what == "y":
        y[[0, 1]] = y[[1, 0]]
    elif what == "weights":
        weights[0] = 2.0
    elif what == "rows":
        X, y, weights = X[1:], y[1:], weights[1:]
    else:
        X = X[:, 1:]
    verdict = bs.verify(result.certificate, X, y, weights)

    assert not verdict
    assert word in verdict.reason


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, {"time_limit": 0}),
        ({"n": 90, "p": 70, "k": 20}, {"time_limit": 0.2}),
        ({}, {"solver": bs.BranchAndBound(tree="downdating", node_limit=150)}),
        ({}, {"solver": bs.BranchAndBound(tree="perspective", node_limit=150)}),
        ({"n": 50, "p": 300, "k": 12, "lambda2": 0.5}, {"solver": bs.BranchAndBound(memory_limit=1e6)}),
        ({"lambda0": 40.0}, {"solver": bs.BranchAndBound(tree="downdating", node_limit=300)}),
        ({"lambda2": 1.0, "constraints": [bs.Group([0, 1])]}, {"solver": bs.BranchAndBound(node_limit=20)}),
        ({"n": 20}, {"solver": bs.Enumeration(), "time_limit": 0}),
    ],
)
def test_a_stopped_search_proves_its_gap(settings: dict, limit: dict) -> None:
    result = bs.solve(hard(**settings), **limit)
    verdict = checked(result)

    assert result.status == "feasible"
    assert verdict.valid, verdict.reason
    assert verdict.dual_bound == result.dual_bound
    assert verdict.relative_gap == pytest.approx(result.relative_gap, rel=1e-6)


@pytest.mark.parametrize("settings", [{"n": 90, "p": 70, "k": 20}, {"lambda2": 1.0, "constraints": [bs.Group([0, 1])]}])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_search_proves_its_gap(settings: dict, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from bestsubset import run
    from bestsubset.bnb import race

    monkeypatch.setattr(run, "_SECONDS_BETWEEN_ROWS", 0.0)
    monkeypatch.setattr(race, "_FIRST_NODES", 5)
    seen = []

    def interrupt(progress: bs.Progress) -> None:
        seen.append(progress)
        if len(seen) > after:
            raise KeyboardInterrupt

    result = bs.solve(hard(**settings), progress=interrupt)

    assert result.termination == "interrupted"
    assert checked(result).valid


@pytest.mark.parametrize("tree", ["downdating", "perspective"])
def test_a_log_that_goes_to_disk_is_the_same(tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = hard(p=25, k=6)
    in_memory = bs.solve(problem, bs.BranchAndBound(tree=tree)).certificate.claims[0]
    monkeypatch.setattr(stream, "_IN_MEMORY", 1000)
    result = bs.solve(problem, bs.BranchAndBound(tree=tree))

    on_disk = result.certificate.claims[0]
    assert on_disk.tree.tolist() == in_memory.tree.tolist()
    assert on_disk.values.tolist() == in_memory.values.tolist()
    assert checked(result).valid


def test_a_path_has_a_claim_for_each_size(tmp_path) -> None:
    problem = hard(p=12)
    path = bs.best_path(problem.X, problem.y, 5)
    path.certificate.save(tmp_path / "path.cert")
    verdict = bs.verify(Certificate.load(tmp_path / "path.cert"), problem.X, problem.y)

    assert verdict.valid
    assert [claim.dual_bound for claim in verdict.claims] == [path[k].dual_bound for k in range(1, 6)]


def test_listed_supports_are_left_out_and_nothing_else() -> None:
    """No support of three columns outside the list of the two best is below the third best."""
    problem = hard(n=30, p=7, k=3)
    M = moments(problem)
    values = sorted(
        (float(explained_away(M, support) / 2), support)
        for support in [(a, b, c) for a in range(7) for b in range(a + 1, 7) for c in range(b + 1, 7)]
    )
    result = bs.solve(problem)
    certificate = write(problem, result.coef, result.objective, 0.0, every_support(list(range(7)), 3, False))
    claim = dataclasses.replace(certificate.claims[0], dual_bound=values[2][0] * (1 - 1e-12))
    both = np.array([3, *values[0][1], 3, *values[1][1]], dtype=np.int32)

    def verdict(listed: np.ndarray) -> bs.Verdict:
        certificate.claims = (dataclasses.replace(claim, listed=listed),)
        return bs.verify(certificate, problem.X, problem.y)

    assert verdict(both).valid
    assert not verdict(both[:4]).valid
    assert not verdict(both[:0]).valid


def test_without_a_log_there_is_no_certificate_and_the_answer_is_the_same() -> None:
    problem = hard(p=20)
    bare, logged = bs.solve(problem, certificate=False), bs.solve(problem)

    assert bare.certificate is None
    assert bare.proof == "backend"
    assert logged.proof == "certificate"
    assert (bare.support, bare.dual_bound, bare.stats.nodes) == (logged.support, logged.dual_bound, logged.stats.nodes)
    with pytest.raises(bs.RefusedError, match="certificate is None; expected a certificate to check"):
        bare.verify()


def test_only_our_own_searches_have_certificates() -> None:
    class Backend(bs.BranchAndBound):
        """Another program that hands back whatever it likes, a tree too."""

    result = bs.solve(hard(p=10, k=2), Backend())

    assert result.certificate is None
    assert result.proof == "backend"


def test_the_file_says_what_it_is_about(tmp_path) -> None:
    import zipfile

    problem = hard(p=10, k=2, bounds=(-2.0, 3.0), lambda2=0.5)
    bs.solve(problem).certificate.save(tmp_path / "a.cert")
    with zipfile.ZipFile(tmp_path / "a.cert") as archive:
        header = json.loads(archive.read("header.json"))
        names = archive.namelist()

    assert (header["format"], header["version"]) == ("bestsubset certificate", 1)
    assert (header["data"]["n"], header["data"]["p"]) == problem.X.shape
    assert header["settings"]["lambda2"] == 0.5
    assert header["settings"]["bounds"] is True
    assert {"lower.npy", "upper.npy", "0/tree.npy", "0/listed.npy"} <= set(names)
    assert not (tmp_path / "a.cert.part").exists()


def test_saving_to_a_folder_that_is_not_there_leaves_nothing(tmp_path) -> None:
    certificate = bs.solve(hard(p=6, k=2)).certificate
    with pytest.raises(FileNotFoundError):
        certificate.save(tmp_path / "nowhere" / "a.cert")
    assert list(tmp_path.iterdir()) == []


def test_every_support_of_many_columns_has_a_tree() -> None:
    """As deep as there are columns: nothing recurses."""
    logged = every_support(list(range(100, 3100)), 3, is_penalised=False)

    assert np.count_nonzero(logged.tree == 7) == 2998  # a chain for each first column that leaves two more
    assert every_support(list(range(3000)), 5, is_penalised=False) is None
