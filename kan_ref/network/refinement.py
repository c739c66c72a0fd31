"""Finer grids and better placed grids for the same function.

Grid extension (Liu et al. 2024, section 2.4, eq. 2.16): each curve moves to a finer
knot vector, all edges independently. Where the finer grid contains the old breakpoints,
the curve lies in the finer space already and knot insertion gives its coefficients
exactly, without data and least squares. The new breakpoints are the old ones
interpolated linearly in rank, so every multiple of the old number of intervals is
nested. With the old outer knots kept, the finer space contains the curve outside [a, b]
too. Outer knots that continue the finer grid evenly condition least-squares problems
better, but the curve then decays to zero faster outside [a, b].

Grid update (Liu et al. 2024, section 2.2, third trick): grids move to the activations
of a batch. In `update_grid` layers move one after another, each at the activations that
the moved layers before it give; in training all move at once, each at the activations
of the network as it was. Coefficients change, w_spline does not.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np

from kan_ref import bspline, checks
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network.definedness import (
    has_limits,
    layer_inputs,
    outputs_at,
    undefined_values,
)
from kan_ref.network.layer import Layer, knot_fields
from kan_ref.network.network import Model, Network, check_network, check_samples

Kind = TypeVar("Kind", bound=Model)


def with_knots(layer: Layer, knots: FloatArray, coef: FloatArray) -> Layer:
    """Return the layer with other knots and coef, neither copied nor checked."""
    new = object.__new__(Layer)
    moved = {
        "knots": knots,
        "coef": coef,
        **knot_fields(knots, layer.degree, layer.n_out),
    }
    new.__dict__.update(layer.__dict__, **moved)
    return new


def move_layer(layer: Layer, new_knots: FloatArray, x: FloatArray | None) -> Layer:
    """Move a layer to other knots and keep its curves, by `move_coefficients`."""
    old = layer.knots, layer.degree, layer.coef
    return with_knots(layer, new_knots, bspline.move_coefficients(*old, new_knots, x))


def _refine_layer(
    layer: Layer, n_intervals: int, x: FloatArray | None, *, keep_outer: bool
) -> Layer:
    """Refine a grid over its [a, b]; outer knots stay only where it is nested."""
    grid = bspline.interpolate_in_rank(layer.breakpoints, n_intervals)
    nested = n_intervals % layer.n_intervals == 0
    if nested and keep_outer:
        knots = bspline.keep_outer_knots(layer.knots, grid, layer.degree)
        coef = bspline.coef_with_knots(layer.knots, layer.degree, layer.coef, knots)
        return with_knots(layer, knots, coef)
    return move_layer(
        layer, bspline.add_outer_knots(grid, layer.degree), None if nested else x
    )


def _check_finer(network: Network, n_intervals: object) -> int:
    """Return n_intervals, at least that of every layer."""
    most = max(layer.n_intervals for layer in network.layers)
    return checks.integer("n_intervals", n_intervals, low=most)


def _move_layers(
    network: Network, x: FloatArray, move: Callable[[Layer, FloatArray], Layer]
) -> Network:
    """Move layers one after another, each at its inputs; ValueError where they are
    undefined.
    """
    layers: list[Layer] = []
    at = x
    for layer in network.layers:
        layers.append(move(layer, at))
        at = outputs_at(layers[-1], at)
        if not np.isfinite(at).all():
            raise ValueError(undefined_values(layers, x))
    return Network(tuple(layers))


@np.errstate(all="ignore")
def extend_grid(
    network: Network, x: object = None, *, n_intervals: int, outer: str = "kept"
) -> Network:
    """Refine every layer's grid over its own [a, b], and keep the function.

    Parameters
    ----------
    network : Network
    x : (batch, n_in), optional
        Samples at which the function is kept as well as the new grid allows, where this
        does not contain the old one; not used otherwise.
    n_intervals : int
        At least that of every layer. A multiple of it gives a nested grid, which
        contains the old breakpoints.
    outer : str
        Outer knots of nested grids: "kept" leaves the old ones, "even" continues the
        new grid with its own spacing. Grids that are not nested always have even ones.

    Returns
    -------
    extended : Network
        The same function to rounding, inside and outside every [a, b], where all grids
        are nested and outer="kept". With "even" it is the same where the inputs of
        every layer lie in its [a, b]; outside, the basis functions decay faster. Where
        a grid is not nested, the function changes everywhere, by what the new grid
        cannot represent.

    Notes
    -----
    "even" suits a fit that follows: for a cubic curve refined from 5 to 200 intervals,
    the design matrix has a condition number of 40, and 3e4 with the old outer knots.
    See tutorials/06_grids.md, "outside the grid". Where grids are not nested, time
    grows with n_intervals^3: from 7 to 1000 it is below 1 s for one layer.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 5, "degree": 3, "domain": (-1.0, 1.0)}
    >>> net = kr.init_network((2, 3, 1), **grid, rng=rng)
    >>> finer = kr.extend_grid(net, n_intervals=20)
    >>> kr.distance(net, finer, rng.uniform(-2.0, 2.0, (100, 2))).max < 1e-14
    True
    """
    count = _check_finer(check_network("network", network), n_intervals)
    keep_outer = checks.choice("outer", outer, ("kept", "even")) == "kept"
    if x is None:
        layers = [
            _refine_layer(one, count, None, keep_outer=keep_outer)
            for one in network.layers
        ]
        return Network(tuple(layers))
    samples = check_samples(network, x)
    return _move_layers(
        network,
        samples,
        lambda layer, at: _refine_layer(layer, count, at, keep_outer=keep_outer),
    )


@np.errstate(all="ignore")
def update_grid(
    network: Kind,
    x: object,
    *,
    n_intervals: int | None = None,
    uniform_share: float = 1.0,
    margin: float = 1.0,
) -> Kind:
    """Move every grid to the activations of a batch, keeping the function nearly.

    Parameters
    ----------
    network : Network or LAN
        The grids of a LAN lie at its hidden nodes.
    x : (batch, n_in)
        At least one sample.
    n_intervals : int, optional
        Of the new grids; each keeps its own number by default.
    uniform_share : float
        Blending weight from 0 to 1: 1 spaces breakpoints evenly, 0 puts them at
        quantiles of the activations. Quantiles that are equal, because many activations
        are, are spread evenly between their neighbours: a breakpoint that occurs more
        often than `degree` lets curves jump.
    margin : float
        At least 0: how far a grid reaches beyond the activations on each side, in units
        of R / n_intervals with R their range. Intervals of the wider grid are longer:
        with G intervals and uniform_share=1 the distance is margin G / (G + 2 margin)
        of them.

    Returns
    -------
    updated : Network or LAN
        The function changes where the new grids cannot represent the old curves.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 5, "degree": 3, "domain": (-1.0, 1.0)}
    >>> net = kr.init_network((1, 1), **grid, rng=rng)
    >>> kr.update_grid(net, [[0.0], [5.0]]).layers[0].breakpoints
    array([[-1. ,  0.4,  1.8,  3.2,  4.6,  6. ]])
    """
    checks.instance("network", network, Model, "a Network or a LAN")
    samples = checks.samples("x", x, ("batch", network.widths[0]))
    if n_intervals is not None:
        checks.integer("n_intervals", n_intervals, low=1)

    def knots_at(at: FloatArray, own: int, degree: int) -> FloatArray:
        count = own if n_intervals is None else n_intervals
        return bspline.blended_knots(
            at, count, degree, uniform_share=uniform_share, margin=margin
        )

    def move(layer: Layer, at: FloatArray) -> Layer:
        return move_layer(layer, knots_at(at, layer.n_intervals, layer.degree), at)

    if not isinstance(network, Network):
        return network.move_grids(samples, knots_at)
    return cast("Kind", _move_layers(network, samples, move))


def refine(network: Network, x: FloatArray, n_intervals: int) -> Network:
    """Refine grids for training: keep the first layer's [a, b], place hidden grids on
    activations.

    x (batch, n_in) are the training inputs, `n_intervals` is at least that of every
    layer. A nested first grid gets even outer knots if all inputs lie in [a, b], and
    keeps its outer knots otherwise: the outputs at x change only by what the new hidden
    grids cannot represent.
    """
    first = network.layers[0]
    count = _check_finer(network, n_intervals)
    inside = np.all((x >= first.breakpoints[:, 0]) & (x <= first.breakpoints[:, -1]))
    moved = _refine_layer(first, count, x, keep_outer=not inside)
    return place_hidden_grids(Network((moved, *network.layers[1:])), x, count)


def place_hidden_grids(
    network: Network,
    x: FloatArray,
    n_intervals: int | None = None,
    *,
    flow: Sequence[FloatArray] | None = None,
    only_left: bool = False,
) -> Network:
    """Place hidden grids evenly over the activations of x, with `hidden_bounds`.

    n_intervals None keeps each layer's own number; `only_left` leaves a grid where it
    is while all activations lie in [a, b]. `flow` are the outputs of the layers at x,
    where they are known. Every curve keeps its values at the activations of the given
    network, as well as its new grid allows. Curves change a little, which can leave a
    symbolic edge undefined at a sample: then a network that keeps its numbers stays as
    it is, and another `n_intervals` raises ValueError. See tutorials/06_grids.md,
    "margins of hidden grids" and "why the test error rises on fine grids".
    """
    layers = list(network.layers)
    if flow is None:
        # without the outputs, with which a given flow ends: no layer takes them
        flow = list(layer_inputs(layers[:-1], x))[1:]
    if all(np.isfinite(at).all() for at in flow):
        for number, (layer, at) in enumerate(zip(layers[1:], flow, strict=False), 1):
            moving = np.ones(layer.n_in, dtype=bool)
            if only_left:
                a, b = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
                moving = np.any((at < a) | (at > b), axis=0)
            if moving.any():
                layers[number] = _place(layer, at, n_intervals, moving)
        if layers == list(network.layers):
            return network
        if not has_limits(layers):
            return Network(tuple(layers))

    why = undefined_values(layers, x)
    if why and n_intervals is not None:
        raise ValueError(why)
    return network if why else Network(tuple(layers))


def _place(
    layer: Layer, x: FloatArray, n_intervals: int | None, moving: BoolArray
) -> Layer:
    """Place the grids of some inputs over their activations x (batch, n_in)."""
    x, count = x[:, moving], n_intervals or layer.n_intervals
    knots = bspline.uniform_knots(*bspline.hidden_bounds(x, count), count, layer.degree)
    coef = bspline.move_coefficients(
        layer.knots[moving], layer.degree, layer.coef[:, moving], knots, x
    )
    if moving.all():
        return with_knots(layer, knots, coef)
    new_knots, new_coef = layer.knots.copy(), layer.coef.copy()
    new_knots[moving], new_coef[:, moving] = knots, coef
    return with_knots(layer, new_knots, new_coef)
