"""The main job of ``make demo``: the best models of the diabetes data with 1 … 10 of 64 predictors, certified."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd

import bestsubset as bs
from benchmarks.real_data import diabetes_second_order
from bestsubset.report.verdict import verdict_report

K_MAX = 10
FOLDER = Path("demo")


def main() -> None:
    """Solve, print each size with its claim, save the certificate, and check it."""
    data = diabetes_second_order()
    n, p = data.X.shape
    print("The first run on a machine compiles the kernels; later runs find them in the cache.", file=sys.stderr)
    began = time.perf_counter()
    path = bs.best_path(data.X, data.y, K_MAX, feature_names=data.names)
    seconds = time.perf_counter() - began
    print(f"Diabetes progression with second-order terms: n = {n}, p = {p}, k = 1 … {K_MAX}\n")
    for k, result in path.items():
        gap, nodes = f"{result.relative_gap:.1e}", result.stats.nodes
        print(f"k = {k:<2}  R² {result.r2:.4f}  gap {gap}  {result.stats.seconds:.3f} s  {nodes} nodes")
        print(f"  {', '.join(result.support_names)}")
        print(f"  {result.statement()}\n")
    print(f"All {len(path)} sizes in {seconds:.2f} s.\n")
    FOLDER.mkdir(exist_ok=True)
    table, proof = FOLDER / "diabetes64.csv", FOLDER / "diabetes64.cert"
    pd.DataFrame(data.X, columns=list(data.names)).assign(progression=data.y).to_csv(table, index=False)
    assert path.certificate is not None
    path.certificate.save(proof)
    certificate = bs.Certificate.load(proof)
    verdict = bs.verify(certificate, data.X, data.y)
    print(f"Certificate: {proof}, {proof.stat().st_size / 1e3:.0f} kB, about {table}. Checked:")
    print(verdict_report(certificate, verdict))
    if not verdict.valid:
        sys.exit(3)


if __name__ == "__main__":
    main()
