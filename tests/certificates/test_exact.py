"""The exact checker: it accepts what our searches write and refuses whatever is not proved."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact, write
from bestsubset.certificates.enumerated import every_support
from formulations import Exclude, Include, Problem
from tests.certificates import rational
from tests.instances import NASTY, data

FORMS = {
    "k": {"k": 3},
    "lambda0": {"lambda0": 2.0},
    "both": {"k": 3, "lambda0": 1.0},
    "ridge": {"k": 3, "lambda2": 2.0},
    "lambda1": {"k": 3, "lambda1": 3.0},
    "all": {"lambda0": 1.0, "lambda1": 1.0, "lambda2": 1.0, "standardize": True},
    "box": {"k": 3, "bounds": (-0.6, 0.4)},
    "standardized": {"k": 3, "lambda1": 0.5, "standardize": True},
}
SOLVERS = {
    "race": None,
    "downdating": bs.BranchAndBound(tree="downdating"),
    "perspective": bs.BranchAndBound(tree="perspective"),
    "stopped": bs.BranchAndBound(tree="perspective", node_limit=2),
    "not begun": bs.BranchAndBound(node_limit=0),
    "enumeration": "enumeration",
}


def claims_of(certificate):
    names = exact.Claim._fields
    return [exact.Claim(*(getattr(claim, name) for name in names)) for claim in certificate.claims]


def moments_of(problem, **settings):
    columns = [problem.X[:, j].tolist() for j in range(problem.p)]
    settings = write._settings(problem, True) | settings
    weights = problem.sample_weight.tolist()
    return exact.Moments(columns, problem.y.tolist(), weights, settings, problem.lower.tolist(), problem.upper.tolist())


def check(problem, claim):
    checker = exact.Checker(moments_of(problem), [claim])
    checker.check()
    return checker


def claim_by_hand(problem, dual_bound, tokens, listed=(), support=(), coef=(), **fields):
    claim = exact.Claim(problem.max_cardinality, 1e300, dual_bound, support, coef, listed, [], tokens, [0], [], [])
    return claim._replace(**fields)


def objective_on(problem, support):
    M = rational.moments(problem)
    return rational.explained_away(M, support) / 2 + Fraction(problem.lambda0) * len(support)


def above(value):
    """A float a little above a fraction."""
    return float(value * (1 + Fraction(1, 10**12)))


def below(value):
    return float(value * (1 - Fraction(1, 10**12)))


def write_csv(path, problem, weights=None):
    header = [f"x{j}" for j in range(problem.p)] + ["y"] + (["w"] if weights is not None else [])
    rows = np.column_stack([problem.X, problem.y] + ([weights] if weights is not None else []))
    lines = [",".join(header)] + [",".join(map(repr, row)) for row in rows.tolist()]
    path.write_text("\n".join(lines))


def run(*arguments):
    command = [sys.executable, "-I", "-S", exact.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """A problem, its certificate, and both as files."""
    folder = tmp_path_factory.mktemp("solved")
    problem = Problem(*data(0, p=10), 4)
    result = bs.solve(problem, SOLVERS["perspective"])
    result.certificate.save(folder / "model.cert")
    write_csv(folder / "data.csv", problem)
    return problem, result, folder


# What is valid.


def certified(problem, solver=None):
    """The result with its certificate; the test is skipped where the solver refuses or none can be had."""
    try:
        result = bs.solve(problem, solver)
    except bs.RefusedError:
        pytest.skip("the solver does not take this problem")
    if result.certificate is None:
        pytest.skip("no certificate")
    return result


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name", ["plain", "collinear", "complete dummies", "weights", "groups", "forced group", "wide"]
)
def test_accepts_what_our_searches_write(name, form, solver):
    problem = NASTY[name](**FORMS[form])
    chosen = SOLVERS[solver]
    check(problem, claims_of(certified(problem, chosen).certificate)[0])


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("form", ["k", "lambda0", "all"])
def test_accepts_nasty_problems(name, form, tmp_path):
    if (name, form) == ("standardized", "all"):
        pytest.skip("standardized already")
    problem = NASTY[name](**(FORMS[form] | ({"k": 1} if (name, form) == ("one column", "k") else {})))
    certified(problem).certificate.save(tmp_path / "c")
    table = exact.Table(
        [problem.X[:, j].tolist() for j in range(problem.p)], problem.y.tolist(), problem.sample_weight.tolist()
    )
    exact.check_file(str(tmp_path / "c"), table)


@pytest.mark.parametrize("seed", range(40))
def test_refuses_what_is_false_by_a_hair(seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 20)), int(rng.integers(2, 8))
    X = rng.integers(-2, 3, (n, p)).astype(float) if seed % 2 else rng.standard_normal((n, p))
    settings = {"k": int(rng.integers(1, p + 1))} if seed % 3 else {"lambda0": 0.7}
    settings |= {"lambda2": 0.5, "standardize": bool(seed % 4)} if seed % 5 == 0 else {}
    settings |= {"fit_intercept": seed % 7 > 1, "sample_weight": rng.integers(1, 4, n)}
    if p > 3 and seed % 2:
        settings["constraints"] = [Include([1]), Exclude([0])]
    X[0] = 7.0  # no constant columns
    try:
        problem = Problem(X, rng.standard_normal(n), **settings)
    except bs.ProblemError:
        pytest.skip("no problem")
    solver = list(SOLVERS.values())[seed % len(SOLVERS)]
    result = certified(problem, solver)
    (claim,) = claims_of(result.certificate)
    least = rational.least_objective(problem)
    assert claim.dual_bound <= least <= claim.objective
    check(problem, claim)
    for lie in ({"dual_bound": above(least)}, {"objective": below(least)}):
        with pytest.raises(exact.RefusedError):
            check(problem, claim._replace(**lie))


@pytest.mark.parametrize("form", [{"k": 3}, {"lambda0": 2.0}, {"k": 2, "lambda0": 2.0}])
def test_every_support_proves_the_optimum_to_the_last_digit(form):
    problem = Problem(*data(3, p=7), **form)
    k = problem.max_cardinality
    tree = every_support(list(range(7)), k, problem.lambda0 > 0).tree
    least = rational.least_objective(problem)
    check(problem, claim_by_hand(problem, below(least), tree))
    with pytest.raises(exact.RefusedError, match="claim 0, at the root"):
        check(problem, claim_by_hand(problem, above(least), tree))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_listed_supports_are_left_out(k):
    problem = Problem(*data(4, p=7), k)
    values = sorted((objective_on(problem, z), z) for z in combinations(range(7), k))
    tree = every_support(list(range(7)), k, is_penalised=False).tree
    best = [z for _, z in values[:4]]
    listed = [number for z in best for number in (len(z), *z)]
    check(problem, claim_by_hand(problem, below(values[4][0]), tree, listed))
    for lie in (above(values[4][0]), above(values[-1][0])):
        with pytest.raises(exact.RefusedError):
            check(problem, claim_by_hand(problem, lie, tree, listed))
    with pytest.raises(exact.RefusedError):
        check(problem, claim_by_hand(problem, below(values[4][0]), tree, listed[: -1 - k]))


def test_a_path_has_a_claim_for_each_size(solved, tmp_path):
    problem, _, folder = solved
    results = [bs.solve(problem.with_k(k)) for k in (1, 2, 3)]
    write.join([result.certificate for result in results]).save(tmp_path / "path.cert")
    table = exact.read_table(str(folder / "data.csv"))
    certificate, checker = exact.check_file(str(tmp_path / "path.cert"), table)
    assert [claim.k for claim in certificate.claims] == [1, 2, 3]
    assert checker.leaves == checker.total > 3


# What is refused.


def test_refuses_other_problems(solved):
    problem, result, _ = solved
    (claim,) = claims_of(result.certificate)
    others = [
        problem.with_k(3),
        problem.with_k(5),
        Problem(problem.X, problem.y, 4, lambda0=1e-3),
        Problem(problem.X, problem.y, 4, constraints=[Exclude([int(claim.support[0])])]),
        Problem(problem.X, problem.y, 4, bounds=(-1e-3, 1e-3)),
    ]
    for other in others:
        with pytest.raises(exact.RefusedError):
            check(other, claim._replace(k=other.k))


def test_refuses_a_broken_tree(solved):
    problem, result, _ = solved
    (claim,) = claims_of(result.certificate)
    least = rational.least_objective(problem)
    # One leaf of the whole tree: the fit of all columns is far below.
    with pytest.raises(exact.RefusedError, match="at the root: the fit"):
        check(problem, claim._replace(tree=[0]))
    values = claim.values.copy()
    values *= 1.5
    with pytest.raises(exact.RefusedError, match="the bound is not reached with multiplier"):
        check(problem, claim._replace(values=values))
    diagonal = claim.diagonal * 10
    with pytest.raises(exact.RefusedError, match="not positive semidefinite"):
        check(problem, claim._replace(diagonal=diagonal))
    tree = every_support(list(range(9, -1, -1)), 4, is_penalised=False).tree.tolist()
    good = claim_by_hand(problem, below(least), tree)
    check(problem, good)
    # Children of a chain that are left out are leaves by a fit, and those prove too little here.
    with pytest.raises(exact.RefusedError, match="> without"):
        check(problem, good._replace(tree=[*tree[:4], 7]))


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([3, 0, 3, 0, 0, 0, 0], "column 0 is not free"),
        ([3, 8, 0, 0], "column 8 is not free"),
        ([3, 7, 0, 0], "column 7 is not free"),
        ([2, 2, 1, 1, 7], "named twice"),
        ([2, 0, 7], "does not fit"),
        ([5, 3, 0, 1, 2, 0, 0, 0], "column 2 is not in the span"),
        ([6, 0, 1, 0], "no multiple"),
        ([9], "no such node"),
        ([3, 0, 5, 2, 1, 9, 0, 0, 0], "proves nothing here"),
        ([8, 0, 6, 0, 1, 0], "proves nothing here"),
        ([6, 0, 1, 9], "no multiple"),
    ],
)
def test_refuses_tokens_that_break_a_rule(tokens, reason):
    problem = Problem(*data(5, p=10), 4, constraints=[Include([7]), Exclude([8])])
    with pytest.raises(exact.RefusedError, match=reason):
        check(problem, claim_by_hand(problem, 1e-9, tokens, support=[7], coef=[0.0]))


def test_a_file_about_other_data_is_refused(solved, tmp_path):
    problem, _, folder = solved
    for other in (Problem(problem.X, 2 * problem.y, 4), Problem(problem.X[1:], problem.y[1:], 4)):
        write_csv(tmp_path / "other.csv", other)
        table = exact.read_table(str(tmp_path / "other.csv"))
        with pytest.raises(exact.RefusedError, match="certificate is about"):
            exact.check_file(str(folder / "model.cert"), table)


# Dependence.


def test_dependent_columns_may_be_left_out():
    X, y = data(6, p=5)
    X = np.round(X * 8)
    X[:, 3] = X[:, 0] + 2 * X[:, 1]
    X[:, 4] = -3 * X[:, 2]
    problem = Problem(X, y, 2)
    least = rational.least_objective(problem)
    pairs = [2, 0, 7]
    tokens = [6, 2, 4, 5, 3, 0, 1, 3, *pairs, *pairs, *pairs]
    check(problem, claim_by_hand(problem, below(least), tokens))
    for tokens in ([6, 2, 3, *pairs], [5, 3, 0, 2, 3, *pairs, *pairs, *pairs]):
        with pytest.raises(exact.RefusedError, match=r"span|multiple"):
            check(problem, claim_by_hand(problem, below(least), tokens))
    X[0, 3] += 2.0**-40
    with pytest.raises(exact.RefusedError, match="span"):
        check(Problem(X, y, 2), claim_by_hand(problem, below(least), [5, 3, 0, 1, 3, *pairs, *pairs, *pairs]))


# Single leaves, for the other checker.


def test_single_leaves():
    problem = Problem(*data(7, p=20), 3, lambda0=0.5)
    moments = moments_of(problem)
    for columns in ([0, 1], list(range(12)), list(range(20))):
        value = objective_on(problem, tuple(columns)) - Fraction(len(columns), 2) + Fraction(3, 2)
        assert moments.solves(columns, below(value), 3)
        assert not moments.solves(columns, above(value), 3)
    value = objective_on(problem, (0, 1, 2))
    assert moments.closes([0, 1], [2], 1, below(value), 3, set())
    assert not moments.closes([0, 1], [2], 1, above(value), 3, set())
    assert moments.closes([0, 1], [2], 1, above(value), 3, {(0, 1, 2)})
    assert not moments.depends(3, [0, 1])
    assert moments.is_dominated([0.0] * 20, range(20))
    assert not moments.is_dominated([1e3] * 20, range(20))
    assert moments.incumbent_value([], []) == rational.moments(problem)[-1][-1] / 2


def test_semidefinite_to_the_last_bit():
    def is_semidefinite(lower):
        return exact.is_semidefinite(lambda i, j: lower[max(i, j)][min(i, j)], range(len(lower)))

    assert is_semidefinite([[2], [2, 2], [4, 4, 9]])
    assert not is_semidefinite([[2 << 99], [2 << 99, (2 << 99) - 1]])
    assert is_semidefinite([[2 << 99], [2 << 99, 2 << 99]])
    assert not is_semidefinite([[0], [1, 5]])
    assert is_semidefinite([[0], [0, 5]])
    assert not is_semidefinite([[-1]])
    assert is_semidefinite([])


# Files and the command line.


def test_command_line(solved):
    _, result, folder = solved
    done = run(folder / "model.cert", folder / "data.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Valid. " in done.stdout
    assert repr(result.certificate.claims[0].dual_bound) in done.stdout
    done = run(folder / "model.cert", folder / "data.csv", "--leaves", 3, "--seed", 1)
    assert done.returncode == 0
    assert done.stdout.startswith("Sample passed: 3 of ")
    assert "not a proof" in done.stdout
    assert "alid" not in done.stdout


def test_command_line_with_target_and_weights(tmp_path):
    problem = NASTY["weights"](k=2)
    bs.solve(problem).certificate.save(tmp_path / "c")
    write_csv(tmp_path / "d.csv", problem, problem.sample_weight)
    done = run(tmp_path / "c", tmp_path / "d.csv", "--target", "y", "--weights", "w")
    assert done.returncode == 0, done.stderr
    done = run(tmp_path / "c", tmp_path / "d.csv", "--weights", "x0", "--target", "w")
    assert done.returncode in (2, 3)
    for arguments in (["--target", "nothing"], ["--leaves", "0"], ["--leaves", "many"]):
        assert run(tmp_path / "c", tmp_path / "d.csv", *arguments).returncode == 2
    assert run(tmp_path / "absent", tmp_path / "d.csv", "--weights", "w").returncode == 2


def test_refusal_on_the_command_line(solved, tmp_path, capsys):
    _, result, folder = solved
    certificate = result.certificate
    claim = certificate.claims[0]
    lie = replace(certificate, claims=(replace(claim, objective=0.99 * claim.objective),))
    lie.save(tmp_path / "lie.cert")
    assert exact.main([str(tmp_path / "lie.cert"), str(folder / "data.csv")]) == 3
    assert capsys.readouterr().out.startswith("Refused: claim 0: the incumbent has an objective above")


def changed(content, member, new):
    """The archive with a member replaced, left out (None), or written twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as archive:
        for name in old.namelist():
            if name != member or new is not None:
                archive.writestr(name, new(old.read(name)) if name == member else old.read(name))
    return out.getvalue()


def compressed(content):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in old.namelist():
            archive.writestr(name, old.read(name))
    return out.getvalue()


def npy(tokens, kind="<i2"):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array(tokens, dtype=kind), version=(1, 0))
    return lambda _: out.getvalue()


def longer(member):
    """Tokens with one more behind them: what is wrong is found after every leaf is proved."""
    tokens = np.load(io.BytesIO(member))
    return npy([*tokens, 0], tokens.dtype.str)(None)


BROKEN = {
    "empty": lambda c: b"",
    "no archive": lambda c: b"nothing of the kind" * 99,
    "truncated": lambda c: c[:-100],
    "compressed": compressed,
    "a member is missing": lambda c: changed(c, "0/tree.npy", None),
    "deep header": lambda c: changed(c, "header.json", lambda _: b"[" * 10**5),
    "other header": lambda c: changed(c, "header.json", lambda _: b"[]"),
    "huge number": lambda c: changed(c, "header.json", lambda h: h.replace(b'"k": 4', b'"k": 4' + b"0" * 999)),
    "infinite bound": lambda c: changed(
        c, "header.json", lambda h: h.replace(b'"dual_bound": ', b'"dual_bound": 1e9999')
    ),
    "other settings": lambda c: changed(c, "header.json", lambda h: h.replace(b'"lambda0": 0.0', b'"lambda0": 1.0')),
    "huge array": lambda c: changed(c, "0/coef.npy", lambda a: a.replace(b"(4,)", b"(4" + b"0" * 12 + b",)")),
    "deep array header": lambda c: changed(c, "0/coef.npy", lambda a: a.replace(b"(4,), }", b"(" * 60)),
    "other type": lambda c: changed(c, "0/tree.npy", npy([0], "<f8")),
    "ends too early": lambda c: changed(c, "0/tree.npy", npy([3, 0, 0])),
    "goes on": lambda c: changed(c, "0/tree.npy", longer),
    "no kind": lambda c: changed(c, "0/tree.npy", npy([11])),
    "no column": lambda c: changed(c, "0/tree.npy", npy([3, 10, 0, 0])),
    "no multiplier": lambda c: changed(c, "0/tree.npy", npy([1, 30000])),
    "negative count": lambda c: changed(c, "0/tree.npy", npy([2, -5, 7])),
    "a chain with a split": lambda c: changed(c, "0/tree.npy", npy([8, 2, 0, 0, 2, 2, 0, 1, 3, 2, 0, 0, 7])),
    "nested": lambda c: changed(c, "0/tree.npy", npy([8, 1] * 100_000)),
    "chains in an empty node": lambda c: changed(c, "0/tree.npy", npy([8, 1, *[2, 0] * 100_000])),
    "support out of range": lambda c: changed(c, "0/support.npy", npy([0, 1, 2, 99], "<i4")),
}


@pytest.mark.parametrize("how", BROKEN)
def test_malformed_files(solved, tmp_path, capsys, how):
    _, _, folder = solved
    broken = tmp_path / "broken.cert"
    broken.write_bytes(BROKEN[how]((folder / "model.cert").read_bytes()))
    assert exact.main([str(broken), str(folder / "data.csv")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {broken}: ")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice(solved, tmp_path):
    _, _, folder = solved
    broken = tmp_path / "broken.cert"
    broken.write_bytes((folder / "model.cert").read_bytes())
    with zipfile.ZipFile(broken, "a") as archive:
        archive.writestr("0/tree.npy", b"")
    with pytest.raises(exact.MalformedError, match="twice"):
        exact.load(str(broken))


def test_flipped_bits_never_crash(solved, tmp_path):
    _, _, folder = solved
    table = exact.read_table(str(folder / "data.csv"))
    content = (folder / "model.cert").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(content[: rng.integers(len(content))] if rng.random() < 0.3 else content)
        for _ in range(3 if broken else 0):
            broken[rng.integers(len(broken))] ^= 1 << rng.integers(8)
        (tmp_path / "broken.cert").write_bytes(broken)
        with suppress(exact.MalformedError, exact.RefusedError):
            exact.check_file(str(tmp_path / "broken.cert"), table)


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b\n1\n", "a,b\n1,x\n", "a,b\n1,nan\n", "a,a\n1,2\n", "a\n1\n", "\0"])
def test_data_that_are_no_table(tmp_path, capsys, text):
    (tmp_path / "d.csv").write_text(text)
    assert exact.main([str(tmp_path / "c"), str(tmp_path / "d.csv")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'd.csv'}: ")
