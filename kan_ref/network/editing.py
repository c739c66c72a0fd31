"""Edit the edges of a network by hand, and make layers of symbolic edges alone.

An edge is a spline edge (mask 1), a symbolic edge, or masked (`layer`). `mask_edges` chooses the
active ones; `lock_edges` makes symbolic edges of one layer share their parameters. Every operation
returns a new network.

In a layer without splines every active edge is symbolic, all others are masked. It needs knots
nevertheless. They are those of one interval, with coefficients of 0, and have no influence on its
values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.bspline import fit_curve, uniform_knots
from kan_ref.checks import FloatArray
from kan_ref.functions import Function
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network, check_network
from kan_ref.network.symbolic_edges import SymbolicEdge, numbers

DEGREE = 3
IDENTITY = (1.0, 0.0, 1.0, 0.0)


def mask_edges(network: Network, layer: int, mask: object) -> Network:
    """Mask (0) or activate (1) the edges of one layer.

    Parameters
    ----------
    network : Network
    layer : int
        Which layer, from 0.
    mask : (n_out, n_in) of 0 and 1
        Any mask, also one that leaves an output without edges. 1 keeps an active edge, spline or
        symbolic, as it is, and turns a masked one into a spline edge with the coefficients and
        weights it had before; 0 masks the edge.

    Returns
    -------
    masked : Network

    Raises
    ------
    IndexError, ValueError, TypeError
        "layer is 2, but must be between 0 and 1"
    """
    layer_index = check_layer_index(network, layer)
    old = network.layers[layer_index]
    flags = checks.array("mask", mask, old.mask.shape)
    formulas = tuple(edge for edge in old.symbolic if flags[edge.output, edge.input] == 1.0)
    splines = flags.copy()
    splines[numbers(formulas)] = 0.0
    return replace_layer(network, layer_index, replace(old, mask=splines, symbolic=formulas))


def replace_layer(network: Network, layer_index: int, layer: Layer) -> Network:
    """Return the network with another layer at `layer_index`."""
    return Network((*network.layers[:layer_index], layer, *network.layers[layer_index + 1 :]))


def multiply_outputs(network: Network, factors: FloatArray) -> Network:
    """Return the network whose output j is `factors[j]` times as large.

    Edges of the last layer with the same parameters need the same factor.
    """
    last = network.layers[-1]
    affine, rows = last.affine.copy(), [edge.row for edge in last.symbolic]
    affine[rows, 2:] = last.affine[rows, 2:] * factors[numbers(last.symbolic)[0], None]
    coef, w_base = factors[:, None, None] * last.coef, factors[:, None] * last.w_base
    last = replace(last, coef=coef, w_base=w_base, affine=affine)
    return replace_layer(network, len(network.layers) - 1, last)


def with_formula(
    layer: Layer, j: int, i: int, function: Function, affine: Sequence[float] | FloatArray
) -> Layer:
    """Return the layer with a symbolic edge from i to j, with a row of `affine` of its own."""
    kept = [edge for edge in layer.symbolic if (edge.output, edge.input) != (j, i)]
    rows = np.concatenate([layer.affine, [affine]])
    mask = layer.mask.copy()
    mask[j, i] = 0.0
    return replace(
        layer, mask=mask, symbolic=[*kept, SymbolicEdge(j, i, function, len(rows) - 1)], affine=rows
    )


def with_spline(layer: Layer, edge: SymbolicEdge, points: FloatArray, curve: FloatArray) -> Layer:
    """Return the layer with a symbolic edge replaced by the spline nearest to samples of a curve.

    `points` (n,) and `curve` (n, 1) are the samples; the weight of the base function is 0.
    """
    j, i = edge.output, edge.input
    arrays = {name: getattr(layer, name).copy() for name in ("coef", "w_base", "w_spline", "mask")}
    nearest = fit_curve(points, curve, knots=layer.knots[i], degree=layer.degree)
    arrays["coef"][j, i] = nearest.coef[0]
    arrays["w_base"][j, i], arrays["w_spline"][j, i], arrays["mask"][j, i] = 0.0, 1.0, 1.0
    kept = [one for one in layer.symbolic if one is not edge]
    return replace(layer, symbolic=kept, **arrays)


def lock_edges(network: Network, layer: int, places: Sequence[tuple[int, int]]) -> Network:
    """Lock symbolic edges of one layer together: they share a, b, c, d of the first.

    Parameters
    ----------
    network : Network
    layer : int
    places : sequence of (output, input)
        At least two edges, all symbolic and of the same function.

    Returns
    -------
    locked : Network
        With one row of parameters less for every edge after the first.

    Raises
    ------
    ValueError, TypeError, IndexError
        "the edge of layer 0 from input 1 to output 0 is 'exp', but the first of places is 'sin': a
        lock needs one function"
    """
    layer_index = check_layer_index(network, layer)
    old = network.layers[layer_index]
    wanted = [check_edge_index(network, layer, j, i)[1:] for j, i in check_pairs("places", places)]
    if len(set(wanted)) < 2:
        raise ValueError(f"places is {list(places)!r}, but a lock needs at least two edges")
    first, *others = [
        check_formula(network, layer_index, j, i, advice=": fix it first") for j, i in wanted
    ]
    for edge in others:
        if edge.function != first.function:
            other = "another function of that name" if edge.name == first.name else repr(first.name)
            raise ValueError(
                f"the edge of layer {layer_index} from input {edge.input} to output {edge.output} "
                f"is {edge.name!r}, but the first of places is {other}: a lock needs one function"
            )
    locked = [
        replace(edge, row=first.row) if (edge.output, edge.input) in wanted else edge
        for edge in old.symbolic
    ]
    return replace_layer(network, layer_index, replace(old, symbolic=locked))


def unlock_edges(network: Network, layer: int, places: Sequence[tuple[int, int]]) -> Network:
    """Unlock symbolic edges of one layer: each gets parameters of its own with the same values.

    Parameters
    ----------
    network : Network
    layer : int
    places : sequence of (output, input)

    Returns
    -------
    unlocked : Network

    Raises
    ------
    ValueError, TypeError, IndexError
        For an edge that is not symbolic.
    """
    layer_index = check_layer_index(network, layer)
    new = network.layers[layer_index]
    for pair in check_pairs("places", places):
        _, j, i = check_edge_index(network, layer, *pair)
        edge = check_formula(network, layer_index, j, i)
        new = with_formula(new, j, i, edge.function, network.layers[layer_index].affine[edge.row])
    return replace_layer(network, layer_index, new)


# --- input validation


def check_pairs(name: str, value: object) -> list[tuple[Any, Any]]:
    """Return edges of one layer as a list of pairs (output, input), else raise TypeError."""
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence | np.ndarray)
        or any(np.shape(pair) != (2,) for pair in value)
    ):
        raise TypeError(
            f"{name} is {value!r}, but must be a sequence of pairs (output, input) such as [(0, 1)]"
        )
    return [(j, i) for j, i in value]


def check_layer_index(network: Network, layer: object) -> int:
    """Return `layer` if it is an index of the network's layers, else raise IndexError."""
    check_network("network", network)
    return _index("layer", layer, len(network.layers))


def check_edge_index(
    network: Network, layer: object, output: object, input: object
) -> tuple[int, int, int]:
    """Return the place of an edge (l, j, i), else raise IndexError."""
    layer_index = check_layer_index(network, layer)
    chosen = network.layers[layer_index]
    return layer_index, _index("output", output, chosen.n_out), _index("input", input, chosen.n_in)


def check_formula(
    network: Network, layer_index: int, j: int, i: int, *, advice: str = ""
) -> SymbolicEdge:
    """Return the symbolic edge at (layer_index, j, i), else raise ValueError."""
    for edge in network.layers[layer_index].symbolic:
        if (edge.output, edge.input) == (j, i):
            return edge
    raise ValueError(
        f"the edge of layer {layer_index} from input {i} to output {j} is not symbolic{advice}"
    )


def _index(name: str, value: object, count: int) -> int:
    try:
        return checks.integer(name, value, low=0, high=count - 1)
    except ValueError as error:
        raise IndexError(str(error)) from None


@dataclass(frozen=True)
class EdgeSpec:
    """The edge c f(a x + b) + d from `input` to `output`; `affine` is (a, b, c, d)."""

    output: int
    input: int
    function: Function
    affine: tuple[float, float, float, float] = field(default=IDENTITY)


def symbolic_layer(
    n_in: int, n_out: int, edges: Sequence[EdgeSpec], domain: FloatArray | None = None
) -> Layer:
    """Return a layer with these symbolic edges, at most one for each pair of input and output.

    Parameters
    ----------
    n_in, n_out : int
    edges : sequence of EdgeSpec
        An output without an edge is 0.
    domain : (n_in, 2), optional
        The interval of each input, [-1, 1] by default.

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
    low, high = np.tile([-1.0, 1.0], (n_in, 1)).T if domain is None else domain.T
    knots = uniform_knots(low, high, 1, DEGREE)
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
