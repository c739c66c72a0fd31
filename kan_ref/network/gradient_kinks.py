"""Samples that a gradient check leaves out: a curve has a kink or ends within the step.

Where a curve has no continuous second derivative, a central difference is wrong by O(h) or more.
Splines have such points at knots of multiplicity above degree - 2 (B6). Those of a symbolic edge
are found by the values g of its function and of two derivatives, on a step of width w and on one
twice as wide,

    (L36)  |g(u + w) - g(u - w)| < 3/2 |g(u + w/2) - g(u - w/2)|

By Taylor's theorem the left side is twice the difference on the right where g is smooth, and the
same where g jumps at u. At an end of its domain a curve has no difference on both sides.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.functions import Function
from kan_ref.network.gradient_steps import ROUNDINGS, Scales
from kan_ref.network.network import Network

_NEGLIGIBLE = 1e-9  # of a change of the function: it is below the tolerances that make sense


def clear_of_kinks(
    network: Network, before: Sequence[FloatArray], scales: Scales, after: Sequence[FloatArray]
) -> NDArray[np.bool_]:
    """Return which samples cross no knot at which a curve lacks a continuous second derivative.

    Activations are known up to their rounding errors only.
    """
    clear = np.ones(len(before[0]), dtype=bool)
    for number, layer in enumerate(network.layers):
        three = np.stack([before[number], scales.flow[number], after[number]])
        moves = (three[0] != three[1]) | (three[1] != three[2])
        error = ROUNDINGS * scales.errors[number]
        low, high = three.min(axis=0) - error, three.max(axis=0) + error
        for i, row in enumerate(layer.knots):
            values, multiplicity = np.unique(row, return_counts=True)
            rough = values[multiplicity > layer.degree - 2]
            meets = np.searchsorted(rough, low[:, i], side="left") < np.searchsorted(
                rough, high[:, i], side="right"
            )
            clear &= ~meets | ~moves[:, i]  # a coordinate that does not move crosses nothing
    return clear


def clear_of_symbolic_kinks(
    network: Network, thetas: Sequence[FloatArray], flows: Sequence[Sequence[FloatArray]]
) -> NDArray[np.bool_]:
    """Return which samples cross no kink of a symbolic edge and no end of its domain.

    Parameters
    ----------
    network : Network
    thetas, flows
        Its parameters and the inputs of its layers, at both ends of a step.
    """
    clear = np.ones(len(flows[0][0]), dtype=bool)
    ends = [network.replace_theta(theta).layers for theta in thetas]
    for number, layer in enumerate(network.layers):
        for edge in layer.symbolic:
            start, end = (
                layers[number].affine[edge.row, 0] * flow[number][:, edge.input]
                + layers[number].affine[edge.row, 1]
                for layers, flow in zip(ends, flows, strict=True)
            )
            clear &= ~_kinks(edge.function, start, end)
    return clear


def check_some_clear(clear: NDArray[np.bool_], step: float) -> None:
    """Raise ValueError if no sample is clear of kinks and ends of domains."""
    if not clear.any():
        raise ValueError(
            f"x has {len(clear)} samples, but all of them cross a kink of a curve or the end of a "
            f"domain within step {step:g}: add samples farther from knots, kinks and ends of "
            "domains of functions, or take a smaller step"
        )


def _kinks(function: Function, start: FloatArray, end: FloatArray) -> NDArray[np.bool_]:
    """Return where a function has a kink, by (L36), or ends between `start` and `end` (batch,)."""
    w, (low, high) = end - start, function.domain
    points = np.stack([start, end, start - w / 2.0, end + w / 2.0])
    slopes = np.abs(function.d1(points)).max(axis=0)
    found = (np.minimum(start, end) <= low) | (np.maximum(start, end) >= high)
    found &= w != 0.0
    for order, g in enumerate((function.f, function.d1, function.d2)):
        a, b, before, behind = g(points)
        jump = np.abs(b - a)
        kink = np.abs(behind - before) < 1.5 * jump
        least = slopes if order else np.abs(function.f(points)).max(axis=0)
        found |= kink & (jump * np.abs(w) ** max(order - 1, 0) > _NEGLIGIBLE * least)
    return found
