"""Formulas: the design that they state, what heredity allows, and what is refused. Enumeration is the judge."""

from __future__ import annotations

import sys
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bestsubset as bs
from bestsubset.formula import Design

pytest.importorskip("formulaic", reason="formulas need the extra 'formula'")

RNG = np.random.default_rng(11)
N = 90
FRAME = pd.DataFrame(
    {
        "a": RNG.standard_normal(N),
        "b": RNG.standard_normal(N),
        "c": RNG.standard_normal(N),
        "g": RNG.choice(list("uvw"), N),
        "weight": RNG.uniform(0.5, 2.0, N),
    }
)
LEVEL = FRAME["g"].map({"u": 0.0, "v": 0.4, "w": -0.3})
FRAME["y"] = np.exp(0.2 * FRAME["a"] + 0.5 * FRAME["a"] * FRAME["b"] + LEVEL + 0.3 * RNG.standard_normal(N))
DUMMIES = np.column_stack([FRAME["g"] == level for level in "vw"]).astype(float)
TERMS = {  # of log(y) ~ a * b + c + g + b:g, by hand
    "a": FRAME[["a"]].to_numpy(),
    "b": FRAME[["b"]].to_numpy(),
    "c": FRAME[["c"]].to_numpy(),
    "g": DUMMIES,
    "a:b": (FRAME["a"] * FRAME["b"]).to_numpy()[:, None],
    "b:g": FRAME[["b"]].to_numpy() * DUMMIES,
}
PARENTS = {"a:b": ("a", "b"), "b:g": ("b", "g")}
FORMULA = "log(y) ~ a * b + c + g + b:g"


def rss(columns: list[np.ndarray], intercept: bool = True) -> float:
    design = np.column_stack([*([np.ones(N)] if intercept else []), *columns])
    y = np.log(FRAME["y"].to_numpy())
    return float(np.sum((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2))


def best_by_enumeration(k: int, heredity: str | None, counts: str) -> tuple[float, set[str]]:
    rule = {"strong": all, "weak": any}
    best = (np.inf, set[str]())
    for count in range(len(TERMS) + 1):
        for chosen in combinations(TERMS, count):
            size = len(chosen) if counts == "one" else sum(TERMS[term].shape[1] for term in chosen)
            obeys = heredity is None or all(
                rule[heredity](parent in chosen for parent in PARENTS[term]) for term in chosen if term in PARENTS
            )
            if size <= k and obeys:
                best = min(best, (rss([TERMS[term] for term in chosen]), set(chosen)))
    return best


def terms_of(result: bs.Result, formula: str = FORMULA) -> set[str]:
    terms = Design.of(formula, FRAME).terms
    return {":".join(sorted(t)) for t, columns in terms.items() if set(columns) & set(result.support)}


@pytest.mark.parametrize("counts", ["columns", "one"])
@pytest.mark.parametrize("heredity", [None, "strong", "weak"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_best_terms_are_those_of_enumeration(k: int, heredity: Any, counts: Any) -> None:
    result = bs.best_subset_formula(FORMULA, FRAME, k, heredity=heredity, counts=counts)
    least, chosen = best_by_enumeration(k, heredity, counts)

    assert result.status == "optimal"
    assert result.rss == pytest.approx(least, rel=1e-9)
    assert terms_of(result) == chosen


def test_heredity_changes_what_is_best() -> None:
    """So that the test above tells the rules apart."""
    found = [best_by_enumeration(2, heredity, "one")[1] for heredity in (None, "weak", "strong")]

    assert found[0] != found[1]
    assert found[1] != found[2]


def test_names_and_response_are_the_formulas() -> None:
    result = bs.best_subset_formula(FORMULA, FRAME, 3)

    assert list(result.feature_names) == ["a", "b", "c", "g[T.v]", "g[T.w]", "a:b", "b:g[T.v]", "b:g[T.w]"]
    assert result.problem.y == pytest.approx(np.log(FRAME["y"]))
    np.testing.assert_allclose(
        result.problem.X, np.column_stack([TERMS[t] for t in ("a", "b", "c", "g", "a:b", "b:g")])
    )
    assert result.problem.fit_intercept


@pytest.mark.parametrize("formula", ["log(y) ~ a + b + g - 1", "log(y) ~ 0 + a + b + g"])
def test_the_intercept_is_the_formulas(formula: str) -> None:
    result = bs.best_subset_formula(formula, FRAME, 4)
    levels = np.column_stack([FRAME["g"] == level for level in "uvw"]).astype(float)

    sets = [[TERMS["a"], TERMS["b"]], [TERMS["a"], levels], [TERMS["b"], levels], [levels]]
    assert not result.problem.fit_intercept
    assert result.intercept == 0.0
    assert result.rss == pytest.approx(min(rss(columns, intercept=False) for columns in sets))


def test_the_dot_is_every_other_column() -> None:
    names = bs.best_subset_formula("y ~ .", FRAME, 2).feature_names

    assert list(names) == ["a", "b", "c", "g[T.v]", "g[T.w]", "weight"]


def test_three_factors_ask_for_their_pairs() -> None:
    terms = Design.of("y ~ a * b * c", FRAME)
    rules = {c.child: (set(c.parents), c.rule) for c in terms.constraints("strong", "columns")}
    place = {name: j for j, name in enumerate(terms.names)}

    assert rules == {
        place["a:b"]: ({place["a"], place["b"]}, "all"),
        place["a:c"]: ({place["a"], place["c"]}, "all"),
        place["b:c"]: ({place["b"], place["c"]}, "all"),
        place["a:b:c"]: ({place["a:b"], place["a:c"], place["b:c"]}, "all"),
    }


def with_gaps() -> pd.DataFrame:
    frame = FRAME.copy()
    frame.loc[3, "a"] = np.nan
    frame.loc[7, "g"] = None
    frame.loc[11, "y"] = np.nan
    frame.loc[20:40, "c"] = np.nan
    frame.index = frame.index[::-1] + 5  # the index of a frame is not its places
    return frame


@pytest.mark.parametrize("weights", ["weight", FRAME["weight"].to_numpy()], ids=["by name", "given"])
def test_rows_with_missing_entries_are_dropped_with_a_note(weights: Any) -> None:
    frame = with_gaps()
    result = bs.best_subset_formula("log(y) ~ scale(a) + b + g", frame, 3, sample_weight=weights)
    whole = frame.drop(frame.index[[3, 7, 11]])
    alone = bs.best_subset_formula("log(y) ~ scale(a) + b + g", whole, 3, sample_weight="weight")

    assert result.problem.n == N - 3
    assert result.notes == (f"3 of {N} rows with missing entries were dropped",)
    assert alone.notes == ()
    assert result.problem.digest == alone.problem.digest
    assert "3 of 90 rows" in str(result.summary())
    assert result.verify().valid


def test_missing_entries_elsewhere_do_not_matter() -> None:
    frame = with_gaps()
    frame = frame[frame["y"].notna()]
    result = bs.best_subset_formula("y ~ b + weight", frame, 1, missing="refuse")

    assert result.problem.n == N - 1


def test_constraints_and_settings_are_passed_on() -> None:
    result = bs.best_subset_formula(
        FORMULA, FRAME, 3, constraints=[bs.Include("g[T.w]")], lambda2=0.5, solver="enumeration"
    )

    assert {"g[T.v]", "g[T.w]"} <= set(result.support_names)
    assert result.problem.lambda2 == 0.5
    assert result.stats.solver == "enumeration"


@pytest.mark.parametrize(
    ("formula", "settings", "words"),
    [
        ("y ~ nothing", {}, "formula is 'y ~ nothing' and cannot be read"),
        ("y ~ a +* b", {}, "cannot be read .*incorrectly used"),
        ("a + b", {}, "expected 'response ~ terms'"),
        ("y ~ a | b", {}, "expected 'response ~ terms'"),
        ("g ~ a", {}, r"response of 3 columns \(g\[u\], g\[v\], g\[w\]\)"),
        ("y ~ 1", {}, "expected at least one term"),
        ("y ~ a:b + a", {"heredity": "strong"}, "the formula has a:b without b;"),
        ("y ~ a:b", {"heredity": "weak"}, "the formula has a:b without (a, b|b, a);"),
        ("y ~ a", {"heredity": "full"}, "heredity is 'full'"),
        ("y ~ a", {"counts": "terms"}, "counts is 'terms'"),
        ("y ~ a", {"missing": "keep"}, "missing is 'keep'"),
        ("y ~ a", {"missing": "refuse"}, "data has 2 rows with missing entries"),
        ("y ~ a", {"fit_intercept": False}, "fit_intercept is given beside a formula"),
        ("y ~ a", {"sample_weight": "wieght"}, "sample_weight is 'wieght'"),
        ("y ~ a", {"sample_weight": [1.0]}, r"sample_weight has the shape \(1,\)"),
    ],
)
def test_what_is_wrong_is_said(formula: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(bs.ProblemError, match=words):
        bs.best_subset_formula(formula, with_gaps(), 1, **settings)


def test_weak_heredity_is_content_with_the_parents_there_are() -> None:
    result = bs.best_subset_formula("log(y) ~ a + a:b", FRAME, 2, heredity="weak")

    assert result.support_names == ("a", "a:b")


def test_without_formulaic_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "formulaic", None)

    with pytest.raises(bs.RefusedError, match=r"pip install 'bestsubset\[formula\]'"):
        bs.best_subset_formula("y ~ a", FRAME, 1)
