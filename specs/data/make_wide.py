"""Make wide.csv: 40 rows of 150 columns in correlated blocks of ten, as genes come, and a response of four of them.

Run it in this folder: python make_wide.py
"""

from pathlib import Path

import numpy as np

rng = np.random.default_rng(20240501)
n, blocks, size = 40, 15, 10
shared = np.repeat(rng.standard_normal((n, blocks)), size, axis=1)
X = np.round(np.sqrt(0.5) * (shared + rng.standard_normal((n, blocks * size))), 3)
signal = X[:, [3, 27, 58, 101]] @ np.array([1.5, -1.2, 1.0, 0.8])
y = np.round(signal + 0.5 * rng.standard_normal(n), 3)

lines = [",".join([*(f"gene{j + 1:03d}" for j in range(blocks * size)), "response"])]
lines += [",".join(f"{value:g}" for value in (*row, response)) for row, response in zip(X, y, strict=True)]
Path(__file__).with_name("wide.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
