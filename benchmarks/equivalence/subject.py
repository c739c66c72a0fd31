"""The layer that every library gets, the points at which it is evaluated, and all other inputs: explicit numbers, nothing random.

Two inputs, three outputs, G = 5 intervals of degree k = 3 on [-1, 1], w_spline nowhere 1. Edge 0 -> 1 (from input 0 to output 1) is masked,
though its numbers are not 0; edge 1 -> 2 is active, and is 0 everywhere. Samples are multiples of an irrational number modulo 1, so
that they depend on no generator. Their number less 1 is a multiple of G, so that the libraries' definitions of a quantile coincide.
"""

from dataclasses import replace

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray

N_INTERVALS, DEGREE, LOW, HIGH = 5, 3, -1.0, 1.0
N_SAMPLES = 401
MASKED, ZERO = (1, 0), (2, 1)  # (output, input)
COEF = (
    (
        (0.30, -0.45, 0.80, 1.10, -0.20, -0.75, 0.40, 0.95),
        (-0.60, 0.15, 0.55, -0.35, 0.70, 0.20, -0.90, 0.10),
    ),
    (
        (0.50, 0.50, -0.25, 0.75, 0.30, -0.40, 0.65, -0.15),
        (1.20, 0.90, 0.35, -0.10, -0.55, -0.80, -0.30, 0.45),
    ),
    (
        (-0.20, 0.40, -0.65, 0.85, -1.00, 0.60, -0.35, 0.25),
        (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    ),
)
W_BASE = ((0.70, -0.40), (0.55, 0.90), (-1.10, 0.00))
W_SPLINE = ((0.50, 2.00), (1.50, -0.80), (1.25, 0.75))
CUBICS = (
    (0.3, -0.5, 0.4, 0.9),
    (-0.2, 0.7, -0.6, 0.5),
    (0.1, 0.4, 0.8, -0.7),
)  # of degree 0, 1, 2, 3 in x, one for each output
POINTS = {
    "inside": (0.3, -0.55),
    "at knots": (0.2, -0.6),
    "at the ends": (-1.0, 1.0),
    "beyond the grid": (1.3, -1.5),
    "at the last knots": (2.2, -2.2),
    "beyond the row": (3.0, -4.0),
}
ON_GRID = ("inside", "at knots", "at the ends")
AMPLITUDES = (1.0, 1e-2, 1e-3, 1e-4)


def knot_row(n_intervals: int = N_INTERVALS, degree: int = DEGREE) -> FloatArray:
    """Return the extended knot vector on [-1, 1], (1, n_knots)."""
    return kr.uniform_knots(LOW, HIGH, n_intervals, degree)


def layer() -> kr.Layer:
    """Return the layer."""
    mask = np.ones((3, 2))
    mask[MASKED] = 0.0
    return kr.Layer(
        np.tile(knot_row(), (2, 1)),
        np.array(COEF),
        np.array(W_BASE),
        np.array(W_SPLINE),
        mask,
        DEGREE,
    )


def without_zero_edge() -> kr.Layer:
    """Return the layer with the curve 0.75 * 0.1 on its edge of zeros and no masked edge:
    logarithms of all fractions exist.
    """
    coef = np.array(COEF)
    coef[ZERO] = 0.1
    return replace(layer(), coef=coef, mask=np.ones((3, 2)))


def cubic_layer() -> kr.Layer:
    """Return the layer with splines that are cubic polynomials on [-1, 1], which every grid can
    represent.

    The coefficient of B_m is the polynomial's blossom at the inner knots of its support, t_{m+1}, t_{m+2}, t_{m+3}.
    """
    row = knot_row()[0]
    u, v, w = (row[1 + place : 1 + place + N_INTERVALS + DEGREE] for place in range(DEGREE))
    powers = np.stack([np.ones_like(u), (u + v + w) / 3, (u * v + u * w + v * w) / 3, u * v * w])
    coef = np.array(CUBICS) @ powers
    return replace(layer(), coef=np.repeat(coef[:, None, :], 2, axis=1))


def sum_layer(row: FloatArray | None = None, degree: int = DEGREE) -> kr.Layer:
    """Return one edge without a base function and with all coefficients 1: its value is the sum of
    the basis functions.
    """
    knots = knot_row(degree=degree) if row is None else row[None]
    one = np.ones((1, 1))
    return kr.Layer(
        knots, np.ones((1, 1, knots.shape[1] - degree - 1)), 0.0 * one, one, one, degree
    )


def single_edge() -> kr.Layer:
    """Return edge 1 -> 0 alone."""
    whole = layer()
    return kr.Layer(
        whole.knots[1:],
        whole.coef[:1, 1:],
        whole.w_base[:1, 1:],
        whole.w_spline[:1, 1:],
        whole.mask[:1, 1:],
        DEGREE,
    )


def half_supported() -> tuple[FloatArray, FloatArray]:
    """Return basis functions (401, 13) of ten intervals with samples in [0, 1] alone, and a curve
    (401,) in their span: edge 1 -> 0 of the layer.
    """
    x = np.abs(samples()[:, 1:])
    one = single_edge()
    curve = kr.bspline.basis(x, one.knots, DEGREE)[:, 0] @ one.coef[0, 0]
    return kr.bspline.basis(x, knot_row(2 * N_INTERVALS), DEGREE)[:, 0], curve


def double_knot_row() -> FloatArray:
    """Return the knot vector with 0.2 twice, in place of 0.2 and 0.6, (n_knots,)."""
    row: FloatArray = knot_row()[0].copy()
    row[DEGREE + 4] = row[DEGREE + 3]
    return row


def samples(reach: float = 1.0, skew: float = 1.0) -> FloatArray:
    """Return samples (401, 2): even on [-reach, reach], or, with a skew above 1, denser to the
    left.
    """
    steps = np.arange(1, N_SAMPLES + 1)[:, None] * np.array(
        [0.6180339887498949, 0.7548776662466927]
    )
    return np.asarray(reach * (2.0 * (steps % 1.0) ** skew - 1.0))


def sine(
    amplitude: float, frequency: float = 3.0, n: int = N_SAMPLES
) -> tuple[FloatArray, FloatArray]:
    """Return samples (n,) of amplitude sin(frequency x) on [-1, 1]."""
    x = np.linspace(-1.0, 1.0, n)
    return x, amplitude * np.sin(frequency * x)


def pruning_network() -> kr.Network:
    """Return [1, 3, 1] without base functions: node 0 is x, node 1 is the small 0.005 x^3 with
    large outgoing weight, node 2 the constant 1.
    """
    row = knot_row()
    u, v, w = (row[0, 1 + place : 1 + place + N_INTERVALS + DEGREE] for place in range(DEGREE))
    line, cube, one = (u + v + w) / 3, u * v * w, np.ones_like(u)
    first = np.stack([line, 0.005 * cube, one])[:, None, :]
    second = np.stack([line, 200.0 * line, 0.8 * line])[None]
    layers = [
        kr.Layer(
            np.tile(row, (len(coef[0]), 1)),
            coef,
            np.zeros(coef.shape[:2]),
            np.ones(coef.shape[:2]),
            np.ones(coef.shape[:2]),
            DEGREE,
        )
        for coef in (first, second)
    ]
    return kr.Network(tuple(layers))
