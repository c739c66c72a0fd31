"""Chunks of samples: a large batch a part at a time, so that memory does not grow with the batch.

A batch is evaluated at once as long as the arrays of a layer hold at most 2^22 numbers (32 MiB). A
larger one is evaluated by chunks of about 2^20 numbers (8 MiB), but of at least 256 samples,
because matrix products are slow with fewer.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network.layer import Layer, evaluate, layer_outputs

_AT_ONCE, _NUMBERS, _FEWEST = 2**22, 2**20, 256


def chunk_size(numbers_of_a_sample: int, n_samples: int) -> int:
    """Return how many samples are evaluated at once, at least 1.

    `numbers_of_a_sample` counts the entries of one sample in the arrays of a forward pass.

    Examples
    --------
    >>> chunk_size(100, 1000), chunk_size(100, 100000)
    (1000, 10485)
    """
    if numbers_of_a_sample * n_samples <= _AT_ONCE:
        return max(1, n_samples)
    return max(_FEWEST, _NUMBERS // numbers_of_a_sample)


def sample_slices(n_samples: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` samples that cover all of them in order."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def sample_numbers(layers: Sequence[Layer]) -> int:
    """Return how many numbers a forward pass needs for a sample: those of its largest layer."""
    # the scattered basis functions, and the nonzero ones with their derivatives and places
    return max(
        layer.n_in * (layer.n_basis + 3 * layer.degree + 5) + layer.n_out for layer in layers
    )


def outputs_at(layer: Layer, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a layer at x (batch, n_in), a large batch by chunks."""
    size = chunk_size(sample_numbers([layer]), len(x))
    if size >= len(x):
        return layer_outputs(layer, evaluate(layer, x, slopes=False))
    y = np.empty((layer.n_out, len(x))).T  # batch last in memory
    for rows in sample_slices(len(x), size):
        y[rows] = layer_outputs(layer, evaluate(layer, x[rows], slopes=False))
    return y
