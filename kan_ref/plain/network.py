"""A network: a list of layers, each on the outputs of the one before (Liu et al. 2024, eq. 2.7)."""

import numpy as np

from kan_ref.plain.bases import uniform_knots
from kan_ref.plain.layer import Layer, backward, forward


def init_network(widths, n_intervals, degree, low, high, rng):
    """Return random layers of widths (n_0, ..., n_L) as in the paper, all grids on [low, high]."""
    layers = []
    for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):
        knots = uniform_knots(np.full(n_in, low), np.full(n_in, high), n_intervals, degree)
        # [eq:plain-initialization]
        coef = 0.1 * rng.standard_normal((n_out, n_in, n_intervals + degree))
        bound = np.sqrt(6.0 / (n_in + n_out))
        w_base = rng.uniform(-bound, bound, (n_out, n_in))
        ones = np.ones((n_out, n_in))
        # [/eq:plain-initialization]
        layers.append(Layer(knots, coef, w_base, w_spline=ones, mask=ones))
    return layers


def to_theta(layers):
    """Return the vector of all parameters: layer by layer coef, w_base, w_spline."""
    # [eq:plain-theta]
    parts = [part for one in layers for part in (one.coef, one.w_base, one.w_spline)]
    return np.concatenate([part.ravel() for part in parts])
    # [/eq:plain-theta]


def to_layers(theta, layers):
    """Return layers with the grids and masks of `layers` and the parameters theta."""
    moved = []
    for old in layers:
        ends = np.cumsum([old.coef.size, old.w_base.size, old.w_spline.size])
        coef, w_base, w_spline, theta = np.split(theta, ends)
        moved.append(Layer(old.knots, coef, w_base, w_spline, old.mask))
    return moved


def predict(layers, x):
    """Return the outputs (batch, n_out) at x (batch, n_in)."""
    for layer in layers:
        x, _ = forward(layer, x)
    return x


def value_and_grad(layers, x, y):
    """Return the mean squared error at targets y (batch, n_out) and its gradient (n_params,)."""
    # [eq:plain-network]
    caches, grads = [], []
    for layer in layers:
        x, cache = forward(layer, x)
        caches.append(cache)
    value = np.mean((x - y) ** 2)
    dx = 2.0 * (x - y) / y.size
    for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
        dx, of_layer = backward(layer, cache, dx)
        grads = of_layer + grads
    # [/eq:plain-network]
    return value, np.concatenate([grad.ravel() for grad in grads])
