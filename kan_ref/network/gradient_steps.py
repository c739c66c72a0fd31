"""Steps of a gradient check: lengths over which curves bend, and rounding errors of outputs.

A central difference with the step h L has an error of h^2 L^2 f''' / 6. Relative to f' this is
h^2 / 6 if L^2 = f' / f'''. So the natural unit of a step in x_i is

    L^2 = S_1 / S_3,  S_r = A_ji / g^r + |W_ji b^(r)(x_i)|

with the sizes S_r of the curve's derivatives of order r, or L = S_2 / S_3 where that is larger, of
the edge where it is smallest. g is the smallest interval near x_i, A_ji the largest |C_jim|. L is
at most g, near the first and the last knot less, or beyond them the distance to them. On a symbolic
edge the derivatives of f give L. With this unit a check does not depend on the units of the inputs.
The rounding error of a layer's outputs is about

    e_y,j = eps sum_i (|W_ji b(x_i)| + sum_m |C_jim| B_m(x_i)) + sum_i |phi'_ji(x_i)| e_x,i

(running error analysis; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section
3.3), where a symbolic edge adds |a f_a| + |b f_b| + |c f_c| + |d| to the sum: f_a is its derivative
with respect to a.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kan_ref.bspline import edge_sums, spline_sums
from kan_ref.checks import FloatArray, check_overflow
from kan_ref.functions import BASE_FUNCTIONS
from kan_ref.network import symbolic_edges
from kan_ref.network.cache import Cache
from kan_ref.network.definedness import first_cause, layer_inputs
from kan_ref.network.layer import Layer, edge_slopes, evaluate, layer_outputs
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)  # below it numbers have fewer digits
_ORDERS = (1, 2, 3)
_LEAST_TAIL = 1e-2  # of an interval: L near the first and last knot, where splines tend to 0
_LEAST_UNIT = 1e-250  # of an output: its inverse times a derivative must not overflow
_LEAST_OWN = 1e-3  # of a number of the last layer: less may be lost in its rounding
_LONGEST = 1e290  # of a direction: a number that hardly moves its node must stay finite
# of the bound of the rounding error: many times the worst of thousands of networks
ROUNDINGS = 20.0
SINGLE = 1e-3  # of the largest effect on a node, smaller ones count as so large: one block moves
TOGETHER = 1.0  # the same where all blocks move, so that products of long steps have no effect


@dataclass(frozen=True, eq=False)
class Scales:
    """What the steps of a check depend on, at a batch of inputs.

    `flow` and `errors` hold an array (batch, n_l) per layer of nodes: activations and their
    rounding errors. `lengths` holds L for every layer's inputs. `units` (batch, n_L) is the sum of
    absolute terms of each output, or a typical one of the batch where that is larger.
    """

    flow: list[FloatArray]
    errors: list[FloatArray]
    lengths: list[FloatArray]
    units: FloatArray


def measure_scales(network: Network, x: FloatArray, caches: Sequence[Cache]) -> Scales:
    """Return the scales of a network at checked inputs x (batch, n_in) with their caches."""
    flow, errors, lengths, sizes = [x], [np.zeros_like(x)], [], x
    for layer, cache in zip(network.layers, caches, strict=True):
        lengths.append(_bending_lengths(layer, flow[-1]))
        sizes = _absolute_terms(layer, cache)
        slopes = np.abs(edge_slopes(layer, cache))
        errors.append(_EPS * sizes + _TINY + np.einsum("bji,bi->bj", slopes, errors[-1]))
        flow.append(layer_outputs(layer, cache))
    return Scales(flow, errors, lengths, _output_units(sizes))


def check_scales(network: Network, x: FloatArray, scales: Scales) -> None:
    """Raise ValueError where the measures of a network at x are not finite."""
    measures = (*scales.flow, *scales.errors, *scales.lengths, scales.units)
    if not all(np.isfinite(array).all() for array in measures):
        raise ValueError(
            first_cause(network.layers, layer_inputs(network.layers, x), "x", highest=2)
            or "x and the parameters give activations or derivatives beyond float64 "
            "(about 1.8e308), but a gradient check needs finite ones: scale x or the "
            "parameters to size one"
        )


def _output_units(sizes: FloatArray) -> FloatArray:
    """Return the sizes (batch, n_L) of the outputs, at least a typical one of each output."""
    typical = np.median(sizes, axis=0)
    typical = np.where(typical > 0.0, typical, sizes.max(axis=0))
    largest = float(typical.max())
    units = np.maximum(sizes, np.where(typical > 0.0, typical, largest or 1.0))
    return np.maximum(units, _LEAST_UNIT)


def activations(network: Network, theta: FloatArray, x: FloatArray) -> list[FloatArray]:
    """Return the inputs of every layer at theta and the outputs, L + 1 arrays (batch, n_l)."""
    check_overflow("a step of the gradient check lies", theta)
    flow = [x]
    for layer in network.replace_theta(theta).layers:
        flow.append(layer_outputs(layer, evaluate(layer, flow[-1], slopes=False)))
    return flow


def _absolute_terms(layer: Layer, cache: Cache) -> FloatArray:
    """Return the sum of the absolute terms of every output, (batch, n_out)."""
    base = (np.abs(layer.base_matrix) @ np.abs(cache.base).T).T
    sizes = base + spline_sums(np.abs(layer.spline_matrix), cache.bases)
    if layer.symbolic:
        own = symbolic_edges.affine_slopes(layer.symbolic, layer.affine, cache.inputs)
        for n, edge in enumerate(layer.symbolic):
            sizes[:, edge.output] += np.abs(own[:, n] * layer.affine[edge.row]).sum(axis=1)
    return sizes


def _bending_lengths(layer: Layer, x: FloatArray) -> FloatArray:
    """Return the smallest L of all edges for every input of a layer, (batch, n_in)."""
    intervals, beyond = _near_intervals(layer, x)
    curves = np.abs(layer.spline_matrix.reshape(layer.coef.shape)).max(axis=2)
    weights = np.abs(layer.base_matrix)
    near = np.where(beyond <= intervals, 1.0, 0.0)  # splines are 0 beyond the knots
    unit = np.minimum(intervals, 1.0)  # in which no power overflows
    sizes = [
        weights * (np.abs(base) * unit**r)[:, None]
        + curves * (float(r <= layer.degree) * near * (unit / intervals) ** r)[:, None]
        for r, base in zip(_ORDERS, BASE_FUNCTIONS[layer.base](x, _ORDERS), strict=True)
    ]
    lengths = unit * _length(*sizes).min(axis=1)
    inside = np.minimum(x - layer.knots[:, 0], layer.knots[:, -1] - x)
    tail = np.maximum(inside / max(layer.degree, 1), _LEAST_TAIL * intervals)  # as a power of x
    bound = np.where(inside > 0.0, np.minimum(tail, intervals), np.maximum(intervals, beyond))
    lengths = np.fmin(lengths, bound)
    if layer.base == "silu" and weights.any():  # which bends near 0
        lengths = np.minimum(lengths, np.maximum(1.0, np.abs(x)))
    for edge in layer.symbolic:
        a, b = layer.affine[edge.row, :2]
        if a != 0.0:
            own = _inner_length(edge, a * x[:, edge.input] + b) / np.abs(a)
            lengths[:, edge.input] = np.minimum(lengths[:, edge.input], own)
    return np.asarray(lengths)


def _inner_length(edge: SymbolicEdge, u: FloatArray) -> FloatArray:
    """Return the length over which the function of a symbolic edge bends at u (batch,).

    Where S_3 overflows, as for 1/u near 0, it is S_1 / S_2, or |f| / S_1.
    """
    record = edge.function
    value, first, *last = (np.abs(f(u)) for f in (record.f, record.d1, record.d2, record.d3))
    with np.errstate(all="ignore"):
        far = np.where(np.isinf(last[0]), value / first, first / last[0])
    length = np.where(np.isinf(last[1]), far, _length(first, *last))
    return np.asarray(np.fmin(length, np.maximum(1.0, np.abs(u))))


def _length(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Return the length L from the sizes S_1, S_2, S_3 of the first three derivatives.

    It is the larger one of sqrt(S_1 / S_3) and S_2 / S_3, so that a derivative that is small at
    one point does not make it small.
    """
    bends = (third > 0.0) & ((first > 0.0) | (second > 0.0))
    third = np.where(bends, third, 1.0)
    with np.errstate(all="ignore"):  # far from 0 that of silu underflows before the others
        return np.where(bends, np.maximum(np.sqrt(first / third), second / third), np.inf)


def _near_intervals(layer: Layer, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the smallest interval near each input, and how far it lies beyond the knots."""
    near, k = np.empty_like(x), layer.degree
    for i, knots in enumerate(layer.knots):
        gaps = np.diff(knots)
        gaps[gaps == 0.0] = np.inf
        padded = np.pad(gaps, k, constant_values=np.inf)
        smallest = sliding_window_view(padded, 2 * k + 1).min(axis=1)
        smallest = np.where(np.isfinite(smallest), smallest, gaps.min())
        place = np.searchsorted(knots, x[:, i], side="right") - 1
        near[:, i] = smallest[np.clip(place, 0, len(gaps) - 1)]
    reach = np.maximum(layer.knots[:, 0] - x, x - layer.knots[:, -1])
    return near, np.maximum(reach, 0.0)


# --- directions


def input_direction(scales: Scales, rng: np.random.Generator) -> FloatArray:
    """Draw a direction (batch, n_in) of the inputs, in units of L."""
    return np.asarray(scales.lengths[0] * rng.standard_normal(scales.flow[0].shape))


def parameter_direction(
    scales: Scales,
    layer: Layer,
    number: int,
    name: str,
    cache: Cache,
    drawn: FloatArray,
    least: float,
) -> FloatArray:
    """Return a direction of an array of layer `number`, from random numbers of its shape.

    Every number is so long that it moves its node about as much as any other number, in units of
    that node: none hides another one's error. An effect counts as at least `least` times the
    largest one on the same node, since each node has a unit of its own.
    """
    if name == "affine":
        return drawn * _affine_units(layer, scales.flow[number])
    if name == "coef":
        effects = np.abs(layer.w_spline)[:, :, None]
    elif name == "w_base":
        effects = np.abs(cache.base).max(axis=0)[None]
    else:
        effects = np.abs(edge_sums(layer.coef.reshape(layer.n_out, -1), cache.bases)).max(axis=0)
    effects = np.maximum(effects, least * effects.max(axis=1, keepdims=True))
    last = number == len(scales.lengths) - 1
    if last:  # most outputs may be almost 0, as those of silu far on the left; one may be far
        nodes = np.quantile(scales.units, 0.9, axis=0, method="lower")
    else:
        nodes = np.median(scales.lengths[number + 1], axis=0)
    nodes = nodes.reshape(-1, *[1] * (drawn.ndim - 1))
    lengths = np.minimum(nodes / np.where(effects > 0.0, effects, 1.0), _LONGEST)
    if last:  # an output moves at most by this share of its terms, however small all of them are
        lengths = np.maximum(lengths, _LEAST_OWN * np.abs(getattr(layer, name)))
    return np.asarray(drawn * lengths)


def _affine_units(layer: Layer, x: FloatArray) -> FloatArray:
    """Return a unit of each symbolic parameter, (n_rows, 4): of a and b from u = a x + b."""
    slopes = np.abs(symbolic_edges.affine_slopes(layer.symbolic, layer.affine, x))
    units = np.full_like(layer.affine, np.inf)
    for n, edge in enumerate(layer.symbolic):
        a, b, c, d = layer.affine[edge.row]
        u = a * x[:, edge.input] + b
        length = min(1.0, float(_inner_length(edge, u).min()))
        far = np.abs(x[:, edge.input]).max()
        size = np.abs(c) * slopes[:, n, 2].max() + np.abs(d)
        own = [length / far if far > 0.0 else 1.0, length, np.abs(c) or 1.0, size or 1.0]
        units[edge.row] = np.minimum(units[edge.row], own)
    return units


def paces(
    network: Network,
    scales: Scales,
    step: float,
    by_x: FloatArray | float,
    by_theta: FloatArray | float,
) -> Iterator[tuple[FloatArray, float]]:
    """Yield the `pace` of a step along directions of x and theta, which the caller may shorten.

    Where the step leaves the domain of a symbolic edge, the pace is that of the layers below it, so
    it is measured again along the shorter directions, at most once for each layer.
    """
    for _ in network.layers:
        ends = network.theta + step * by_theta, scales.flow[0] + step * by_x
        hidden, outputs = pace(scales, activations(network, *ends), step)
        yield hidden, outputs
        if not np.isnan(outputs):
            break


def pace(scales: Scales, moved: Sequence[FloatArray], step: float) -> tuple[FloatArray, float]:
    """Return the largest changes of hidden activations and of outputs, in units of a step.

    Parameters
    ----------
    scales : Scales
    moved : list of (batch, n_l)
        The activations after one step.
    step : float

    Returns
    -------
    hidden : (batch,)
        The largest change of a hidden activation in units of step L; nan does not count.
    outputs : float
        The largest change of an output in units of step times its `units`; nan if one is nan.
    """
    hidden = np.zeros(len(moved[0]))
    units = zip(moved[1:-1], scales.flow[1:-1], scales.lengths[1:], strict=True)
    for after, before, length in units:
        change = np.abs(after - before) / (step * length)
        hidden = np.fmax(hidden, change.max(axis=1))
    outputs = np.abs(moved[-1] - scales.flow[-1]) / scales.units
    return hidden, float(outputs.max()) / step


def limit_to_values(direction: FloatArray, values: FloatArray) -> FloatArray:
    """Return a direction of an array, on each edge no longer than its numbers there, unless 0.

    Where coef and w_spline both changed to a multiple, their product would not be linear.
    """
    along = direction.reshape(*values.shape[:2], -1)
    longest, largest = (np.abs(a.reshape(along.shape)).max(axis=2) for a in (along, values))
    largest = np.where(largest > 0.0, largest, largest.max(axis=1, keepdims=True))
    short = (largest > 0.0) & (largest < longest)
    share = np.divide(largest, longest, out=np.ones_like(longest), where=short)
    return np.asarray((along * share[:, :, None]).reshape(direction.shape))
