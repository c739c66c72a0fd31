"""Finer grids and better placed grids for the same function.

Grid extension (Liu et al. 2024, section 2.4, eq. 2.16): each curve moves to a finer knot vector,
all edges independently. Where the finer grid contains the old breakpoints, the curve lies in the
finer space already and knot insertion gives its coefficients exactly, without data and least
squares. The new breakpoints are the old ones interpolated linearly in rank, so every multiple of
the old number of intervals is nested. With the old outer knots kept, the finer space contains the
curve outside [a, b] too. Outer knots that continue the finer grid evenly condition least-squares
problems better, but the curve then decays to zero faster outside [a, b].

Grid update (Liu et al. 2024, section 2.2, third trick): grids move to the activations of a batch.
Layers move one after another, each at the activations that the moved layers before it give.
Coefficients change, w_spline does not.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref import checks
from kan_ref.bspline import (
    add_outer_knots,
    blended_knots,
    coef_with_knots,
    hidden_bounds,
    interpolate_in_rank,
    keep_outer_knots,
    move_coefficients,
    uniform_knots,
)
from kan_ref.checks import FloatArray
from kan_ref.network.definedness import first_cause, outputs_at
from kan_ref.network.layer import Layer
from kan_ref.network.layer_check import knot_fields
from kan_ref.network.network import Network, check_inputs, check_network


def with_knots(layer: Layer, knots: FloatArray, coef: FloatArray) -> Layer:
    """Return the layer with other knots and coefficients, neither copied nor checked."""
    new = object.__new__(Layer)
    knots.flags.writeable = False  # before its view is taken
    moved = {"knots": knots, "coef": coef, **knot_fields(knots, layer.degree, layer.n_out)}
    new.__dict__.update(layer.__dict__, **moved)
    return new


def move_layer(layer: Layer, new_knots: FloatArray, x: FloatArray | None) -> Layer:
    """Move a layer to other knot vectors and keep its curves (`bspline.move_coefficients`)."""
    coef = move_coefficients(layer.knots, layer.degree, layer.coef, new_knots, x)
    return with_knots(layer, new_knots, coef)


def _refine_layer(
    layer: Layer, n_intervals: int, x: FloatArray | None, *, keep_outer: bool
) -> Layer:
    """Refine a layer's grid over its [a, b]; the outer knots stay only where it is nested."""
    grid = interpolate_in_rank(layer.breakpoints, n_intervals)
    nested = n_intervals % layer.n_intervals == 0
    if nested and keep_outer:
        knots = keep_outer_knots(layer.knots, grid, layer.degree)
        coef = coef_with_knots(layer.knots, layer.degree, layer.coef, knots)
        return with_knots(layer, knots, coef)
    return move_layer(layer, add_outer_knots(grid, layer.degree), None if nested else x)


def _pass_on(layers: Sequence[Layer], x: FloatArray, *, check: bool = True) -> FloatArray:
    """Return the last layer's outputs at its inputs x; ValueError where they are not finite."""
    y = outputs_at(layers[-1], x)
    if check and not np.isfinite(y).all():
        raise ValueError(first_cause(layers, [*[None] * (len(layers) - 1), x, y], "x", highest=0))
    return y


def _check_samples(network: Network, x: object) -> FloatArray:
    """Return x as a batch of at least one sample."""
    samples = check_inputs(network, x)
    if len(samples) == 0:
        raise ValueError(
            f"x has shape {samples.shape}, but placing a grid needs at least one sample"
        )
    return samples


@np.errstate(all="ignore")
def extend_grid(
    network: Network, x: object = None, *, n_intervals: int, outer: str = "kept"
) -> Network:
    """Refine every layer's grid over its own [a, b], and keep the function.

    Parameters
    ----------
    network : Network
    x : (batch, n_in), optional
        Samples at which the function is kept as well as the new grid allows, where this does not
        contain the old one; not used otherwise.
    n_intervals : int
        At least that of every layer. A multiple of it gives a nested grid, which contains the old
        breakpoints.
    outer : str
        Outer knots of nested grids: "kept" leaves the old ones, "even" continues the new grid with
        its own spacing. Grids that are not nested always have even ones.

    Returns
    -------
    extended : Network
        The same function to rounding, inside and outside every [a, b], where all grids are nested
        and outer="kept". With "even" it is the same where the inputs of every layer lie in its
        [a, b]; outside, the basis functions decay faster. Where a grid is not nested, the function
        changes everywhere, by what the new grid cannot represent.

    Raises
    ------
    ValueError, TypeError
        "n_intervals is 4, but layer 0 has 5 already and a grid is only made finer"; where a
        symbolic edge is undefined at a sample; above 16384 - degree for a grid that is not nested.

    Notes
    -----
    For nested grids time and memory are proportional to n_intervals. For others time grows with
    n_intervals^3 and memory with n_intervals^2: from 7 to 1000 they are 0.8 s and 46 MiB for
    one layer with two inputs.

    "even" suits a fit that follows: for a cubic curve refined from 5 to 200 intervals, the design
    matrix has a condition number of 40, and 3e4 with the old outer knots. See
    tutorials/06_grids.md, "outside the grid".
    """
    check_network("network", network)
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    _check_finer(network, n_intervals)
    keep_outer = checks.choice("outer", outer, ("kept", "even")) == "kept"
    samples = None if x is None else _check_samples(network, x)
    layers: list[Layer] = []
    for layer in network.layers:
        layers.append(_refine_layer(layer, n_intervals, samples, keep_outer=keep_outer))
        samples = None if samples is None else _pass_on(layers, samples)
    return Network(tuple(layers))


@np.errstate(all="ignore")
def update_grid(
    network: Network, x: object, *, uniform_share: float = 1.0, margin: float = 1.0
) -> Network:
    """Move every grid to the activations of a batch; keep the function as well as the grids allow.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.
    uniform_share : float
        Blending weight from 0 to 1: 1 spaces breakpoints evenly, 0 puts them at quantiles of the
        activations. Quantiles that are equal, because many activations are, are spread evenly
        between their neighbours: a breakpoint that occurs more often than `degree` lets curves
        jump.
    margin : float
        At least 0: how far a grid reaches beyond the activations on each side, in units of
        R / n_intervals with R their range. Intervals of the wider grid are longer: with G
        intervals and uniform_share=1 the distance is margin G / (G + 2 margin) of them.

    Returns
    -------
    updated : Network
        All layers moved, each with as many intervals as before.

    Raises
    ------
    ValueError, TypeError
        "uniform_share is 1.5, but must be between 0 and 1"; where a symbolic edge is undefined.

    Notes
    -----
    The function changes where the new grids cannot represent the old curves.
    """
    samples = _check_samples(network, x)
    layers: list[Layer] = []
    for layer in network.layers:
        knots = blended_knots(
            samples, layer.n_intervals, layer.degree, uniform_share=uniform_share, margin=margin
        )
        layers.append(move_layer(layer, knots, samples))
        samples = _pass_on(layers, samples)
    return Network(tuple(layers))


def refine(network: Network, x: FloatArray, n_intervals: int) -> Network:
    """Refine grids for training: keep the first layer's [a, b], place hidden grids on activations.

    A nested first grid gets even outer knots if all inputs lie in [a, b], and keeps its outer knots
    otherwise: the outputs at x change only by what the new hidden grids cannot represent.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        Training inputs, checked.
    n_intervals : int
        At least that of every layer.

    Raises
    ------
    ValueError
        Where a symbolic edge of the refined network is undefined.
    """
    first = network.layers[0]
    _check_finer(network, n_intervals)
    inside = np.all((x >= first.breakpoints[:, 0]) & (x <= first.breakpoints[:, -1]))
    moved = _refine_layer(first, n_intervals, x, keep_outer=not inside)
    return place_hidden_grids(Network((moved, *network.layers[1:])), x, n_intervals)


def place_hidden_grids(
    network: Network,
    x: FloatArray,
    n_intervals: int | None = None,
    *,
    after_first: FloatArray | None = None,
) -> Network:
    """Place every hidden grid evenly over the activations of x, with the margin of `hidden_bounds`.

    `after_first` (batch, n_1) are the outputs of the first layer, where they are known.
    `n_intervals` None keeps each layer's own number. Moved curves change a little, which can leave
    a symbolic edge undefined at a sample: then a network that keeps its numbers stays as it is, and
    another `n_intervals` raises ValueError. See tutorials/06_grids.md, "margins of hidden grids"
    and "why the test error rises on fine grids".
    """
    layers = [network.layers[0]]
    for layer in network.layers[1:]:
        if len(layers) == 1 and after_first is not None:
            x = after_first
        else:
            x = _pass_on(layers, x, check=n_intervals is not None)
        if not np.isfinite(x).all():
            return network
        count = layer.n_intervals if n_intervals is None else n_intervals
        low, high = hidden_bounds(x, count)
        layers.append(move_layer(layer, uniform_knots(low, high, count, layer.degree), x))
    last = layers[-1]
    if last.symbolic:
        y = _pass_on(layers, x, check=n_intervals is not None)
        if not np.isfinite(y).all():
            return network
    return Network(tuple(layers))


def _check_finer(network: Network, n_intervals: int) -> None:
    """Raise ValueError if a layer has more intervals already."""
    for layer_index, layer in enumerate(network.layers):
        if n_intervals < layer.n_intervals:
            raise ValueError(
                f"n_intervals is {n_intervals}, but layer {layer_index} has {layer.n_intervals} "
                "already and a grid is only made finer"
            )
