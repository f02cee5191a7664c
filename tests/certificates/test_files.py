"""Checked-in certificates: both checkers accept the valid ones and refuse all others, quickly and without a crash."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

import bestsubset as bs
from bestsubset.certificates import exact
from bestsubset.cli.main import run
from tests.certificates import make_files
from tests.certificates.make_files import INVALID_FOLDER, MALFORMED_FOLDER, VALID, data_of

LONGEST = 2.0  # seconds for one file


def names(folder):
    return sorted(path.stem for path in folder.glob("*.cert"))


def csv_for(folder, name):
    """A file's own data, or those of the valid file that it was made from."""
    own = folder / f"{name}.csv"
    return own if own.exists() else VALID / f"{name.split('__')[0]}.csv"


def by_exact(certificate, csv, capsys):
    """Run the exact checker in process; (exit code, what it says)."""
    code = exact.main([str(certificate), str(csv), *weights_option(csv)])
    output = capsys.readouterr()
    return code, output.out + output.err


def by_command(certificate, csv, capsys):
    code = run(["verify", str(certificate), str(csv), *weights_option(csv)])
    output = capsys.readouterr()
    return code, output.out + output.err


def weights_option(csv):
    return ["--weights", "weight"] if "weight" in csv.read_text().split("\n")[0].split(",") else []


@pytest.fixture(autouse=True)
def _quick():
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < LONGEST


@pytest.mark.parametrize("name", names(VALID))
def test_valid(name, capsys):
    path, csv = VALID / f"{name}.cert", VALID / f"{name}.csv"
    certificate = bs.Certificate.load(path)
    verdict = bs.verify(certificate, *data_of(csv))
    assert verdict.valid, verdict.reason
    assert verdict.objective == certificate.claims[-1].objective
    assert verdict.dual_bound == certificate.claims[-1].dual_bound
    code, said = by_command(path, csv, capsys)
    assert code == 0, said
    code, said = by_exact(path, csv, capsys)
    assert code == 0, said


@pytest.mark.parametrize("name", names(INVALID_FOLDER))
def test_invalid(name, capsys):
    path, csv = INVALID_FOLDER / f"{name}.cert", csv_for(INVALID_FOLDER, name)
    verdict = bs.verify(bs.Certificate.load(path), *data_of(csv))
    assert not verdict.valid
    assert verdict.reason
    code, said = by_command(path, csv, capsys)
    assert (code, said[:8]) == (3, "Refused:")
    code, said = by_exact(path, csv, capsys)
    assert (code, said[:8]) == (3, "Refused:")


@pytest.mark.parametrize("name", names(MALFORMED_FOLDER))
def test_malformed_for_verify(name, capsys):
    path, csv = MALFORMED_FOLDER / f"{name}.cert", VALID / "ridge_k.csv"
    with pytest.raises(bs.MalformedCertificate):  # noqa: PT012 - what is wrong with tokens is found on the way
        certificate = bs.Certificate.load(path)
        bs.verify(certificate, *data_of(csv))
    code, said = by_command(path, csv, capsys)
    assert (code, said[:6]) == (2, "error:")


@pytest.mark.parametrize("name", names(MALFORMED_FOLDER))
def test_malformed_for_exact(name, capsys):
    code, said = by_exact(MALFORMED_FOLDER / f"{name}.cert", VALID / "ridge_k.csv", capsys)
    assert (code, said[:6]) == (2, "error:")


@pytest.mark.parametrize(
    ("path", "csv", "code"),
    [
        (VALID / "fix.cert", VALID / "fix.csv", 0),
        (INVALID_FOLDER / "k__raised_bound.cert", VALID / "k.csv", 3),
        (MALFORMED_FOLDER / "truncated.cert", VALID / "ridge_k.csv", 2),
    ],
)
def test_exact_by_its_path(path, csv, code):
    """With nothing on the path and no site packages."""
    command = [sys.executable, "-I", "-S", exact.__file__, str(path), str(csv)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_the_files_are_those_that_are_made():
    assert names(INVALID_FOLDER) == sorted(
        [*make_files.INVALID, "k__other_data", "weights__other_data", "lambda1__listed_box"]
    )
    assert names(MALFORMED_FOLDER) == sorted([*make_files.MALFORMED, *make_files.MALFORMED_KINKED])
    files = [path for folder in (VALID, INVALID_FOLDER, MALFORMED_FOLDER) for path in folder.iterdir()]
    assert max(path.stat().st_size for path in files) < 30_000
    assert sum(path.stat().st_size for path in files) < 1_000_000


def test_the_valid_files_use_every_kind_of_node():
    """Read from the tokens themselves, so that the files stay a test of the whole format."""
    kinds = set()
    for name in names(VALID):
        for claim in bs.Certificate.load(VALID / f"{name}.cert").claims:
            kinds |= make_files.kinds_of(claim.tree.tolist())
    assert kinds == set(range(11)) - {make_files.END}


def test_a_certificate_can_be_pickled_with_the_digests_of_its_data():
    X, y = np.random.default_rng(0).standard_normal((2, 20, 4))
    result = bs.best_subset(X, y[:, 0], k=2)
    copied = pickle.loads(pickle.dumps(result.certificate))

    assert copied.digest == result.certificate.digest
    assert bs.verify(copied, X, y[:, 0]).valid
