"""The base function b of every edge w_base b(x) + w_spline spline(x), with its first three derivatives.

Theorem (Liu et al. 2024, eq. (2.11), and the product rule). With the sigmoid s(x) = 1 / (1 + e^-x), s' = s (1 - s),
and the bell p = s (1 - s),

    (A1)  silu(x)    = x s
    (A2)  silu'(x)   = s + x p
    (A3)  silu''(x)  = p (2 + x (1 - 2 s))
    (A4)  silu'''(x) = p (3 (1 - 2 s) + x (1 - 6 p))

Everything follows from the one exponential u = e^-|x| <= 1, which cannot overflow:

    (A5)  s = 1 / (1 + u) for x >= 0, u / (1 + u) for x < 0,    p = u / (1 + u)^2 for every x

so that s keeps all its digits on the left, where it is tiny, and p on both sides: 1 - s is never formed.
The other two bases are the identity, which leaves a linear edge, and zero, which leaves the spline alone.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_integer

BASE_NAMES = ("silu", "identity", "zero")


def base_function(
    name: str, x: FloatArray, derivatives: Sequence[int] = (0,)
) -> tuple[FloatArray, ...]:
    """Values of the base function, or of its derivatives, at each number of `x`.

    Parameters
    ----------
    name : str
        One of `BASE_NAMES`.
    x : ndarray of float64, any shape
        Finite, of any size; the layer's door has asked.
    derivatives : sequence of int
        Orders, each between 0 and 3.

    Returns
    -------
    values : tuple of arrays shaped as x
        New ones, one for each order, in the order asked for.

    Raises
    ------
    ValueError, TypeError
        An unknown name, an order beyond 3.

    Notes
    -----
    Implements :eq:`silu`. One exponential, whatever is asked for; relative error of a few ulp away from the zeros of
    the derivatives, and of eps times the sum of absolute terms at them.

    Examples
    --------
    >>> base_function("silu", np.array([0.0, 1e308]), derivatives=(0, 1))
    (array([0.e+000, 1.e+308]), array([0.5, 1. ]))
    """
    check_choice("base", name, BASE_NAMES)
    orders = [check_integer("order of derivative", order, low=0, high=3) for order in derivatives]
    if name == "silu":
        return _silu(x, orders)
    if name == "identity":
        return tuple(
            x.copy() if order == 0 else np.full_like(x, 1.0 if order == 1 else 0.0)
            for order in orders
        )
    return tuple(np.where(np.isnan(x), np.nan, 0.0) for _ in orders)


def _silu(x: FloatArray, orders: Sequence[int]) -> tuple[FloatArray, ...]:
    # [eq:silu]
    u = np.abs(x)
    np.negative(u, out=u)
    np.exp(u, out=u)
    total = 1.0 + u
    s = np.where(x < 0.0, u, 1.0)
    s /= total
    p = u
    if any(orders):
        p /= total
        p /= total

    values = []
    for order in orders:
        if order == 0:
            value = x * s
        elif order == 1:
            value = x * p
            value += s
        elif order == 2:
            value = p * (2.0 + x * (1.0 - 2.0 * s))
        else:
            value = p * (3.0 * (1.0 - 2.0 * s) + x * (1.0 - 6.0 * p))
        values.append(value)
    # [/eq:silu]
    return tuple(values)
