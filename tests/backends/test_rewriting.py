"""Sets of special order as rows: the same optimum, and no invented bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.backends.rewriting import binary_columns, without_sos1
from formulations.mio.builder import ModelBuilder
from formulations.mio.model import SOS1Set
from tests.handmade import absolute, judge


def any_set(seed: int):
    """Continuous columns of which one of three may be nonzero, with no binary anywhere."""
    rng = np.random.default_rng(seed)
    builder = ModelBuilder("sets")
    x = builder.add_columns("x", list("abcd"), meaning="", lower=-1.0, upper=2.0, cost=rng.standard_normal(4))
    builder.add_rows("r", ["r"], [(x, rng.standard_normal((1, 4)))], meaning="", lower=-2.0, upper=1.5)
    builder.sos1.append(SOS1Set("set", (0, 1, 2), (1.0, 2.0, 3.0)))
    builder.sos1.append(SOS1Set("overlapping", (2, 3), (1.0, 2.0)))
    return builder.build()


@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_stays(seed: int) -> None:
    for model in (absolute(seed, n=8, p=3, pairs=True), any_set(seed)):
        rows = without_sos1(model)

        assert rows.sos1 == ()
        assert judge(rows) == pytest.approx(judge(model), rel=1e-9)
        assert any("SOS1" in note for note in rows.notes)


def test_pairs_with_a_binary_need_no_further_column() -> None:
    model = absolute(0, pairs=True)

    assert without_sos1(model).n_columns == model.n_columns
    assert without_sos1(any_set(0)).n_columns == any_set(0).n_columns + 5


def test_the_complement_of_a_binary_is_binary() -> None:
    model = absolute(0, pairs=True)
    found = binary_columns(model)

    assert found[model.block("out")].all()
    assert found[model.block("z")].all()
    assert not found[model.block("beta")].any()
    halved = replace(model, A=model.A * 0.5)
    assert not binary_columns(halved)[model.block("out")].any()


def test_a_set_without_bounds_is_refused() -> None:
    model = absolute(0, pairs=True)
    with pytest.raises(bs.RefusedError, match="lambda2"):
        without_sos1(replace(model, upper=np.full(model.n_columns, np.inf)))


def test_a_model_without_sets_is_itself() -> None:
    model = absolute(0)
    assert without_sos1(model) is model
