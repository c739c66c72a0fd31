"""Changing the edges of a network by hand: every operation gives a new network, and leaves the old one alone.

An edge is exactly one of three: a spline (mask 1), a formula, or dead (`layer_record`). `mask_edges` decides which live;
`lock_edges` makes formulas of one layer share their parameters.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_float_array, check_integer
from kan_ref.functions import Function
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network, check_network
from kan_ref.network.symbolic_edges import SymbolicEdge, numbers


def mask_edges(network: Network, layer: int, mask: object) -> Network:
    """A network in which the edges of one layer live (1) or are dead (0).

    Parameters
    ----------
    network : Network
    layer : int
        Which layer, from 0.
    mask : (n_out, n_in) of 0 and 1
        Any, also one that cuts an output off. 1 keeps a living edge as it is, spline or formula, and revives a dead one as a
        spline edge with the coefficients and weights it had when it died; 0 kills what stands there.

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
    flags = check_float_array("mask", mask, old.mask.shape, flags=True)
    formulas = tuple(edge for edge in old.symbolic if flags[edge.output, edge.input] == 1.0)
    splines = flags.copy()
    splines[numbers(formulas)] = 0.0
    return replace_layer(network, layer_index, replace(old, mask=splines, symbolic=formulas))


def replace_layer(network: Network, layer_index: int, layer: Layer) -> Network:
    """The network with another layer in the place of `layer_index`."""
    return Network((*network.layers[:layer_index], layer, *network.layers[layer_index + 1 :]))


def with_formula(
    layer: Layer, j: int, i: int, function: Function, affine: Sequence[float] | FloatArray
) -> Layer:
    """The layer with a formula on one edge, in a row of its own."""
    kept = [edge for edge in layer.symbolic if (edge.output, edge.input) != (j, i)]
    rows = np.concatenate([layer.affine, [affine]])
    mask = layer.mask.copy()
    mask[j, i] = 0.0
    return replace(
        layer, mask=mask, symbolic=[*kept, SymbolicEdge(j, i, function, len(rows) - 1)], affine=rows
    )


def lock_edges(network: Network, layer: int, places: Sequence[tuple[int, int]]) -> Network:
    """The network with formulas of one layer locked together: from now on they share a, b, c, d, those of the first.

    Parameters
    ----------
    network : Network
    layer : int
    places : sequence of (output, input)
        At least two edges, all of them formulas of the same function.

    Returns
    -------
    locked : Network
        One row of parameters less for every further edge.

    Raises
    ------
    ValueError, TypeError, IndexError
        "the edge of layer 0 from input 1 to output 0 is 'exp', but the first of places is 'sin': a lock needs one function"
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
            raise ValueError(
                f"the edge of layer {layer_index} from input {edge.input} to output {edge.output} is {edge.name!r}, "
                f"but the first of places is "
                f"{first.name!r}: a lock needs one function"
            )
    locked = [
        replace(edge, row=first.row) if (edge.output, edge.input) in wanted else edge
        for edge in old.symbolic
    ]
    return replace_layer(network, layer_index, replace(old, symbolic=locked))


def unlock_edges(network: Network, layer: int, places: Sequence[tuple[int, int]]) -> Network:
    """The network with formulas of one layer taken out of their locks: each gets a row of its own, with the same numbers.

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
        An edge that is no formula.
    """
    layer_index = check_layer_index(network, layer)
    new = network.layers[layer_index]
    for pair in check_pairs("places", places):
        _, j, i = check_edge_index(network, layer, *pair)
        edge = check_formula(network, layer_index, j, i)
        new = with_formula(new, j, i, edge.function, network.layers[layer_index].affine[edge.row])
    return replace_layer(network, layer_index, new)


# --- which layer, which edge


def check_pairs(name: str, value: object) -> list[tuple[Any, Any]]:
    """The door for edges of one layer: a sequence of pairs (output, input)."""
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
    """`layer` as an index of the network's layers, else IndexError."""
    check_network("network", network)
    return _index("layer", layer, len(network.layers))


def check_edge_index(
    network: Network, layer: object, output: object, input: object
) -> tuple[int, int, int]:
    """`layer`, `output`, `input` as the place of an edge (l, j, i), else IndexError."""
    layer_index = check_layer_index(network, layer)
    chosen = network.layers[layer_index]
    return layer_index, _index("output", output, chosen.n_out), _index("input", input, chosen.n_in)


def check_formula(
    network: Network, layer_index: int, j: int, i: int, *, advice: str = ""
) -> SymbolicEdge:
    """The formula at the place (layer_index, j, i) of an edge, else ValueError."""
    for edge in network.layers[layer_index].symbolic:
        if (edge.output, edge.input) == (j, i):
            return edge
    raise ValueError(
        f"the edge of layer {layer_index} from input {i} to output {j} is no formula{advice}"
    )


def _index(name: str, value: object, count: int) -> int:
    try:
        return check_integer(name, value, low=0, high=count - 1)
    except ValueError as error:
        raise IndexError(str(error)) from None
