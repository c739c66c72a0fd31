"""Outputs of a model at any number of samples, with memory that does not grow with them."""

from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Network, chunk_size, sample_numbers, sample_slices


def rows_at_once(model: Any, n_samples: int) -> int:
    """Return how many samples of so many a forward pass of a model takes at once."""
    numbers = (
        sample_numbers(model.layers)
        if isinstance(model, Network)
        else max(n_in * n_out for n_in, n_out in pairwise(model.widths))
    )
    return chunk_size(numbers, n_samples)


def values_at(model: Any, x: FloatArray) -> FloatArray:
    """Compute the outputs (batch, n_out) of a model at x (batch, n_in), which is not checked."""
    size = rows_at_once(model, len(x))
    if size >= len(x):
        return np.asarray(model.values(model.prepare(x)))
    parts = [model.values(model.prepare(x[rows])) for rows in sample_slices(len(x), size)]
    return np.concatenate(parts)
