"""The human-constructed networks of Table 2 as formulas, each of exactly the paper's shape, node by node, and the networks of these formulas.

The paper gives the shapes alone; the edges are ours. Two of its shapes need an edge that is singular inside the box: the exponent of
a Gaussian with a free width is -exp(log(t^2/2) - 2 log s) - log s, and log t^2 has a pole at t = 0. We found no form without the
pole: the second term -log s would need a path besides the squares of a product, and in [2,2,1,1] both nodes of the first layer
are occupied by t^2/2 + 1/s^2 and t^2/2 - 1/s^2. One more node is enough (`SMOOTH`).

Five shapes multiply by adding logarithms. They need positive variables, which their boxes have (`problem`).

A layer is a list of sums, each term a function of one input: a node of a Kolmogorov-Arnold layer is a sum of functions of one variable each (2.5). So the text of a node, such as
"a + sin(t)" or "h0**2/4 - h1**2/4", determines its edges: the terms, collected by variable. A text with a term of
several variables is no node. The product is a layer of two sums and a node, x y = ((x + y)^2 - (x - y)^2) / 4.

Inputs have their own names; the nodes of each layer are h0, h1, ... to the next. Every edge is a symbolic one, c f(a x + b) + d with
a = c = 1, b = d = 0; f and its derivatives are SymPy's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.functions.record import EVERYWHERE, Function
from kan_ref.functions.values import OnDomain
from kan_ref.network.layer import Layer
from kan_ref.network.symbolic_edges import SymbolicEdge


@dataclass(frozen=True)
class Human:
    """A network: `layers` with the texts of the nodes; `singular`, a text that is zero where an
    edge has a pole inside the box; a `remark`.
    """

    layers: tuple[tuple[str, ...], ...]
    singular: str = ""
    remark: str = ""


PRODUCT = "h0**2/4 - h1**2/4"  # of x and y, from x + y and x - y
_LOGARITHMS = "a product by logarithms, for a positive amount"

HUMAN = {
    "I.6.2": Human(
        (("log(t**2/2) - 2*log(s)", "-log(s) - log(2*pi)/2"), ("-exp(h0) + h1",), ("exp(h0)",)),
        "t",
        "log t^2 has a pole at t = 0; smooth edges: [2,3,1,1]",
    ),
    "I.6.2b": Human(
        (
            ("t - t1", "s"),
            ("log(h0**2/2) - 2*log(h1)", "-log(h1) - log(2*pi)/2"),
            ("-exp(h0) + h1",),
            ("exp(h0)",),
        ),
        "t - t1",
        "log (t - t1)^2 has a pole at t = t1; smooth edges: [3,2,3,1,1]",
    ),
    "I.9.18": Human(
        (
            ("log(a)", "(b - 1)**2", "c - d", "e - f"),
            ("h0", "h1 + h2**2 + h3**2"),
            ("h0 - log(h1)",),
            ("exp(h0)",),
        ),
        remark=_LOGARITHMS,
    ),
    "I.12.11": Human((("a", "sin(t)"), ("h0 + h1", "h0 - h1"), ("1 + h0**2/4 - h1**2/4",))),
    "I.13.12": Human((("a + 1/b - 1", "a - 1/b + 1"), (PRODUCT,))),
    "I.15.3x": Human(
        (("1 - a + 1/sqrt(1 - b**2)", "1 - a - 1/sqrt(1 - b**2)"), (PRODUCT,), ("h0",))
    ),
    "I.16.6": Human(
        (
            ("a + b", "a - b"),
            ("h0", "1 + h0**2/4 - h1**2/4"),
            ("h0", "1/h1"),
            ("h0 + h1", "h0 - h1"),
            (PRODUCT,),
        ),
        remark="(a + b) times 1/(1 + a b), both products by squares",
    ),
    "I.18.4": Human(
        (
            ("1 - b + a/(1 + a)", "1 - b - a/(1 + a)"),
            ("h0", "h1"),
            ("1 - h0**2/4 + h1**2/4",),
            ("h0",),
        ),
        remark="1 - (1 - b) a/(1 + a)",
    ),
    "I.26.2": Human((("n", "sin(t)"), ("h0 + h1", "h0 - h1"), (PRODUCT,), ("asin(h0)",))),
    "I.27.6": Human((("a + b", "a - b"), ("1 + h0**2/4 - h1**2/4",), ("1/h0",))),
    "I.29.16": Human(
        (
            ("a", "t1 - t2"),
            ("h0", "cos(h1)"),
            ("h0 + h1", "h0 - h1", "1 + h0**2"),
            ("h1**2/2 - h0**2/2", "h2"),
            ("h0 + h1",),
            ("sqrt(h0)",),
        )
    ),
    "I.30.3": Human(
        (
            ("n + t", "n - t", "1/sin(t/2)**2"),
            ("h0**2/8 - h1**2/8", "h2"),
            ("sin(h0)**2 + h1", "sin(h0)**2 - h1"),
            (PRODUCT,),
            ("h0",),
        )
    ),
    "I.30.5": Human((("log(a) - log(n)",), ("asin(exp(h0))",)), remark=_LOGARITHMS),
    "I.37.4": Human(
        (
            ("sqrt(a) + cos(d)", "sqrt(a) - cos(d)", "1 + a"),
            ("h0**2/2 - h1**2/2", "h2"),
            ("h0 + h1",),
        )
    ),
    "I.40.1": Human((("log(n) - a",), ("exp(h0)",)), remark=_LOGARITHMS),
    "I.44.4": Human((("n + log(a)", "n - log(a)"), (PRODUCT,))),
    "I.50.26": Human(
        (("cos(a)", "al"), ("h0**2 + h1", "h0**2 - h1", "h0"), ("h0**2/4 - h1**2/4 + h2",))
    ),
    "II.2.42": Human((("a - 1 + b", "a - 1 - b"), (PRODUCT,))),
    "II.6.15a": Human(
        (("a**2 + b**2", "c/(4*pi)"), ("sqrt(h0)", "h1"), ("h0 + h1", "h0 - h1"), (PRODUCT,))
    ),
    "II.11.7": Human(
        (
            ("n", "a", "cos(t)"),
            ("h0", "h1 + h2", "h1 - h2"),
            ("h0", "1 + h1**2/4 - h2**2/4"),
            ("h0 + h1", "h0 - h1"),
            (PRODUCT,),
        )
    ),
    "II.11.27": Human(
        (("n + al", "n - al"), (PRODUCT,), ("h0", "h0**2/(3 - h0)"), ("h0 + h1",)),
        remark="[2,2,1,1], the other copy's shape, is enough: h0/(1 - h0/3) is one edge",
    ),
    "II.35.18": Human((("log(n) - log(exp(a) + exp(-a))",), ("exp(h0)",)), remark=_LOGARITHMS),
    "II.36.38": Human((("al + b", "al - b", "a"), ("h0**2/4 - h1**2/4 + h2",))),
    "II.38.3": Human((("log(a) - log(b)",), ("exp(h0)",)), remark=_LOGARITHMS),
    "III.9.52": Human(
        (
            ("a", "b - c"),
            ("h0 + sinc(h1/2)**2", "h0", "sinc(h1/2)**2"),
            ("h0**2/2 - h1**2/2 - h2**2/2",),
            ("h0",),
        ),
        remark="the product as ((x + y)^2 - x^2 - y^2)/2",
    ),
    "III.10.19": Human((("1 + a**2 + b**2",), ("sqrt(h0)",))),
    "III.17.37": Human(
        (
            ("be", "al", "cos(t)"),
            ("h0", "h1 + h2", "h1 - h2"),
            ("h0", "1 + h1**2/4 - h2**2/4"),
            ("h0 + h1", "h0 - h1"),
            (PRODUCT,),
        )
    ),
}

# edges without poles, for the two that have one above
SMOOTH = {
    "I.6.2": Human(
        (
            ("t**2/2 + 1/s**2", "t**2/2 - 1/s**2", "-log(s) - log(2*pi)/2"),
            ("h1**2/4 - h0**2/4 + h2",),
            ("exp(h0)",),
        )
    ),
    "I.6.2b": Human(
        (
            ("t - t1", "s"),
            ("h0**2/2 + 1/h1**2", "h0**2/2 - 1/h1**2", "-log(h1) - log(2*pi)/2"),
            ("h1**2/4 - h0**2/4 + h2",),
            ("exp(h0)",),
        )
    ),
}


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
