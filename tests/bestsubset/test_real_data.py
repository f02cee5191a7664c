"""Published and exact results on real data, from the data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bestsubset as bs

DATA = Path(__file__).parent.parent / "data"


def oracle(name: str) -> dict:
    return json.loads((DATA / f"{name}.json").read_text())


def data(name: str) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.read_csv(DATA / f"{name}.csv")
    return frame.drop(columns="y"), frame["y"]


@pytest.fixture(scope="module")
def hitters() -> bs.Path:
    return bs.best_path(*data("hitters"), k_max=19)


@pytest.mark.parametrize("name", ["hitters", "prostate", "mtcars", "swiss", "longley"])
def test_every_size_is_the_exact_oracles(name: str, hitters: bs.Path) -> None:
    exact = oracle(name)
    path = hitters if name == "hitters" else bs.best_path(*data(name), k_max=exact["p"])

    assert list(path) == [int(k) for k in exact["sizes"]]
    for k, size in exact["sizes"].items():
        result = path[int(k)]
        assert result.status == "optimal"
        assert list(result.support) == size["best"][0]["support"]
        assert result.rss == pytest.approx(float(size["best"][0]["rss_exact"]), rel=1e-9)
        assert result.support_names == tuple(size["best"][0]["names"])
    # The oracle's criterion leaves out the constant for the intercept: n log(RSS/n) + pen k.
    for criterion in ("bic", "aic"):
        sizes = range(1, path[1].problem.n - 2)
        if exact["criteria"][f"{criterion}_k"] in sizes:
            assert path.select(criterion).cardinality == exact["criteria"][f"{criterion}_k"]


def test_hitters_as_published(hitters: bs.Path) -> None:
    """James, Witten, Hastie and Tibshirani, section 6.5.1: R² to three decimals and the BIC model's coefficients."""
    published = oracle("hitters")["published"]

    np.testing.assert_allclose([r.r2 for r in hitters.values()], published["rsq_by_k_3dp"], atol=5.1e-4)
    assert hitters.select("bic").cardinality == 6
    assert hitters.select("cp").cardinality == 10
    assert hitters.select("adj_r2").cardinality == 11
    chosen = hitters.select("bic")
    found = dict(zip(chosen.support_names, chosen.coef[list(chosen.support)], strict=True))
    found["(Intercept)"] = chosen.intercept
    assert found == pytest.approx(published["bic_model_coef"], rel=1e-7)


@pytest.mark.parametrize("name", ["hitters", "mtcars"])
def test_ridge_oracles(name: str) -> None:
    X, y = data(name)
    Z = (X - X.mean()).to_numpy()
    Z /= np.linalg.norm(Z, axis=0)
    exact = oracle(f"ridge_{name}")
    for weight, sizes in exact["lambdas"].items():
        for k in ("1", "3", "6", str(X.shape[1] - 1)):
            # ‖y − Zb‖² + λ‖b‖² is twice our objective with λ2 = λ/2.
            result = bs.best_subset(Z, y - y.mean(), k=int(k), lambda2=float(weight) / 2)

            assert result.status == "optimal"
            assert 2 * result.objective == pytest.approx(sizes[k][0]["objective"], rel=1e-10)
            assert list(result.support) == sizes[k][0]["support"]


def test_diabetes_with_second_order_terms() -> None:
    """Efron et al. (2004), Bertsimas, King and Mazumder (2016): p = 64; the oracle is lmSubsets', re-valued exactly."""
    from benchmarks.real_data import diabetes_second_order

    data = diabetes_second_order()
    exact = oracle("diabetes64")["sizes"]
    # lars names the six serum measurements; scikit-learn numbers them.
    lars = {"bp": "map", "s1": "tc", "s2": "ldl", "s3": "hdl", "s4": "tch", "s5": "ltg", "s6": "glu"}
    for k, result in bs.best_path(data.X, data.y, k_max=10, feature_names=data.names).items():
        best = exact[str(k)]["best"][0]
        terms = [frozenset(lars.get(v, v) for v in name.replace("^2", "").split("*")) for name in result.support_names]

        assert result.status == "optimal"
        # The oracle is of the data as lars stores them, rounded otherwise than scikit-learn's.
        assert result.rss == pytest.approx(best["rss"], rel=1e-5)
        assert sorted(map(sorted, terms)) == sorted(
            sorted(set(name.replace("^2", "").split(":"))) for name in best["names"]
        )


def test_sizes_from_the_left_with_forced_columns() -> None:
    X, y = data("hitters")
    path = bs.best_path(X, y, k_max=4, constraints=[bs.Include(["Years", "League" + "N"])])

    assert list(path) == [2, 3, 4]
    assert all({"Years", "LeagueN"} <= set(r.support_names) for r in path.values())
