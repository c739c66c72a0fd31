"""Split an edge with a composed function into two layers.

A layer with the composed edge c f(g(a x_i + b)) + d from input i to output j is the composition of
two layers with one node more between them, at most:

    (S24)  h = g(a x_i + b)                     a node of its own
    (S25)  z_m = sum over the other edges into output m
    (S26)  y_m = z_m for m != j,    y_j = z_j + c f(h) + d

z_j needs no node if no other edge enters output j. The two layers have parameters that one edge has
not: f and g get a scale and a shift each, which training can use.
"""

from dataclasses import replace

import numpy as np

from kan_ref.functions import compose_records, lookup
from kan_ref.network import (
    EdgeSpec,
    Layer,
    Network,
    SymbolicEdge,
    check_edge_index,
    check_formula,
    check_network,
    symbolic_layer,
)

LINE = "x"


def split_edge(network: Network, layer: int, *, output: int, input: int) -> Network:
    """Split a layer into two at an edge with a composed function f(g).

    Parameters
    ----------
    network : Network
    layer, output, input : int
        The edge l, j, i. Its function is composed; f is its outermost function, and g, which can be
        composed itself, the rest.

    Returns
    -------
    split : Network
        With one layer more. Layer l has the edge g(a x + b) from input i to a node h of its own,
        and all other edges as they were. Layer l + 1 has the edge c f(h) + d to output j, and one
        edge x -> x from every other node to the output that it was. The node h is the last one of
        layer l, except that it takes the place of output j if no other edge enters that.

    Raises
    ------
    ValueError
        If the edge is not symbolic, or its function is not composed.
    IndexError, TypeError
        If there is no such edge, or `network` is not a Network.

    Notes
    -----
    The function of the network is kept up to the rounding of one sum. The edge leaves its group of
    locked edges; the others of the group stay locked. Implements :eq:`split-edge`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> net = kr.fix_pattern(net, [[["exp(sin)", "x^2"]]])
    >>> split = kr.split_edge(net, 0, output=0, input=0)
    >>> split.widths, [edge.name for edge in split.layers[0].symbolic]
    ((2, 2, 1), ['x^2', 'sin'])
    >>> x = np.array([[0.3, -0.7]])
    >>> bool(np.allclose(net(x), split(x), rtol=1e-15))
    True
    """
    check_network("network", network)
    number, j, i = check_edge_index(network, layer, output, input)
    edge = check_formula(network, number, j, i, advice=": fix_symbolic gives it a function")
    if not edge.function.parts:
        raise ValueError(
            f"the edge of layer {number} from input {i} to output {j} is {edge.name!r}, but only a "
            "composed function can be split: compose('log', 'x^2') is one"
        )
    old = network.layers[number]
    shared = old.mask[j].any() or any(
        (one.output, one.input) != (j, i) and one.output == j for one in old.symbolic
    )
    node = old.n_out if shared else j
    layers = list(network.layers)
    layers[number : number + 1] = _inner_layer(old, edge, node), _outer_layer(old, edge, node)
    return Network(tuple(layers))


def _inner_layer(old: Layer, edge: SymbolicEdge, node: int) -> Layer:
    """Return the layer of (S24) and (S25); its output `node` is h."""
    more = node == old.n_out
    a, b, _, _ = old.affine[edge.row]
    kept = [one for one in old.symbolic if one is not edge]
    first, *rest = reversed(edge.function.parts[1:])
    function = first
    for part in rest:
        function = compose_records(part, function)
    # [eq:split-edge]
    arrays = {name: getattr(old, name) for name in ("coef", "w_base", "w_spline", "mask")}
    if more:
        arrays = {
            name: np.concatenate([array, np.zeros((1, *array.shape[1:]))])
            for name, array in arrays.items()
        }
    inner = SymbolicEdge(node, edge.input, function, len(old.affine))
    affine = np.concatenate([old.affine, [[a, b, 1.0, 0.0]]])
    # [/eq:split-edge]
    return replace(old, **arrays, symbolic=[*kept, inner], affine=affine)


def _outer_layer(old: Layer, edge: SymbolicEdge, node: int) -> Layer:
    """Return the layer of (S26)."""
    _, _, c, d = (float(number) for number in old.affine[edge.row])
    line = lookup(LINE)
    lines = [EdgeSpec(m, m, line) for m in range(old.n_out) if m != node]
    outer = EdgeSpec(edge.output, node, edge.function.parts[0], (1.0, 0.0, c, d))
    return symbolic_layer(max(old.n_out, node + 1), old.n_out, [*lines, outer])
