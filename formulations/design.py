"""The scaled columns of a problem: held whole where they are few, formed block by block from the data otherwise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from formulations._types import Data, IntVector, Matrix, Vector
from formulations.columns import column_blocks, in_threads, row_blocks

DENSE = 2**24  # entries up to which the scaled columns are held: 128 MB
_DRIFT = 1e-10  # mean of a centred column, relative to its entries, that is worth a second centring
_SINGLE = 16  # vectors from which their product in single precision pays for its copy of the data
_LOOK = 64  # rows that tell how large the entries are


class Design(ABC):
    """The matrix Z of a `ScaledProblem`, shape (n, m): columns centred, weighted, of norm one."""

    n: int
    m: int
    is_blocked: bool

    @abstractmethod
    def columns(self, support: IntVector) -> Matrix:
        """Return some columns, shape (n, len(support))."""

    @abstractmethod
    def correlate(self, left: Matrix) -> Matrix:
        """Return ``left.T @ Z``, shape (s, m), for s vectors of length n."""

    def exceeding(self, left: Matrix, threshold: Vector) -> tuple[IntVector, IntVector, Vector]:
        """Return all pairs (i, j) with ``abs(left[:, i] @ Z[:, j]) > threshold[j]``, and a bound on that for each.

        The bounds may be above the products by what single precision rounds; so may pairs be among them that only come
        close to the threshold.
        """
        product = np.abs(self.correlate(left))
        i, j = np.nonzero(product > threshold)
        return i, j, product[i, j]

    @abstractmethod
    def whole(self) -> Matrix:
        """Return Z itself: for few columns."""

    @abstractmethod
    def gram(self) -> Matrix:
        """Return Z'Z, shape (m, m)."""

    def gram_rows(self, columns: IntVector) -> Matrix:
        """Return rows of Z'Z, shape (len(columns), m); the cost of reading the data is shared by them all."""
        return self.correlate(self.columns(columns))

    @abstractmethod
    def triangle(self, y: Vector) -> Matrix:
        """Return R with R'R = [Z y]'[Z y], shape (min(n, m + 1), m + 1): for few columns."""


@dataclass(frozen=True, eq=False)
class DenseDesign(Design):
    """Z in memory."""

    Z: Matrix
    is_blocked = False

    @property
    def n(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[0])

    @property
    def m(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[1])

    def columns(self, support: IntVector) -> Matrix:
        return self.Z[:, support]

    def correlate(self, left: Matrix) -> Matrix:
        return np.ascontiguousarray(np.ascontiguousarray(left.T) @ self.Z)

    def whole(self) -> Matrix:
        return self.Z

    def gram(self) -> Matrix:
        return np.asarray(self.Z.T @ self.Z)

    def triangle(self, y: Vector) -> Matrix:
        data = np.column_stack([self.Z, y])
        return np.asarray(linalg.qr(data, mode="r", check_finite=False)[0][: self.m + 1])


class BlockedDesign(Design):
    """Z formed from the data whenever it is needed, a rectangle at a time; nothing of its size is ever held.

    Parameters
    ----------
    X : shape (n, p)
    names : shape (m,), or None for all
        Columns of X.
    means : shape (m,)
        What is taken off: zero where nothing is.
    root : shape (n,)
        Square roots of the weights.
    is_centred : bool
        Whether a look is taken at what rounding of the means has left behind.
    threads : int, optional
        Threads that pass over the data; all cores unless given.
    """

    is_blocked = True

    def __init__(
        self,
        X: Data,
        names: IntVector | None,
        means: Vector,
        root: Vector,
        is_centred: bool,
        threads: int | None = None,
    ) -> None:
        self._X, self._names, self._means, self._threads = X, names, means, threads
        self._root = None if np.all(root == 1.0) else root[:, None]
        self.n, self.m = int(X.shape[0]), len(means)
        self._drift: Vector | None = None
        self.norms = self._take_off_drift_and_measure(root**2, is_centred)

    def _take_off_drift_and_measure(self, weights: Vector, is_centred: bool) -> Vector:
        """Set the drift, where there is one, and return the norms: one pass."""
        sums, squares = np.zeros(self.m), np.zeros(self.m)

        def measure(columns: slice) -> None:
            for rows in row_blocks(self.n, columns.stop - columns.start):
                part = np.subtract(self._X[rows, self._names_of(columns)], self._means[columns], dtype=np.float64)
                if is_centred:
                    sums[columns] += np.einsum("i,ij->j", weights[rows], part)
                if self._root is not None:
                    part *= self._root[rows]
                squares[columns] += np.einsum("ij,ij->j", part, part)

        in_threads(measure, column_blocks(self.n, self.m), self._threads)
        # A mean far from zero is itself rounded, and leaves a little mean behind.
        drift, total = sums / weights.sum(), float(weights.sum())
        if np.any(np.abs(drift) * np.sqrt(total) > _DRIFT * np.sqrt(squares)):
            self._drift = drift
            squares -= total * drift**2
        return np.sqrt(squares)

    def _names_of(self, columns: slice | IntVector) -> slice | IntVector:
        return columns if self._names is None else self._names[columns]

    def _part(self, rows: slice, columns: slice | IntVector) -> Matrix:
        """Columns centred and weighted, but not yet divided by their norms."""
        part = np.subtract(self._X[rows, self._names_of(columns)], self._means[columns], dtype=np.float64)
        if self._drift is not None:
            part -= self._drift[columns]
        if self._root is not None:
            part *= self._root[rows]
        return np.asarray(part)

    def columns(self, support: IntVector) -> Matrix:
        return np.asarray(self._part(slice(0, self.n), np.asarray(support, dtype=np.int64)) / self.norms[support])

    def correlate(self, left: Matrix) -> Matrix:
        left = np.ascontiguousarray(left.T)
        product = np.zeros((len(left), self.m))

        def multiply(columns: slice) -> None:
            for rows in row_blocks(self.n, columns.stop - columns.start):
                product[:, columns] += left[:, rows] @ self._part(rows, columns)
            product[:, columns] /= self.norms[columns]

        in_threads(multiply, column_blocks(self.n, self.m), self._threads)
        return product

    def exceeding(self, left: Matrix, threshold: Vector) -> tuple[IntVector, IntVector, Vector]:
        # A product of unit columns in single precision is off by at most this; what is too close is let through.
        error = 1.01 * (self.n + 4) * 2.0**-24 * float(np.sqrt(np.einsum("ij,ij->j", left, left)).max()) + 1e-30
        is_single = left.shape[1] >= _SINGLE and error < 0.01 * float(threshold.min())
        kind, error = (np.float32, error) if is_single else (np.float64, 0.0)
        rows = np.ascontiguousarray(left.T, dtype=kind)
        found: list[tuple[IntVector, IntVector, Vector]] = []

        def compare(columns: slice) -> None:
            product = np.zeros((len(rows), columns.stop - columns.start), dtype=kind)
            for part_of in row_blocks(self.n, columns.stop - columns.start):
                part = self._part(part_of, columns)
                unit = np.empty(part.shape, dtype=kind)
                np.divide(part, self.norms[columns], out=unit, casting="same_kind")
                product += rows[:, part_of] @ unit
            i, j = np.nonzero(np.abs(product, out=product) > (threshold[columns] - error).astype(kind))
            found.append((i, j + columns.start, product[i, j] + error))

        in_threads(compare, column_blocks(self.n, self.m), self._threads)
        i, j, size = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return i, j, size

    def whole(self) -> Matrix:
        return self.columns(np.arange(self.m))

    def gram(self) -> Matrix:
        gram = np.zeros((self.m, self.m))
        for rows in row_blocks(self.n, self.m):
            part = self._part(rows, slice(0, self.m)) / self.norms
            gram += part.T @ part
        return gram

    def triangle(self, y: Vector) -> Matrix:
        # The triangle of a part below that of the rows before it: QR of the stack is QR of all rows.
        R = np.zeros((0, self.m + 1))
        for rows in row_blocks(self.n, self.m):
            part = np.column_stack([self._part(rows, slice(0, self.m)) / self.norms, y[rows]])
            R = linalg.qr(np.vstack([R, part]), mode="r", check_finite=False)[0][: self.m + 1]
        return np.asarray(R)


def scaled_design(
    X: Data, names: IntVector | None, means: Vector, root: Vector, is_centred: bool, threads: int | None = None
) -> tuple[Design, Vector]:
    """Return the design of some columns of X (all, where ``names`` is None), and the norms that they had."""
    n, m = X.shape[0], len(means)
    if n * m > DENSE:
        blocked = BlockedDesign(X, names, means, root, is_centred, threads)
        return blocked, blocked.norms
    Z = (X if names is None else X[:, names]) - means
    if is_centred:
        # A mean far from zero is itself rounded; a look at what is left spares the second step where it is nothing.
        weights = root**2
        drift = weights @ Z / weights.sum()
        if np.any(np.abs(drift) > _DRIFT * np.abs(Z[: min(n, _LOOK)]).max(axis=0)):
            Z -= drift
    if np.any(root != 1.0):
        Z *= root[:, None]
    norms = np.sqrt(np.einsum("ij,ij->j", Z, Z))
    Z /= norms
    return DenseDesign(Z), norms
