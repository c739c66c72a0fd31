"""Layers and networks of the sizes at which code that works in blocks has a remainder.

Batches of 9, 17, 33 and 257 samples and widths of 9 and 65 leave one element over in blocks of 2,
4, 8, ..., and of other even sizes that divide one number less. The known defect leaves it out.
Large arrays are numbers (C23) of `encode`, so that a file states their recurrence only.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.encode import drawn
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Rows, filled
from kan_ref.conformance.generate.topics_knots import uniform_knots
from kan_ref.conformance.generate.uneven import uneven_row

SHAPES = (
    # name, outputs, inputs, batch
    ("batch-9", 2, 2, 9),
    ("batch-17", 2, 1, 17),
    ("batch-33", 1, 2, 33),
    ("batch-257", 1, 1, 257),
    ("nine-inputs", 2, 9, 2),
    ("sixty-five-inputs", 1, 65, 2),
    ("nine-outputs", 9, 2, 2),
    ("sixty-five-outputs", 65, 1, 2),
)
NETWORKS = (
    # name, widths, batch
    ("nine-samples", (2, 2, 1), 9),
    ("thirty-three-samples", (1, 2, 1), 33),
    ("nine-hidden", (2, 9, 1), 2),
    ("sixty-five-hidden", (1, 65, 1), 2),
)


def block_layer(start: int, n_out: int, n_in: int, low: float = -1.0, high: float = 1.0) -> Layer:
    """Return a quadratic layer of 3 uneven intervals on [low, high] with the numbers (C23)."""
    even = uniform_knots(low, high, 3, 2)
    return {
        "knots": [uneven_row(even, 2, turn % 5) for turn in range(n_in)],
        "coef": drawn(start, (n_out, n_in, 5), -2.0, 2.0),
        "w_base": drawn(start + 101, (n_out, n_in), -2.0, 2.0),
        "w_spline": drawn(start + 211, (n_out, n_in), -2.0, 2.0),
        "mask": filled(1.0, n_out, n_in),
        "degree": 2,
        "base": "silu",
    }


def block_network(start: int, widths: Sequence[int]) -> list[Layer]:
    """Return layers of `block_layer`, those after the first on [-8, 8]."""
    return [
        block_layer(start + 1009 * n, n_out, n_in, *((-8.0, 8.0) if n else (-1.0, 1.0)))
        for n, (n_in, n_out) in enumerate(pairwise(widths))
    ]


def without_last(layer: Layer, *, inputs: bool) -> Layer:
    """Return the layer as it is read by code that leaves out the last input or output."""
    n_out, n_in, _ = sizes(layer)
    kept = [
        [float(i < n_in - 1 if inputs else j < n_out - 1) for i in range(n_in)]
        for j in range(n_out)
    ]
    return layer | {"mask": kept}


def samples(start: int, n: int, n_in: int) -> Rows:
    """Return (n, n_in) numbers (C23) in [-1, 1]."""
    return drawn(start, (n, n_in), -1.0, 1.0)


def padded(rows: Sequence[Sequence[Any]], shape: Sequence[int]) -> list[list[Any]]:
    """Return (batch, n) numbers with rows of zeros in place of those that are missing."""
    return [*map(list, rows), *[[0.0] * shape[1] for _ in range(shape[0] - len(rows))]]
