"""Which peer runs where: the virtual environments, their pins, and the entries of the comparison."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(".peers/venv")
ADAPTERS = Path(__file__).parent / "adapters"
ROOT = Path(__file__).parents[2]

# Environment → requirements; each is installed apart, so that one that fails does not take the others along.
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    # With numpy 2 it fails on the first solve: np.Inf is gone.
    "l0bnb": ("l0bnb==1.0.0 numpy==1.26.4 numba==0.60.0 scipy==1.13.1",),
    # It imports requests and does not declare it.
    "okridge": ("okridge==0.1.1 numpy==1.26.4 scipy scikit-learn requests",),
    # It imports mpi4py, which needs an MPI library: that of mpich will do.
    "el0ps": ("el0ps==0.0.4 mpich",),
    "solvers": ("numpy", "pyscipopt==6.3.0", "gurobipy==13.0.3", "cplex==22.2.0.1", "abess==0.4.11"),
}
OUTSIDE_PYTHON = {"leaps": "R and its package leaps; on Debian: apt-get install r-base-core r-cran-leaps"}


@dataclass(frozen=True)
class Peer:
    """An entry of the comparison: a solver in one configuration.

    ``exact`` is whether it claims a bound; ``extra`` entries run only where they are asked for.
    """

    name: str
    adapter: str
    environment: str
    setting: str = ""
    exact: bool = True
    extra: bool = False

    @property
    def threads(self) -> int:
        return int(self.setting) if self.adapter == "ours" else 1

    @property
    def python(self) -> Path:
        if self.environment == "ours":
            return Path(sys.executable)
        if self.environment == "R":  # a wrapper without further needs
            return Path(sys.executable)
        return FOLDER / self.environment / "bin" / "python"

    def command(self, *arguments: str) -> list[str]:
        script = ADAPTERS / f"with_{self.adapter}.py"
        return [str(self.python), str(script), *arguments, "--setting", self.setting]

    def variables(self) -> dict[str, str]:
        """The environment of the process: so many threads, and our own package for ours alone."""
        names = ("OMP", "OPENBLAS", "MKL", "NUMBA")
        threads = {f"{name}_NUM_THREADS": str(self.threads) for name in names}
        ours = {"PYTHONPATH": str(ROOT)} if self.environment == "ours" else {}
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**kept, **threads, **ours, "PYTHONUNBUFFERED": "1"}


OURS, OURS_TWO_THREADS = "ours", "ours-2"
PEERS: tuple[Peer, ...] = (
    Peer(OURS, "ours", "ours", "1"),
    Peer(OURS_TWO_THREADS, "ours", "ours", "2"),
    Peer("l0bnb", "l0bnb", "l0bnb"),
    Peer("l0bnb-cold", "l0bnb", "l0bnb", "cold", extra=True),
    Peer("okridge", "okridge", "okridge"),
    Peer("okridge-patched", "okridge", "okridge", "patched"),
    Peer("el0ps", "el0ps", "el0ps"),
    Peer("el0ps-pruning", "el0ps", "el0ps", "pruning"),
    Peer("gurobi", "gurobi", "solvers", "bigm"),
    Peer("gurobi-perspective", "gurobi", "solvers", "perspective"),
    Peer("gurobi-sos1", "gurobi", "solvers", "sos1", extra=True),
    Peer("gurobi-indicator", "gurobi", "solvers", "indicator", extra=True),
    Peer("cplex", "cplex", "solvers", "bigm"),
    Peer("cplex-perspective", "cplex", "solvers", "perspective"),
    Peer("scip", "scip", "solvers", "bigm"),
    Peer("scip-sos1", "scip", "solvers", "sos1", extra=True),
    Peer("leaps", "leaps", "R"),
    Peer("abess", "abess", "solvers", exact=False),
)


def peers_by_name() -> dict[str, Peer]:
    """Every entry, extra ones included."""
    return {peer.name: peer for peer in PEERS}


def is_ours(name: str) -> bool:
    return name in (OURS, OURS_TWO_THREADS)


def wants(peer: Peer, n: int, p: int) -> bool:
    """Whether an entry differs from its neighbours there: the patch of okridge matters only where p ≥ n."""
    return peer.name != "okridge-patched" or p >= n
