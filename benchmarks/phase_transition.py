"""Where sparse recovery ends: success over undersampling and sparsity, beside the threshold of Donoho and Tanner."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from benchmarks.instances import seeded
from bestsubset import Problem
from formulations import ScaledProblem
from formulations._types import Vector
from warmstarts import by_name, refit
from warmstarts.interface import Heuristic

COLUMNS = 100
UNDERSAMPLING = tuple(round(0.1 * i, 1) for i in range(1, 10))  # δ = n/p
SPARSITY = tuple(round(0.06 * i, 2) for i in range(1, 16))  # ρ = k/n
TRIALS = 10
METHODS = (
    "orthogonal_matching_pursuit",
    "hard_thresholding",
    "hard_thresholding_pursuit",
    "smoothed_l0",
    "basis_pursuit",
    "splicing",
)
_RECOVERED = 1e-3  # relative error of the coefficients


def donoho_tanner(delta: float) -> float:
    r"""Return the ρ = k/n up to which ℓ1 recovers typical vectors, p → ∞, for δ = n/p.

    The weak threshold of the cross-polytope, in the form

    .. math::
        \rho(\delta) = \max_{z \ge 0} \frac{1 - (2/\delta)\,[(1+z^2)\Phi(-z) - z\varphi(z)]}
            {1 + z^2 - 2\,[(1+z^2)\Phi(-z) - z\varphi(z)]}

    Source
    ------
    Donoho and Tanner (2009), Observed universality of phase transitions; the formula: Donoho, Maleki and Montanari
    (2009), Message-passing algorithms for compressed sensing, eq. (5).
    """

    def minus_rho(z: float) -> float:
        tail = (1.0 + z * z) * norm.cdf(-z) - z * norm.pdf(z)
        return -float((1.0 - 2.0 / delta * tail) / (1.0 + z * z - 2.0 * tail))

    return -float(minimize_scalar(minus_rho, bounds=(0.0, 10.0), method="bounded", options={"xatol": 1e-10}).fun)


def success(heuristic: Heuristic, delta: float, rho: float) -> float:
    """The share of normal sparse vectors recovered from Gaussian measurements without noise."""
    n = round(delta * COLUMNS)
    k = max(1, round(rho * n))
    rng = seeded(f"phase-{delta}-{rho}")
    count = 0
    for _ in range(TRIALS):
        X = rng.standard_normal((n, COLUMNS))
        truth = np.zeros(COLUMNS)
        truth[rng.choice(COLUMNS, k, replace=False)] = rng.standard_normal(k)
        scaled = ScaledProblem.of(Problem(X, X @ truth, k, fit_intercept=False))
        support = heuristic.supports(scaled, [k], np.random.default_rng(0))[k]
        coef = scaled.to_coef(support, refit(scaled, support))
        count += bool(np.linalg.norm(coef - truth) <= _RECOVERED * np.linalg.norm(truth))
    return count / TRIALS


def curve(name: str) -> Vector:
    """The ρ at which half of the vectors are recovered, for each δ: between the last and the next grid point."""
    heuristic = by_name(name)
    found = []
    for delta in UNDERSAMPLING:
        before, at = 1.0, 0.0
        for rho in SPARSITY:
            share = success(heuristic, delta, rho)
            if share < 0.5:
                at += (rho - at) * (before - 0.5) / (before - share)
                break
            before, at = share, rho
        found.append(at)
        print(f"{name}: delta {delta}, rho {at:.2f}", file=sys.stderr, flush=True)
    return np.array(found)


def table(curves: dict[str, Vector]) -> str:
    """The curves as a table, the threshold last."""
    head = "| recovery of half, k/n at n/p = | " + " | ".join(f"{delta:g}" for delta in UNDERSAMPLING) + " |"
    lines = [head, "|---|" + "--:|" * len(UNDERSAMPLING)]
    rows = {**curves, "Donoho and Tanner, ℓ1, p → ∞": np.array([donoho_tanner(d) for d in UNDERSAMPLING])}
    lines += [f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in rows.items()]
    return "\n".join(lines)


def draw(curves: dict[str, Vector], path: Path) -> bool:
    """Write the picture; False where matplotlib is not installed."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 5.0), layout="constrained")
    fine = np.linspace(0.02, 0.98, 100)
    axes.plot(fine, [donoho_tanner(d) for d in fine], color="black", linewidth=2.5, label="Donoho–Tanner (ℓ1, p → ∞)")
    for (name, row), marker in zip(curves.items(), "osD^vP", strict=True):
        axes.plot(UNDERSAMPLING, row, marker=marker, markersize=5, linewidth=1.2, label=name.replace("_", " "))
    axes.set(xlabel="undersampling n/p", ylabel="sparsity k/n", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"Half of {TRIALS} normal sparse vectors recovered below the curve, p = {COLUMNS}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True
