"""The measured networks: cubic splines from the paper's toy examples up to an image classifier, and a batch for each."""

import math
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.network.network import Network

DEGREE = 3


@dataclass(frozen=True)
class Shape:
    """Widths, intervals per grid, samples; `bar` is the level of `training_step` for a step: the
    ratio of ours, cached, to the textbook.
    """

    name: str
    widths: tuple[int, ...]
    n_intervals: int
    batch: int
    bar: float = math.nan

    def __str__(self) -> str:
        return (
            f"({self.name}) [{','.join(map(str, self.widths))}] G={self.n_intervals} N={self.batch}"
        )


SHAPES = (
    Shape("a", (2, 5, 1), 5, 1000, 0.26),
    Shape("b", (2, 1, 1), 100, 1000, 0.07),
    Shape("c", (4, 4, 2, 1), 20, 1000, 0.22),
    Shape("d", (100, 1, 1), 10, 1000, 0.21),
    Shape("e", (64, 64, 64, 10), 5, 1024, 0.28),
    Shape("f", (784, 64, 10), 5, 256, 0.27),
    Shape("g", (2, 1, 1), 1000, 3000, 0.005),
)
QUICK_SHAPES = SHAPES[:2]


def problem(shape: Shape) -> tuple[Network, FloatArray, FloatArray]:
    """Return a random network of the shape and a batch; its hidden grids cover the batch's
    activations, as in `fit`.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (shape.batch, shape.widths[0]))
    network = kr.init_network(
        shape.widths, n_intervals=shape.n_intervals, degree=DEGREE, domain=(-1.0, 1.0), x=x, rng=rng
    )
    return network, x, rng.standard_normal((shape.batch, shape.widths[-1]))
