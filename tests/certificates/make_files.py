"""Make the checked-in certificates again: ``python -m tests.certificates.make_files``.

``valid/``: NAME.cert and NAME.csv (response last, weights in a column ``weight``); every claim holds and is proved.

* ``k``, ``lambda0``, ``both``: the forms of the problem, plain least squares; ``ridge_k``, ``ridge_lambda0``: with λ2
* ``lambda1``, ``box``: with λ1, with bounds on the coefficients
* ``weights`` (one of them zero), ``no_intercept``, ``standardized`` (with λ2)
* ``include_exclude``, ``group``: structure on the support
* ``copy``, ``dependent``, ``seen``: a column twice; a factor with all its levels beside the intercept; a column thrice
* ``rules``, ``enumerated_rules``: heredity and bounds on how many; ``budget``: with λ0 and a group that counts as one
* ``path``: one claim for each size 1 … 4; ``listed``: the bound leaves the three best supports out
* ``stopped``: a search cut off with a gap; ``fix``: a perspective tree with `FIX`; ``enumerated``: a tree of chains
* ``boxes``: bounds on coefficients that follow from the incumbent, each with its proof
* ``absolute``, ``quantile`` (with λ0), ``hinge``: losses with kinks; ``kinked_rules``: with rules and a group that
  counts as one; ``kinked_lambda1``: with λ1, standardisation and weights; ``kinked_stopped``: cut off, no intercept

``invalid/``: well-formed files whose claim is false, or not proved by what is in them, about the data of the valid file
before the double underscore (or with a .csv of their own); ``malformed/``: no certificates at all. See `INVALID`,
`MALFORMED` and `MALFORMED_KINKED` below, a sentence each.
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np

import bestsubset as bs
from bestsubset.bnb import derived_boxes, engine
from bestsubset.certificates.certificate import Certificate, problem_digest
from bestsubset.certificates.enumerated import every_support
from formulations import AtLeast, AtMost, Budget, Constraint, Exclude, Group, Implies, Include, Problem
from tests.certificates import rational

HERE = Path(__file__).parent
VALID, INVALID_FOLDER, MALFORMED_FOLDER = HERE / "valid", HERE / "invalid", HERE / "malformed"

SOLVE, BOUND, CHAIN, SPLIT, FIX, DEPENDENT, COPY, END, SIZES, SEEN, INFEASIBLE = range(11)

_PERSPECTIVE = bs.BranchAndBound(tree="perspective")
_DOWNDATING = bs.BranchAndBound(tree="downdating")


def read(folder: Path, name: str) -> Certificate:
    return Certificate.load(folder / f"{name}.cert")


def data_of(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """X, y and the weights of a CSV file."""
    names = path.read_text().split("\n")[0].split(",")
    table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    if "weight" in names:
        return table[:, :-2].copy(), table[:, -1].copy(), table[:, -2].copy()
    return table[:, :-1].copy(), table[:, -1].copy(), None


def to_bytes(certificate: Certificate) -> bytes:
    """The file of a certificate, the same whenever it is made."""
    with tempfile.TemporaryDirectory() as folder:
        certificate.save(Path(folder) / "c")
        return zipped(members(Path(folder) / "c"))


def members(path: Path | io.BytesIO) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes]) -> bytes:
    """An archive of members, stored and without a date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, member in content.items():
            archive.writestr(zipfile.ZipInfo(name), member)
    return stream.getvalue()


# Valid files.


def _data(seed: int, n: int = 14, p: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of three decimals, correlated enough for a tree to be needed."""
    rng = np.random.default_rng(seed)
    X = 0.7 * rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
    y = X[:, :3] @ [1.0, -1.0, 0.5] + rng.standard_normal(n) + 0.7
    return np.round(X, 3), np.round(y, 3)


def _weights() -> np.ndarray:
    weights = np.round(np.random.default_rng(30).uniform(0.2, 3.0, 14), 2)
    weights[4] = 0.0
    return weights


def _classes() -> tuple[np.ndarray, np.ndarray]:
    """Two classes that overlap."""
    rng = np.random.default_rng(26)
    X = np.round(rng.standard_normal((30, 4)), 3)
    return X, np.sign(X[:, 0] - X[:, 1] + 1.5 * rng.standard_normal(30))


def _heredity() -> list[Constraint]:
    return [Implies(0, [3, 4], "all"), Implies(1, [2, 5], "any"), AtMost([1, 2, 3], 1)]


def _in_one() -> list[Constraint]:
    return [Group([1, 4], counts="one")]


def _copied() -> Problem:
    X, y = _data(8)
    X[:, 4] = -2.0 * X[:, 1]
    return Problem(X, y, 3)


def _factor() -> Problem:
    """Three levels that sum to the intercept."""
    X, y = _data(9)
    X[:, :3] = np.eye(3)[np.arange(14) % 3]
    return Problem(X, y, 3)


def _listed() -> Certificate:
    """The bound lies between the third and the fourth best support of three columns."""
    problem = Problem(*_data(10), 3)
    M = rational.moments(problem)
    ranked = sorted((rational.explained_away(M, z) / 2, z) for z in combinations(range(problem.p), 3))
    tree = every_support(list(range(problem.p)), 3, is_penalised=False)
    certificate = bs.solve(problem, _DOWNDATING).certificate
    listed = [number for _, z in ranked[:3] for number in (3, *z)]
    claim = replace(
        certificate.claims[0],
        **tree._asdict(),
        listed=np.array(listed, dtype=np.int32),
        dual_bound=float((ranked[2][0] + 3 * ranked[3][0]) / 4),
    )
    return replace(certificate, claims=(claim,))


def _seen() -> tuple[Problem, Certificate]:
    """Three columns that are multiples of each other: what is left of them is met again and again."""
    X, y = _data(11)
    X[:, 1], X[:, 2] = 2.0 * X[:, 0], -X[:, 0]
    problem = Problem(X, y, 2)
    certificate = bs.solve(problem, _DOWNDATING).certificate
    tails = [[CHAIN, 0, END], [CHAIN, 1, 4, CHAIN, 0, END, END], [CHAIN, 1, 5, CHAIN, 0, END, END]]
    without_0 = [DEPENDENT, 2, 1, 2, *tails[0], *tails[1]]
    without_1 = [DEPENDENT, 2, 0, 2, SEEN, *tails[2]]
    without_2 = [COPY, 0, 1, SEEN]
    tree = [DEPENDENT, 3, 0, 1, 2, *without_0, *without_1, *without_2]
    return problem, with_claim(certificate, tree=np.array(tree, dtype=np.int16))


def _boxed() -> tuple[Problem, Certificate]:
    """A problem too small for boxes to pay, with boxes."""
    forced = {"_BEFORE_BOXES": 0.0, "_LARGE_GAP": 0.0, "has_definite_moments": lambda scaled: False}
    problem = Problem(*_data(22, n=7, p=7), 3, lambda2=0.02)
    with patch.multiple(engine, **forced), patch.object(derived_boxes, "_USEFUL", np.inf):
        certificate = bs.solve(problem).certificate
    assert len(certificate.claims[0].boxed) > 3
    return problem, certificate


def _kinked() -> dict[str, tuple[Problem, bs.Solver | None]]:
    X, y = _data(28)
    constraints = [*_in_one(), Implies(0, [3, 5], "any"), AtLeast([2, 3], 1)]
    weighted: dict = {"standardize": True, "sample_weight": _weights()}
    return {
        "absolute": (Problem(*_data(24, p=5), 2, loss="absolute"), None),
        "quantile": (Problem(*_data(25, p=5), lambda0=0.8, loss=bs.QuantileLoss(0.3)), None),
        "hinge": (Problem(*_classes(), 2, loss="hinge"), None),
        "kinked_rules": (
            Problem(*_data(27, n=20), 3, lambda0=0.2, loss="absolute", constraints=constraints),
            None,
        ),
        "kinked_lambda1": (
            Problem(X * [1, 10, 1, 1, 5, 1], y, 3, lambda1=0.5, loss=bs.QuantileLoss(0.7), **weighted),
            None,
        ),
        "kinked_stopped": (
            Problem(*_data(29, p=7), 3, loss="absolute", fit_intercept=False, constraints=[Exclude([6])]),
            bs.LPBranchAndBound(node_limit=2),
        ),
    }


def valid() -> dict[str, tuple[Problem, Certificate]]:
    """The problems of ``valid/`` with their certificates."""
    box = (np.array([-0.5, -np.inf, 0.0, -1.0, -0.3, 0.0]), np.array([0.6, 0.4, 0.75, 1.0, 0.3, 0.0]))
    solved = {
        "k": (Problem(*_data(0), 3), _DOWNDATING),
        "lambda0": (Problem(*_data(1), lambda0=1.0), _PERSPECTIVE),
        "both": (Problem(*_data(2), 3, lambda0=0.5), _DOWNDATING),
        "ridge_k": (Problem(*_data(3), 3, lambda2=0.5), _PERSPECTIVE),
        "ridge_lambda0": (Problem(*_data(4), lambda0=0.5, lambda2=0.5), _PERSPECTIVE),
        "lambda1": (Problem(*_data(5, p=5), 2, lambda1=1.0), _PERSPECTIVE),
        "box": (Problem(*_data(6), 2, bounds=box), _PERSPECTIVE),
        "weights": (Problem(*_data(7), 3, sample_weight=_weights()), _DOWNDATING),
        "no_intercept": (Problem(*_data(12), 3, fit_intercept=False), _DOWNDATING),
        "standardized": (
            Problem(_data(13)[0] * [1, 10, 1, 1, 5, 1], _data(13)[1], 3, lambda2=0.5, standardize=True),
            _PERSPECTIVE,
        ),
        "include_exclude": (
            Problem(*_data(14, p=7), 3, lambda2=0.1, constraints=[Include([5]), Exclude([0])]),
            _PERSPECTIVE,
        ),
        "group": (Problem(*_data(15), 4, lambda2=0.2, constraints=[Group([0, 3]), Group([1, 2])]), _PERSPECTIVE),
        "copy": (_copied(), _DOWNDATING),
        "dependent": (_factor(), _DOWNDATING),
        "stopped": (Problem(*_data(16, p=7), 3), bs.BranchAndBound(tree="perspective", node_limit=2)),
        "fix": (Problem(*_data(17, p=7), 3), _PERSPECTIVE),
        "rules": (Problem(*_data(21), 3, constraints=_heredity()), None),
        "budget": (
            Problem(*_data(22), lambda0=0.5, constraints=[Budget([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.9), *_in_one()]),
            None,
        ),
        "enumerated_rules": (Problem(*_data(23), 3, constraints=[AtLeast([1, 2, 4], 1), *_heredity()]), "enumeration"),
        "enumerated": (Problem(*_data(18), lambda0=1.0), "enumeration"),
        **_kinked(),
    }
    made = {name: (problem, bs.solve(problem, solver).certificate) for name, (problem, solver) in solved.items()}
    path = bs.best_path(*_data(19), 4, solver=_DOWNDATING)
    made["path"] = (Problem(*_data(19), 4), path.certificate)
    made["seen"] = _seen()
    made["boxes"] = _boxed()
    made["listed"] = (Problem(*_data(10), 3), _listed())
    return made


def csv_of(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> str:
    names = [f"x{j}" for j in range(X.shape[1])]
    columns = [X, y[:, None]]
    if weights is not None:
        names.append("weight")
        columns.insert(1, weights[:, None])
    rows = np.hstack(columns).tolist()
    return "\n".join([",".join([*names, "y"]), *(",".join(map(repr, row)) for row in rows)]) + "\n"


# Invalid files.

Change = Callable[[Certificate], Certificate]


def with_claim(certificate: Certificate, number: int = 0, **changes: object) -> Certificate:
    """A certificate with one claim changed."""
    claims = list(certificate.claims)
    claims[number] = replace(claims[number], **changes)
    return replace(certificate, claims=tuple(claims))


def with_settings(certificate: Certificate, **settings: object) -> Certificate:
    """A certificate about another problem on the same data; its digest goes with it."""
    return replace(certificate, settings=certificate.settings | settings)


def _change(**changes: Callable[[object], object]) -> Change:
    """Fields of the first claim, each changed by a function of the claim."""

    def changed(certificate: Certificate) -> Certificate:
        claim = certificate.claims[0]
        return with_claim(certificate, **{name: change(claim) for name, change in changes.items()})

    return changed


def _chain_alone(certificate: Certificate) -> Certificate:
    """An empty chain, and a bound above the objective."""
    objective, tree = certificate.claims[0].objective, np.array([CHAIN, 0, END], dtype=np.int16)
    return with_claim(certificate, tree=tree, dual_bound=1.01 * objective, objective=2.0 * objective)


def _tree(tokens: list[int]) -> Change:
    return _change(tree=lambda claim: np.array(tokens, dtype=claim.tree.dtype))


def _swapped_children(claim) -> np.ndarray:
    """The children of the first SPLIT the other way round."""
    tree = claim.tree.tolist()
    start, end = next((a, b) for a, b in nodes(tree) if tree[a] == SPLIT)
    middle = nodes(tree, start + 2)[0][1]
    return np.array(
        tree[: start + 2] + tree[middle:end] + tree[start + 2 : middle] + tree[end:], dtype=claim.tree.dtype
    )


def nodes(tree: list[int], start: int = 0) -> list[tuple[int, int]]:
    """The nodes from a position on in preorder, as (beginning, end); none of their columns may be in `include`."""
    kind = tree[start]
    position, count = {
        SOLVE: lambda: (start + 1, 0),
        BOUND: lambda: (start + 2, 0),
        CHAIN: lambda: (start + 2 + tree[start + 1], None),
        SPLIT: lambda: (start + 2, 2),
        FIX: lambda: (start + 3 + tree[start + 2], 1),
        DEPENDENT: lambda: (start + 2 + tree[start + 1], tree[start + 1]),
        COPY: lambda: (start + 3, 1),
        SIZES: lambda: (start + 2, tree[start + 1] + 1),
        SEEN: lambda: (start + 1, 0),
        INFEASIBLE: lambda: (start + 2, 0),
    }[kind]()
    below: list[tuple[int, int]] = []
    while tree[position] != END if count is None else count:
        child = nodes(tree, position)
        position, below = child[0][1], below + child
        count = None if count is None else count - 1
    return [(start, position + (count is None)), *below]


def kinds_of(tree: list[int]) -> set[int]:
    return {tree[start] for start, _ in nodes(tree)}


def _other_columns(certificate: Certificate) -> Certificate:
    """DEPENDENT names columns that do not depend on each other."""
    tree = certificate.claims[0].tree.copy()
    at = tree.tolist().index(DEPENDENT)
    tree[at + 2 : at + 2 + tree[at + 1]] = [3, 4, 5][: tree[at + 1]]
    return with_claim(certificate, tree=tree)


def _other_multiplier(claim) -> np.ndarray:
    return claim.values * np.where(np.arange(len(claim.values)) % 2, 3.0, -1.0)


def _excluded_multiplier(certificate: Certificate) -> Certificate:
    """A multiplier on an excluded column, for which nothing is known of the diagonal, would prove anything."""
    claim = certificate.claims[0]
    diagonal = np.full(7, 0.1)
    diagonal[0] = 1e10
    return with_claim(
        certificate,
        objective=100.0,
        dual_bound=99.0,
        tree=np.array([BOUND, 0], dtype=np.int16),
        offsets=np.array([0, 1], dtype=np.int64),
        columns=np.array([0], dtype=np.int32),
        values=np.array([1e-3]),
        diagonal=diagonal,
        support=claim.support,
    )


def _listed_box() -> tuple[Certificate, tuple[np.ndarray, np.ndarray, None]]:
    """With λ1, the objective of a listed incumbent bounds no coefficient of the models that are not listed."""
    rng = np.random.default_rng(0)
    x = np.round(rng.standard_normal(10), 3)
    X = np.column_stack([x, np.round(0.05 * (x + 0.3 * rng.standard_normal(10)), 5)])
    data = X, x, None
    certificate = bs.solve(Problem(X, x, 1, lambda1=0.5), _PERSPECTIVE).certificate
    multiplier = certificate.claims[0].objective / 0.5
    centred, response = X[:, 1] - X[:, 1].mean(), x - x.mean()
    residual = response - multiplier * centred
    changes = {
        "listed": np.array([1, 0], dtype=np.int32),
        "tree": np.array([SPLIT, 0, SOLVE, BOUND, 0], dtype=np.int16),
        "offsets": np.array([0, 1], dtype=np.int64),
        "columns": np.array([1], dtype=np.int32),
        "values": np.array([multiplier]),
        "diagonal": np.zeros(0),
        "dual_bound": 0.999 * float(0.5 * residual @ residual + 0.5 * multiplier),
    }
    return with_claim(certificate, **changes), data


def _rules(change: Callable[[list[dict]], list[dict]]) -> Change:
    """The rules of the settings, changed."""
    return lambda c: with_settings(c, rules=change(c.settings["rules"]))


def _other_row(claim) -> np.ndarray:
    """Each INFEASIBLE leaf names the rule behind the right one."""
    tree = claim.tree.copy()
    for start, _ in nodes(tree.tolist()):
        if tree[start] == INFEASIBLE:
            tree[start + 1] = (tree[start + 1] + 1) % 4
    return tree


def _outside_by_an_ulp(claim) -> np.ndarray:
    """The steepest slopes, which are all but 1, are the next number above it: the absolute loss is not as steep."""
    is_steep = np.abs(claim.values) > 1 - 1e-9
    assert is_steep.any()
    return np.where(is_steep, np.nextafter(1.0, 2.0) * np.sign(claim.values), claim.values)


def _sum_off_by_an_ulp(claim) -> np.ndarray:
    """The first slope of each dual vector is nearer to zero by the least that there is."""
    values, first = claim.values.copy(), claim.offsets[:-1][np.diff(claim.offsets) > 0]
    values[first] = np.nextafter(values[first], 0.0)
    return values


def _exchanged_rows(claim) -> np.ndarray:
    """Each dual vector belongs to the rows in another order."""
    ends = pairwise(claim.offsets.tolist())
    return np.concatenate([claim.values[a:b][::-1] for a, b in ends])


def _priced_boxes(certificate: Certificate) -> Certificate:
    """Boxes proved together by prices of at-least: what these add does not grow with the coefficients."""
    claim, (X, y, _) = certificate.claims[0], data_of(VALID / "kinked_rules.csv")
    price = [len(X) + next(r for r, rule in enumerate(certificate.settings["rules"]) if rule["limit"] < 0)]
    ends = [*pairwise(claim.offsets.tolist())][: claim.together]
    signs = np.sign(np.median(y) - y)  # no coefficient can be large, so that what y costs alone is the bound
    columns = [*([*claim.columns[a:b], *price] for a, b in ends), [*range(len(X))]]
    values = [*([*claim.values[a:b], 1e4] for a, b in ends), [*signs]]
    return with_claim(
        certificate,
        objective=2.0 * claim.objective,
        dual_bound=1.1 * claim.objective,
        tree=np.array([BOUND, claim.together], dtype=np.int16),
        offsets=np.cumsum([0, *map(len, columns)]),
        columns=np.concatenate(columns).astype(np.int32),
        values=np.concatenate(values),
        boxed=claim.boxed[: claim.together],
        limits=1e-3 * claim.limits[: claim.together],
    )


INVALID: dict[str, Change] = {
    # A leaf of a SPLIT is replaced by a SOLVE that proves too little.
    "k__dropped_leaf": _tree([SOLVE]),
    "ridge_k__dropped_leaf": _tree([SOLVE]),
    # The bound is a little, or a lot, above the truth.
    "k__raised_bound": _change(
        objective=lambda c: c.objective * 1.01, dual_bound=lambda c: c.objective * (1 + 1e-9)
    ),
    "lambda1__raised_bound": _change(objective=lambda c: 2 * c.objective, dual_bound=lambda c: c.objective * 1.1),
    "box__raised_bound": _change(objective=lambda c: 2 * c.objective, dual_bound=lambda c: c.objective * 1.1),
    "weights__raised_bound": _change(dual_bound=lambda c: c.objective * (1 + 1e-9)),
    "group__raised_bound": _change(dual_bound=lambda c: c.objective * 1.001),
    # Boxes are tighter than what is proved, or on the other side.
    "boxes__tighter": _change(limits=lambda c: 0.9 * c.limits),
    "boxes__other_side": _change(boxed=lambda c: -1 - c.boxed),
    "boxes__raised_bound": _change(
        objective=lambda c: c.objective * 1.01, dual_bound=lambda c: c.objective * (1 + 1e-9)
    ),
    # What is proved with a column in is given for it out.
    "fix__swapped_children": _change(tree=_swapped_children),
    "ridge_k__altered_multiplier": _change(values=_other_multiplier),
    "fix__altered_multiplier": _change(values=_other_multiplier),
    # A chain below columns that are in: they belong to what is eliminated.
    "k__chain_below_include": lambda c: _chain_alone(with_settings(c, include=c.claims[0].support.tolist())),
    "k__chain_below_split": lambda c: with_claim(
        c,
        tree=np.array([SPLIT, 4, CHAIN, 0, END, SOLVE], dtype=np.int16),
        dual_bound=1.01 * c.claims[0].objective,
        objective=2.0 * c.claims[0].objective,
    ),
    # The tree is about fewer columns than the claim.
    "k__larger_k": _change(k=lambda c: 4),
    "include_exclude__smaller_k": _change(k=lambda c: 1),
    "ridge_k__smaller_lambda2": lambda c: with_settings(c, lambda2=0.4),
    "lambda0__smaller_lambda0": lambda c: with_settings(c, lambda0=0.5),
    "lambda0__larger_lambda0": lambda c: with_settings(c, lambda0=2.0),
    "lambda1__smaller_lambda1": lambda c: with_settings(c, lambda1=0.5),
    "include_exclude__nothing_excluded": lambda c: with_settings(c, exclude=[]),
    "include_exclude__incumbent_excluded": lambda c: with_settings(c, exclude=c.claims[0].support[:1].tolist()),
    "group__no_groups": lambda c: with_settings(c, groups=[]),
    "no_intercept__with_intercept": lambda c: with_settings(c, fit_intercept=True),
    "standardized__as_they_are": lambda c: with_settings(c, standardize=False),
    "k__lowered_objective": _change(objective=lambda c: c.dual_bound * (1 - 1e-9), dual_bound=lambda c: 0.0),
    "k__other_support": _change(support=lambda c: np.array([3, 4, 5], dtype=np.int32)),
    "fix__diagonal_too_large": _change(diagonal=lambda c: 3.0 * c.diagonal),
    "dependent__wrong_columns": _other_columns,
    # Rules that are not those of the tree, or that the incumbent breaks.
    "rules__emptied": _rules(lambda rules: [{"columns": [], "coefs": [], "limit": 0.0}, *rules[1:]]),
    "rules__larger_limit": _rules(lambda rules: [r | {"limit": r["limit"] + 1.0} for r in rules]),
    "rules__other_coefs": _rules(lambda rules: [r | {"coefs": [0.0 * a for a in r["coefs"]]} for r in rules]),
    "rules__other_row": _change(tree=_other_row),
    "rules__infeasible_root": _tree([INFEASIBLE, 0]),
    "rules__model_breaks_a_rule": lambda c: with_claim(c, model=(0, *(j for j in c.claims[0].model if j != 3))),
    "rules__model_without_support": lambda c: with_claim(c, model=c.claims[0].model[1:]),
    "rules__raised_bound": _change(objective=lambda c: 1.1 * c.objective, dual_bound=lambda c: 1.001 * c.objective),
    "budget__smaller_limit": _rules(lambda rules: [r | {"limit": 0.2} for r in rules]),
    "budget__larger_limit": _rules(lambda rules: [r | {"limit": 9.0} for r in rules]),
    "budget__counts_by_columns": lambda c: with_settings(c, single=[]),
    "budget__raised_bound": _change(objective=lambda c: 1.1 * c.objective, dual_bound=lambda c: 1.001 * c.objective),
    "enumerated_rules__removed": _rules(lambda rules: rules[1:]),
    "copy__wrong_columns": _change(
        tree=lambda c: np.array([COPY, 0, 2, *c.tree.tolist()], dtype=c.tree.dtype)
    ),
    "copy__not_seen": _tree([SEEN]),
    "listed__support_removed": _change(listed=lambda c: c.listed[4:]),
    "path__claims_swapped": lambda c: replace(c, claims=tuple(replace(a, k=5 - a.k) for a in c.claims)),
    "path__last_claim_false": lambda c: with_claim(c, 3, dual_bound=c.claims[3].objective * 1.001),
    # Coefficients are at their bounds: these are narrower.
    "box__outside_bounds": lambda c: replace(c, lower=0.9 * c.lower, upper=0.9 * c.upper),
    "include_exclude__excluded_multiplier": _excluded_multiplier,
    # Losses with kinks: dual vectors that are none of this loss, or of these rows.
    "kinked_stopped__outside_by_an_ulp": _change(values=_outside_by_an_ulp),
    "absolute__sum_off_by_an_ulp": _change(values=_sum_off_by_an_ulp),
    "hinge__exchanged_rows": _change(values=_exchanged_rows),
    "quantile__other_tau": lambda c: with_settings(c, tau=0.7),
    "absolute__no_classes": lambda c: with_settings(c, loss="hinge"),
    "kinked_stopped__with_intercept": lambda c: with_settings(c, fit_intercept=True),
    "kinked_lambda1__as_they_are": lambda c: with_settings(c, standardize=False),
    # Boxes that are proved together, but not these, or too few of them.
    "quantile__tighter": _change(limits=lambda c: 0.9 * c.limits),
    "hinge__other_side": _change(boxed=lambda c: -1 - c.boxed),
    "hinge__too_few_together": _change(together=lambda c: c.together // 2),
    "kinked_rules__priced_boxes": _priced_boxes,
    # Bounds above the truth, and trees that prove nothing of such a loss.
    "absolute__raised_bound": _change(
        objective=lambda c: c.objective * 1.01, dual_bound=lambda c: c.objective * (1 + 1e-9)
    ),
    "kinked_rules__raised_bound": _change(
        objective=lambda c: c.objective * 1.01, dual_bound=lambda c: c.objective * (1 + 1e-9)
    ),
    "kinked_rules__counts_by_columns": lambda c: with_settings(c, single=[]),
    "absolute__dropped_leaf": _tree([SOLVE]),
    "absolute__chain": _tree([CHAIN, 0, END]),
}  # fmt: skip


def _other_data(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The data of a valid file with one number changed."""
    X, y, weights = data_of(VALID / f"{name}.csv")
    if weights is not None:
        weights[0] += 0.5
    else:
        X[0, 0] = np.nextafter(X[0, 0], 9.0)
    return X, y, weights


# Malformed files.


def npy(dtype: str, shape: str, body: bytes, order: str = "False") -> bytes:
    """An .npy file with a header as given."""
    header = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}".encode("latin1")
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def _numbers(kind: str, *values: float) -> bytes:
    array = np.array(values, dtype=kind)
    return npy(repr(kind), f"({len(array)},)", array.tobytes())


def _member(name: str, content: bytes) -> Callable[[dict[str, bytes]], bytes]:
    return lambda m: zipped(m | {name: content})


def _with_last(array: bytes, value: float) -> bytes:
    """An .npy file with another last number."""
    numbers = np.load(io.BytesIO(array))
    return _numbers(numbers.dtype.str, *numbers[:-1].tolist(), value)


def _tokens(*tokens: int) -> Callable[[dict[str, bytes]], bytes]:
    return _member("0/tree.npy", _numbers("<i2", *tokens))


def _header(change: Callable[[dict], object]) -> Callable[[dict[str, bytes]], bytes]:
    """The header changed as an object; the digest goes with it, so that it alone gives nothing away."""

    def changed(m: dict[str, bytes]) -> bytes:
        header = json.loads(m["header.json"])
        change(header)
        return zipped(m | {"header.json": json.dumps(_with_digest(header)).encode()})

    return changed


def _ruled(
    rules: list, model: Sequence[int] = (0, 1, 2), single: Sequence[list[int]] = ()
) -> Callable[[dict[str, bytes]], bytes]:
    """A header of version 2 with these rules."""

    def change(h: dict) -> None:
        h.update(version=2, features=["rules"])
        h["settings"].update(rules=rules, single=list(single))
        h["claims"][0]["model"] = list(model)

    return _header(change)


def _text(old: str, new: str) -> Callable[[dict[str, bytes]], bytes]:
    """The header changed as a text; the digest goes with it if that can be read."""

    def changed(m: dict[str, bytes]) -> bytes:
        text = m["header.json"].decode()
        assert old in text
        text = text.replace(old, new, 1)
        with suppress(ValueError):
            header = json.loads(text)
            text = text.replace(header["digest"], _with_digest(header)["digest"])
        return zipped(m | {"header.json": text.encode()})

    return changed


def _with_digest(header: dict) -> dict:
    return header | {"digest": problem_digest(header["data"], header["settings"], None, None)}


def _twice(m: dict[str, bytes]) -> bytes:
    """Write a member under a name of the same length, then rename it in the archive."""
    return zipped(m | {"0/colour": b"", "0/tref.npy": m["0/tree.npy"]}).replace(b"0/tref.npy", b"0/tree.npy")


def _compressed(m: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, member in m.items():
            kind = zipfile.ZIP_DEFLATED if name == "0/tree.npy" else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), member, compress_type=kind)
    return stream.getvalue()


def _flipped(m: dict[str, bytes]) -> bytes:
    content = bytearray(zipped(m))
    content[content.index(b"bestsubset certificate")] ^= 1
    return bytes(content)


def _before_end(*tokens: int) -> Callable[[dict[str, bytes]], bytes]:
    """Tokens behind the end of the tree."""

    def changed(m: dict[str, bytes]) -> bytes:
        tree = np.load(io.BytesIO(m["0/tree.npy"]))
        return _tokens(*tree.tolist(), *tokens)(m)

    return changed


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return stream.getvalue()


# All are made of the members of valid/ridge_k.cert.
MALFORMED: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "empty": lambda m: b"",
    "text": lambda m: b"No model with at most 3 of these 6 predictors is better.\n",
    "truncated": lambda m: zipped(m)[:-200],
    "half": lambda m: zipped(m)[: len(zipped(m)) // 2],
    "flipped_byte": _flipped,
    "archive_magic": lambda m: b"XX" + zipped(m)[2:],
    "npy_magic": lambda m: zipped(m | {"0/tree.npy": b"\x93NUMPX" + m["0/tree.npy"][6:]}),
    "npy_version": lambda m: zipped(m | {"0/tree.npy": b"\x93NUMPY\x02" + m["0/tree.npy"][7:]}),
    "npy_no_body": lambda m: zipped(m | {"0/tree.npy": m["0/tree.npy"][:9]}),
    "npy_empty": _member("0/tree.npy", b""),
    "npy_short": lambda m: zipped(m | {"0/tree.npy": m["0/tree.npy"][:-1]}),
    "npy_huge_shape": _member("0/tree.npy", npy("'<i2'", f"({2**62},)", b"\0\0")),
    "npy_negative_shape": _member("0/tree.npy", npy("'<i2'", "(-1,)", b"")),
    "npy_two_dimensions": _member("0/tree.npy", npy("'<i2'", "(1, 1)", b"\0\0")),
    "npy_float_tree": _member("0/tree.npy", _numbers("<f8", 0.0)),
    "npy_big_endian": _member("0/tree.npy", npy("'>i2'", "(1,)", b"\0\0")),
    "npy_structured": _member("0/tree.npy", npy("[('a', '<i2')]", "(1,)", b"\0\0")),
    "npy_expression": _member("0/tree.npy", npy("__import__('os').getcwd()", "(1,)", b"\0\0")),
    "npy_open_bracket": _member("0/tree.npy", npy("'<i2'", "(1,", b"\0\0")),
    "npy_nested": _member("0/tree.npy", npy("'<i2'", "(" * 400 + ")" * 400, b"\0\0")),
    "npy_old_integers": _member("0/tree.npy", npy("'<i2'", "(1L,)", b"\0\0")),
    "pickle": _member("0/tree.npy", _pickled()),
    "member_twice": _twice,
    "member_compressed": _compressed,
    "member_missing": lambda m: zipped({name: member for name, member in m.items() if name != "0/offsets.npy"}),
    "no_header": lambda m: zipped({name: member for name, member in m.items() if name != "header.json"}),
    "json_nan": _text('"lambda2": 0.5', '"lambda2": NaN'),
    "json_infinity": _text('"lambda0": 0.0', '"lambda0": Infinity'),
    "json_overflow": _text('"lambda0": 0.0', '"lambda0": 1e999'),
    "json_huge_integer": _text('"lambda0": 0.0', '"lambda0": 1' + "0" * 400),
    "json_huge_digits": _text('"lambda0": 0.0', '"lambda0": 1' + "0" * 5000),
    "json_deep": lambda m: zipped(m | {"header.json": b"[" * 10_000 + b"]" * 10_000}),
    "json_list": lambda m: zipped(m | {"header.json": b"[]"}),
    "json_cut": lambda m: zipped(m | {"header.json": m["header.json"][:-2]}),
    "json_not_utf8": lambda m: zipped(m | {"header.json": b"\xff\xfe\xfd" + m["header.json"]}),
    "format": _header(lambda h: h.update(format="best subset certificate")),
    "version_2": _header(lambda h: h.update(version=2)),
    "features_none": _header(lambda h: h.update(version=2, features=[])),
    "features_unknown": _header(lambda h: h.update(version=2, features=["magic"])),
    "features_of_version_1": _header(lambda h: h.update(features=["rules"])),
    "rules_missing": _header(lambda h: h.update(version=2, features=["rules"])),
    "rules_of_version_1": _header(lambda h: h["settings"].update(rules=[], single=[])),
    "rule_without_limit": _ruled([{"columns": [0], "coefs": [1.0]}]),
    "rule_outside": _ruled([{"columns": [6], "coefs": [1.0], "limit": 1.0}]),
    "rule_too_short": _ruled([{"columns": [0, 1], "coefs": [1.0], "limit": 1.0}]),
    "rule_too_large": _ruled([{"columns": [0, 1], "coefs": [1e308, 1e308], "limit": 1.0}]),
    "rule_twice": _ruled([{"columns": [0, 0], "coefs": [1.0, 1.0], "limit": 1.0}]),
    "rule_of_text": _ruled(["x0"]),
    "model_outside": _ruled([], [0, 9]),
    "single_without_group": _ruled([], single=[[0, 1]]),
    "version_true": _header(lambda h: h.update(version=True)),
    "digest": lambda m: zipped(m | {"header.json": m["header.json"].replace(b'"lambda2": 0.5', b'"lambda2": 0.25')}),
    "no_claims": _header(lambda h: h.update(claims=[])),
    "claims_no_list": _header(lambda h: h.update(claims={"0": {}})),
    "claim_number": _header(lambda h: h.update(claims=[3])),
    "claim_k_0": _header(lambda h: h["claims"][0].update(k=0)),
    "claim_k_text": _header(lambda h: h["claims"][0].update(k="3")),
    "claim_bound_text": _header(lambda h: h["claims"][0].update(dual_bound="1")),
    "claim_bound_null": _header(lambda h: h["claims"][0].update(dual_bound=None)),
    "field_missing": _header(lambda h: h["settings"].pop("lambda1")),
    "field_unknown": _header(lambda h: h["settings"].update(lambda3=0.0)),
    "negative_penalty": _header(lambda h: h["settings"].update(lambda2=-0.5)),
    "include_outside": _header(lambda h: h["settings"].update(include=[6])),
    "groups_numbers": _header(lambda h: h["settings"].update(groups=[1, 2])),
    "groups_overlap": _header(lambda h: h["settings"].update(groups=[[0, 1], [1, 2]])),
    "bounds_missing": _header(lambda h: h["settings"].update(bounds=True)),
    "excluded_and_included": _header(lambda h: h["settings"].update(include=[1], exclude=[1])),
    "names_too_few": _header(lambda h: h["feature_names"].pop()),
    "p_huge": _header(lambda h: h["data"].update(p=2**40)),
    "n_negative": _header(lambda h: h["data"].update(n=-1)),
    "tokens_end_early": _tokens(SPLIT, 0, SOLVE),
    "tokens_trailing": _before_end(SOLVE),
    "tokens_none": _tokens(),
    "tokens_kind_10": _tokens(10),
    "tokens_kind_negative": _tokens(-1),
    "tokens_end_alone": _tokens(END),
    "multiplier_outside": _tokens(BOUND, 30_000),
    "multiplier_negative": _tokens(BOUND, -1),
    "chain_negative": _tokens(CHAIN, -1, END),
    "chain_too_long": _tokens(CHAIN, 30_000, 0, END),
    "chain_without_end": _tokens(CHAIN, 1, 0),
    "chain_too_many_children": _tokens(CHAIN, 1, 0, SOLVE, SOLVE, END),
    "fix_negative": _tokens(FIX, 0, -1, SOLVE),
    "sizes_negative": _tokens(SIZES, -1, SOLVE),
    "dependent_negative": _tokens(DEPENDENT, -1, SOLVE),
    "columns_outside": _member("0/support.npy", _numbers("<i4", 0, 1, 6)),
    "columns_negative": _member("0/support.npy", _numbers("<i4", -1, 1, 2)),
    "support_not_ascending": _member("0/support.npy", _numbers("<i4", 2, 1, 0)),
    "coef_nan": _member("0/coef.npy", _numbers("<f8", 1.0, float("nan"), 1.0)),
    "coef_short": _member("0/coef.npy", _numbers("<f8", 1.0)),
    "diagonal_negative": _member("0/diagonal.npy", _numbers("<f8", *[-1.0] * 6)),
    "diagonal_short": _member("0/diagonal.npy", _numbers("<f8", 1.0)),
    "offsets_not_monotone": lambda m: zipped(
        m
        | {
            "0/offsets.npy": _numbers("<i8", 0, 4, 2, 6),
            "0/columns.npy": _numbers("<i4", *range(6)),
            "0/values.npy": _numbers("<f8", *range(6)),
        }
    ),
    "offsets_empty": _member("0/offsets.npy", _numbers("<i8")),
    "offsets_beyond": _member("0/offsets.npy", _numbers("<i8", 0, 10_000)),
    "listed_cut": _member("0/listed.npy", _numbers("<i4", 3, 0, 1)),
    "listed_negative": _member("0/listed.npy", _numbers("<i4", -1)),
}

# These are made of the members of valid/absolute.cert: 14 rows, 5 columns, 10 boxes that are proved together.
MALFORMED_KINKED: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "features_twice": _header(lambda h: h.update(features=["boxes", "dual", "dual"])),
    "loss_unknown": _header(lambda h: h["settings"].update(loss="huber")),
    "loss_squared_with_tau": _header(lambda h: h["settings"].update(loss="squared")),
    "ridge_with_kinks": _header(lambda h: h["settings"].update(lambda2=0.5)),
    "tau_missing": _header(lambda h: h["settings"].pop("tau")),
    "tau_of_absolute": _header(lambda h: h["settings"].update(tau=0.5)),
    "tau_of_quantile_null": _header(lambda h: h["settings"].update(loss="quantile")),
    "tau_text": _header(lambda h: h["settings"].update(loss="quantile", tau="0.5")),
    "tau_true": _header(lambda h: h["settings"].update(loss="quantile", tau=True)),
    "tau_0": _header(lambda h: h["settings"].update(loss="quantile", tau=0.0)),
    "tau_1": _header(lambda h: h["settings"].update(loss="quantile", tau=1)),
    "together_missing": _header(lambda h: h["claims"][0].pop("together")),
    "together_negative": _header(lambda h: h["claims"][0].update(together=-1)),
    "together_too_many": _header(lambda h: h["claims"][0].update(together=1000)),
    "together_true": _header(lambda h: h["claims"][0].update(together=True)),
    "together_fraction": _header(lambda h: h["claims"][0].update(together=2.0)),
    "row_outside": lambda m: zipped(m | {"0/columns.npy": _with_last(m["0/columns.npy"], 14)}),
    "diagonal_with_kinks": _member("0/diagonal.npy", _numbers("<f8", *[0.0] * 5)),
    "limit_negative": lambda m: zipped(m | {"0/limits.npy": _with_last(m["0/limits.npy"], -1.0)}),
    "box_outside": lambda m: zipped(m | {"0/boxed.npy": _with_last(m["0/boxed.npy"], 5)}),
}


def main() -> None:
    for folder in (VALID, INVALID_FOLDER, MALFORMED_FOLDER):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for name, (problem, certificate) in valid().items():
        weights = problem.sample_weight if np.any(problem.sample_weight != 1.0) else None
        (VALID / f"{name}.csv").write_text(csv_of(problem.X, problem.y, weights))
        (VALID / f"{name}.cert").write_bytes(to_bytes(certificate))
    for name, change in INVALID.items():
        changed = change(read(VALID, name.split("__")[0]))
        (INVALID_FOLDER / f"{name}.cert").write_bytes(to_bytes(changed))
    for name in ("k", "weights"):
        (INVALID_FOLDER / f"{name}__other_data.cert").write_bytes((VALID / f"{name}.cert").read_bytes())
        (INVALID_FOLDER / f"{name}__other_data.csv").write_text(csv_of(*_other_data(name)))
    certificate, data = _listed_box()
    (INVALID_FOLDER / "lambda1__listed_box.cert").write_bytes(to_bytes(certificate))
    (INVALID_FOLDER / "lambda1__listed_box.csv").write_text(csv_of(*data))
    for base, changes in {"ridge_k": MALFORMED, "absolute": MALFORMED_KINKED}.items():
        content = members(VALID / f"{base}.cert")
        for name, malform in changes.items():
            (MALFORMED_FOLDER / f"{name}.cert").write_bytes(malform(content))


if __name__ == "__main__":
    main()
