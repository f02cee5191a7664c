"""Compiled scan of all supports of one size, the last column in closed form."""

from __future__ import annotations

import numpy as np

from formulations._types import BoolVector, IntMatrix, IntVector, Matrix, Vector
from warmstarts.compilation import kernel, part


@kernel
def scan_supports(
    G: Matrix,
    c: Vector,
    chosen: IntVector,
    threshold: float,
    best: Vector,
    best_support: IntVector,
    doubtful: IntMatrix,
    n_doubtful: IntVector,
    budget: int,
) -> int:
    r"""Scan the supports whose smallest column is ``chosen[0]``, from the prefix ``chosen[:-1]`` on.

    A prefix of all but one column is swept in one column at a time (Gram-Schmidt on G): ``u[a]`` is the
    pivot row of step a, scaled; ``w`` and ``d`` hold what is left of ``c`` and of the diagonal. The last column
    l then adds :math:`w_l^2/d_l` to the explained sum of squares. Where a pivot or the last ``d_l`` is
    below ``threshold`` the support is not judged here: it goes to the list ``doubtful``.

    Returns the number of prefixes, at most ``budget``; ``chosen`` is then where to go on, or begins with -1 when
    nothing is left. ``best[0]`` and ``best_support`` are updated in place.
    """
    m = len(c)
    depth = len(chosen) - 1
    first = chosen[0]
    given = depth - 1  # levels whose column is where the last burst stopped, not the next in line
    u = np.zeros((depth, m))
    w = np.empty((depth + 1, m))
    d = np.empty((depth + 1, m))
    explained = np.zeros(depth + 1)
    is_doubtful = np.zeros(depth + 1, np.bool_)
    for i in range(m):
        w[0, i] = c[i]
    for j in range(m):
        d[0, j] = G[j, j]
    prefixes = 0
    level = 0
    while level >= 0:
        j = chosen[level]
        last = m - depth + level - 1  # leaves room for the columns still to come, the closed-form one included
        if (level == 0 and j != first) or j > last:
            level -= 1
            if level >= 0:
                chosen[level] += 1
            continue
        _sweep(G, u, w, d, explained, is_doubtful, level, j, threshold)
        if level < depth - 1:
            level += 1
            if given > 0:
                given -= 1
            else:
                chosen[level] = j + 1
            continue
        if prefixes == budget:
            return prefixes
        prefixes += 1
        _last_column(
            w[depth],
            d[depth],
            explained[depth],
            is_doubtful[depth],
            threshold,
            j + 1,
            best,
            best_support,
            chosen,
            doubtful,
            n_doubtful,
        )
        chosen[level] += 1
    chosen[0] = -1
    return prefixes


@part
def _sweep(
    G: Matrix,
    u: Matrix,
    w: Matrix,
    d: Matrix,
    explained: Vector,
    is_doubtful: BoolVector,
    level: int,
    j: int,
    threshold: float,
) -> None:
    """Sweep column j in at this level: row ``u[level]``, then ``w``, ``d`` and ``explained`` of the next."""
    m = len(w[0])
    pivot = d[level, j]
    is_doubtful[level + 1] = is_doubtful[level] or pivot < threshold
    scale = 1.0 / np.sqrt(max(pivot, threshold))
    row = u[level]
    source = G[j]
    for i in range(j, m):
        row[i] = source[i]
    for a in range(level):
        factor = u[a, j]
        earlier = u[a]
        for i in range(j, m):
            row[i] -= factor * earlier[i]
    step = w[level, j] * scale
    w0, w1, d0, d1 = w[level], w[level + 1], d[level], d[level + 1]
    for i in range(j, m):
        scaled = row[i] * scale
        row[i] = scaled
        w1[i] = w0[i] - step * scaled
        d1[i] = d0[i] - scaled * scaled
    explained[level + 1] = explained[level] + step * step


@part
def _last_column(
    w: Vector,
    d: Vector,
    explained: float,
    is_doubtful: bool,
    threshold: float,
    start: int,
    best: Vector,
    best_support: IntVector,
    chosen: IntVector,
    doubtful: IntMatrix,
    n_doubtful: IntVector,
) -> None:
    """Try every last column at once; look closer only where one wins or cannot be judged."""
    m = len(w)
    needed = best[0] - explained
    hits = 0
    for i in range(start, m):
        hits += (w[i] * w[i] > needed * d[i]) | (d[i] < threshold)
    if hits == 0 and not is_doubtful:
        return
    for i in range(start, m):
        if is_doubtful or d[i] < threshold:
            if n_doubtful[0] < len(doubtful):
                for a in range(len(chosen) - 1):
                    doubtful[n_doubtful[0], a] = chosen[a]
                doubtful[n_doubtful[0], len(chosen) - 1] = i
            n_doubtful[0] += 1
        elif explained + w[i] * w[i] / d[i] > best[0]:
            best[0] = explained + w[i] * w[i] / d[i]
            for a in range(len(chosen) - 1):
                best_support[a] = chosen[a]
            best_support[len(chosen) - 1] = i
