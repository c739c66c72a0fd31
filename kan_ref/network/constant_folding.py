"""Constants added to a layer's outputs, such as means of pruned edges, held by edges.

Theorem. There is no bias, but the basis functions sum to 1 on the grid [a, b] (de Boor,
A Practical Guide to Splines, ch. IX). So for an edge whose samples all lie in [a, b]

    (L21)  w_spline sum_m (coef_m + mu / w_spline) B_m(x)
           = w_spline sum_m coef_m B_m(x) + mu

and for n symbolic edges of one output that share a row (a, b, c, d)

    (L22)  sum_n (c f(a x + b) + d + mu / n) = sum_n (c f(a x + b) + d) + mu.

A knot vector may be extended at its ends. Each basis function keeps its own degree + 2
knots, so the curves do not change where the new coefficients are 0:

    (L23)  knots' = (p new ones, knots, q new ones),  coef' = (p zeros, coef, q zeros),
           n_intervals' = n_intervals + p + q

The constant goes to the first of these places that exists: the spline with the largest
|w_spline| whose samples lie in its grid; a row of symbolic edges of this output alone;
a masked edge, which becomes the symbolic edge "0" with d = mu; a symbolic edge, which
leaves its lock; the spline whose grid needs the fewest new knots, with the weight 1 if
it is close to 0.
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

    x (batch, n_in) are inputs of the layer, `constants` (n_out,) the mu of every
    output. Implements :eq:`fold-spline`, :eq:`fold-formula` and :eq:`longer-rows`.
    """
    for j in np.flatnonzero(constants).tolist():
        layer = _fold(layer, x, j, float(constants[j]))
    return layer


def _fold(layer: Layer, x: FloatArray, j: int, mu: float) -> Layer:
    """Add `mu` at the best place among the edges to output j."""
    low = x.min(axis=0)[:, None]
    high = x.max(axis=0)[:, None]
    k = layer.degree
    # knots that each input lacks at the left and the right for a grid over its samples
    p = (layer.knots[:, : k + 1] > low).sum(axis=1)
    q = (layer.knots[:, -k - 1 :] < high).sum(axis=1)
    lacking = p + q

    # a spline
    weights = layer.mask[j] * np.abs(layer.w_spline[j])
    usable = (lacking == 0) & (weights > LEAST_WEIGHT)
    if usable.any():
        heaviest = int(np.argmax(weights * usable))
        return _into_spline(layer, j, heaviest, mu)

    # a row of symbolic edges
    formulas = [edge for edge in layer.symbolic if edge.output == j]
    users = Counter(edge.row for edge in layer.symbolic)
    own = Counter(edge.row for edge in formulas)
    for row, n in own.items():
        if n == users[row]:
            affine = layer.affine.copy()
            # [eq:fold-formula]
            affine[row, 3] += mu / n
            # [/eq:fold-formula]
            return replace(layer, affine=affine)

    # a masked edge
    masked = layer.mask[j] == 0.0
    for edge in formulas:
        masked[edge.input] = False
    if masked.any():
        i = int(np.argmax(masked))
        return with_formula(layer, j, i, lookup("0"), [1.0, 0.0, 1.0, mu])

    # a symbolic edge of a lock
    for edge in formulas:
        affine = layer.affine[edge.row] + [0.0, 0.0, 0.0, mu]
        return with_formula(layer, j, edge.input, edge.function, affine)

    # a spline on a longer knot vector
    i = int(np.argmin(lacking))
    a = layer.breakpoints[:, :1]
    b = layer.breakpoints[:, -1:]
    h = (b - a) / layer.n_intervals
    first = np.minimum(layer.knots[:, :1] - h, low)
    last = np.maximum(layer.knots[:, -1:] + h, high)
    left = first - h * np.arange(p[i])[::-1]
    right = last + h * np.arange(q[i])
    # [eq:longer-rows]
    knots = np.hstack([left, layer.knots, right])
    coef = np.pad(layer.coef, ((0, 0), (0, 0), (p[i], q[i])))
    # [/eq:longer-rows]
    return _into_spline(replace(layer, knots=knots, coef=coef), j, i, mu)


def _into_spline(layer: Layer, j: int, i: int, mu: float) -> Layer:
    """Add `mu` to the coefficients by (L21), after a weight close to 0 becomes 1."""
    coef = layer.coef.copy()
    w_spline = layer.w_spline.copy()
    if abs(w_spline[j, i]) <= LEAST_WEIGHT:
        coef[j, i] *= w_spline[j, i]
        w_spline[j, i] = 1.0
    # [eq:fold-spline]
    coef[j, i] += mu / w_spline[j, i]
    # [/eq:fold-spline]
    return replace(layer, coef=coef, w_spline=w_spline)
