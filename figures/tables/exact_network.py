"""Networks of symbolic edges, written as formulas: a layer is a list of sums, each term a function of one input.

A node of a Kolmogorov-Arnold layer is a sum of functions of one variable each (2.5). So the text of a node, such as
"a + sin(t)" or "h0**2/4 - h1**2/4", determines its edges: the terms, collected by variable. A text with a term of
several variables is no node. The product is a layer of two sums and a node, x y = ((x + y)^2 - (x - y)^2) / 4.

Inputs have their own names; the nodes of each layer are h0, h1, ... to the next. Every edge is a symbolic one, c f(a x + b) + d with
a = c = 1, b = d = 0; f and its derivatives are SymPy's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.functions.record import EVERYWHERE, Function
from kan_ref.functions.values import OnDomain
from kan_ref.network.layer import Layer
from kan_ref.network.symbolic_edges import SymbolicEdge

Layers = Sequence[Sequence[str]]
_IDENTITY = (1.0, 0.0, 1.0, 0.0)


def exact_network(names: Sequence[str], layers: Layers) -> kr.Network:
    """Return the network whose nodes are given as texts.

    Parameters
    ----------
    names : sequence of str
        The inputs.
    layers : sequence of sequence of str
        One text a node.

    Raises
    ------
    ValueError
        "h0*h1 in node 'h0*h1 + a' depends on h0, h1, but an edge takes one variable"; a name that the layer does not have; a node
        without a variable.
    """
    built = []
    for nodes in layers:
        built.append(_layer(list(names), nodes))
        names = [f"h{number}" for number in range(len(nodes))]
    return kr.Network(tuple(built))


def edges_of(node: str, names: Sequence[str]) -> dict[int, Any]:
    """Return a dict from inputs to their terms of a node's sum, as SymPy expressions; constants go
    with the first input.
    """
    import sympy

    symbols = {name: sympy.Symbol(name) for name in names}
    edges: dict[int, Any] = {}
    constant = sympy.Integer(0)
    for term in sympy.Add.make_args(sympy.sympify(node, locals=symbols)):
        found = sorted(symbol.name for symbol in term.free_symbols)
        unknown = [name for name in found if name not in symbols]
        if unknown:
            raise ValueError(
                f"node {node!r} has {unknown[0]!r}, but its layer takes {', '.join(names)}"
            )
        if len(found) > 1:
            raise ValueError(
                f"{term} in node {node!r} depends on {', '.join(found)}, but an edge takes one variable"
            )
        if found:
            place = list(names).index(found[0])
            edges[place] = edges.get(place, 0) + term
        else:
            constant += term
    if not edges:
        raise ValueError(
            f"node {node!r} has no variable, but a node is the sum of at least one edge"
        )
    edges[min(edges)] += constant
    return edges


def _layer(names: Sequence[str], nodes: Sequence[str]) -> Layer:
    symbolic: list[SymbolicEdge] = []
    for output, node in enumerate(nodes):
        for place, expression in edges_of(node, names).items():
            symbolic.append(
                SymbolicEdge(output, place, _function(expression, names[place]), len(symbolic))
            )
    n_in, n_out = len(names), len(nodes)
    dead = np.zeros((n_out, n_in))  # no spline anywhere
    return Layer(
        knots=np.tile(kr.uniform_knots(np.array([-1.0]), np.array([1.0]), 1, 3), (n_in, 1)),
        coef=np.zeros((n_out, n_in, 4)),
        w_base=dead,
        w_spline=dead,
        mask=dead,
        degree=3,
        symbolic=tuple(symbolic),
        affine=np.tile(_IDENTITY, (len(symbolic), 1)),
    )


def _function(expression: Any, name: str) -> Function:
    import sympy

    symbol = sympy.Symbol(name)
    f, d1, d2, d3 = (
        OnDomain(_values(sympy.diff(expression, symbol, order), symbol)) for order in range(4)
    )
    return Function(str(expression), f, d1, d2, d3, EVERYWHERE, complexity=1)


def _values(expression: Any, symbol: Any) -> Any:
    import sympy

    f = sympy.lambdify(symbol, expression, "numpy")
    return lambda u: np.broadcast_to(f(u), u.shape)
