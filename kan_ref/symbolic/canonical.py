"""One network for all that differ by redundant parameters of their formulas alone: where constants go, and how large a node is.

Theorem. What stands above a hidden node j sees h_j = sum_i c_ji f_ji(a_ji x_i + b_ji) + d_ji only through a_kj h_j + b_kj, so that for
every D_j = sum_i d_ji and every s_j != 0 the network's function stays the same under

    (K1)  d_ji -> 0            b_kj -> b_kj + a_kj D_j       constants move on to the next layer
    (K2)  c_ji -> s_j c_ji     a_kj -> a_kj / s_j            a node has no unit

((F1) of `symbolic_edge`). With the gauge of every single edge ((H1) to (H5) of `affine_gauge`) these are all the freedoms that hold
whatever the functions are. The first edges that are no constants fix s_j, from the inputs on:

    first edge above has a of its own (exp, sin, ...)       its a = 1; where f is even or odd, the first c below is positive
    its size stands elsewhere (x, powers, log, abs, sgn)    the first c below is 1; where f is neither even nor odd, 1 or -1, and a = 1

What cannot move on is gathered on one edge: the constants of an output, and of a node that splines enter or leave.
"""

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Layer, Network, SymbolicEdge, check_network
from kan_ref.symbolic.gauge import canonical_affine

SIZE_ELSEWHERE = ("line", "power", "log")  # kinds of gauge that leave no size in a


def canonical_form(network: Network) -> Network:
    """The network with the same function whose formulas have no redundant parameters left: 1.0 exp(1.0 sin(pi x) + 1.0 y^2).

    Parameters
    ----------
    network : Network
        Formulas, splines and dead edges in any mixture.

    Returns
    -------
    canonical : Network
        Networks that differ by (K1), (K2) and the gauges of their edges give the same one, up to rounding. Splines stay as they
        are. Where a node's values move, so do the knots of the edges that leave it.

    Raises
    ------
    TypeError
        "network is 3, but must be a Network"

    Notes
    -----
    Implements :eq:`constants-move-on` and :eq:`node-scale`. Nodes that share locked edges, below or above, are changed together: by
    the same amount, or not at all. Values agree to rounding; so a sample at the very end of a function's domain may fall out of it.
    """
    check_network("network", network)
    layers = [_with_affine(layer, layer.affine) for layer in network.layers]
    for number in range(len(layers) - 1):
        lower, upper = layers[number : number + 2]
        for nodes in _free_groups(lower, upper):
            lower, upper = _move_constants(lower, upper, nodes)
            lower, upper = _set_scale(lower, upper, nodes)
        layers[number : number + 2] = lower, upper
    return Network(tuple(_gather_constants(layer) for layer in layers))


def _with_affine(layer: Layer, affine: FloatArray) -> Layer:
    """The layer with the rows `affine`, each in its canonical gauge."""
    functions = {edge.row: edge.function for edge in layer.symbolic}
    rows = [
        canonical_affine(functions[row], (float(a), float(b), float(c), float(d)))
        for row, (a, b, c, d) in enumerate(affine)
    ]
    return replace(layer, affine=np.array(rows).reshape(-1, 4))


def _below(lower: Layer, node: int) -> list[SymbolicEdge]:
    return [edge for edge in lower.symbolic if edge.output == node]


def _above(upper: Layer, node: int) -> list[SymbolicEdge]:
    return [edge for edge in upper.symbolic if edge.input == node]


def _free_groups(lower: Layer, upper: Layer) -> list[list[int]]:
    """Hidden nodes with formulas below and above and no splines, in groups that locked edges tie together."""
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
    """Rows of affine below and above these nodes, each once."""
    below = {edge.row for node in nodes for edge in _below(lower, node)}
    return sorted(below), sorted({edge.row for node in nodes for edge in _above(upper, node)})


def _move_constants(lower: Layer, upper: Layer, nodes: list[int]) -> tuple[Layer, Layer]:
    """(K1) for nodes that all have the same sum of constants; others stay."""
    shifts = {
        math.fsum(lower.affine[edge.row, 3] for edge in _below(lower, node)) for node in nodes
    }
    if len(shifts) > 1:
        return lower, upper
    shift = shifts.pop()
    below, above = _rows(lower, upper, nodes)
    affine_below, affine_above = lower.affine.copy(), upper.affine.copy()
    with np.errstate(over="ignore"):
        # [eq:constants-move-on]
        affine_below[below, 3] = 0.0
        affine_above[above, 1] += affine_above[above, 0] * shift
        # [/eq:constants-move-on]
    if not np.isfinite(affine_above).all():
        return lower, upper
    return _with_affine(lower, affine_below), _with_affine(
        _with_knots(upper, nodes, 1.0, shift), affine_above
    )


def _set_scale(lower: Layer, upper: Layer, nodes: list[int]) -> tuple[Layer, Layer]:
    """(K2) for nodes that all need the same factor; others stay."""
    factors = {_factor(lower, upper, node) for node in nodes}
    if len(factors) > 1:
        return lower, upper
    up, down = factors.pop()
    below, above = _rows(lower, upper, nodes)
    affine_below, affine_above = lower.affine.copy(), upper.affine.copy()
    with np.errstate(over="ignore", under="ignore"):
        # [eq:node-scale]
        affine_below[below, 2:] = affine_below[below, 2:] * up / down
        affine_above[above, 0] = affine_above[above, 0] * down / up
        # [/eq:node-scale]
    for new, old in ((affine_below, lower.affine), (affine_above, upper.affine)):
        if not np.isfinite(new).all() or ((new == 0.0) != (old == 0.0)).any():
            return lower, upper  # the factor leads out of float64
    return _with_affine(lower, affine_below), _with_affine(
        _with_knots(upper, nodes, up / down, 0.0), affine_above
    )


def _factor(lower: Layer, upper: Layer, node: int) -> tuple[float, float]:
    """s_j of (K2) as numerator and denominator, so that what is to be 1 becomes exactly 1."""
    above = _first_moving(_above(upper, node), upper.affine)
    below = _first_moving(_below(lower, node), lower.affine)
    if above is None:
        return 1.0, 1.0
    a, c = (
        float(upper.affine[above.row, 0]),
        1.0 if below is None else float(lower.affine[below.row, 2]),
    )
    gauge = above.function.gauge
    if gauge.kind in SIZE_ELSEWHERE:
        return (1.0, c) if gauge.parity != 0 else (math.copysign(1.0, a), abs(c))
    return (a if gauge.parity == 0 else math.copysign(a, a * c)), 1.0


def _first_moving(edges: list[SymbolicEdge], affine: FloatArray) -> SymbolicEdge | None:
    """The first edge whose curve is no constant by its parameters or its name."""
    moves = (affine[:, 0] != 0.0) & (affine[:, 2] != 0.0)
    return next(
        (edge for edge in edges if moves[edge.row] and edge.function.gauge.kind != "constant"), None
    )


def _with_knots(layer: Layer, nodes: list[int], factor: float, shift: float) -> Layer:
    """The layer whose inputs `nodes` have the knots factor (t - shift), mirrored with their coefficients where factor < 0."""
    knots, coef = layer.knots.copy(), layer.coef.copy()
    with np.errstate(over="ignore"):
        moved = factor * (knots[nodes] - shift)
    if factor < 0.0:
        moved = moved[:, ::-1]
        coef[:, nodes] = coef[:, nodes, ::-1]
    low, high = moved[:, layer.degree], moved[:, -layer.degree - 1]
    with np.errstate(over="ignore", invalid="ignore"):
        if not (np.isfinite(moved[:, -1] - moved[:, 0]) & (low < high)).all():
            return layer  # a grid that rounding would leave without width stays; no spline stands on it
    knots[nodes] = moved
    return replace(layer, knots=knots, coef=coef)


def _gather_constants(layer: Layer) -> Layer:
    """The layer with each output's d summed on its first formula; rows that several edges share stay as they are."""
    users, affine = Counter(edge.row for edge in layer.symbolic), layer.affine.copy()
    for node in range(layer.n_out):
        rows = [edge.row for edge in _below(layer, node) if users[edge.row] == 1]
        if len(rows) > 1:
            total = math.fsum(affine[rows, 3])
            affine[rows, 3] = 0.0
            affine[rows[0], 3] = total
    return replace(layer, affine=affine)
