"""Canonical form: one edge, and one network, for all that differ in redundant parameters only.

Parameters of an edge c f(a x + b) + d are redundant: scaling and shifting u = a x + b can be undone
in c and d. The identities of `kan_ref.functions.record` say how, and each of the following changes
leaves the curve as it is (s = |a|):

    (S1)  power        (a, b, c) -> (a/s, b/s, c s^n);  a = 1, c parity where f is even or odd
    (S2)  logarithm    (a, b, d) -> (a/s, b/s, d + c n log s)
    (S3)  exponential  (b, c)    -> (0, c e^(n b))
    (S4)  symmetry     (a, b, c, d) -> (-a, -b, parity c, d + (1 - parity) m c)  where a < 0
    (S5)  period       (b, c)    -> (b - k turn, sign^k c),  k an integer so that b lies in
                                    [first, first + turn)

For log u and e^u themselves n is 1. (S1) and (S3) are left
out where s^n or e^(n b) would overflow or underflow float64.

Theorem. The layer above a hidden node j depends on h_j = sum_i c_ji f_ji(a_ji x_i + b_ji) + d_ji
only through a_kj h_j + b_kj (:eq:`symbolic-edge`). Hence, with D_j = sum_i d_ji and for every s_j
!= 0, the function of the network is unchanged under

    (S22)  d_ji -> 0            b_kj -> b_kj + a_kj D_j       constants move to the next layer
    (S23)  c_ji -> s_j c_ji     a_kj -> a_kj / s_j            the scale of a node is arbitrary

Together with (S1) to (S5) these are all the changes that hold for every choice of functions. From
the inputs on, the first edges that are not constant fix s_j:

    first edge above                                      convention
    keeps a scale of its own in a (exp, sin, ...)         its a = 1; if f is even or odd, the first
                                                          c below is positive
    has its scale in c or d (x, powers, log, abs, sgn)    the first c below is 1; if f is neither
                                                          even nor odd, it is 1 or -1, and a = 1

Nodes with spline edges, or with symbolic edges that share their parameters with others, are left as
they are. The constants of edges into one node are added up on the first of them.
"""

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import Function
from kan_ref.network import Layer, Network, SymbolicEdge, check_network

Affine = tuple[float, float, float, float]
# rounding can put a phase just below the end of its period: sin(x + pi - 1e-16) is -sin(x)
PHASE_TOLERANCE = 1e-13
LARGEST_LOG = 600.0  # e^709 is the largest power of e in float64; the rest is for c

OUTER_SCALE = ("line", "power", "log")  # kinds of `Redundancy` for which a is 1 or -1


def n_inner(function: Function) -> int:
    """Return the number of inner parameters that are not redundant: 0, 1 or 2 of a and b."""
    return {"constant": 0, "line": 0, "power": 1, "log": 1, "exp": 1}.get(
        function.redundancy.kind, 2
    )


def canonical_affine(function: Function, affine: Affine) -> Affine:
    """Return the canonical (a, b, c, d) of the curve that `affine` describes, up to rounding.

    "0": (1, 0, 0, d). "x": a = 1, b = 0. Powers, abs, sgn: a = 1; fractional powers and log: a = 1
    or -1. exp: b = 0. sin, cos: a > 0, b in [0, pi); tan: a > 0, b in [-pi/2, pi/2); other even and
    odd functions: a > 0. An edge with a = 0 is constant and returned unchanged.
    """
    a, b, c, d = affine
    redundancy = function.redundancy
    if redundancy.kind == "constant":
        return 1.0, 0.0, 0.0, d
    if a == 0.0:
        return affine
    # [eq:canonical-affine]
    if redundancy.kind == "line":
        return 1.0, 0.0, c * a, d + c * b
    if a < 0.0 and redundancy.parity != 0:
        d += (1 - redundancy.parity) * redundancy.middle * c
        a, b, c = -a, -b, redundancy.parity * c
    s, n = abs(a), redundancy.factor
    if redundancy.kind == "power" and abs(redundancy.degree * math.log(s)) < LARGEST_LOG:
        a, b, c = a / s, b / s, c * s**redundancy.degree
    elif redundancy.kind == "log":
        a, b, d = a / s, b / s, d + c * n * math.log(s)
    elif redundancy.kind == "exp" and abs(n * b) < LARGEST_LOG:
        b, c = 0.0, c * math.exp(n * b)
    if redundancy.turn > 0.0:
        k = math.floor((b - redundancy.first) / redundancy.turn)
        b, c = b - k * redundancy.turn, c * redundancy.turn_sign ** (k % 2)
        if b - redundancy.first > redundancy.turn - PHASE_TOLERANCE:
            b, c = redundancy.first, c * redundancy.turn_sign
    # [/eq:canonical-affine]
    return a, b, c, d


def canonical_form(network: Network) -> Network:
    """Return a network with the same function and without redundant parameters.

    For example exp(sin(pi x) + y^2) has no other scale or shift than pi.

    Parameters
    ----------
    network : Network
        Symbolic, spline and masked edges in any mixture.

    Returns
    -------
    canonical : Network
        Equal, up to rounding, for all networks that differ only in redundant parameters. Nodes
        that spline or locked edges enter or leave are unchanged.

    Notes
    -----
    Implements :eq:`constants-move-on` and :eq:`node-scale`. Grids are left as they are. Values
    agree up to rounding, which may move a sample at the end of the domain of a function out of it.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> net = kr.fix_symbolic(net, 0, output=0, input=0, name="exp", affine=(1, 2, 3, 0))
    >>> kr.canonical_form(net).layers[0].affine.round(2).tolist()
    [[1.0, 0.0, 22.17, 0.0]]
    """
    check_network("network", network)
    layers = [_with_affine(layer, layer.affine) for layer in network.layers]
    for index in range(len(layers) - 1):
        for node in range(layers[index].n_out):
            if _is_free(layers[index], layers[index + 1], node):
                layers[index : index + 2] = _fix_node(layers[index], layers[index + 1], node)
    return Network(tuple(_gather_constants(layer) for layer in layers))


def _with_affine(layer: Layer, affine: FloatArray) -> Layer:
    """Return the layer with the rows `affine`, each in its canonical form."""
    functions = {edge.row: edge.function for edge in layer.symbolic}
    rows = [
        canonical_affine(functions[row], (float(a), float(b), float(c), float(d)))
        for row, (a, b, c, d) in enumerate(affine)
    ]
    return replace(layer, affine=np.array(rows).reshape(-1, 4))


def _edges(lower: Layer, upper: Layer, node: int) -> tuple[list[SymbolicEdge], list[SymbolicEdge]]:
    """Return the symbolic edges into and out of a node."""
    below = [edge for edge in lower.symbolic if edge.output == node]
    return below, [edge for edge in upper.symbolic if edge.input == node]


def _is_free(lower: Layer, upper: Layer, node: int) -> bool:
    """Return whether all edges at a node are symbolic and none shares its parameters."""
    below, above = _edges(lower, upper, node)
    has_splines = lower.mask[node].any() or upper.mask[:, node].any()
    own = not (_shared(lower, below) or _shared(upper, above))
    return bool(below and above and own and not has_splines)


def _shared(layer: Layer, edges: list[SymbolicEdge]) -> bool:
    """Return whether one of the edges is locked to another edge of the layer."""
    users = Counter(edge.row for edge in layer.symbolic)
    return any(users[edge.row] > 1 for edge in edges)


def _fix_node(lower: Layer, upper: Layer, node: int) -> tuple[Layer, Layer]:
    """Apply (S22) and (S23) to one node."""
    below, above = ([edge.row for edge in edges] for edges in _edges(lower, upper, node))
    affine, over = lower.affine.copy(), upper.affine.copy()
    # [eq:constants-move-on]
    over[above, 1] += over[above, 0] * math.fsum(affine[below, 3])
    affine[below, 3] = 0.0
    # [/eq:constants-move-on]
    lower, upper = _with_affine(lower, affine), _with_affine(upper, over)
    up, down = _factor(lower, upper, node)
    affine, over = lower.affine.copy(), upper.affine.copy()
    # [eq:node-scale]
    affine[below, 2:] = affine[below, 2:] * up / down
    over[above, 0] = over[above, 0] * down / up
    # [/eq:node-scale]
    return _with_affine(lower, affine), _with_affine(upper, over)


def _factor(lower: Layer, upper: Layer, node: int) -> tuple[float, float]:
    """Return s_j of (S23) as a quotient, so that a parameter that it makes 1 is exactly 1."""
    edges_below, edges_above = _edges(lower, upper, node)
    above = _first_moving(edges_above, upper.affine)
    below = _first_moving(edges_below, lower.affine)
    if above is None:
        return 1.0, 1.0
    a = float(upper.affine[above.row, 0])
    c = 1.0 if below is None else float(lower.affine[below.row, 2])
    redundancy = above.function.redundancy
    if redundancy.kind in OUTER_SCALE:
        return (1.0, c) if redundancy.parity != 0 else (math.copysign(1.0, a), abs(c))
    return (a if redundancy.parity == 0 else math.copysign(a, a * c)), 1.0


def _first_moving(edges: list[SymbolicEdge], affine: FloatArray) -> SymbolicEdge | None:
    """Return the first edge whose curve is not constant, or None."""
    moves = (affine[:, 0] != 0.0) & (affine[:, 2] != 0.0)
    return next(
        (edge for edge in edges if moves[edge.row] and edge.function.redundancy.kind != "constant"),
        None,
    )


def _gather_constants(layer: Layer) -> Layer:
    """Return the layer with each output's d added up on the first edge that is not locked."""
    affine = layer.affine.copy()
    for node in range(layer.n_out):
        edges = [edge for edge in layer.symbolic if edge.output == node]
        rows = [edge.row for edge in edges if not _shared(layer, [edge])]
        if rows:
            total = math.fsum(affine[rows, 3])
            affine[rows, 3] = 0.0
            affine[rows[0], 3] = total
    return replace(layer, affine=affine)
