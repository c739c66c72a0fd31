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
        bound, ones = np.sqrt(6.0 / (n_in + n_out)), np.ones((n_out, n_in))
        w_base = rng.uniform(-bound, bound, ones.shape)
        # [/eq:plain-initialization]
        layers.append(Layer(knots, coef, w_base, w_spline=ones, mask=ones))
    return layers


def to_theta(layers):
    """Return the vector of all parameters: layer by layer coef, w_base, w_spline."""
    # [eq:plain-theta]
    return np.concatenate([part.ravel() for one in layers for part in one.parameters])
    # [/eq:plain-theta]


def to_layers(theta, layers):
    """Return layers with the grids and masks of `layers` and the parameters theta."""
    ends = np.cumsum([part.size for one in layers for part in one.parameters])
    parts = iter(np.split(theta, ends))
    return [Layer(one.knots, next(parts), next(parts), next(parts), one.mask) for one in layers]


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
    value, dx = np.mean((x - y) ** 2), 2.0 * (x - y) / y.size
    for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
        dx, of_layer = backward(layer, cache, dx)
        grads = [grad.ravel() for grad in of_layer] + grads
    # [/eq:plain-network]
    return value, np.concatenate(grads)
