"""The base function b of an edge w_base b(x) + w_spline spline(x); MLP activations.

Theorem (Liu et al. 2024, eq. (2.11), and the product rule). With the sigmoid s(x) = 1 /
(1 + e^-x), s' = s (1 - s), and p = s (1 - s),

    (F1)  silu(x)    = x s
    (F2)  silu'(x)   = s + x p
    (F3)  silu''(x)  = p (2 + x (1 - 2 s))
    (F4)  silu'''(x) = p (3 (1 - 2 s) + x (1 - 6 p))

All follow from one exponential u = e^-|x| <= 1, which cannot overflow:

    (F5)  s = 1 / (1 + u)    for x >= 0,    u / (1 + u)    for x < 0
          p = u / (1 + u)^2  for every x

The difference 1 - s is never formed, so s keeps all its digits where it is tiny, and p
on both sides. Errors are a few ulp of the largest term of (F1)-(F4), or at most 4e-321
below x = -708, where e^x is subnormal.

The other two base functions are the identity, which makes an edge without spline
linear, and zero, which leaves the spline alone.

The activations of an MLP are silu and

    (F6)  t = tanh z:    t' = 1 - t^2,    t'' = -2 t t',    t''' = -2 t' (1 - 3 t^2)
    (F7)  relu z = max(z, 0):    relu' = 1 where z > 0, else 0;    relu'' = relu''' = 0
    (F8)  sin' = cos,    sin'' = -sin,    sin''' = -cos

(F6): differentiate t' = 1 - t^2. This difference loses its digits as |t| tends to 1.
Below 0.01 it is computed from another exponential, t' = 1 / cosh^2 z = 4 v / (1 + v)^2
with v = e^-2|z|, at the cost of that exponential at these numbers alone. The
derivatives of relu at 0 are left limits.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray

_SATURATED = 0.01  # of tanh': below it 1 - t^2 can be off by more than 1e-14 of itself


def _silu(x: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate silu or its derivatives; the head of the module states their errors."""
    # [eq:silu]
    u = np.abs(x)
    np.exp(np.negative(u, out=u), out=u)
    total = 1.0 + u

    # u where x < 0, else 1; `np.where` takes 4 times as long
    s = np.maximum(u, np.sign(x))
    s /= total
    p = u / (total * total) if any(orders) else u

    derivatives = (
        lambda: x * s,
        lambda: x * p + s,
        lambda: p * (2.0 + x * (1.0 - 2.0 * s)),
        lambda: p * (3.0 * (1.0 - 2.0 * s) + x * (1.0 - 6.0 * p)),
    )
    # [/eq:silu]
    return [derivatives[order]() for order in orders]


def _identity(x: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate the identity or its derivatives."""
    derivatives = (np.ndarray.copy, np.ones_like, np.zeros_like, np.zeros_like)
    return [derivatives[order](x) for order in orders]


def _zero(x: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate the zero function or its derivatives."""
    return [np.zeros_like(x) for _ in orders]


def _tanh(z: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate tanh or its derivatives, (F6). Implements :eq:`tanh-derivatives`."""
    # [eq:tanh-derivatives]
    t = np.tanh(z)
    slope = 1.0 - t**2
    if not slope.min(initial=1.0) >= _SATURATED:  # or it is nan
        saturated = slope < _SATURATED
        v = np.exp(-2.0 * np.abs(z[saturated]))
        slope[saturated] = 4.0 * v / (1.0 + v) ** 2

    derivatives = (
        lambda: t,
        lambda: slope,
        lambda: -2.0 * t * slope,
        lambda: -2.0 * slope * (1.0 - 3.0 * t**2),
    )
    # [/eq:tanh-derivatives]
    return [derivatives[order]() for order in orders]


def _relu(z: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate relu or its derivatives, (F7)."""
    derivatives = (
        lambda: np.maximum(z, 0.0),
        lambda: (z > 0.0).astype(np.float64),
        lambda: np.zeros_like(z),
        lambda: np.zeros_like(z),
    )
    return [derivatives[order]() for order in orders]


def _sine(z: FloatArray, orders: Sequence[int]) -> list[FloatArray]:
    """Evaluate the sine or its derivatives, (F8)."""
    derivatives = (
        lambda: np.sin(z),
        lambda: np.cos(z),
        lambda: -np.sin(z),
        lambda: -np.cos(z),
    )
    return [derivatives[order]() for order in orders]


BASE_FUNCTIONS = {"silu": _silu, "identity": _identity, "zero": _zero}
BASE_NAMES = tuple(BASE_FUNCTIONS)
_ACTIVATIONS = {"tanh": _tanh, "relu": _relu, "silu": _silu, "sine": _sine}
ACTIVATION_NAMES = tuple(_ACTIVATIONS)


def base_function(
    name: str, x: FloatArray, derivatives: Sequence[int] = (0,)
) -> tuple[FloatArray, ...]:
    """Evaluate a base function, or derivatives of orders 0 to 3, at an array x.

    Examples
    --------
    >>> base_function("silu", np.array([0.0, 1e308]), derivatives=(0, 1))
    (array([0.e+000, 1.e+308]), array([0.5, 1. ]))
    """
    evaluate = BASE_FUNCTIONS[checks.choice("base", name, BASE_NAMES)]
    return tuple(evaluate(x, derivatives))


def activation_values(
    name: str, z: FloatArray, derivatives: Sequence[int] = (0,)
) -> tuple[FloatArray, ...]:
    """Evaluate an activation of a checked name, or derivatives of orders 0 to 3."""
    return tuple(_ACTIVATIONS[name](z, derivatives))
