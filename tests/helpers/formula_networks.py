"""Networks of formulas alone, made by hand or at random."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from kan_ref.functions.library import LIBRARY
from kan_ref.network.initialization import init_network
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge

NAMES = tuple(name for name in LIBRARY if name != "0")


def formula_network(*layers, widths):
    """A network of formulas alone: for each layer edges as (output, input, name, affine).

    affine: (a, b, c, d), or the number of an edge before, to be locked to it.
    """
    blank = init_network(
        widths, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    made = []
    for layer, edges in zip(blank.layers, layers, strict=True):
        symbolic, rows = [], []
        for j, i, name, affine in edges:
            row = symbolic[affine].row if isinstance(affine, int) else len(rows)
            symbolic.append(SymbolicEdge(j, i, LIBRARY[name], row))
            rows += [] if isinstance(affine, int) else [affine]
        made.append(
            replace(
                layer,
                mask=np.zeros_like(layer.mask),
                symbolic=symbolic,
                affine=np.array(rows, dtype=float),
            )
        )
    return Network(tuple(made))


def two_sines(second=2.0, third=2.0):
    """x_1^2 + x_2^2 and x_3^2 + x_4^2 locked together, their sines locked or not."""
    square = (0.5, 0.1, 1.0, 0.25)
    squares = [(0, 0, "x^2", square), (0, 1, "x^2", 0), (1, 2, "x^2", 0), (1, 3, "x^2", 0)]
    sines = [
        (0, 0, "sin", (2.0, 0.1, 1.0, 0.0)),
        (0, 1, "sin", 0 if second is None else (second, 0.1, 1.0, 0.0)),
    ]
    return formula_network(
        squares, sines, [(0, 0, "exp", (third, 0.0, 1.0, 0.0))], widths=(4, 2, 1, 1)
    )


def away_from_zero(rng, size=None):
    return rng.choice([-1.0, 1.0], size) * rng.uniform(0.3, 2.0, size)


def random_formulas(rng, widths, names=NAMES):
    """All edges formulas of any kind, none locked: the parameters are what matters, not where they have values."""
    layers = []
    for n_in, n_out in pairwise(widths):
        edges = []
        for j in range(n_out):
            for i in range(n_in):
                affine = [away_from_zero(rng), rng.normal(), away_from_zero(rng), rng.normal()]
                edges.append((j, i, str(rng.choice(names)), affine))
        layers.append(edges)
    return formula_network(*layers, widths=widths)


def hello_world(b=0.5):
    """2 exp(sin(pi x) + y^2 + 0.25 + b)."""
    inner = [(0, 0, "sin", (np.pi, 0.0, 1.0, 0.0)), (0, 1, "x^2", (1.0, 0.0, 1.0, 0.25))]
    return formula_network(inner, [(0, 0, "exp", (1.0, b, 2.0, 0.0))], widths=(2, 1, 1))
