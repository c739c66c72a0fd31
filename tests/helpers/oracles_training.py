"""Slow truth for the floors of goal and workshop, from the definitions; and networks whose activations are where one wants them.

The k-th derivative of a spline of degree k is a constant on every piece: k! times the last Taylor coefficient there, in exact
fractions. The smoothness penalty is then the sum over live edges and inner breakpoints of (h^k (right - left))^2.
"""

import math
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
from oracles import exact_basis, taylor
from oracles_layer import network_backward

import kan_ref as kr
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

# --- losses and penalties


def mean_square(prediction, y):
    """The mean of the squares of all numbers of an array, one at a time, in exact fractions."""
    terms = [
        (Fraction(float(p)) - Fraction(float(t))) ** 2
        for p, t in zip(np.ravel(prediction), np.ravel(y), strict=True)
    ]
    return float(sum(terms) / len(terms))


def root_mean_square(prediction, y):
    return math.sqrt(mean_square(prediction, y))


def highest_derivative(row, degree, coef, piece):
    """The k-th derivative of a curve of degree k on the interval [t_piece, t_{piece+1}), exact."""
    series = taylor(row, degree, piece, float(row[piece]), degree + 1)
    return math.factorial(degree) * sum(
        Fraction(float(c)) * terms[degree] for c, terms in zip(coef, series, strict=True)
    )


def scaled_jumps(row, degree, coef):
    """h^k times the jumps of the k-th derivative at the inner breakpoints, which must all differ; exact."""
    n_intervals = len(row) - 2 * degree - 1
    h = (Fraction(float(row[degree + n_intervals])) - Fraction(float(row[degree]))) / n_intervals
    slopes = [
        highest_derivative(row, degree, coef, piece)
        for piece in range(degree, degree + n_intervals)
    ]
    return [h**degree * (right - left) for left, right in pairwise(slopes)]


def smoothness(network):
    """The penalty by its definition, edge by edge, jump by jump."""
    total = Fraction(0)
    for layer in network.layers:
        for j in range(layer.n_out):
            for i in range(layer.n_in):
                if layer.mask[j, i]:
                    weight = Fraction(float(layer.w_spline[j, i]))
                    total += sum(
                        (weight * jump) ** 2
                        for jump in scaled_jumps(layer.knots[i], layer.degree, layer.coef[j, i])
                    )
    return float(total)


# --- derivatives


def prediction_rows(network, x):
    """d prediction / d theta, (batch * n_out, n_params), samples first: a backward pass for each number, by loops."""
    rows = []
    for sample in x:
        for output in range(network.widths[-1]):
            upstream = np.zeros((1, network.widths[-1]))
            upstream[0, output] = 1.0
            rows.append(network_backward(network, sample[None], upstream)[1])
    return np.array(rows)


# --- curves that move


def design_matrix(x, row, degree):
    """B_m(x_b), one exact recursion at a time, (n, n_basis)."""
    return np.array(
        [[float(value) for value in exact_basis(float(point), row, degree)] for point in x]
    )


def nearest_solution(design, targets, start):
    """Of all coefficients with the smallest residual the nearest to `start`, by the pseudo-inverse; (n_out, n_basis)."""
    return start + (np.linalg.pinv(design) @ (targets - design @ start.T)).T


def coefficients_by_sampling(row, degree, curve, n_points=12):
    """The coefficients on a row whose curve passes through `curve` on [a, b]: least squares on many points of every piece."""
    grid = row[degree : len(row) - degree]
    inner = (np.arange(n_points) + 0.5) / n_points
    points = np.concatenate([low + inner * (high - low) for low, high in pairwise(grid)])
    design = design_matrix(points, row, degree)
    return np.linalg.solve(design.T @ design, design.T @ curve(points)), points


# --- examples


def covered_network(
    rng, widths, *, degree, n_intervals, x, pad=0.2, even=True, smooth=False, base="silu"
):
    """A network of which every grid holds the activations of x, by a share `pad` of their range on both sides; no w_spline is 1.

    Its coefficients are random, or where `smooth` values of sines, so that finer grids hold the same curves better and better.
    """
    layers = []
    for n_in, n_out in pairwise(widths):
        low, high = x.min(axis=0), x.max(axis=0)
        low, high = low - pad * (high - low), high + pad * (high - low)
        places = np.linspace(0.0, 1.0, n_intervals + 1)[None].repeat(n_in, axis=0)
        if not even:
            places[:, 1:-1] += rng.uniform(-0.3, 0.3, (n_in, n_intervals - 1)) / n_intervals
        grid = low[:, None] + (high - low)[:, None] * places
        outer = np.arange(1, degree + 1) * ((high - low) / n_intervals)[:, None]
        coef = rng.normal(size=(n_out, n_in, n_intervals + degree))
        if smooth:
            phases = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
            coef = np.sin(3.0 * np.linspace(0.0, 1.0, n_intervals + degree) + phases)
        layer = Layer(
            knots=np.hstack([(low[:, None] - outer)[:, ::-1], grid, high[:, None] + outer]),
            coef=coef,
            w_base=rng.normal(size=(n_out, n_in)),
            w_spline=rng.choice([-1.0, 1.0], (n_out, n_in)) * rng.uniform(0.4, 0.9, (n_out, n_in)),
            mask=np.ones((n_out, n_in)),
            degree=degree,
            base=base,
        )
        layers.append(layer)
        x = Network((layer,))(x)
    return Network(tuple(layers))


def bits(network):
    """Everything that a network is made of, as bytes: equal only if no bit has changed."""
    parts = [network.theta.tobytes()]
    for layer in network.layers:
        parts += [
            getattr(layer, name).tobytes()
            for name in ("knots", "coef", "w_base", "w_spline", "mask")
        ]
        parts.append(f"{layer.degree} {layer.base}".encode())
    return b"|".join(parts)


def samples(f, n_in, rng, *, n_train=60, n_test=40):
    """Data of a function of (n, n_in) on [-1, 1]: a plain record with the four arrays."""
    x_train, x_test = rng.uniform(-1, 1, (n_train, n_in)), rng.uniform(-1, 1, (n_test, n_in))
    return SimpleNamespace(x_train=x_train, y_train=f(x_train), x_test=x_test, y_test=f(x_test))


def growing(seed):
    """A network whose hidden activations must grow far beyond its grids before it fits its data."""
    rng = np.random.default_rng(seed)
    data = samples(lambda x: 10.0 * x[:, :1] * x[:, 1:], 2, rng)
    return kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=data.x_train, rng=rng), data
