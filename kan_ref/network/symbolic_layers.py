"""Layers without splines: every active edge is symbolic, all others are masked.

A layer needs knots even where it has no spline. They are those of one interval [-1, 1], with
coefficients of 0, and have no influence: `unfix_symbolic` and `mask_edges` put real ones there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_ref.bspline import uniform_knots
from kan_ref.functions import Function
from kan_ref.network.layer import Layer
from kan_ref.network.symbolic_edges import SymbolicEdge

DEGREE = 3
IDENTITY = (1.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class EdgeSpec:
    """The edge c f(a x + b) + d from `input` to `output`; `affine` is (a, b, c, d)."""

    output: int
    input: int
    function: Function
    affine: tuple[float, float, float, float] = field(default=IDENTITY)


def symbolic_layer(n_in: int, n_out: int, edges: Sequence[EdgeSpec]) -> Layer:
    """Return a layer with these symbolic edges, at most one for each pair of input and output.

    Parameters
    ----------
    n_in, n_out : int
    edges : sequence of EdgeSpec
        An output without an edge is 0.

    Returns
    -------
    layer : Layer
        With one interval and degree 3.

    Raises
    ------
    ValueError, TypeError
        "symbolic has the edge from input 0 to output 1 twice", and the like.
    """
    none = np.zeros((n_out, n_in))
    knots = uniform_knots(np.full(n_in, -1.0), np.full(n_in, 1.0), 1, DEGREE)
    return Layer(
        knots=knots,
        coef=np.zeros((n_out, n_in, 1 + DEGREE)),
        w_base=none,
        w_spline=none,
        mask=none,
        degree=DEGREE,
        symbolic=tuple(
            SymbolicEdge(edge.output, edge.input, edge.function, row)
            for row, edge in enumerate(edges)
        ),
        affine=np.array([edge.affine for edge in edges]).reshape(-1, 4),
    )
