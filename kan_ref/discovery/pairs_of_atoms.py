"""The least squares of one or two columns of a table, for all pairs at once.

For columns p, q of a table of atoms (`atoms`) and targets y, all centred and of length 1,

    (D13)  min over a, b of |y - a p - b q|^2 = 1 - (r_p^2 + r_q^2 - 2 g r_p r_q) / (1 - g^2)

with r_p = p . y, r_q = q . y, g = p . q: for all pairs at once these are a few matrix products.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Tree

Candidate = tuple[float, str, Tree]  # misfit (D13), functions, tree


def unit(table: FloatArray) -> FloatArray:
    """Return columns that are centred and have length 1."""
    centred = table - table.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(norms > 0.0, norms, 1.0))


def with_outer(columns: Sequence[FloatArray], y: FloatArray) -> tuple[FloatArray, float]:
    """Return the coefficients of the columns and of 1, and the misfit (D13)."""
    design = np.stack([*columns, np.ones(len(y))], axis=1)
    size = np.maximum(np.abs(design).max(axis=0), 1e-300)
    coef = np.linalg.lstsq(design / size, y, rcond=1e-13)[0]
    rest = y - (design / size) @ coef
    centred = y - y.mean()
    return coef / size, float(rest @ rest) / float(centred @ centred)


def pair_misfit(r_p: FloatArray, r_q: FloatArray, g: FloatArray) -> FloatArray:
    """Compute (D13); 1 where the two columns are nearly one."""
    # [eq:pair-misfit]
    rest = 1.0 - g**2
    misfit = 1.0 - (r_p**2 + r_q**2 - 2.0 * g * r_p * r_q) / np.maximum(rest, 1e-6)
    # [/eq:pair-misfit]
    return np.where(rest > 1e-6, misfit, 1.0)


def smallest(misfit: FloatArray, n: int) -> Iterator[tuple[int, int]]:
    """Yield the indices of the n smallest entries."""
    flat = misfit.ravel()
    n = min(n, flat.size)
    for k in np.argpartition(flat, n - 1)[:n]:
        yield int(k) // misfit.shape[1], int(k) % misfit.shape[1]
