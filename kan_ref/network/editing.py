"""Edit the edges of a network by hand, and make layers of symbolic edges alone.

An edge is a spline edge (mask 1), a symbolic edge, or masked (`layer`). `mask_edges`
chooses the active ones; `lock_edges` makes symbolic edges of one layer share their
parameters. Every operation returns a new network.

In a layer without splines every active edge is symbolic, all others are masked. It
needs knots nevertheless. They are those of one interval, with coefficients of 0, and
have no influence on its values.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from kan_ref import bspline, checks
from kan_ref.checks import FloatArray
from kan_ref.functions import Function
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network, check_network
from kan_ref.network.symbolic_edges import SymbolicEdge, numbers

DEGREE = 3


def mask_edges(network: Network, layer: int, mask: object) -> Network:
    """Mask (0) or activate (1) the edges of one layer.

    Parameters
    ----------
    network : Network
    layer : int
        Which layer, from 0.
    mask : (n_out, n_in) of 0 and 1
        Any mask, also one that leaves an output without edges. 1 keeps an active edge,
        spline or symbolic, as it is, and turns a masked one into a spline edge with the
        coefficients and weights it had before; 0 masks the edge.

    Returns
    -------
    masked : Network

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> kr.mask_edges(net, 0, [[1, 0]])
    Network([2, 1], n_intervals [5], degree 3, 20 parameters, 1 masked edges)
    """
    layer_index = check_layer_index(network, layer)
    old = network.layers[layer_index]
    flags = checks.array("mask", mask, old.mask.shape)
    active = flags == 1.0
    formulas = [edge for edge in old.symbolic if active[edge.output, edge.input]]
    splines = flags.copy()
    splines[numbers(formulas)] = 0.0
    new = replace(old, mask=splines, symbolic=formulas)
    return replace_layer(network, layer_index, new)


def lock_edges(
    network: Network,
    layer: int,
    places: Sequence[tuple[int, int]],
    *,
    shared: bool = True,
) -> Network:
    """Lock symbolic edges of a layer, so that they share a, b, c, d, or unlock them.

    Parameters
    ----------
    network : Network
    layer : int
    places : sequence of (output, input)
        Symbolic edges, all of the same function to be locked.
    shared : bool
        True: they share the parameters of the first edge. False: each gets parameters
        of its own, with the values it has.

    Returns
    -------
    changed : Network
        The gradient of shared parameters is the sum over their edges.

    Examples
    --------
    >>> import sympy
    >>> import kan_ref as kr
    >>> net = kr.from_formula(sympy.sympify("sin(x) + sin(2*y)"), names=("x", "y"))
    >>> locked = kr.lock_edges(net, 0, [(0, 0), (0, 1)])
    >>> len(net.layers[0].affine), len(locked.layers[0].affine)
    (2, 1)
    """
    layer_index = check_layer_index(network, layer)
    old = new = network.layers[layer_index]
    pairs = check_pairs("places", places)
    found = [check_edge_index(network, layer, j, i) for j, i in pairs]
    edges = [check_formula(network, *place) for place in found]

    if checks.flag("shared", shared):
        for edge in edges:
            if edge.function != edges[0].function:
                rule = f"{edges[0].name} and {edge.name} cannot be locked"
                checks.fail("places", places, rule)
        symbolic = []
        for edge in old.symbolic:
            if edge in edges:
                edge = replace(edge, row=edges[0].row)
            symbolic.append(edge)
        new = replace(old, symbolic=symbolic)
    else:
        for edge in edges:
            affine = old.affine[edge.row]
            new = with_formula(new, edge.output, edge.input, edge.function, affine)
    return replace_layer(network, layer_index, new)


def replace_layer(network: Network, layer_index: int, layer: Layer) -> Network:
    """Return the network with another layer at `layer_index`."""
    layers = list(network.layers)
    layers[layer_index] = layer
    return Network(tuple(layers))


def with_formula(
    layer: Layer,
    j: int,
    i: int,
    function: Function,
    affine: Sequence[float] | FloatArray,
) -> Layer:
    """Return the layer with a symbolic edge from i to j that has its own parameters."""
    kept = [edge for edge in layer.symbolic if (edge.output, edge.input) != (j, i)]
    rows = np.concatenate([layer.affine, [affine]])
    mask = layer.mask.copy()
    mask[j, i] = 0.0
    own = SymbolicEdge(j, i, function, len(rows) - 1)
    return replace(layer, mask=mask, symbolic=[*kept, own], affine=rows)


def with_spline(
    layer: Layer, edge: SymbolicEdge, points: FloatArray, curve: FloatArray
) -> Layer:
    """Return the layer with a spline nearest to samples in place of a symbolic edge.

    `points` (n,) and `curve` (n, 1) are the samples; the weight of the base function is
    0.
    """
    j, i = edge.output, edge.input
    nearest = bspline.fit_curve(
        points, curve, knots=layer.knots[i], degree=layer.degree
    )
    coef = layer.coef.copy()
    w_base = layer.w_base.copy()
    w_spline = layer.w_spline.copy()
    mask = layer.mask.copy()
    coef[j, i] = nearest.coef[0]
    w_base[j, i] = 0.0
    w_spline[j, i] = 1.0
    mask[j, i] = 1.0
    kept = [one for one in layer.symbolic if one is not edge]
    return replace(
        layer, coef=coef, w_base=w_base, w_spline=w_spline, mask=mask, symbolic=kept
    )


# --- places of edges


def check_pairs(name: str, value: Any) -> list[tuple[Any, Any]]:
    """Return edges of one layer as pairs (output, input), else raise TypeError."""
    is_sequence = hasattr(value, "__iter__") and not isinstance(value, str)
    if not is_sequence or any(np.shape(pair) != (2,) for pair in value):
        rule = "must be pairs (output, input) such as [(0, 1)]"
        checks.fail(name, value, rule, TypeError)
    return [(j, i) for j, i in value]


def _index(name: str, value: object, count: int) -> int:
    number = checks.integer(name, value, low=-(2**62))
    if not 0 <= number < count:
        checks.fail(name, value, f"must be between 0 and {count - 1}", IndexError)
    return number


def check_layer_index(network: Network, layer: object) -> int:
    """Return `layer` if it is the index of a layer, else raise IndexError."""
    layers = check_network("network", network).layers
    return _index("layer", layer, len(layers))


def check_edge_index(
    network: Network, layer: object, output: object, input: object
) -> tuple[int, int, int]:
    """Return the place of an edge (l, j, i), else raise IndexError."""
    layer_index = check_layer_index(network, layer)
    chosen = network.layers[layer_index]
    j = _index("output", output, chosen.n_out)
    i = _index("input", input, chosen.n_in)
    return layer_index, j, i


def check_formula(network: Network, layer_index: int, j: int, i: int) -> SymbolicEdge:
    """Return the symbolic edge at (layer_index, j, i), else raise ValueError."""
    for edge in network.layers[layer_index].symbolic:
        if (edge.output, edge.input) == (j, i):
            return edge
    raise ValueError(
        f"the edge of layer {layer_index} from input {i} to output {j} is not "
        "symbolic: kr.fix_symbolic makes it so"
    )


# --- layers of symbolic edges


class EdgeSpec(NamedTuple):
    """The edge c f(a x + b) + d from `input` to `output`; `affine` is (a, b, c, d)."""

    output: int
    input: int
    function: Function
    affine: tuple[float, float, float, float] = (1.0, 0.0, 1.0, 0.0)


def symbolic_layer(
    n_in: int, n_out: int, edges: Sequence[EdgeSpec], domain: FloatArray | None = None
) -> Layer:
    """Return a layer with these symbolic edges, at most one between two nodes.

    An output without an edge is 0. `domain` (n_in, 2) is the interval of each input,
    [-1, 1] by default. The layer has one interval and degree 3.
    """
    if domain is None:
        domain = np.tile([-1.0, 1.0], (n_in, 1))
    low, high = domain.T
    none = np.zeros((n_out, n_in))
    affine = [edge.affine for edge in edges]
    return Layer(
        knots=bspline.uniform_knots(low, high, 1, DEGREE),
        coef=np.zeros((n_out, n_in, 1 + DEGREE)),
        w_base=none,
        w_spline=none,
        mask=none,
        degree=DEGREE,
        symbolic=[SymbolicEdge(*edge[:3], row) for row, edge in enumerate(edges)],
        affine=np.array(affine).reshape(-1, 4),
    )
