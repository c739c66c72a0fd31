"""Constants added to a layer's outputs, held by its edges: the means of what pruning removes.

Theorem. There is no bias, but the basis functions sum to 1 on the grid [a, b] (de Boor, A Practical
Guide to Splines, ch. IX). So for an edge whose samples all lie in [a, b]

    (L21)  w_spline sum_m (coef_m + mu / w_spline) B_m(x) = w_spline sum_m coef_m B_m(x) + mu

and for n symbolic edges of one output that share a row (a, b, c, d)

    (L22)  sum_n (c f(a x + b) + d + mu / n) = sum_n (c f(a x + b) + d) + mu.

A knot vector may be extended at its ends. Each basis function keeps its own degree + 2 knots, so
the curves do not change where the new coefficients are 0:

    (L23)  knots' = (p new ones, knots, q new ones),  coef' = (p zeros, coef, q zeros),
           n_intervals' = n_intervals + p + q

A spline of degree 0, or on a vector that ends with degree + 1 copies of one knot t, jumps at its
last knot, where it has its left limit. Before new knots follow, its copies become the next float64
above t: then t remains inside its interval, and the curve changes by the rounding of t at most.

The constant goes to the first of these places that exists: the spline with the largest |w_spline|;
a row of symbolic edges of this output alone; a spline whose weight is close to 0, which gets the
weight 1; a masked edge, which becomes the symbolic edge "0" with d = mu; a symbolic edge that has
to leave its lock; and, where every edge is a spline whose samples leave its grid, the grid that
needs the fewest new knots.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.functions import lookup
from kan_ref.network.editing import with_formula
from kan_ref.network.layer import Layer

LEAST_WEIGHT = 1e-8  # below it, mu / w_spline would swamp the coefficients


def fold_constants(layer: Layer, x: FloatArray, constants: FloatArray) -> Layer:
    """Add a constant to each output of a layer, exactly to rounding at the samples x.

    Parameters
    ----------
    layer : Layer
    x : (batch, n_in)
        Inputs of the layer, at least one sample; not checked again here.
    constants : (n_out,)
        mu of every output; an output with 0 does not change.

    Returns
    -------
    folded : Layer

    Notes
    -----
    Implements :eq:`fold-spline`, :eq:`fold-formula` and :eq:`longer-rows`.
    """
    for j in np.flatnonzero(constants).tolist():
        layer = _fold(layer, x, j, float(constants[j]))
    return layer


def _fold(layer: Layer, x: FloatArray, j: int, mu: float) -> Layer:
    """Add `mu` at the best place among the edges to output j."""
    low, high, grid = x.min(axis=0), x.max(axis=0), layer.breakpoints
    splines, weights = layer.mask[j] == 1.0, np.abs(layer.w_spline[j])
    inside = splines & (grid[:, 0] <= low) & (high <= grid[:, -1])
    heavy = inside & (weights > LEAST_WEIGHT)
    if heavy.any():
        return _into_spline(layer, j, int(np.argmax(np.where(heavy, weights, 0.0))), mu)
    formulas = [edge for edge in layer.symbolic if edge.output == j]
    users, own = (
        Counter(edge.row for edge in layer.symbolic),
        Counter(edge.row for edge in formulas),
    )
    private = [row for row in own if own[row] == users[row]]
    if private:
        affine = layer.affine.copy()
        # [eq:fold-formula]
        affine[private[0], 3] += mu / own[private[0]]
        # [/eq:fold-formula]
        return replace(layer, affine=affine)
    if inside.any():
        return _into_spline(layer, j, int(np.argmax(inside)), mu)
    masked = ~splines
    masked[[edge.input for edge in formulas]] = False
    if masked.any():
        return with_formula(layer, j, int(np.argmax(masked)), lookup("0"), [1.0, 0.0, 1.0, mu])
    if formulas:
        edge = formulas[0]
        return with_formula(
            layer, j, edge.input, edge.function, layer.affine[edge.row] + [0.0, 0.0, 0.0, mu]
        )
    lacking = [_lacking(layer, i, float(low[i]), float(high[i])) for i in range(layer.n_in)]
    i = min(range(layer.n_in), key=lambda i: sum(lacking[i]))
    return _into_spline(_longer_rows(layer, lacking[i], low, high), j, i, mu)


def _into_spline(layer: Layer, j: int, i: int, mu: float) -> Layer:
    """Add `mu` to the coefficients of an edge by (L21); a weight close to 0 becomes 1 first."""
    coef, w_spline = layer.coef.copy(), layer.w_spline.copy()
    if abs(w_spline[j, i]) <= LEAST_WEIGHT:
        coef[j, i] *= w_spline[j, i]
        w_spline[j, i] = 1.0
    # [eq:fold-spline]
    coef[j, i] += mu / w_spline[j, i]
    # [/eq:fold-spline]
    return replace(layer, coef=coef, w_spline=w_spline)


def _lacking(layer: Layer, i: int, low: float, high: float) -> tuple[int, int]:
    """Count the knots that input i lacks at each end for a grid over [low, high]."""
    row, k = layer.knots[i], layer.degree
    return int(np.sum(row[: k + 1] > low)), int(np.sum(row[len(row) - 1 - k :] < high))


def _longer_rows(
    layer: Layer, lacking: tuple[int, int], low: FloatArray, high: FloatArray
) -> Layer:
    """Extend all knot vectors by (L23), with knots one interval apart or as far out as the samples.

    At most `degree` + 1 knots are needed at an end: with so many, the last lies at the sample.
    """
    (p, q), k, grid = lacking, layer.degree, layer.breakpoints
    h = (grid[:, -1] - grid[:, 0])[:, None] / layer.n_intervals
    first, last = layer.knots[:, :1], layer.knots[:, -1:]
    # the new grid begins at knot k of the new vector, which is a new knot only if p = k + 1
    left = (np.minimum(first - h, low[:, None]) if p > k else first - h) - h * np.arange(p)[::-1]
    right = (np.maximum(last + h, high[:, None]) if q > k else last + h) + h * np.arange(q)
    old = layer.knots
    if q:  # the closed interval up to t is the half-open one up to the next number
        jumps = (old == last) & (old[:, [-1 - k]] == last)
        old = np.where(jumps, np.nextafter(last, np.inf), old)
    # [eq:longer-rows]
    knots = np.hstack([left, old, right])
    coef = np.pad(layer.coef, ((0, 0), (0, 0), (p, q)))
    # [/eq:longer-rows]
    return replace(layer, knots=knots, coef=coef)
