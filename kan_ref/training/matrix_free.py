"""The Jacobian of residuals on many samples as an operator, or as sums, by chunks of samples.

The products J u and J^T v of `network.Tangent` are added up over chunks of samples. What a chunk
needs for them (basis functions, derivatives of edges) is kept while it fits into a budget; other
chunks are evaluated again for every product. So the memory does not grow with samples times
parameters.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import (
    Factors,
    Layer,
    Network,
    Tangent,
    factors,
    kronecker_blocks,
    sample_slices,
    sum_factors,
)
from kan_ref.numerics import Jacobian, KroneckerBlock, NormalSums, sum_chunks

_CHUNK_NUMBERS = 2**21  # of the derivatives of edges and the basis functions of a chunk
_KEPT_NUMBERS = 2**26  # of all chunks that are kept: 512 MiB
_CHUNK_ENTRIES = 2**17  # of the row-sparse Jacobian of a chunk, 1 MiB of values
MOST_ENTRIES = 2**22  # of a row-sparse Jacobian that is stored: 64 MiB


def row_entries(model: Any) -> int:
    """Return how many entries of a row of the Jacobian of predictions are stored."""
    if not isinstance(model, Network):
        return int(model.n_params)  # MLPs and LANs have dense rows
    return sum(
        layer.n_out * layer.n_in * (layer.degree + 3) + 4 * len(layer.symbolic)
        for layer in model.layers
    )


def sums_by_chunks(goal: Any, model: Any) -> tuple[FloatArray, NormalSums]:
    """Compute the residuals of a loss over data, with J^T J and J^T r of `NormalSums`.

    The goal has many samples and is not prepared. Memory: that of a chunk, and the residuals.
    """
    n_samples, n_out = goal.targets.shape
    n_rows, order = _CHUNK_ENTRIES // row_entries(model), np.arange(n_samples)
    if isinstance(model, Network):
        order = order_by_cells(model.layers[0], goal.x)
    else:
        n_rows = max(n_rows, model.n_params)  # with fewer, adding up J^T J takes most of the time
    size = max(1, n_rows // n_out)
    every = np.empty((n_samples, n_out))
    root = np.sqrt(goal.targets.size)

    def parts() -> Iterator[tuple[Jacobian, FloatArray]]:
        for part in sample_slices(n_samples, size):
            rows = order[part]
            flow, caches = model.run_flow(model.prepare(goal.x[rows]))
            every[rows] = (flow[-1] - goal.targets[rows]) / root
            yield model.jacobian(caches, 1.0 / root), every[rows].reshape(-1)

    sums = sum_chunks(parts(), model.n_params)
    return every.reshape(-1), sums


def order_by_cells(layer: Layer, x: FloatArray) -> IntArray:
    """Return an order of the samples by cells of the first layer's grid, in two of its inputs.

    Samples of one cell have the same nonzero basis functions, so a chunk has few columns.
    """
    cells = [
        np.searchsorted(breakpoints, column)
        for breakpoints, column in zip(layer.breakpoints[:2], x.T[:2], strict=True)
    ]
    return np.lexsort(cells[::-1])


@dataclass(frozen=True, eq=False)
class DataOperator:
    """The Jacobian of `scale` times the predictions at x, row b * n_out + o, as an operator."""

    network: Network
    x: FloatArray
    scale: float
    kept: dict[int, Tangent] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""
        return len(self.x) * self.network.widths[-1], self.network.n_params

    def _numbers(self) -> int:
        """Return how many numbers the arrays of a sample have."""
        return sum(
            layer.n_in * (layer.n_basis + 3 * layer.degree + 6) + layer.n_in * layer.n_out
            for layer in self.network.layers
        )

    def _chunks(self) -> Iterator[tuple[slice, Tangent]]:
        """Yield all chunks of samples with their derivatives."""
        numbers = self._numbers()
        size = max(1, _CHUNK_NUMBERS // numbers)
        for rows in sample_slices(len(self.x), size):
            tangent = self.kept.get(rows.start)
            if tangent is None:
                layers, points = self.network.layers, self.x[rows]
                _, caches = self.network.run_flow(self.network.prepare(points))
                tangent = Tangent.of(layers, caches)
                if rows.stop * numbers <= _KEPT_NUMBERS:
                    self.kept[rows.start] = tangent
            yield rows, tangent

    def multiply(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,)."""
        parts = [tangent.multiply(vector) for _, tangent in self._chunks()]
        product: FloatArray = self.scale * np.concatenate(parts).reshape(-1)
        return product

    def multiply_transposed(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_columns,)."""
        dy = self.scale * residuals.reshape(len(self.x), -1)
        total = np.zeros(self.network.n_params)
        for rows, tangent in self._chunks():
            total += tangent.multiply_transposed(dy[rows])
        return total

    def normal_product(self, vector: FloatArray) -> FloatArray:
        """Return J^T J u, (n_columns,)."""
        total = np.zeros(self.network.n_params)
        for _, tangent in self._chunks():
            total += tangent.multiply_transposed(tangent.multiply(vector))
        return self.scale**2 * total

    def column_squares(self) -> FloatArray:
        """Return the squared norms of the columns, (n_columns,)."""
        total = np.zeros(self.network.n_params)
        for _, tangent in self._chunks():
            total += self.network.column_squares(tangent.caches)
        return self.scale**2 * total

    def kronecker_blocks(self, squares: FloatArray) -> list[KroneckerBlock]:
        """Return the correlated columns of all layers, for `squares` = `column_squares()`."""
        total: Factors = []
        for _, tangent in self._chunks():
            part = factors(tangent)
            total = sum_factors(total, part) if total else part
        return kronecker_blocks(self.network.layers, total, squares)
