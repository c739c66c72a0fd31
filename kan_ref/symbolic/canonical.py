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

Constants that cannot move are added up on one edge: those of an output, and those of a node that
spline edges enter or leave.
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

SCALE_NOT_IN_A = ("line", "power", "log")  # kinds of `Redundancy` for which a is 1 or -1


def n_inner(function: Function) -> int:
    """Return the number of inner parameters that are not redundant: 0, 1 or 2 of a and b."""
    return {"constant": 0, "line": 0, "power": 1, "log": 1, "exp": 1}.get(
        function.redundancy.kind, 2
    )


def canonical_affine(function: Function, affine: Affine) -> Affine:
    """Return the canonical (a, b, c, d) of the curve that `affine` describes, up to rounding.

    Parameters
    ----------
    function : Function
    affine : (float, float, float, float)
        a, b, c, d.

    Returns
    -------
    affine : (float, float, float, float)
        "0": (1, 0, 0, d). "x": a = 1, b = 0. Powers, abs, sgn: a = 1; fractional powers and log:
        a = 1 or -1. exp: b = 0. sin, cos: a > 0, b in [0, pi); tan: a > 0, b in [-pi/2, pi/2);
        other even and odd functions: a > 0. An edge with a = 0 is constant and returned unchanged.

    Notes
    -----
    Implements :eq:`canonical-affine`.
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
        a, b, c, d = (
            -a,
            -b,
            redundancy.parity * c,
            d + (1 - redundancy.parity) * redundancy.middle * c,
        )
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
        Equal, up to rounding, for all networks that differ by (S22), (S23) and the redundancy of
        their edges. Splines are unchanged. Where the values of a node are scaled or shifted, so are
        the knots of the layer above.

    Raises
    ------
    TypeError
        If `network` is not a Network.

    Notes
    -----
    Implements :eq:`constants-move-on` and :eq:`node-scale`. Nodes that share locked edges, below
    or above, are changed by the same amount, or not at all. Values agree up to rounding, which may
    move a sample at the very end of the domain of a function out of it.
    """
    check_network("network", network)
    layers = [_with_affine(layer, layer.affine) for layer in network.layers]
    for layer_index in range(len(layers) - 1):
        lower, upper = layers[layer_index : layer_index + 2]
        for nodes in _free_groups(lower, upper):
            lower, upper = _move_constants(lower, upper, nodes)
            lower, upper = _set_scale(lower, upper, nodes)
        layers[layer_index : layer_index + 2] = lower, upper
    return Network(tuple(_gather_constants(layer) for layer in layers))


def _with_affine(layer: Layer, affine: FloatArray) -> Layer:
    """Return the layer with the rows `affine`, each in its canonical form."""
    functions = {edge.row: edge.function for edge in layer.symbolic}
    rows = [
        canonical_affine(functions[row], (float(a), float(b), float(c), float(d)))
        for row, (a, b, c, d) in enumerate(affine)
    ]
    return replace(layer, affine=np.array(rows).reshape(-1, 4))


def _below(lower: Layer, node: int) -> list[SymbolicEdge]:
    """Return the symbolic edges into a node."""
    return [edge for edge in lower.symbolic if edge.output == node]


def _above(upper: Layer, node: int) -> list[SymbolicEdge]:
    """Return the symbolic edges out of a node."""
    return [edge for edge in upper.symbolic if edge.input == node]


def _free_groups(lower: Layer, upper: Layer) -> list[list[int]]:
    """Return the hidden nodes with symbolic edges only, in groups tied by locked edges."""
    group = list(range(lower.n_out))
    for uses in (
        [(edge.row, edge.output) for edge in lower.symbolic],
        [(edge.row, edge.input) for edge in upper.symbolic],
    ):
        first: dict[int, int] = {}
        for row, node in uses:
            one, other = group[first.setdefault(row, node)], group[node]
            group = [one if label == other else label for label in group]
    splines = lower.mask.sum(axis=1) + upper.mask.sum(axis=0)
    free = [
        splines[node] == 0.0 and bool(_below(lower, node)) and bool(_above(upper, node))
        for node in range(lower.n_out)
    ]
    members = [
        [node for node, label in enumerate(group) if label == wanted]
        for wanted in sorted(set(group))
    ]
    return [nodes for nodes in members if all(free[node] for node in nodes)]


def _rows(lower: Layer, upper: Layer, nodes: list[int]) -> tuple[list[int], list[int]]:
    """Return the rows of `affine` below and above these nodes, each once."""
    below = {edge.row for node in nodes for edge in _below(lower, node)}
    return sorted(below), sorted({edge.row for node in nodes for edge in _above(upper, node)})


def _move_constants(lower: Layer, upper: Layer, nodes: list[int]) -> tuple[Layer, Layer]:
    """Apply (S22) to nodes if they all have the same sum of constants."""
    shifts = {
        math.fsum(lower.affine[edge.row, 3] for edge in _below(lower, node)) for node in nodes
    }
    if len(shifts) > 1:
        return lower, upper
    shift = shifts.pop()
    below, above = _rows(lower, upper, nodes)
    affine_below, affine_above = lower.affine.copy(), upper.affine.copy()
    # [eq:constants-move-on]
    affine_below[below, 3] = 0.0
    affine_above[above, 1] += affine_above[above, 0] * shift
    # [/eq:constants-move-on]
    return _with_affine(lower, affine_below), _with_affine(
        _with_knots(upper, nodes, 1.0, shift), affine_above
    )


def _set_scale(lower: Layer, upper: Layer, nodes: list[int]) -> tuple[Layer, Layer]:
    """Apply (S23) to nodes if they all need the same factor."""
    factors = {_factor(lower, upper, node) for node in nodes}
    if len(factors) > 1:
        return lower, upper
    up, down = factors.pop()
    below, above = _rows(lower, upper, nodes)
    affine_below, affine_above = lower.affine.copy(), upper.affine.copy()
    # [eq:node-scale]
    affine_below[below, 2:] = affine_below[below, 2:] * up / down
    affine_above[above, 0] = affine_above[above, 0] * down / up
    # [/eq:node-scale]
    return _with_affine(lower, affine_below), _with_affine(
        _with_knots(upper, nodes, up / down, 0.0), affine_above
    )


def _factor(lower: Layer, upper: Layer, node: int) -> tuple[float, float]:
    """Return s_j of (S23) as a quotient, so that a parameter that it makes 1 is exactly 1."""
    above = _first_moving(_above(upper, node), upper.affine)
    below = _first_moving(_below(lower, node), lower.affine)
    if above is None:
        return 1.0, 1.0
    a, c = (
        float(upper.affine[above.row, 0]),
        1.0 if below is None else float(lower.affine[below.row, 2]),
    )
    redundancy = above.function.redundancy
    if redundancy.kind in SCALE_NOT_IN_A:
        return (1.0, c) if redundancy.parity != 0 else (math.copysign(1.0, a), abs(c))
    return (a if redundancy.parity == 0 else math.copysign(a, a * c)), 1.0


def _first_moving(edges: list[SymbolicEdge], affine: FloatArray) -> SymbolicEdge | None:
    """Return the first edge whose curve is not constant, or None."""
    moves = (affine[:, 0] != 0.0) & (affine[:, 2] != 0.0)
    return next(
        (edge for edge in edges if moves[edge.row] and edge.function.redundancy.kind != "constant"),
        None,
    )


def _with_knots(layer: Layer, nodes: list[int], factor: float, shift: float) -> Layer:
    """Return the layer with the knots factor (t - shift) for the inputs `nodes`.

    Where the factor is negative, knots and coefficients are in reversed order.
    """
    knots, coef = layer.knots.copy(), layer.coef.copy()
    moved = factor * (knots[nodes] - shift)
    if factor < 0.0:
        moved = moved[:, ::-1]
        coef[:, nodes] = coef[:, nodes, ::-1]
    low, high = moved[:, layer.degree], moved[:, -layer.degree - 1]
    if not (low < high).all():
        return layer  # rounding would leave the grid without width; no spline edge uses it
    knots[nodes] = moved
    return replace(layer, knots=knots, coef=coef)


def _gather_constants(layer: Layer) -> Layer:
    """Return the layer with each output's d added up on its first symbolic edge.

    Rows that several locked edges share stay as they are.
    """
    users, affine = Counter(edge.row for edge in layer.symbolic), layer.affine.copy()
    for node in range(layer.n_out):
        rows = [edge.row for edge in _below(layer, node) if users[edge.row] == 1]
        if rows:
            total = math.fsum(affine[rows, 3])
            affine[rows, 3] = 0.0
            affine[rows[0], 3] = total
    return replace(layer, affine=affine)
