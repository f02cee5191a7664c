"""The table of rows: what each instance is, and what the project set itself as a target for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What ours ought to reach. All None: the gap at the limit is told, whatever it is."""

    seconds: float | None = None
    gap: float | None = None  # relative, at the limit
    memory: float | None = None  # peak over the bytes of X
    words: str = ""  # what no field above says


@dataclass(frozen=True)
class Row:
    """One instance. ``form`` is "card" (at most k columns) or "penalised" (a price λ0 each).

    Attributes
    ----------
    name : str
        Also the seed of the data, unless ``data`` names another row.
    family : str
        The heading it is reported under.
    source : str
        "ar" or "const" (planted), "unit" (`benchmarks.instances.wide`), the name of a data set of
        `benchmarks.real_data`, or "csv" (``data`` is the file).
    ridge : float
        λ2; with ``ridge_of_truth`` the factor on the λ2 that suits the true coefficients.
    boxed : bool
        Whether |b| ≤ M is part of the problem; elsewhere M is a help given to the peers that need one.
    """

    name: str
    family: str
    source: str
    k: int
    n: int = 0
    p: int = 0
    rho: float = 0.0
    snr: float = 0.0
    ridge: float = 0.0
    ridge_of_truth: bool = False
    form: str = "card"
    price: str = "middle"
    boxed: bool = False
    data: str | None = None
    target: Target = Target()


TALL, WIDE, HARD = "More rows than columns, no ridge", "More columns than rows, a price λ0", "Hard, a price λ0"
AS_IT_IS = "entry as it is"  # see `settings.placed`
UNIT, REAL = "Unit columns, weak ridge", "Expression data, k columns, ridge"


def _tall(
    name: str,
    source: str,
    k: int,
    seconds: float | None,
    n: int = 0,
    p: int = 0,
    rho: float = 0.0,
    snr: float = 0.0,
) -> Row:
    return Row(name, TALL, source, k, n, p, rho, snr, target=Target(seconds))


def _priced(
    name: str,
    family: str,
    n: int,
    p: int,
    source: str,
    rho: float,
    snr: float,
    k: int = 10,
    ridge: float = 1.0,
    price: str = "entry",
    data: str | None = None,
    target: Target = Target(),
) -> Row:
    return Row(name, family, source, k, n, p, rho, snr, ridge, True, "penalised", price, True, data, target)


ROWS: tuple[Row, ...] = (
    _tall("T30a", "ar", 5, None, 200, 30, 0.5, 5),
    _tall("T30b", "const", 8, None, 200, 30, 0.9, 1),
    _tall("T40a", "ar", 10, 0.02, 500, 40, 0.9, 1),
    _tall("T40b", "const", 10, None, 500, 40, 0.5, 5),
    _tall("T100a", "ar", 10, None, 2000, 100, 0.5, 5),
    _tall("T100b", "ar", 10, 0.1, 2000, 100, 0.9, 1),
    _tall("T200a", "ar", 10, None, 5000, 200, 0.5, 1),
    _tall("T200b", "ar", 10, 0.1, 5000, 200, 0.9, 1),
    _tall("Tdiab5", "diabetes_second_order", 5, None),
    _tall("Tdiab10", "diabetes_second_order", 10, 0.4),
    _tall("Tdiab15", "diabetes_second_order", 15, 4),
    _tall("Tdiab20", "diabetes_second_order", 20, 60),
    _tall("Tdigits10", "digits", 10, 0.1),
    _tall("Tbc8", "breast_cancer", 8, 0.01),
    _tall("ar-442x60-k15-snr1", "ar", 15, 1, 442, 60, 0.9, 1),
    _tall("ar-2000x100-k8-snr.2", "ar", 8, 0.2, 2000, 100, 0.9, 0.2),
    _tall("ar-500x100-k10-snr1", "ar", 10, 8, 500, 100, 0.9, 1),
    _priced("W1k_c1", WIDE, 300, 1000, "const", 0.1, 5, target=Target(0.6)),
    _priced("W1k_a5", WIDE, 300, 1000, "ar", 0.5, 5, price=AS_IT_IS, target=Target(0.6)),
    _priced("W1k_c1lo", WIDE, 300, 1000, "const", 0.1, 5, price="low", data="W1k_c1"),
    _priced("W1k_a9", WIDE, 300, 1000, "ar", 0.9, 10, price=AS_IT_IS),
    _priced("W1k_a5_r10", WIDE, 300, 1000, "ar", 0.5, 5, ridge=10.0, data="W1k_a5", target=Target(0.06)),
    _priced("W10k_c1", WIDE, 1000, 10_000, "const", 0.1, 5, target=Target(2)),
    _priced("W10k_a5", WIDE, 1000, 10_000, "ar", 0.5, 5, target=Target(1.6)),
    _priced("W10k_c1lo", WIDE, 1000, 10_000, "const", 0.1, 5, price="low", data="W10k_c1"),
    _priced("W10k_a5_r10", WIDE, 1000, 10_000, "ar", 0.5, 5, ridge=10.0, data="W10k_a5", target=Target(0.8)),
    _priced("W100k_c1", WIDE, 1000, 100_000, "const", 0.1, 5, target=Target(20, memory=1.5)),
    _priced("W100k_a5", WIDE, 1000, 100_000, "ar", 0.5, 5, target=Target(20, memory=1.5)),
    _priced("H60a", HARD, 60, 60, "ar", 0.9, 1, k=5, target=Target(0.02)),
    _priced("H200a", HARD, 200, 200, "ar", 0.9, 1, target=Target(20)),
    _priced("H200c", HARD, 200, 200, "const", 0.9, 1),
    _priced("H200a_r10", HARD, 200, 200, "ar", 0.9, 1, ridge=10.0, data="H200a", target=Target(0.1)),
    _priced("H500a", HARD, 500, 500, "ar", 0.9, 1, target=Target(gap=0.01)),
    _priced("H500c", HARD, 500, 500, "const", 0.9, 1),
    _priced("H500a_r10", HARD, 500, 500, "ar", 0.9, 1, ridge=10.0, data="H500a", target=Target(0.1)),
    Row("Hbc495", HARD, "breast_cancer_products", 10, ridge=5.69, form="penalised", price="entry", boxed=True),
    *(
        Row(
            f"unit-300x1000-rho{rho:g}-{form}".replace("rho0.", "rho."),
            UNIT,
            "unit",
            10,
            300,
            1000,
            rho,
            ridge=0.01,
            form=form,
            target=Target(seconds),
        )
        for rho, seconds in ((0.1, 2), (0.5, 4))
        for form in ("card", "penalised")
    ),
    *(
        Row(f"{file}-k{k}-ridge{twice:g}".replace("ridge0.", "ridge."), REAL, "csv", k, ridge=twice / 2, data=file)
        for file in ("riboflavin", "leukemia72", "trim32")
        for k in (5, 8, 10)
        for twice in (1.0, 0.3)
    ),
)

# Rows that take long enough for a second thread to show: ours with two threads against ours with one.
TWO_THREADS = ("Tdiab15", "Tdiab20", "ar-500x100-k10-snr1", "W100k_c1", "W100k_a5", "H200a", "H500a")
TWO_THREADS_TARGET = 1.7


def by_name() -> dict[str, Row]:
    """Every row by its name."""
    return {row.name: row for row in ROWS}
